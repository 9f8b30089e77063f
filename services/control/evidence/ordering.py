"""An order for a receipt: of what, for whom, what it may show, and what became of it; pure.

A receipt rests on decision blocks, policy versions and acts, and these speak of other departments too: a
block counts every grant of a batch, a policy version holds the terms of all grants (ADR 91). Auditors are
shown all of it. A provider is shown the blocks, which count grants to its own resource only; a consumer the
acts that say how far its own groups were. Of everything else a receipt shows the digest.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from services.control.accounts.actions import Action
from services.control.accounts.decision import Allowed, Principal, Whose, may_person
from services.evidence.entries import ACTS, DELIVERY
from services.evidence.receipt_making import EVERYTHING

RAW: Final = "raw."


class State(StrEnum):
    """How far an order is."""

    ASKED = "asked"
    MADE = "made"
    REFUSED = "refused"


class Obstacle(StrEnum):
    """Why there is no receipt, or none yet."""

    NOT_SEALED = "NOT_SEALED"
    """What it rests on is in no checkpoint yet."""
    INDEX_BEHIND = "INDEX_BEHIND"
    """The index of the trace does not know yet where a record stands that a block counts."""
    NOT_THERE = "NOT_THERE"
    """The record does not stand there, or not any more."""
    NOTHING_TO_PROVE = "NOTHING_TO_PROVE"
    """No sealed block decided it, or what would be needed is kept no more."""
    BUS_SILENT = "BUS_SILENT"
    """What the receipt is made of does not answer."""
    OTHER_LOG = "OTHER_LOG"
    """The trust file that was sent along is of another installation."""
    LEDGER_DIFFERS = "LEDGER_DIFFERS"
    """The topics do not hold what was sealed, or the entries do not allow what they count: a finding."""
    FAILED = "FAILED"
    """Making it ended in a defect, several times."""


PATIENCE: Final[Mapping[Obstacle, timedelta]] = {
    Obstacle.NOT_SEALED: timedelta(hours=1),
    Obstacle.INDEX_BEHIND: timedelta(hours=1),
    Obstacle.BUS_SILENT: timedelta(hours=1),
    # What was written a moment ago is indexed and sealed within seconds.
    Obstacle.NOTHING_TO_PROVE: timedelta(minutes=5),
}
"""What time may remove, and for how long after it was asked for a receipt is tried again."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a receipt is of: one record of a grant's topic, or a provider's change by its raw coordinate."""

    partition: int
    offset: int
    grant: str | None = None
    topic: str | None = None
    withdrawn: bool = False
    """Of a change that corrected an identity: whether the record under the old number is meant."""

    def __post_init__(self) -> None:
        if (self.grant is None) is (self.topic is None):
            raise ValueError("a receipt is of a grant's record or of a raw record")

    def __str__(self) -> str:
        return f"{self.grant or self.topic}:{self.partition}:{self.offset}"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for, and by whom."""

    subject: Subject
    shown: frozenset[str]
    """The topics of the ledger whose entries the receipt shows."""
    asked_by: str
    """The id of an account."""
    department: str
    whose: Whose
    """The departments of what the receipt is of."""
    witness: bytes | None = field(default=None, repr=False)
    """The checkpoint of the trust file that it is to be verified against, besides the installation's own."""

    @property
    def open(self) -> bool:
        """Whether the receipt shows everything that it rests on."""
        return self.shown >= EVERYTHING


@dataclass(frozen=True, slots=True)
class Order:
    """A wish, and what became of it."""

    number: int
    wish: Wish
    asked_at: datetime
    state: State
    obstacle: Obstacle | None = None
    """Why it is refused, or what it waits for."""
    detail: str = ""
    """The same for whoever looks closer, in English."""
    attempts: int = 0
    """How many in a row ended in a defect."""
    ended_at: datetime | None = None
    digest: str = ""
    """SHA-256 of the receipt, hexadecimal."""
    size: int = 0
    """Of the receipt, in bytes."""


def sees_everything(principal: Principal) -> bool:
    """Whether somebody is shown everything that a receipt rests on, as auditors are."""
    return isinstance(may_person(principal, Action.AUDIT_EXPORT, Whose()), Allowed)


def may_know_recipients(principal: Principal, whose: Whose) -> bool:
    """A receipt of a record names every grant: for its provider, and for who sees everybody's grants."""
    everybodys = isinstance(may_person(principal, Action.GRANT_LOOK, Whose()), Allowed)
    return everybodys or whose.provider == principal.department


def shown_to(principal: Principal, whose: Whose) -> frozenset[str]:
    """The topics of the ledger of whose entries somebody is shown the text.

    Args:
        principal: who asks.
        whose: the departments of what the receipt is of.
    """
    if sees_everything(principal):
        return EVERYTHING
    found = set()
    if whose.provider == principal.department:
        found.add(DELIVERY)
    if whose.consumer == principal.department:
        found.add(ACTS)
    return frozenset(found)


def may_fetch(principal: Principal, wish: Wish) -> bool:
    """Whether somebody who sees the order may have its receipt: it may show what is not that person's."""
    shown = shown_to(principal, wish.whose)
    return shown >= EVERYTHING or (wish.department == principal.department and wish.shown <= shown)
