"""A hold: an order that grants deliver nothing until it is lifted, whatever their definitions say."""

from enum import StrEnum
from typing import Final

from pydantic import Field, model_validator

from topics.event import GrantId
from topics.grants.declaration import Grant, GrantState
from topics.resource import Declared

LONGEST_REASON: Final = 500
"""Characters; every instance of every processor reads them with each policy version."""


class HoldScope(StrEnum):
    """What a hold is placed on."""

    GRANT = "grant"
    CONSUMER = "consumer"
    RESOURCE = "resource"
    ALL = "all"


class Hold(Declared):
    """One suspension in force (requirement A8-05); it also covers grants that are made after it."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)
    scope: HoldScope
    name: str = ""
    """The grant, consumer or resource; empty where the scope is all."""
    reason: str = Field(min_length=1, max_length=LONGEST_REASON)
    since_ms: int
    since_version: int = Field(ge=1)
    """The policy version from which on the hold is in force."""
    grants: tuple[GrantId, ...] = ()
    """The grants that deliver again once this hold, and every other that covers them, is lifted."""

    @model_validator(mode="after")
    def _names_one_thing_or_all(self) -> "Hold":
        if (self.scope is HoldScope.ALL) != (self.name == ""):
            raise ValueError("a hold names one grant, consumer or resource, or is on all and names none")
        return self

    def covers(self, grant: Grant) -> bool:
        """Whether the hold is on this grant."""
        return covers(self.scope, self.name, grant)


def covers(scope: HoldScope, name: str, grant: Grant) -> bool:
    """Whether a hold on that scope and name would be on this grant."""
    named = {
        HoldScope.GRANT: grant.id,
        HoldScope.CONSUMER: grant.consumer,
        HoldScope.RESOURCE: grant.resource,
    }
    return scope is HoldScope.ALL or named[scope] == name


def delivers(grant: Grant) -> bool:
    """Whether something is written under the grant: by the fan-out, or by the copier of its epoch."""
    return grant.state in {GrantState.ACTIVE, GrantState.FILLING}
