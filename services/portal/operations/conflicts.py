"""Conflicts about who owns an item: claims summed up, the claimed column, what a decision came to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from services.control.accounts.decision import Whose
from services.control.definitions import Definitions
from services.control.ownership.ruling import Known
from services.control.store.outbox import Act
from services.ledger.claims import ClaimView, Then
from services.ledger.masking import MASKED
from topics.event import ResourceId
from topics.ownership import Decision
from topics.policy import Policy
from topics.quality.rules import CodeList

KIND = "claim"


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


class Standing(StrEnum):
    """What became of a decision."""

    CONFIRMED = "confirmed"
    """The owner stays; nothing has to change."""
    WAITS_FOR_APPLY = "waits_for_apply"
    """The item goes over with the next policy version that is applied."""
    IN_FORCE = "in_force"
    """The policy in force says it."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision of the authority as the ledger keeps it."""

    act: Act
    decision: Decision
    standing: Standing


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


def parties(conflict: Conflict | ClaimView) -> tuple[Whose, Whose]:
    """The two departments, each as the one whose object the conflict is."""
    return Whose(provider=conflict.claimant), Whose(provider=conflict.owner)


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


def claimed_column(
    definitions: Definitions, claimant: str, resource: str, item: str
) -> tuple[ResourceId, str] | None:
    """The claimant's resource and the column in which it publishes the item; None where none is declared."""
    for id_, each in definitions.resources.items():
        if each.provider != claimant:
            continue
        for foreign in each.foreign_items:
            if (foreign.resource, foreign.item) == (resource, item):
                return id_, foreign.column
    return None


def known_of(definitions: Definitions) -> Known:
    """What is declared, as a ruling asks for it."""
    lists = []
    for name, codes in definitions.code_lists.items():
        id_, _, version = name.partition("@")
        lists.append(CodeList(id_, version, frozenset(codes)))
    return Known(
        resources=definitions.resources,
        item_schemas=definitions.item_schemas,
        providers=definitions.providers,
        grants=definitions.grants,
        code_lists=tuple(lists),
    )


def object_of(claimant: ResourceId, column: str) -> str:
    """The name of what is decided on, for the ledger."""
    return f"{claimant}/{column}"


def decided(
    acts: Sequence[Act], policy: Policy | None, claimant: ResourceId, column: str, item: str
) -> list[Decided]:
    """The decisions, the newest first, and whether the policy in force says what they say."""
    found = []
    for act in reversed(acts):
        if act.what == "claim.decide":
            decision = Decision(str(act.facts["decision"]))
            found.append(Decided(act, decision, _standing(decision, policy, claimant, column, item)))
    return found


def _standing(
    decision: Decision, policy: Policy | None, claimant: ResourceId, column: str, item: str
) -> Standing:
    if decision is Decision.CONFIRM:
        return Standing.CONFIRMED
    entry = None if policy is None else policy.resources.get(claimant)
    if entry is None:
        return Standing.WAITS_FOR_APPLY
    owns = item in {each.name for each in entry.resource.items}
    cut = column in {each.column for each in entry.resource.foreign_items}
    return Standing.IN_FORCE if owns and not cut else Standing.WAITS_FOR_APPLY
