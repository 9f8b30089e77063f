"""What the doctor says of the retention of evidence: topics against the floor of the adopted packs; pure."""

from collections.abc import Mapping
from typing import Final

from services.control.retention.floor import SIX_MONTHS, Floor
from services.control.retention.keeping import too_short
from services.control.state import Topic
from services.control.store.snapshots import Snapshot
from services.doctor.finding import Finding, failure, listed, ok

CHECK: Final = "retention"
_LOOK: Final = "govbus apply"


def judge_retention(topics: Mapping[str, Topic], seen: Snapshot) -> list[Finding]:
    """Evidence that is forgotten too early is a failure: what the broker deletes nobody brings back."""
    document = seen.documents.get("floor", {})
    days = int(document.get("days", SIX_MONTHS))
    because = document.get("because", Floor(SIX_MONTHS).because)
    short = too_short(topics, Floor(days))
    if short:
        named = listed([str(each) for each in short])
        return [failure(CHECK, f"kept for less than {days} days ({because}): {named}", _LOOK)]
    return [ok(CHECK, f"evidence is kept for {days} days at least: {because}")]
