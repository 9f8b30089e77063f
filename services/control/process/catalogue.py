"""Holds the published catalogue against what is mounted, and keeps how fresh each entry is."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from services.control.catalogue.mounting import compare
from services.control.process.collecting.mounting import mounting_documents
from services.control.process.loops import NotYet
from services.control.store import snapshots
from services.control.store.catalogue.exporting import Which, entries_of
from services.control.store.database import ControlDatabase, Task
from services.control.store.snapshots import Kind
from topics.policy import Policy


@dataclass(frozen=True, slots=True)
class CatalogueTurn:
    """Takes turns; of several processes one compares at a time."""

    database: ControlDatabase
    policy: Callable[[], Policy | None]
    """The newest policy: what it names is mounted."""
    now: Callable[[], datetime]

    def turn(self) -> bool:
        """Compare once.

        Raises:
            NotYet: nothing is mounted yet.
        """
        with self.database.alone(Task.CATALOGUE) as ours:
            if ours:
                self._compare()
        return False

    def _compare(self) -> None:
        policy = self.policy()
        with self.database.reading() as connection:
            seen = snapshots.all_of(connection, Kind.RESOURCE)
            entries = list(entries_of(connection, Which.PUBLISHED))
        if policy is None or seen.as_of is None:
            raise NotYet("nothing is mounted yet, or the collector has not seen it")
        resources = [entry.resource for entry in policy.resources.values()]
        names = {str(id_): one.titles.zh for id_, one in policy.providers.items()}
        by_code = {str(entry.code): entry for entry in entries if entry.code is not None}
        documents = mounting_documents(compare(entries, resources, names), by_code, seen.documents)
        with self.database.begin() as connection:
            snapshots.put(connection, Kind.MOUNTING, documents, seen.as_of)
