"""The demo's last chapter in figures: the balance, counts per topic, stops and withholdings by reason."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.cli.audit import DAY_MS, as_answer
from services.ledger.balance import balance
from services.ledger.evidence import Gatherer
from services.ledger.lookup import Lookup

_LAG_DAYS = 7
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Books:
    """Everything that the last chapter shows."""

    balance: Mapping[str, Any]
    topics: Mapping[str, int]
    quarantined: Mapping[str, int]
    withheld: Mapping[str, Mapping[str, int]]


def books_of(lookup: Lookup) -> Books:
    """Prove the balance and sum up what the ledger says."""
    gatherer = Gatherer(lookup.reader, lookup.decoder, _LAG_DAYS * DAY_MS, _ATTEMPTS, lambda _text: None)
    evidence = gatherer.gather(int(time.time() * 1000))
    answer = as_answer(balance(evidence))
    topics: Counter[str] = Counter()
    for place, offsets in evidence.partitions.items():
        topics[place.topic] += len(offsets.values) + len(offsets.tombstones)
    return Books(
        balance={name: answer[name] for name in ("closed", "quiet", "sums", "differences")},
        topics=dict(sorted(topics.items())),
        quarantined=_quarantined(answer),
        withheld={grant["grant"]: grant["withheld"] for grant in answer["grants"]},
    )


def _quarantined(answer: Mapping[str, Any]) -> dict[str, int]:
    from topics.event import StopReason

    stops = {reason.value for reason in StopReason}
    reasons: Counter[str] = Counter()
    for chain in answer["intake"]:
        reasons.update({name: count for name, count in chain["reasons"].items() if name in stops})
    return dict(reasons.most_common())
