"""What a grant is: which items and rows of a resource one consumer gets, masked how, for which purpose."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from topics.event import ConsumerId, GrantId, ResourceId, TopicName
from topics.names import grant_topic
from topics.resource import Declared, Name


class GrantState(StrEnum):
    """Whether the fan-out delivers under the grant now."""

    FILLING = "filling"
    """An epoch of the grant is under way: the copier writes, the fan-out withholds."""
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class RowFilter(Declared):
    """Rows whose scope item has one of these values; several filters must all match."""

    item: Name
    values: tuple[str, ...] = Field(min_length=1)


class PartialMask(Declared):
    """Keep some characters at either end, replace the others one by one with ``*``."""

    kind: Literal["partial"] = "partial"
    keep_first: int = Field(ge=0, default=0)
    keep_last: int = Field(ge=0, default=0)


class HashMask(Declared):
    """HMAC-SHA256 under the grant's own key, as 32 hexadecimal characters: linkable inside one grant only."""

    kind: Literal["hash"] = "hash"


class YearMask(Declared):
    """The year only: a date becomes its 1 January, a text of a date its first four characters."""

    kind: Literal["year"] = "year"


class DistrictMask(Declared):
    """The district only: the first six characters of an administrative code or ID number."""

    kind: Literal["district"] = "district"


class DropMask(Declared):
    """The item stays in the schema and is always null (empty where the schema has no null)."""

    kind: Literal["drop"] = "drop"


Mask = Annotated[
    PartialMask | HashMask | YearMask | DistrictMask | DropMask,
    Field(discriminator="kind"),
]


class Grant(Declared):
    """An approved right of one consumer to one resource (requirements A3-08, A3-09, A6-01)."""

    id: GrantId = Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)
    consumer: ConsumerId
    resource: ResourceId
    group: str = Field(pattern=r"^[a-z][a-z0-9-]*$", default="default")
    items: tuple[Name, ...] = Field(min_length=1)
    rows: tuple[RowFilter, ...] = ()
    masks: dict[Name, Mask] = Field(default_factory=dict)
    purpose: str = Field(min_length=4)
    legal_basis: str = Field(min_length=2)
    valid_from: date
    valid_until: date
    state: GrantState = GrantState.ACTIVE
    once: bool = False
    """Handed out once (A7-03): an epoch fills it, and nothing of what comes later is delivered."""

    @property
    def topic(self) -> TopicName:
        """The grant's own topic."""
        return grant_topic(self.consumer, self.resource, self.id)

    @model_validator(mode="after")
    def _is_consistent(self) -> "Grant":
        unknown = sorted(set(self.masks) - set(self.items))
        if unknown:
            raise ValueError(f"masks name items that the grant does not include: {', '.join(unknown)}")
        if self.valid_until < self.valid_from:
            raise ValueError(f"valid_until {self.valid_until} is before valid_from {self.valid_from}")
        return self
