"""What tests of subscribing share: delivered records, schemas by id, a source and a parking lot in memory."""

import io
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import fastavro

from consumers.parking import ParkReason
from consumers.settings import SubscriberSettings
from schemas.registry import RegistryUnavailable, SchemaNotFound
from topics.canonical import PSEUDONYM_KEY_SCHEMA
from topics.delivery import Delivery, delivery_headers, event_id, event_source, event_time
from topics.event import (
    GrantId,
    Headers,
    KafkaRecord,
    Operation,
    PolicyNumber,
    ResourceId,
    SchemaId,
    SourcePosition,
    TopicName,
)
from topics.wire import frame

TOPIC = TopicName("sub.health.population.person.v1.persons-haidian")
KEY_SCHEMA_ID = SchemaId(7)
VALUE_SCHEMA_ID = SchemaId(8)
VALUE_SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "Person",
    "fields": [
        {"name": "name", "type": "string"},
        {"name": "born", "type": ["null", {"type": "int", "logicalType": "date"}], "default": None},
    ],
}


def encoded(schema_id: SchemaId, schema: dict[str, Any], record: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, schema, record)
    return frame(schema_id, stream.getvalue())


def key_bytes(pseudonym: str) -> bytes:
    return encoded(KEY_SCHEMA_ID, PSEUDONYM_KEY_SCHEMA, {"pseudonym": pseudonym})


def value_bytes(name: str) -> bytes:
    return encoded(VALUE_SCHEMA_ID, VALUE_SCHEMA, {"name": name, "born": None})


def headers(
    commit: int, operation: Operation = Operation.UPDATE, generation: int = 1, marks: tuple[str, ...] = ()
) -> Headers:
    return delivery_headers(
        Delivery(
            ce_id=event_id(TopicName("raw.gaj.public.person"), 0, commit),
            ce_source=event_source(ResourceId("population.person.v1")),
            ce_time=event_time(1_767_225_600_000 + commit),
            operation=operation,
            position=SourcePosition(0, 1, commit, 0),
            grant=GrantId("persons-haidian"),
            grant_generation=generation,
            policy_version=PolicyNumber(3),
            marks=marks,
        )
    )


def delivered(
    pseudonym: str,
    name: str | None,
    commit: int,
    *,
    offset: int = 0,
    partition: int = 0,
    generation: int = 1,
    marks: tuple[str, ...] = (),
) -> KafkaRecord:
    """A record as fan-out delivers it; without a name it is a tombstone."""
    operation = Operation.DELETE if name is None else Operation.UPDATE
    return KafkaRecord(
        topic=TOPIC,
        partition=partition,
        offset=offset,
        timestamp_ms=1_767_225_600_000 + commit,
        key=key_bytes(pseudonym),
        value=None if name is None else value_bytes(name),
        headers=headers(commit, operation, generation, marks),
    )


def subscriber_settings(**given: Any) -> SubscriberSettings:
    values = {"bootstrap": "127.0.0.1:1", "registry_url": "http://127.0.0.1:1", "topic": TOPIC, **given}
    return SubscriberSettings(**values)


@dataclass
class FakeSchemas:
    """A registry that can be out of reach for a number of calls."""

    known: dict[SchemaId, dict[str, Any]] = field(
        default_factory=lambda: {KEY_SCHEMA_ID: PSEUDONYM_KEY_SCHEMA, VALUE_SCHEMA_ID: VALUE_SCHEMA}
    )
    unavailable_calls: int = 0

    def schema(self, schema_id: SchemaId) -> dict[str, Any]:
        if self.unavailable_calls > 0:
            self.unavailable_calls -= 1
            raise RegistryUnavailable("GET /schemas")
        if schema_id not in self.known:
            raise SchemaNotFound(str(schema_id))
        return self.known[schema_id]


@dataclass
class FakeLog:
    """A topic and the committed offsets of one group, shared by the sources that read it in turn."""

    records: list[KafkaRecord] = field(default_factory=list)
    committed: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def append(self, records: Iterable[KafkaRecord]) -> None:
        self.records.extend(records)


class FakeSource:
    """Reads a FakeLog as a group's only consumer does."""

    def __init__(self, log: FakeLog) -> None:
        self._log = log
        self._next = dict(log.committed)
        self._done: dict[int, int] = {}
        self.kept_alive = 0

    def poll(self, timeout_s: float) -> KafkaRecord | None:
        for record in self._log.records:
            if record.offset >= self._next.get(record.partition, 0):
                self._next[record.partition] = record.offset + 1
                return record
        return None

    def done(self, record: KafkaRecord) -> None:
        self._done[record.partition] = record.offset + 1

    def commit(self) -> None:
        self._log.committed.update(self._done)

    def keep_alive(self) -> None:
        self.kept_alive += 1

    def close(self) -> None:
        self.commit()


@dataclass
class FakeParking:
    """Keeps what was parked."""

    parked: list[tuple[str, ParkReason, str, int]] = field(default_factory=list)

    def park(self, record: KafkaRecord, reason: ParkReason, error: str, attempts: int) -> None:
        self.parked.append((record.coordinates, reason, error, attempts))

    def close(self) -> None:
        pass
