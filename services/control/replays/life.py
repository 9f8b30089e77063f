"""The life of a replay: requested, approved by another person, running, and how it ended; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from services.ledger.replay.scope import Scope
from services.ledger.replay.words import Purpose


class State(StrEnum):
    """Where a replay stands."""

    REQUESTED = "requested"
    APPROVED = "approved"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Step(StrEnum):
    """What happens to a replay."""

    REQUEST = "request"
    APPROVE = "approve"
    START = "start"
    FINISH = "finish"
    FAIL = "fail"
    CANCEL = "cancel"


class Refused(Exception):  # noqa: N818 - says what happened
    """A rule is against it; the message says which."""


TABLE: Final[Mapping[tuple[State, Step], State]] = {
    (State.REQUESTED, Step.APPROVE): State.APPROVED,
    (State.REQUESTED, Step.CANCEL): State.CANCELLED,
    (State.APPROVED, Step.START): State.RUNNING,
    (State.APPROVED, Step.CANCEL): State.CANCELLED,
    # Whoever ran it was killed: what is judged stays judged, the rest is done by the next run.
    (State.RUNNING, Step.START): State.RUNNING,
    (State.RUNNING, Step.FINISH): State.DONE,
    (State.RUNNING, Step.FAIL): State.FAILED,
    (State.RUNNING, Step.CANCEL): State.CANCELLED,
    (State.FAILED, Step.START): State.RUNNING,
}
"""What may follow on what; nothing else may."""
ENDED: Final = frozenset({State.DONE, State.FAILED, State.CANCELLED})
SHORTEST_TEXT: Final = 4
_CANONICAL: Final = "resource."


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for."""

    purpose: Purpose
    scope: Scope
    reason: str
    basis: str
    """The legal basis: document and article."""
    options: Mapping[str, Any]
    """``policy_version`` or ``grant`` (a declaration) of a what-if; ``separate`` of a redelivery;
    ``throttle`` in records a second."""

    @property
    def separate(self) -> bool:
        """Whether a redelivery goes to a topic of its own beside that of its grant."""
        return bool(self.options.get("separate"))


@dataclass(frozen=True, slots=True)
class Replay:
    """A replay as it stands; ``version`` counts its steps."""

    number: int
    order: Order
    state: State
    version: int
    requested_by: str
    requested_at: datetime
    approved_by: str | None = None
    moved_at: datetime | None = None
    progress: Mapping[str, Any] | None = None
    result: Mapping[str, Any] | None = None


def requested(order: Order) -> Order:
    """The order, if it may be asked for.

    Raises:
        Refused: reason or legal basis is missing, or purpose and scope do not fit.
    """
    texts = (order.reason.strip(), order.basis.strip())
    if min(map(len, texts)) < SHORTEST_TEXT:
        raise Refused("a replay names its reason and its legal basis")
    if order.purpose is Purpose.REDELIVER and order.scope.grant is None:
        raise Refused("a redelivery names the grant under which it delivers")
    if order.purpose is Purpose.REDELIVER and not str(order.scope.topic or _CANONICAL).startswith(_CANONICAL):
        what = f"a redelivery gives the newest canonical state again and cannot go by {order.scope.topic}"
        raise Refused(f"{what}: name the canonical topic and its offsets, or a time")
    if order.separate and order.purpose is not Purpose.REDELIVER:
        raise Refused("only a redelivery goes to a separate topic: nothing else writes")
    if order.scope.subject is not None and order.purpose is Purpose.AUDIT:
        raise Refused("a block is compared whole: an audit cannot be about one subject, a what-if can")
    return replace(order, reason=texts[0], basis=texts[1])


def after(replay: Replay, step: Step, who: str) -> State:
    """The state after a step that somebody takes.

    Raises:
        Refused: the step does not follow, or the approver is the requester.
    """
    if step is Step.APPROVE and who == replay.requested_by:
        raise Refused("another person than the one who asked for it approves a replay")
    following = TABLE.get((replay.state, step))
    if following is None:
        raise Refused(f"replay {replay.number} is {replay.state.value}: it cannot {step.value}")
    return following
