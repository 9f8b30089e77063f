"""The demo's last chapter in figures: the balance, counts per topic, stops and withholdings by reason."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.cli.audit import DAY_MS, as_answer, pending, verdict
from services.cli.demo_waiting import PATIENCE_SECONDS, await_effect
from services.ledger.balance import balance
from services.ledger.evidence import Gatherer
from services.ledger.lookup import Lookup
from services.ledger.proof import Evidence

_LAG_DAYS = 7
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Books:
    """Everything that the last chapter shows; ``pending`` says what is not decided yet, if anything."""

    balance: Mapping[str, Any]
    topics: Mapping[str, int]
    quarantined: Mapping[str, int]
    withheld: Mapping[str, Mapping[str, int]]
    pending: str
    verdict: str


def settled_books(
    look: Callable[[], Books],
    tell: Callable[[str], None],
    seconds: float = PATIENCE_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Books:
    """The books once nothing is pending any more: before that they would prove only what was decided.

    Args:
        look: reads the books, e.g. ``books_of``.
        tell: is told what is pending, each time that this has changed.
        seconds: how long to wait.
        clock: seconds.

    Raises:
        DemoStuck: records are pending for so long; the message says how many, and from where.
    """
    books = look()
    told = ""

    def settled() -> bool:
        nonlocal books, told
        if told:
            books = look()
        if books.pending and books.pending != told:
            tell(books.pending)
        told = books.pending
        return not books.pending

    await_effect(settled, lambda: f"gate and fan-out to decide everything: {books.pending}", seconds, clock)
    return books


def books_of(lookup: Lookup) -> Books:
    """Prove the balance and sum up what the ledger says."""
    gatherer = Gatherer(lookup.reader, lookup.decoder, _LAG_DAYS * DAY_MS, _ATTEMPTS, lambda _text: None)
    evidence = gatherer.gather(int(time.time() * 1000))
    answer = as_answer(balance(evidence))
    return Books(
        balance={name: answer[name] for name in ("closed", "complete", "quiet", "sums", "differences")},
        topics=_topics(evidence),
        quarantined=_quarantined(answer),
        withheld=withheld_by_grant(answer["grants"]),
        pending=pending(answer),
        verdict=verdict(answer),
    )


def withheld_by_grant(grants: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Grant → reason → records, over all generations of each grant."""
    found: dict[str, Counter[str]] = {}
    for generation in grants:
        found.setdefault(generation["grant"], Counter()).update(generation["withheld"])
    return {grant: dict(reasons) for grant, reasons in found.items()}


def _topics(evidence: Evidence) -> dict[str, int]:
    topics: Counter[str] = Counter()
    for place, offsets in evidence.partitions.items():
        topics[place.topic] += len(offsets.values) + len(offsets.tombstones)
    return dict(sorted(topics.items()))


def _quarantined(answer: Mapping[str, Any]) -> dict[str, int]:
    from topics.event import StopReason

    stops = {reason.value for reason in StopReason}
    reasons: Counter[str] = Counter()
    for chain in answer["intake"]:
        reasons.update({name: count for name, count in chain["reasons"].items() if name in stops})
    return dict(reasons.most_common())
