"""Needs for data as pages and the API work on them: stated, merged, assigned, answered, made into drafts."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from services.api.codes import Code
from services.api.etags import require_seen
from services.api.forms import LARGEST
from services.api.parts import Parts
from services.api.problems import AnswerProblem, refused
from services.api.security.asking import permit
from services.api.uses.cases import actor_of
from services.api.uses.reach import own, sees
from services.control.accounts.actions import Action as Asked
from services.control.accounts.decision import Principal, Whose
from services.control.cases.words import Problem, Role
from services.control.catalogue.entry import read_code
from services.control.demand.life import Refused, allowed
from services.control.demand.merging import Demanded, NeedLine, demand_list, merged
from services.control.demand.need import Given, Opening
from services.control.demand.words import Action
from services.control.store.demand import work
from services.control.store.demand.reading import Filed, Wish, keys, listed, load, of_numbers
from services.control.store.demand.reading import stated as all_stated

NO_CODE: Final = Problem("CODE_MISSING", "code", "this is no resource code", "name a published entry's code")


@dataclass(frozen=True, slots=True)
class Statement:
    """What a department states: which data, which items, what for, by which duty."""

    subject: str
    items: tuple[str, ...]
    scenario: str
    basis_document: str
    basis_article: str = ""
    code: str = ""
    """Of the entry that has the data already; empty where the catalogue has none."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A need, and what its reader can ask for now."""

    filed: Filed
    actions: tuple[Action, ...]


def demanded(parts: Parts, principal: Principal) -> tuple[Demanded, ...]:
    """The demand list: what is needed, merged, with who and why."""
    permit(parts, principal, Asked.DEMAND_LOOK, own(principal))
    with parts.database.reading() as connection:
        return demand_list(all_stated(connection))


def demanded_page(
    parts: Parts, principal: Principal, start: int, limit: int
) -> tuple[tuple[Demanded, ...], int]:
    """Some of the demand list, and how long it is; only what is shown is read whole."""
    permit(parts, principal, Asked.DEMAND_LOOK, own(principal))
    with parts.database.reading() as connection:
        groups = merged(keys(connection))
        numbers = [each.number for some in groups[start : start + limit] for each in some]
        return demand_list(of_numbers(connection, numbers)), len(groups)


def needs(
    parts: Parts, principal: Principal, wish: Wish, before: int | None = None, limit: int = 50
) -> list[NeedLine]:
    """Needs one by one, the newest first."""
    permit(parts, principal, Asked.DEMAND_LOOK, own(principal))
    with parts.database.reading() as connection:
        return listed(connection, wish, before, limit)


def shown(parts: Parts, principal: Principal, number: int) -> Shown:
    """One need with all that happened to it.

    Raises:
        AnswerProblem: there is none, or somebody may not look at it.
    """
    with parts.database.reading() as connection:
        filed = load(connection, number) if number <= LARGEST else None
    if filed is None:
        raise AnswerProblem(Code.NOT_FOUND)
    permit(parts, principal, Asked.DEMAND_LOOK, whose(filed))
    return Shown(filed, _possible(principal, filed))


def stated(parts: Parts, principal: Principal, connection: Connection, said: Statement) -> Filed:
    """State a need of the own department.

    Raises:
        AnswerProblem: somebody may not, or rules are against it.
    """
    permit(parts, principal, Asked.DEMAND_STATE, own(principal))
    code = read_code(said.code) if said.code else None
    if said.code and code is None:
        raise refused([NO_CODE])
    now = parts.clock()
    opening = Opening(
        id=parts.new_id(now),
        who=actor_of(principal, Role.CONSUMER),
        when=now,
        subject=said.subject,
        items=said.items,
        scenario=said.scenario,
        basis_document=said.basis_document,
        basis_article=said.basis_article,
        code=code,
    )
    return _done(work.state(connection, opening, lambda: parts.new_id(now)))


def acted(
    parts: Parts,
    principal: Principal,
    connection: Connection,
    number: int,
    action: Action,
    given: Given,
    if_match: str | None,
) -> Filed:
    """Take an action on a need; DRAFT begins an entry of the own department with it.

    Raises:
        AnswerProblem: somebody may not, rules are against it, or somebody was quicker.
    """
    filed = load(connection, number, lock=True) if number <= LARGEST else None
    if filed is None:
        raise AnswerProblem(Code.NOT_FOUND)
    role = permit(parts, principal, Asked(f"demand.{action.value}"), whose(filed)).role
    require_seen(if_match, filed.version)
    who, now = actor_of(principal, Role(role.value)), parts.clock()

    def new_id() -> UUID:
        return parts.new_id(now)

    if action is Action.DRAFT:
        begun = work.draft(connection, filed, filed.version, who, now, new_id)
        return _done(begun)
    return _done(work.act(connection, filed, filed.version, action, who, now, given, new_id))


def whose(filed: Filed) -> Whose:
    """The departments of a need: whom it is assigned to, and who stated it."""
    return Whose(provider=filed.need.assigned_to, consumer=filed.need.opening.who.department)


def _possible(principal: Principal, filed: Filed) -> tuple[Action, ...]:
    takes = [
        action
        for role in sorted(principal.roles)
        for action in allowed(filed.need, actor_of(principal, Role(role.value)))
    ]
    return tuple(
        action
        for action in dict.fromkeys(takes)
        if sees(principal, Asked(f"demand.{action.value}"), whose(filed))
    )


def _done(done: Filed | Refused) -> Filed:
    if isinstance(done, Refused):
        raise refused(done.problems)
    return done
