"""What breaks when: an endless plan drawn from a seed, and what became of each fault. Pure."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from topics.names import GATE_GROUP


class FaultKind(StrEnum):
    """What can be done to a running bus; the values stand in the report."""

    KILL = "kill"
    """kill -9 of an instance that is started again at once."""
    KILL_TAKEOVER = "kill_takeover"
    """kill -9 of an instance that stays away until the others have taken over."""
    FREEZE = "freeze"
    """SIGSTOP past the session's end, then SIGCONT: it wakes up as one who was replaced."""
    BROKER_KILL = "broker_kill"
    CUT = "cut"
    """All connections of one instance."""
    CUT_ALL = "cut_all"
    """All connections of everybody at once."""
    HOLD_END_TXN = "hold_end_txn"
    """The end of a transaction is held on its way to the broker."""
    LOSE_END_TXN_ANSWER = "lose_end_txn_answer"
    """The end of a transaction reaches the broker; that it did, nobody is told."""
    REBALANCE = "rebalance"
    """A third instance comes, or goes."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of the plan; times in seconds."""

    number: int
    kind: FaultKind
    group: str
    """Whose instance: the gate's group or the fan-out's."""
    instance: int
    lasts: float
    """How long something is held or frozen, beyond what the kind itself needs."""
    pause: float
    """How long the bus is left alone afterwards."""


@dataclass(frozen=True, slots=True)
class FaultRecord:
    """What was done and how long it took to recover."""

    number: int
    kind: FaultKind
    target: str
    at_s: float
    """Since the first fault could have come."""
    recovery_s: float | None
    """From the fault, or where something was held or restarted from its end; None: it did not recover."""
    happened: bool
    """Whether the fault left evidence; one that did not is not counted."""


_WEIGHTS: Final = {
    FaultKind.KILL: 6,
    FaultKind.KILL_TAKEOVER: 3,
    FaultKind.FREEZE: 2,
    FaultKind.BROKER_KILL: 2,
    FaultKind.CUT: 5,
    FaultKind.CUT_ALL: 2,
    FaultKind.HOLD_END_TXN: 3,
    FaultKind.LOSE_END_TXN_ANSWER: 5,
    FaultKind.REBALANCE: 4,
}
_INSTANCES: Final = 2


def plan(seed: int, fanout_group: str) -> Iterator[Fault]:
    """The faults of a run, without end: each kind once, then by weight; gate and fan-out take turns."""
    rng = random.Random(f"faults {seed}")  # noqa: S311 - not for secrets
    groups, number = (GATE_GROUP, fanout_group), 0
    turn = rng.randrange(len(groups))
    first = list(FaultKind)
    rng.shuffle(first)
    while True:
        kind = first.pop() if first else rng.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        yield Fault(
            number=number,
            kind=kind,
            group=groups[(number + turn) % len(groups)],
            instance=rng.randrange(_INSTANCES),
            lasts=rng.uniform(1.0, 8.0),
            pause=rng.uniform(0.2, 2.0),
        )
        number += 1
