"""What the desk asks of others: the entry as it stands now, the calendar, and to make or end a grant."""

from typing import Protocol

from sqlalchemy import Connection

from services.control.clocks.calendar import Calendar
from services.control.docket.mounted import Mounted
from services.control.docket.requests import GrantRequest
from topics.event import ResourceId


class Entries(Protocol):
    """The catalogue, as far as cases need it."""

    def mounted(self, connection: Connection, resource: ResourceId) -> Mounted | None:
        """The published entry of a resource; None where there is none: then nothing can be applied for."""


class Calendars(Protocol):
    """The calendar of working days as it is known now."""

    def current(self, connection: Connection) -> Calendar:
        """All years whose notices are there."""


class Provisioner(Protocol):
    """Makes, opens, suspends and ends grants on the bus."""

    def request(self, connection: Connection, request: GrantRequest) -> None:
        """Take a request on, in the transaction of the event that it comes from."""
