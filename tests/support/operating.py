"""The portal with a bus in memory behind it: the sample city's topics, and a kill switch that tests watch."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from services.api.uses.case_following import follow_work
from services.control.store.cases.policies import adopt
from services.control.store.database import ControlDatabase
from services.control.store.outbox import OUTBOX
from services.control.store.snapshots import Kind, put
from services.control.suspension.switch import Work
from services.ledger.bus import Bus
from services.ledger.reader import KafkaUnavailable
from services.ledger.replay.what_is_known import Known
from services.portal.operations.doors import Operations, connect, operations
from services.portal.operations.replaying import Installation
from tests.support.desk import policy
from tests.support.memory_bus import MemoryCity
from tests.support.portal import Portal, Reader
from tests.support.switching import over
from tests.support.tracing import MASTER
from tests.support.tracing import key_of as trace_key_of
from tests.unit.cli.called import ENROLMENT, PERSON
from topics.policy import Policy

CITY_POLICY: Final = policy("national-2025", "jiyuan-2022")
HEALTH_GRANT: Final = "health-persons-gusu"
EDUCATION_GRANT: Final = "education-persons"
PERSONS: Final = "resource.population.person.v1"
RAW: Final = "raw.police.public.person"


class Operated(Portal):
    """The portal, its bus, and what both were asked."""

    def __init__(self, database: ControlDatabase, **more: Any) -> None:
        super().__init__(database, **more)
        with database.begin() as connection:
            adopt(connection, CITY_POLICY, "operator:test", self.clock.now, "reports go to the authority")
        self.memory = MemoryCity()
        for change in (PERSON, {**PERSON, "id": 2, "id_number": None}):
            self.memory.change("c", after=change)
        self.memory.change("c", after=ENROLMENT, enrolment=True)
        self.memory.pump()
        self.opened = 0
        self.down = False
        self.operations: Operations = operations(
            self.parts, self._open, "e1", installation=Installation(self._known, trace_key_of)
        )
        self.parts.switch.done = partial(follow_work, self.parts)
        self.stops.bus.written = self._in_force
        connect(self.app, self.operations)

    def _in_force(self, policy: Policy) -> None:
        self.bus.current = policy

    @contextmanager
    def _open(self) -> Iterator[Bus]:
        self.opened += 1
        if self.down:
            raise KafkaUnavailable("nobody answers")
        yield Bus(self.memory.lookup, self.memory)

    @contextmanager
    def _known(self) -> Iterator[Known]:
        if self.down:
            raise KafkaUnavailable("nobody answers")
        yield self.known()

    def known(self) -> Known:
        """What deciding again reads of this bus."""
        return Known(self.memory.memory, self.memory.registry, lambda _: MASTER)

    def see(self, kind: Kind, documents: Mapping[str, Mapping[str, Any]], after_s: float = 0.0) -> None:
        """Put a snapshot as the collector does."""
        with self.parts.database.begin() as connection:
            put(connection, kind, documents, self.seen_at(after_s))

    def seen_at(self, after_s: float = 0.0) -> datetime:
        """The moment of a snapshot."""
        return self.clock.now + timedelta(seconds=after_s)

    def owed(self) -> list[tuple[str, str, str]]:
        """What the ledger is owed by people at pages: act, object, reason; in order."""
        with self.parts.database.begin() as connection:
            rows = connection.execute(OUTBOX.select().order_by(OUTBOX.c.id)).all()
        return [(row.what, row.object, row.reason) for row in rows if row.reason]

    def over(self, id_: str) -> Work:
        """A work of the kill switch once nothing happens to it any more."""
        return over(self.parts.switch, id_)


def cookies(reader: Reader) -> dict[str, str]:
    """The headers with which a reader's browser would open a stream."""
    said = "; ".join(f"{name}={value}" for name, value in reader.client.cookies.items())
    return {"cookie": said, "accept": "text/event-stream", "accept-language": "en", "host": "testserver"}


def grant_document(
    consumer: str, provider: str = "police", state: str = "active", **more: Any
) -> dict[str, Any]:
    """A grant as the collector sees it."""
    wanted = {
        "consumer": consumer,
        "provider": provider,
        "resource": "population.person.v1",
        "state": state,
        "lag_records": 3,
        "lag_seconds": 12.5,
        "last_delivery_at": "2026-03-02T00:59:00+00:00",
        "records": 1_234_567,
        "partitions": [{"partition": 0, "begin": 0, "end": 9_007_199_254_740_993, "lag_records": 3}],
    }
    return wanted | more
