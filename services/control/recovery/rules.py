"""Which gaps of a capture are mended without asking, and how far the mending of one is; pure.

Of a lost slot it is known what is to be done: the same database is there, and what it holds now is right. Of
another server or timeline it is not: a sweep would withdraw whatever a wrong database does not hold.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from services.control.epochs.state import EpochState, Newest
from services.control.gaps import CaptureFacts, gap
from services.control.store.outbox import Act
from topics.event import ProviderId

BEGUN: Final = "capture.recovery_begun"
ENDED: Final = "capture.recovered"
KIND: Final = "provider"
REST: Final = timedelta(days=1)
"""Whoever loses his slot again within this time is not taken anew again: somebody keeps dropping it."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """One recovery of a capture, as its acts tell.

    Args:
        incarnation: under which the capture is taken anew.
        begun: when it was decided; an epoch that began before proves nothing of it.
        why: the gap.
        is_open: whether nobody has noted its end.
    """

    incarnation: int
    begun: datetime
    why: str
    is_open: bool = True


class Proof(Enum):
    """How far the proof of one resource is."""

    MISSING = "missing"
    """No epoch over the whole table has begun since."""
    UNDER_WAY = "under way"
    WAITS = "waits"
    """For an operator: the sweep would remove too much."""
    GIVEN_UP = "given up"
    WHOLE = "whole"


def lost_slot(facts: CaptureFacts, recorded: str | None) -> str | None:
    """Why changes are lost, where it is the slot alone: same server and timeline as the capture began on.

    Args:
        facts: the capture as it is now.
        recorded: the system that the capture began on, as policy has it; without it nothing is certain.
    """
    if facts.source is None or recorded is None or facts.source.system != recorded:
        return None
    return gap(facts, recorded)


def newest_recovery(acts: Iterable[Act]) -> Recovery | None:
    """The newest recovery of a provider's capture, from all acts on the provider, oldest first."""
    newest: Recovery | None = None
    for act in acts:
        incarnation = act.facts.get("incarnation")
        if not isinstance(incarnation, int):
            continue
        if act.what == BEGUN:
            newest = Recovery(incarnation, act.when, act.reason)
        elif act.what == ENDED and newest is not None and newest.incarnation == incarnation:
            newest = Recovery(incarnation, newest.begun, newest.why, is_open=False)
    return newest


def begun(provider: ProviderId, incarnation: int, why: str, who: str, now: datetime) -> Act:
    """The act with which a recovery begins; ``newest_recovery`` reads it back."""
    return Act(who, BEGUN, KIND, provider, now, why, {"incarnation": incarnation})


def ended(provider: ProviderId, recovery: Recovery, swept: int, who: str, now: datetime) -> Act:
    """The act with which it ends; ``swept`` records were withdrawn that the source does not have any more."""
    return Act(
        who, ENDED, KIND, provider, now, recovery.why, {"incarnation": recovery.incarnation, "swept": swept}
    )


def may_begin(last: Recovery | None, now: datetime) -> bool:
    """Whether another recovery may begin: the last one is long enough ago."""
    return last is None or now - last.begun >= REST


def proof_of(newest: Newest, recovery: Recovery) -> Proof:
    """How far the newest epoch of a resource proves what the recovered capture brought."""
    if newest.where or newest.begin_ms < int(recovery.begun.timestamp() * 1000):
        return Proof.MISSING
    return _PROOFS[newest.state]


_PROOFS: Final = {
    EpochState.NONE: Proof.MISSING,
    EpochState.OPEN: Proof.UNDER_WAY,
    EpochState.WAITING: Proof.WAITS,
    EpochState.ENDED: Proof.WHOLE,
    EpochState.ABORTED: Proof.GIVEN_UP,
}
