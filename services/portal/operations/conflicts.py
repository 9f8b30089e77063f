"""Conflicts about who owns an item as pages show them: claims summed up, and a claim for its reader."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.api.uses.rulings import About
from services.ledger.claims import ClaimView, Then
from services.ledger.masking import MASKED


@dataclass(frozen=True, slots=True)
class Conflict:
    """One item that a department publishes though another owns it."""

    claimant: str
    owner: str
    resource: str
    """The owner's."""
    item: str
    claims: int
    differing: int
    """Of how many the owner's value at that time was another."""
    unknown: int
    """Of how many it cannot be told any more."""
    first_ms: int
    last_ms: int

    @property
    def path(self) -> str:
        """Where its page is."""
        return f"/conflicts/{self.claimant}/{self.resource}/{self.item}"

    @property
    def about(self) -> About:
        """The item, as rulings name it."""
        return About(self.claimant, self.resource, self.item)


def summed(views: Iterable[ClaimView]) -> list[Conflict]:
    """Claims by claimant, owner's resource and item; those with most differing values first."""
    groups: dict[tuple[str, str, str, str], list[ClaimView]] = {}
    for view in views:
        groups.setdefault((view.claimant, view.owner, view.resource, view.item), []).append(view)
    found = [
        Conflict(
            *which,
            claims=len(each),
            differing=sum(view.agrees is False for view in each),
            unknown=sum(view.agrees is None and view.then_state is Then.UNKNOWN for view in each),
            first_ms=min(view.timestamp_ms for view in each),
            last_ms=max(view.timestamp_ms for view in each),
        )
        for which, each in groups.items()
    ]
    return sorted(found, key=lambda one: (-one.differing, -one.claims, one.path))


def row_of(view: ClaimView, reads: str | None) -> Mapping[str, Any]:
    """A claim for a page; ``reads`` is the department whose own values are shown, None for nobody's.

    Nobody reads what the other side says of a person.
    """

    def shown(value: Any, whose: str) -> Any:
        return value if value is None or reads == whose else MASKED

    return {
        "at": view.at,
        "raw": view.raw,
        "when_ms": view.timestamp_ms,
        "agrees": view.agrees,
        "then_state": view.then_state.value,
        "owner_has_record": view.owner_has_record,
        "subject": view.subject if reads in (view.claimant, view.owner) else MASKED,
        "claimed": shown(view.claimed, view.claimant),
        "then": shown(view.then, view.owner),
        "current": shown(view.current, view.owner),
    }
