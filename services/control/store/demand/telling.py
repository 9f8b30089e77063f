"""What departments are told of a need, in the transaction in which it happens."""

from collections.abc import Callable
from uuid import UUID

from sqlalchemy import Connection

from services.control.demand.need import Need
from services.control.notices.digest import next_digest
from services.control.notices.of_needs import of_need
from services.control.store.clocks.calendars import read_calendar
from services.control.store.demand.reading import Filed
from services.control.store.notices.happenings import tell
from services.control.store.notices.offices import offices

NewId = Callable[[], UUID]


def tell_need(connection: Connection, before: Need | None, filed: Filed, new_id: NewId) -> None:
    """Tell to where a need has come: who stated it, whom it is assigned to, and the authority.

    Args:
        connection: in the transaction of the change.
        before: the need as it was; None when it was stated just now.
        filed: the need now.
        new_id: makes ids of what happened.
    """
    happened = of_need(filed.number, before, filed.need, offices(connection))
    tell(connection, happened, new_id(), next_digest(happened.at, read_calendar(connection)))
