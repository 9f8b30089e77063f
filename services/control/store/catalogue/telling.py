"""What departments are told of an entry, in the transaction of its step."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from services.control.cases.words import State
from services.control.catalogue.lifecycle import Action
from services.control.notices.digest import next_digest
from services.control.notices.of_entries import kind_of, of_entry
from services.control.store.accounts.departments import ids_of
from services.control.store.cases.tables import CASES
from services.control.store.catalogue.dossiers import Stored
from services.control.store.clocks.calendars import read_calendar
from services.control.store.ids import new_id
from services.control.store.notices.happenings import tell
from services.control.store.notices.offices import offices

_OVER: Final = (State.DRAFT, State.REFUSED_FINALLY, State.TERMINATED, State.EXPIRED, State.WITHDRAWN)
"""Cases that an entry does not concern any more, or not yet."""


def tell_step(connection: Connection, stored: Stored, action: Action, now: datetime) -> None:
    """Tell a step that others feel: to who has or wants the data, the provider, and the authority."""
    steps = [each for each in stored.dossier.steps if each.action is action]
    kind = kind_of(action, steps[-1].version) if steps else None
    if kind is None:
        return
    version = stored.dossier.versions[steps[-1].version - 1]
    code, department = version.entry.code, stored.dossier.department
    happened = of_entry(
        kind,
        str(stored.id),
        version.number,
        ids_of(connection, [department]).get(department),
        () if code is None else _concerned(connection, str(code)),
        offices(connection),
        now,
    )
    tell(connection, happened, new_id(now), next_digest(now, read_calendar(connection)))


def _concerned(connection: Connection, code: str) -> tuple[str, ...]:
    """Departments with cases of the entry that are not over."""
    over = [state.value for state in _OVER]
    wanted = select(CASES.c.consumer).where(CASES.c.entry_code == code, CASES.c.state.not_in(over))
    return tuple(connection.execute(wanted.distinct().order_by(CASES.c.consumer)).scalars())
