"""Rulings on who owns an item that two departments publish: they stand in the policy."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from pydantic import Field

from topics.event import ResourceId
from topics.resource import Declared

LONGEST_BASIS: Final = 500
"""Characters; every instance of every processor reads them with each policy version."""


class Decision(StrEnum):
    """What the authority says of an item that is claimed."""

    CONFIRM = "confirm"
    """The owner that is declared stays; what the claimant publishes of it goes on being cut."""
    TRANSFER = "transfer"
    """The claimant becomes the owner; what the old owner publishes of it is cut from now on."""


class ItemRuling(Declared):
    """One decision on a column in which a department publishes what another owns (requirement A5-01)."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)
    claimant: ResourceId
    column: str = Field(min_length=1, max_length=200)
    """Where the claimant publishes the item."""
    owner: ResourceId
    """The resource whose definition has the item."""
    item: str = Field(min_length=1, max_length=60)
    decision: Decision
    basis: str = Field(min_length=1, max_length=LONGEST_BASIS)
    """Document and article."""
    decided_ms: int
    since_version: int = Field(ge=1)
    """The policy version from which on it is in force."""

    @property
    def about(self) -> tuple[ResourceId, str]:
        """What it is about: of several rulings on that, the latest counts."""
        return self.claimant, self.column


def in_force(rulings: Iterable[ItemRuling]) -> list[ItemRuling]:
    """The latest ruling on each column, the oldest first."""
    latest: dict[tuple[ResourceId, str], ItemRuling] = {}
    for ruling in sorted(rulings, key=lambda each: (each.since_version, each.id)):
        latest.pop(ruling.about, None)
        latest[ruling.about] = ruling
    return list(latest.values())
