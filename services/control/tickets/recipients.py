"""Who received a wrong version, what each of them is to be told, and what the ticket proves of it.

Requirement A9: the wrong version went to the consumers that the ledger names; each is told, grant by grant.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from services.control.tickets.words import NoticeKind
from topics.event import ConsumerId, GrantId


@dataclass(frozen=True, slots=True)
class Receipt:
    """One wrong version that one grant delivered, or took away, as the ledger has it."""

    consumer: ConsumerId
    grant: GrantId
    generation: int
    at: str
    """The coordinate of the wrong version in the canonical topic."""
    effect: str
    """``delivered``, or ``tombstoned`` where the wrong version took the record away."""
    certain: bool
    """Whether the ledger proves it; where it only cannot exclude it, the consumer is told all the same."""
    block: str
    """The coordinate of the decision block."""
    policy_version: int
    written_ms: int

    @property
    def delivery(self) -> tuple[str, int, str, str]:
        """Which delivery it is about, whatever can be proven of it."""
        return self.grant, self.generation, self.at, self.block


@dataclass(frozen=True, slots=True)
class Told:
    """One consumer was told one thing about the record, under one grant."""

    consumer: ConsumerId
    grant: GrantId
    kind: NoticeKind
    notice: str
    """The id of the notice."""


Addressee = tuple[ConsumerId, GrantId]


def addressees(receipts: Iterable[Receipt]) -> tuple[Addressee, ...]:
    """Whom the receipts name: each consumer once for each of its grants, in a stable order."""
    return tuple(sorted({(each.consumer, each.grant) for each in receipts}))


def last_told(told: Iterable[Told]) -> dict[Addressee, NoticeKind]:
    """What each was told last."""
    return {(each.consumer, each.grant): each.kind for each in told}


def owed(
    receipts: Iterable[Receipt], told: Iterable[Told], kind: NoticeKind
) -> tuple[tuple[ConsumerId, GrantId, NoticeKind], ...]:
    """What is still to be told, if that is what holds now.

    That a dispute was unfounded is told to those only who were told of it.
    """
    known = last_told(told)
    return tuple(
        (consumer, grant, kind)
        for consumer, grant in addressees(receipts)
        if known.get((consumer, grant)) is not kind
        and (kind is not NoticeKind.UNFOUNDED or (consumer, grant) in known)
    )
