"""Works on needs of the store: stated, assigned, answered, and made into a draft of the catalogue."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from services.control.cases.words import Actor, Problem
from services.control.catalogue import lifecycle
from services.control.catalogue.entry import Department
from services.control.catalogue.text import comparable
from services.control.demand.drafting import draft_of
from services.control.demand.life import Refused, apply, state_need
from services.control.demand.need import Given, Need, Opening
from services.control.demand.words import Action
from services.control.store.accounts.departments import department_of, unknown_department
from services.control.store.catalogue.dossiers import Stored
from services.control.store.catalogue.steps import Asked, open_entry
from services.control.store.demand.reading import Filed, alike, is_published, published_as
from services.control.store.demand.telling import NewId, tell_need
from services.control.store.demand.writing import add, record
from services.control.store.errors import ReadAgain


def state(connection: Connection, opening: Opening, new_id: NewId, recorder: str = "") -> Filed | Refused:
    """State a need; one that names a code of the catalogue is about that entry.

    ``recorder`` is the account that enters it, where that is not the one that states it.
    """
    if opening.code is not None and not is_published(connection, opening.code):
        return Refused(None, None, (_unknown_entry(),))
    need = state_need(opening, published_as(connection, comparable(opening.subject)))
    if isinstance(need, Refused):
        return need
    filed = add(connection, need, recorder)
    tell_need(connection, None, filed, new_id)
    return filed


def act(
    connection: Connection,
    filed: Filed,
    seen: int,
    action: Action,
    who: Actor,
    now: datetime,
    given: Given,
    new_id: NewId,
    recorder: str = "",
) -> Filed | Refused:
    """Take an action on a need that the caller holds locked; DRAFT has a function of its own.

    Raises:
        ReadAgain: it has moved on since the version that was seen.
    """
    _require(filed, seen)
    after = apply(filed.need, action, who, now, given)
    if isinstance(after, Refused):
        return after
    problems = tuple(_against(connection, action, given))
    if problems:
        return Refused(action, filed.need.state, problems)
    return _recorded(connection, filed, after, new_id, recorder)


def draft(
    connection: Connection,
    filed: Filed,
    seen: int,
    who: Actor,
    now: datetime,
    new_id: NewId,
    recorder: str = "",
) -> Filed | Refused:
    """Begin an entry for a need and for all that wait for the same data from the same department.

    Args:
        connection: inside the caller's transaction.
        filed: the need, locked.
        seen: the version on which it was decided.
        who: the provider that the need is assigned to.
        now: the time, with its zone.
        new_id: makes ids, of the entry and of what is told.
        recorder: the account that enters it, where that is not the provider's.

    Raises:
        ReadAgain: it has moved on since the version that was seen.
    """
    _require(filed, seen)
    id_ = new_id()
    tried = apply(filed.need, Action.DRAFT, who, now, Given(entry=id_))
    if isinstance(tried, Refused):
        return tried
    provider = department_of(connection, who.department)
    if provider is None:
        return Refused(Action.DRAFT, filed.need.state, (unknown_department(who.department),))
    every = alike(connection, who.department, comparable(filed.need.subject))
    entry = draft_of([each.need for each in every], Department(provider.zh, provider.credit_code))
    clerk = lifecycle.Actor(who.person, lifecycle.Role.PROVIDER, provider.credit_code)
    if not isinstance(open_entry(connection, id_, entry, Asked(clerk, now, recorder=recorder)), Stored):
        raise ReadAgain("the entry cannot be begun")
    for each in every:
        after = apply(each.need, Action.DRAFT, who, now, Given(entry=id_))
        if not isinstance(after, Refused):
            _recorded(connection, each, after, new_id, recorder)
    return replace(filed, need=tried)


def _recorded(connection: Connection, before: Filed, after: Need, new_id: NewId, recorder: str) -> Filed:
    filed = record(connection, before, after, recorder)
    tell_need(connection, before.need, filed, new_id)
    return filed


def _require(filed: Filed, seen: int) -> None:
    if filed.version != seen:
        raise ReadAgain(f"need {filed.number} is at version {filed.version}, and {seen} was seen")


def _against(connection: Connection, action: Action, given: Given) -> list[Problem]:
    """What stands against what was named: departments and entries that there are not."""
    if action is Action.ASSIGN and given.department:
        found = department_of(connection, given.department)
        if found is None or not found.active:
            return [unknown_department(given.department)]
    if action is Action.POINT and given.code is not None and not is_published(connection, given.code):
        return [_unknown_entry()]
    return []


def _unknown_entry() -> Problem:
    what = "no published entry has this code"
    return Problem("RESOURCE_UNKNOWN", "code", what, "choose an entry of the catalogue")
