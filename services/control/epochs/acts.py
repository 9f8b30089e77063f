"""What the ledger is owed of an epoch: begun, a large removal confirmed, proven whole, given up; pure.

The topics of markers are in no Merkle log. The act of an epoch's end says the counts and the digest that its
END marker says, so whoever alters the marker is found by the sealed act. Which rows a filter names stands in
no act: they are primary keys.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from services.control.store.outbox import Act, Fact
from topics.event import ResourceId

KIND: Final = "resource"


class What(StrEnum):
    """What the ledger is told."""

    BEGUN = "snapshot.begun"
    CONFIRMED = "snapshot.confirmed"
    """Somebody has seen how many records would go, and means it; before any goes."""
    ENDED = "snapshot.ended"
    ABORTED = "snapshot.aborted"


@dataclass(frozen=True, slots=True)
class Step:
    """A step of one epoch.

    Args:
        what: happened.
        resource: of which resource.
        number: of which of its epochs.
        reason: why; no personal data.
        facts: counts, digest, whether it is filtered or initial.
    """

    what: What
    resource: ResourceId
    number: int
    reason: str
    facts: Mapping[str, Fact] = field(default_factory=dict)

    @property
    def said(self) -> Mapping[str, Fact]:
        """What the act says of it."""
        return {"number": self.number, **self.facts}


Owe = Callable[[Step], None]
"""Owes a step to the ledger; raises where it must not be taken unless that is done."""


def nobody(_step: Step) -> None:
    """For whoever has no ledger: owe nothing."""


def act_of(step: Step, who: str, now: datetime) -> Act:
    """The act of a step that ``who`` took."""
    return Act(who, step.what.value, KIND, step.resource, now, step.reason, step.said)
