"""Tells from the versions of a record whether what a ticket disputes was corrected, and since when.

Nothing but the canonical records is asked: whoever corrects at the source need not know of the ticket.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from topics.disputes import Contested, standing
from topics.event import Record, SourcePosition


@dataclass(frozen=True, slots=True)
class Version:
    """One canonical record of a key; ``state`` is None where the record was deleted or left its key."""

    at: str
    position: SourcePosition
    source_time_ms: int
    state: Record | None


class Verdict(StrEnum):
    """What a version says of what is disputed."""

    STANDING = "standing"
    """All of it is still said."""
    PARTLY = "partly"
    CORRECTED = "corrected"
    """None of it is said any more."""
    GONE = "gone"
    """There is no record under this key any more: deleted, or its identity was corrected."""


SETTLED = frozenset({Verdict.CORRECTED, Verdict.GONE})


@dataclass(frozen=True, slots=True)
class Correction:
    """What a ticket keeps of a version: which, and what it says of what is disputed."""

    at: str
    position: SourcePosition
    source_time_ms: int
    verdict: Verdict
    standing: tuple[str, ...] = ()
    """Names of the items that still say what is disputed."""


class CorrectionWatch(Protocol):
    """Where the versions of disputed records come from: the canonical topic, or a list in tests."""

    def versions(self, contested: Contested, since: str) -> Iterable[Version]:
        """The versions of that record from that coordinate on, in order; no others."""
        ...


def judged(contested: Contested, version: Version, key: bytes) -> Correction:
    """What one version says of what is disputed; ``key`` is that of the disputes."""
    left = standing(contested, version.state, key)
    return Correction(
        version.at, version.position, version.source_time_ms, _verdict(contested, version, left), left
    )


def corrects(contested: Contested, before: Version, after: Version, key: bytes) -> bool:
    """Whether the change between two versions of a record corrects what is disputed, wholly."""
    said = judged(contested, before, key).verdict not in SETTLED
    return said and judged(contested, after, key).verdict in SETTLED


def settled_since(contested: Contested, versions: Sequence[Version], key: bytes) -> Correction | None:
    """The version since which nothing disputed is said any more; None where the newest one still says it.

    A correction that was taken back counts no more than one that never came.
    """
    found: Correction | None = None
    for version in sorted(versions, key=lambda each: each.position):
        correction = judged(contested, version, key)
        if correction.verdict not in SETTLED:
            found = None
        elif found is None:
            found = correction
    return found


def wrong_versions(contested: Contested, versions: Iterable[Version], key: bytes) -> tuple[Version, ...]:
    """The versions that say something of what is disputed: whoever received one of them is to be told."""
    return tuple(each for each in versions if judged(contested, each, key).verdict not in SETTLED)


def _verdict(contested: Contested, version: Version, left: tuple[str, ...]) -> Verdict:
    if version.state is None:
        return Verdict.GONE
    if not left:
        return Verdict.CORRECTED
    return Verdict.STANDING if len(left) == max(len(contested.values), 1) else Verdict.PARTLY
