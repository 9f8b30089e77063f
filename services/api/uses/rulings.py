"""The authority's rulings on who owns an item, as pages and the API take them: tried, given, followed.

A ruling is recorded with its basis, and the control process carries it out: the next policy version says it,
and every instance of the gate decides by it. How far that is stands beside the ruling.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from services.api.codes import Code
from services.api.parts import Parts
from services.api.problems import AnswerProblem, refused
from services.api.running import BusUnavailable
from services.api.security.asking import permit
from services.api.uses.reach import sees
from services.control.accounts.actions import Action
from services.control.accounts.decision import Principal, Whose
from services.control.definitions import Definitions
from services.control.ownership.decided import DecidedRuling, Given
from services.control.ruling_order import Affected, affected_by
from services.control.store.rulings import orders
from services.control.suspension.ids import new_id
from topics.event import ResourceId
from topics.ownership import Decision
from topics.policy import Policy
from topics.resource import ForeignItem


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


def claimed_column(definitions: Definitions, about: About) -> tuple[ResourceId, str] | None:
    """The claimant's resource and the column in which it publishes the item; None where none is declared."""
    found = _claimed(definitions, about)
    return None if found is None else (found[0], found[1].column)


def policy_if_known(policy: Callable[[], Policy | None]) -> Policy | None:
    """The policy in force, None where the bus does not answer: a ruling is taken all the same."""
    try:
        return policy()
    except BusUnavailable:
        return None


def tried(parts: Parts, principal: Principal, policy: Policy | None, wanted: Wanted) -> Affected:
    """What a ruling would change; nothing is recorded.

    Raises:
        AnswerProblem: somebody may not, nobody claims the item, or rules are against it.
    """
    return _affected(parts, _given(parts, principal, wanted), policy)


def given(
    parts: Parts, principal: Principal, connection: Connection, policy: Policy | None, wanted: Wanted
) -> tuple[DecidedRuling, Affected]:
    """Keep a ruling with its basis; the control process carries it out. The same one is kept once.

    Raises:
        AnswerProblem: somebody may not, nobody claims the item, or rules are against it.
    """
    ruling = _given(parts, principal, wanted)
    affected = _affected(parts, ruling, policy)
    return orders.give(connection, ruling)[0], affected


def listed(parts: Parts, principal: Principal, about: About) -> list[DecidedRuling]:
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
        return orders.of_column(connection, found[0], found[1].column)


def providers_of(definitions: Definitions, ruling: DecidedRuling) -> list[str]:
    """Whose records follow a ruling with their next change, or with the next full volume."""
    found = (definitions.resources.get(each) for each in ruling.resources)
    return sorted({each.provider for each in found if each is not None})


def _given(parts: Parts, principal: Principal, wanted: Wanted) -> Given:
    permit(parts, principal, Action.CLAIM_DECIDE, Whose(provider=wanted.about.claimant))
    found = _claimed(parts.definitions, wanted.about)
    if found is None:
        raise AnswerProblem(Code.NOT_FOUND)
    now = parts.clock()
    return Given(
        id=new_id("o", int(now.timestamp() * 1000), parts.random(3)),
        claimant=found[0],
        column=found[1].column,
        owner=found[1].resource,
        item=found[1].item,
        decision=wanted.decision,
        basis=wanted.basis,
        text=wanted.text,
        by=principal.person,
        department=principal.department,
        at=now,
    )


def _affected(parts: Parts, ruling: Given, policy: Policy | None) -> Affected:
    outcome = affected_by(ruling, parts.definitions, policy)
    if not isinstance(outcome, Affected):
        raise refused(outcome)
    return outcome


def _claimed(definitions: Definitions, about: About) -> tuple[ResourceId, ForeignItem] | None:
    for id_, each in definitions.resources.items():
        if each.provider != about.claimant:
            continue
        for foreign in each.foreign_items:
            if (foreign.resource, foreign.item) == (about.resource, about.item):
                return id_, foreign
    return None
