"""What the doctor says of drift: the bus was seen to differ from the cases; pure."""

from typing import Final

from services.control.store.snapshots import Snapshot
from services.doctor.finding import Finding, failure, note, ok, warning
from services.watch.safe_text import safe_line

CHECK: Final = "drift"
_LOOK: Final = "govbus grant drift"


def judge_drift(seen: Snapshot) -> list[Finding]:
    """What could not be mended is a failure; what was mended within a day, somebody must ask about."""
    if seen.as_of is None:
        return [note(CHECK, "nobody has held the bus against the cases yet", _LOOK)]
    found = [
        (warning if each.get("mended_at") else failure)(
            CHECK, safe_line(f"{each['subject']}: {each['detail']}"), _LOOK
        )
        for each in seen.documents.values()
    ]
    return found or [ok(CHECK, f"the bus was as the cases say at {seen.as_of:%Y-%m-%d %H:%M} UTC")]
