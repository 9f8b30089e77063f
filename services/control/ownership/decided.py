"""A ruling as it was decided, and how far it is on its way to every instance of the gate; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.control.cases.words import Actor, Role
from services.control.ownership.ruling import Ruling
from topics.event import GrantId, ResourceId
from topics.ownership import Decision, ItemRuling


class Stage(StrEnum):
    """How far a ruling is."""

    DECIDED = "decided"
    """It is recorded; nothing of it is on the bus yet."""
    WRITTEN = "written"
    """A policy version says it; not every instance of the gate has answered that it decides by it."""
    IN_FORCE = "in_force"
    """Every instance of the gate decides by it."""
    OVERTAKEN = "overtaken"
    """A later ruling on the same column came before it was carried out."""


@dataclass(frozen=True, slots=True)
class Given:
    """A ruling that somebody gives."""

    id: str
    claimant: ResourceId
    column: str
    """Where the claimant publishes the item."""
    owner: ResourceId
    """The resource whose definition has the item."""
    item: str
    decision: Decision
    basis: str
    """Document and article."""
    text: str
    """The reasons."""
    by: str
    """The account that gave it."""
    department: str
    at: datetime
    recorder: str = ""
    """Who entered it, where that is not the account: a login at the machine."""

    @property
    def about(self) -> tuple[ResourceId, str]:
        """What it is about: of several rulings on that, the latest counts."""
        return self.claimant, self.column

    @property
    def ruling(self) -> Ruling:
        """As the rules judge it."""
        who = Actor(self.by, Role.AUTHORITY, self.department)
        return Ruling(self.claimant, self.column, self.decision, who, self.basis, self.text)

    @property
    def item_ruling(self) -> ItemRuling:
        """As the policy keeps it, but for the version, which is known once it is written."""
        return ItemRuling(
            id=self.id,
            claimant=self.claimant,
            column=self.column,
            owner=self.owner,
            item=self.item,
            decision=self.decision,
            basis=self.basis,
            decided_ms=int(self.at.timestamp() * 1000),
            since_version=1,
        )

    def says_the_same(self, other: "Given") -> bool:
        """Whether another ruling says the same of the same, for the same reasons."""
        mine = (self.about, self.decision, self.basis, self.text, self.department)
        return mine == (other.about, other.decision, other.basis, other.text, other.department)


@dataclass(frozen=True, slots=True)
class DecidedRuling:
    """A ruling that was given, and how far it is; ``number`` counts in the order in which they were given."""

    number: int
    given: Given
    stage: Stage
    attempts: int = 0
    """How often in a row the next step failed."""
    note: str = ""
    """What it waits for, or why it ended so."""
    next_at: datetime | None = None
    """When it is tried again."""
    version: int | None = None
    """The policy version in which it stands."""
    in_force_at: datetime | None = None
    """Since when every instance of the gate decides by it."""
    instances: Mapping[str, int] = field(default_factory=dict)
    """Each instance that has answered, with when it began to decide so, in ms."""
    resources: tuple[ResourceId, ...] = ()
    """What says otherwise since."""
    losing: tuple[GrantId, ...] = ()
    """Grants that show the item of the old owner: it is empty there with each record's next change."""

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to be done for it."""
        return self.stage in (Stage.IN_FORCE, Stage.OVERTAKEN)

    @property
    def is_under_way(self) -> bool:
        """Whether it goes on by itself at this moment, and did not fail."""
        return not self.is_over and self.attempts == 0
