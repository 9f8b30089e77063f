"""The authority's rulings on who owns an item, as pages and the API take them: tried, recorded, followed.

A ruling is recorded with its basis. Confirming the owner changes nothing; handing the item over waits for the
operator, who carries it out, so what became of it is read from the policy in force.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection

from services.api.codes import Code
from services.api.parts import Parts
from services.api.problems import AnswerProblem, refused
from services.api.security.asking import permit
from services.api.uses.reach import sees
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose
from services.control.cases.words import Actor, Role
from services.control.definitions import Definitions
from services.control.ownership.ruling import OwnershipChange, Ruling, ruled
from services.control.ruled_definitions import known_of
from services.control.store.outbox import Act, acts_on, append
from topics.event import ResourceId
from topics.ownership import Decision
from topics.policy import Policy
from topics.resource import ForeignItem

KIND: Final = "claim"
_DECIDE: Final = Action.CLAIM_DECIDE.value


@dataclass(frozen=True, slots=True)
class About:
    """One item that a department publishes though another owns it; ``resource`` is the owner's."""

    claimant: str
    resource: str
    item: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """A ruling that somebody wants to give."""

    about: About
    decision: Decision
    basis: str
    """Document and article."""
    text: str


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


def claimed_column(definitions: Definitions, about: About) -> tuple[ResourceId, str] | None:
    """The claimant's resource and the column in which it publishes the item; None where none is declared."""
    found = _claimed(definitions, about)
    return None if found is None else (found[0], found[1].column)


def tried(parts: Parts, principal: Principal, wanted: Wanted) -> OwnershipChange:
    """What a ruling would change; nothing is recorded.

    Raises:
        AnswerProblem: somebody may not, nobody claims the item, or rules are against it.
    """
    permit(parts, principal, Action.CLAIM_DECIDE, Whose(provider=wanted.about.claimant))
    column = claimed_column(parts.definitions, wanted.about)
    if column is None:
        raise AnswerProblem(Code.NOT_FOUND)
    actor = Actor(principal.person, Role.AUTHORITY, principal.department)
    ruling = Ruling(*column, wanted.decision, actor, wanted.basis, wanted.text)
    outcome = ruled(ruling, known_of(parts.definitions))
    if not isinstance(outcome, OwnershipChange):
        raise refused(outcome)
    return outcome


def recorded(parts: Parts, principal: Principal, connection: Connection, wanted: Wanted) -> OwnershipChange:
    """Record a ruling with its basis, and return what it changes.

    Raises:
        AnswerProblem: somebody may not, nobody claims the item, or rules are against it.
    """
    change = tried(parts, principal, wanted)
    about = wanted.about
    facts = {
        "decision": wanted.decision.value,
        "basis": wanted.basis,
        "item": about.item,
        "resource": about.resource,
        "department": principal.department,
    }
    object_ = _object_of(parts.definitions, about)
    append(connection, Act(principal.person, _DECIDE, KIND, object_, parts.clock(), wanted.text, facts))
    return change


def listed(parts: Parts, principal: Principal, policy: Policy | None, about: About) -> list[Decided]:
    """The rulings on an item, the newest first, for claimant, owner and who sees everything.

    Raises:
        AnswerProblem: nobody claims the item, or somebody may not look.
    """
    found = _claimed(parts.definitions, about)
    owner = about.claimant if found is None else found[1].owner
    if not sees(principal, Action.CLAIM_LOOK, Whose(provider=owner)):
        permit(parts, principal, Action.CLAIM_LOOK, Whose(provider=about.claimant))
    if found is None:
        raise AnswerProblem(Code.NOT_FOUND)
    with parts.database.reading() as connection:
        acts = acts_on(connection, KIND, _object_of(parts.definitions, about))
    return decided(acts, policy, parts.definitions, about)


def decided(
    acts: Sequence[Act], policy: Policy | None, definitions: Definitions, about: About
) -> list[Decided]:
    """The decisions, the newest first, and whether the policy in force says what they say."""
    column = claimed_column(definitions, about)
    if column is None:
        return []
    given = [(act, Decision(str(act.facts["decision"]))) for act in acts if act.what == _DECIDE]
    return [
        Decided(act, decision, _standing(decision, policy, *column, about.item))
        for act, decision in reversed(given)
    ]


def _claimed(definitions: Definitions, about: About) -> tuple[ResourceId, ForeignItem] | None:
    for id_, each in definitions.resources.items():
        if each.provider != about.claimant:
            continue
        for foreign in each.foreign_items:
            if (foreign.resource, foreign.item) == (about.resource, about.item):
                return id_, foreign
    return None


def _object_of(definitions: Definitions, about: About) -> str:
    """The name of what is decided on, for the ledger."""
    column = claimed_column(definitions, about)
    if column is None:
        raise LookupError("what is decided on is claimed by somebody")
    return f"{column[0]}/{column[1]}"


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
