"""A stored catalogue for tests: who acts, when, and entries on their way."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from services.control.catalogue.entry import Entry, ResourceCode
from services.control.catalogue.lifecycle import Action, Actor, Refused, Role
from services.control.catalogue.parameters import CatalogueRules
from services.control.store.catalogue.dossiers import Stored
from services.control.store.catalogue.loading import Loading
from services.control.store.catalogue.steps import Asked, open_entry, take_step
from services.control.store.ids import new_id
from tests.support.catalogue import CODES, COMPLETE

WHEN: Final = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
RULES: Final = CatalogueRules()
CLERK: Final = Actor("clerk", Role.PROVIDER, CODES[0])
REVIEWER: Final = Actor("reviewer", Role.AUTHORITY, CODES[1])
TO_PUBLICATION: Final = (
    (Action.SUBMIT, CLERK),
    (Action.REGISTER, REVIEWER),
    (Action.REQUEST_PUBLICATION, CLERK),
    (Action.PUBLISH, REVIEWER),
)


def numbered(number: int, **changes: object) -> Entry:
    """A complete entry with this sequence and a name of its own."""
    code = ResourceCode("3", "01", "320", "5", f"{number:06}")
    return replace(COMPLETE, **{"code": code, "name": f"居住证办理信息第{number}号", **changes})  # type: ignore[arg-type]


def opened(connection: Connection, entry: Entry = COMPLETE) -> Stored:
    """An entry of the clerk's, as a draft."""
    return done(open_entry(connection, new_id(WHEN), entry, Asked(CLERK, WHEN)))


def brought(connection: Connection, stored: Stored, steps: int = len(TO_PUBLICATION)) -> Stored:
    """The entry so many steps further on its way to publication."""
    for number, (action, who) in enumerate(TO_PUBLICATION[:steps], start=1):
        asked = Asked(who, WHEN + timedelta(hours=number))
        stored = done(take_step(connection, stored, action, asked, RULES))
    return stored


def done(after: Stored | Refused) -> Stored:
    """What was not refused."""
    assert isinstance(after, Stored), after
    return after


def loading(person: str = "importer", why: str = "import of a file", when: datetime = WHEN) -> Loading:
    """How a catalogue is loaded."""
    return Loading(person, when, why, RULES, new_id)
