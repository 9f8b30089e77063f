"""Looks at the running bus for all at once, and keeps what it saw: lists are made of it and ask nobody.

Sources are asked one after the other. One that does not answer leaves its kinds as they were, with a note of
what was the matter and since when; the others go on.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from producers.connect_status import ConnectorStatus
from producers.snapshot import Snapshot
from services.control.catalogue.schema_steps import Registered
from services.control.process.collecting.connectors import alarm_documents, connector_documents
from services.control.process.collecting.facts import Facts, look, topic_documents
from services.control.process.collecting.grants import grant_documents, is_department
from services.control.process.collecting.ledger_sums import (
    DELIVERY,
    INTAKE,
    BlockReader,
    Decode,
    Followed,
    follow,
)
from services.control.process.collecting.resources import quarantine_documents, resource_documents
from services.control.process.collecting.schemas import schema_documents
from services.control.process.collecting.view import BusView
from services.control.process.collecting.volumes import volume_documents
from services.control.process.errors import in_words, is_expected
from services.control.process.loops import NotYet
from services.control.store import snapshots
from services.control.store.database import ControlDatabase, Task
from services.control.store.snapshots import Document, Kind
from topics.names import LEDGER_DELIVERY, LEDGER_INTAKE
from topics.policy import Policy

_OF_KAFKA: Final = (Kind.TOPIC, Kind.RESOURCE, Kind.GRANT, Kind.QUARANTINE, Kind.EPOCH)


class Sources(Protocol):
    """What the collector asks; each answers within a bounded time or raises."""

    @property
    def view(self) -> BusView:
        """Kafka from outside."""

    def policy(self) -> Policy | None:
        """The newest policy; None before the first."""

    def schemas(self, subject: str) -> Sequence[Registered]:
        """Every registered version of a subject's schema, the oldest first."""

    def ledger(self) -> "Ledger":
        """A reader of decision blocks."""

    def connectors(self) -> Sequence[ConnectorStatus]:
        """Every connector, in one question."""

    def volumes(self) -> Mapping[str, Snapshot]:
        """The newest full volume of each capture, by its connector."""

    def alarms(self) -> Sequence[Mapping[str, str]]:
        """What the watch has to say."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Reads decision blocks."""

    reader: BlockReader
    decode: Decode


@dataclass(frozen=True, slots=True)
class Collector:
    """Takes turns; of several processes one collects at a time."""

    database: ControlDatabase
    sources: Sources
    now: Callable[[], datetime]

    def turn(self) -> bool:
        """Look at everything once; there is never more to do at once.

        Raises:
            NotYet: nothing was applied yet.
            Exception: Kafka, the ledger or the registry did not answer; the others were asked all the same.
        """
        with self.database.alone(Task.COLLECTOR) as ours:
            if ours:
                self._collect()
        return False

    def _collect(self) -> None:
        troubles: list[Exception] = []
        with self._noted(troubles, Kind.CONNECTOR, aside=True):
            self._put({Kind.CONNECTOR: connector_documents(self.sources.connectors(), self._volumes())})
        with self._noted(troubles, Kind.ALARM, aside=True):
            self._put({Kind.ALARM: alarm_documents(self.sources.alarms())})
        sums: dict[str, Followed] = {}
        with self._noted(troubles, Kind.LEDGER):
            sums = self._ledger()
        waits = ""
        looked: tuple[Policy, Facts, datetime] | None = None
        with self._noted(troubles, *_OF_KAFKA):
            waits, looked = self._kafka(sums)
        if looked is not None:
            # Aside: before the next apply the process may not read the markers of new resources.
            with self._noted(troubles, Kind.EPOCH, aside=True):
                self._epochs(*looked)
        if troubles:
            raise troubles[0]
        if waits:
            raise NotYet(waits)

    def _volumes(self) -> Mapping[str, Snapshot]:
        """Progress of full volumes is told in Kafka: without it, connectors are shown all the same."""
        try:
            return self.sources.volumes()
        except Exception as error:
            if not is_expected(error):
                raise
            return {}

    def _ledger(self) -> dict[str, Followed]:
        ledger = self.sources.ledger()
        with self.database.begin() as connection:
            kept = snapshots.all_of(connection, Kind.LEDGER).documents
        found = {
            str(topic): follow(Followed.of(kept.get(topic)), topic, ledger.reader, ledger.decode)
            for topic in (LEDGER_INTAKE, LEDGER_DELIVERY)
        }
        self._put({Kind.LEDGER: {topic: one.document() for topic, one in found.items()}})
        return found

    def _epochs(self, policy: Policy, facts: Facts, now: datetime) -> None:
        """The epochs of resources, from the markers that were written since the last look."""
        ledger = self.sources.ledger()
        with self.database.reading() as connection:
            known = snapshots.all_of(connection, Kind.EPOCH).documents
        found = volume_documents(policy, facts, known, ledger.reader, ledger.decode, now)
        self._put({Kind.EPOCH: found}, now)

    def _kafka(self, sums: Mapping[str, Followed]) -> tuple[str, tuple[Policy, Facts, datetime] | None]:
        """What of Kafka and policy can be seen; returns what is waited for, and what was looked at."""
        view, policy = self.sources.view, self.sources.policy()
        facts, now = look(view), self.now()
        documents: dict[Kind, Mapping[str, Document]] = {Kind.TOPIC: topic_documents(facts)}
        if policy is not None:
            documents |= self._of_policy(policy, facts, sums, now)
        self._put(documents, now)
        if policy is None:
            return "there is no policy yet: `govbus apply` writes it", None
        return "", (policy, facts, now)

    def _of_policy(
        self, policy: Policy, facts: Facts, sums: Mapping[str, Followed], now: datetime
    ) -> dict[Kind, Mapping[str, Document]]:
        view = self.sources.view
        intake = sums[INTAKE].sums if INTAKE in sums else {}
        delivery = sums[DELIVERY].sums if DELIVERY in sums else {}
        committed = view.committed(lambda group: is_department(group, policy))
        schemas = self._schemas(policy)
        resources = resource_documents(policy, facts, intake, now)
        return {
            Kind.RESOURCE: {id_: {**document, **schemas[id_]} for id_, document in resources.items()},
            Kind.QUARANTINE: quarantine_documents(policy, facts, intake),
            Kind.GRANT: grant_documents(policy, facts, committed, delivery, view, now),
        }

    def _schemas(self, policy: Policy) -> dict[str, dict[str, Any]]:
        with self.database.reading() as connection:
            known = snapshots.all_of(connection, Kind.RESOURCE).documents
        return schema_documents(policy, known, self.sources.schemas)

    def _put(self, documents: Mapping[Kind, Mapping[str, Document]], as_of: datetime | None = None) -> None:
        moment = as_of or self.now()
        with self.database.begin() as connection:
            for kind, found in documents.items():
                snapshots.put(connection, kind, found, moment)

    @contextmanager
    def _noted(self, troubles: list[Exception], *kinds: Kind, aside: bool = False) -> Iterator[None]:
        """What goes wrong is noted at the kinds that are not renewed for it, and the others go on.

        ``aside`` is a source whose absence is told elsewhere, and does not make the process less ready.
        """
        try:
            yield
        except Exception as error:  # noqa: BLE001 - told by the loop once all sources were asked
            if not (aside and is_expected(error)):
                troubles.append(error)
            with self.database.begin() as connection:
                for kind in kinds:
                    snapshots.note_trouble(connection, kind, in_words(error), self.now())
