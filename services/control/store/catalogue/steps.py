"""What is done with entries of the store: opened, edited, and taken through their life by its pure rules."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from services.control.catalogue.checks import entry_problems
from services.control.catalogue.entry import Entry
from services.control.catalogue.lifecycle import Action, Actor, Dossier, Refused, act, edit, open_dossier
from services.control.catalogue.parameters import CatalogueRules
from services.control.catalogue.problems import Problem
from services.control.store.catalogue.dossiers import Change, EntryId, Stored, write
from services.control.store.catalogue.telling import tell_step

ASKED: Final = tuple(each for each in Action if each not in (Action.OPEN, Action.EDIT, Action.SUPERSEDE))
"""What a person can ask of an entry without writing a new content."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to do, when, and why."""

    who: Actor
    when: datetime
    why: str = ""
    changed_on: date | None = None
    """With REVISE: the day on which the law or the function changed."""
    recorder: str = ""
    """The account that enters it, where that is not the one that acts."""
    filing: str = ""
    """With REGISTER of a revision: the number under which it was filed."""


def open_entry(connection: Connection, id_: UUID, entry: Entry, asked: Asked) -> Stored | Refused:
    """Begin an entry as a draft.

    Raises:
        ReadAgain: another entry has its code.
    """
    return _written(connection, EntryId(id_), None, open_dossier(entry, asked.who, asked.when), asked)


def edit_entry(connection: Connection, stored: Stored, entry: Entry, asked: Asked) -> Stored | Refused:
    """Replace the content of a draft.

    Raises:
        ReadAgain: somebody changed it since it was read.
    """
    after = edit(stored.dossier, entry, asked.who, asked.when)
    return _written(connection, stored.id, stored, after, asked)


def take_step(
    connection: Connection, stored: Stored, action: Action, asked: Asked, rules: CatalogueRules
) -> Stored | Refused:
    """Take an action on the version that it concerns, and tell it to those who feel it.

    Raises:
        ReadAgain: somebody changed the entry since it was read.
    """

    def check(entry: Entry) -> tuple[Problem, ...]:
        return tuple(entry_problems(entry, rules))

    filing = asked.filing if rules.revisions_filed or asked.filing else None
    who, why, changed_on = asked.who, asked.why, asked.changed_on
    after = act(stored.dossier, action, who, asked.when, check, why, changed_on, filing)
    done = _written(connection, stored.id, stored, after, asked)
    if not isinstance(done, Refused):
        tell_step(connection, done, action, asked.when)
    return done


def _written(
    connection: Connection, id_: EntryId, before: Stored | None, after: Dossier | Refused, asked: Asked
) -> Stored | Refused:
    if isinstance(after, Refused):
        return after
    change = Change(id_, before, after, asked.recorder)
    write(connection, [change])
    return change.stored
