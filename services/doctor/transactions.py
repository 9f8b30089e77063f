"""Judges transactions that nobody ends: whatever stands behind them is read by nobody; pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from services.doctor.finding import Finding, failure, listed, ok

#: Above the longest transaction that the broker allows (120 s): until then somebody may still end it.
LONGEST_S: Final = 180.0
_REMEDY: Final = (
    "keep data/ as it is and call the engineers: it may be decided, so nobody may abort it unseen"
)


@dataclass(frozen=True, slots=True)
class OpenTransaction:
    """The oldest transaction without an end in one partition, and whether it is open for too long."""

    topic: str
    partition: int
    offset: int
    overdue: bool


def judge_transactions(found: Iterable[OpenTransaction]) -> Finding:
    """One line: whether one of them is older than any that is still worked on."""
    hanging = sorted(f"{each.topic}:{each.partition}:{each.offset}" for each in found if each.overdue)
    if not hanging:
        return ok("transaction", f"none has been open for longer than {LONGEST_S:.0f} s")
    seen = f"nobody ends those that begin at {listed(hanging)}: what stands behind them is read by nobody"
    return failure("transaction", seen, _REMEDY)
