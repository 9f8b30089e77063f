"""Entries and calendars of the control plane's own store, for the desk."""

from dataclasses import dataclass

from sqlalchemy import Connection

from services.control.catalogue.entry import read_code
from services.control.clocks.calendar import Calendar
from services.control.definitions import Definitions
from services.control.docket.mounted import Mounted
from services.control.store.catalogue.dossiers import by_code
from services.control.store.clocks.calendars import read_calendar
from services.control.store.retirements.reading import is_retired
from topics.event import ResourceId
from topics.schema_rules import item_forms


@dataclass(frozen=True, slots=True)
class PublishedEntries:
    """The published entries of the catalogue, each with the resource that is declared under its code."""

    definitions: Definitions

    def mounted(self, connection: Connection, resource: ResourceId) -> Mounted | None:
        """The published entry of a resource; None where it is not declared, not published, or retired."""
        declared = self.definitions.resources.get(resource)
        code = None if declared is None else read_code(declared.code)
        stored = None if code is None else by_code(connection, code)
        published = None if stored is None else stored.dossier.published
        if declared is None or published is None or is_retired(connection, resource):
            return None
        forms = item_forms(self.definitions.item_schemas.get(resource, {}))
        # What is declared is captured or published by the bus already: no interface has to be built first.
        return Mounted(published.entry, declared, forms, {"on_platform": "yes"})


class StoredCalendars:
    """The calendar of the control plane's store."""

    def current(self, connection: Connection) -> Calendar:
        """All years whose notices were imported."""
        return read_calendar(connection)
