"""A city whose topics are indexed for the person trace, and an oracle that asks the topics themselves."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.control.process.tracing.indexing import TraceTurn
from services.control.store.database import ControlDatabase
from services.ledger.reader import TopicReader
from tests.support.memory_bus import MemoryCity
from topics.canonical import CANONICAL_KEY_SCHEMA, PSEUDONYM_KEY_SCHEMA
from topics.engine.reference import ReferenceCodec
from topics.event import EntityKey, KafkaRecord, RecordId
from topics.grants.keys import grant_key, has_canonical_key, pseudonym
from topics.trace import trace_key
from topics.wire import split

MASTER = bytes(32)
NOW = datetime.fromtimestamp(1_790_000_100, UTC)
_CHECKS = "10X98765432"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def number(sequence: int) -> str:
    """A resident's number that passes every check (GB 11643-1999)."""
    body = f"11010519491231{sequence:03d}"
    return body + _CHECKS[sum(int(a) * b for a, b in zip(body, _WEIGHTS, strict=True)) % 11]


def key_of(version: int) -> bytes:
    return trace_key(MASTER, version)


@dataclass
class CitySource:
    """The topics of a city in memory."""

    city: MemoryCity

    @property
    def reader(self) -> TopicReader:
        return self.city.memory

    def key(self, version: int) -> bytes:
        return key_of(version)

    def first_version(self) -> int:
        return 1


def turn_of(
    database: ControlDatabase, city: MemoryCity, now: Callable[[], datetime] = lambda: NOW, **given: Any
) -> TraceTurn:
    return TraceTurn(database, CitySource(city), now, **given)


def received(city: MemoryCity, *entities: tuple[str, str]) -> set[tuple[str, str, str]]:
    """Grant, coordinate and outcome of every record of a grant's topic whose key is one of these entities.

    Args:
        city: whose topics.
        entities: numbers and record ids.
    """
    wanted = [EntityKey(f"resident_id:{number}", RecordId(record)) for number, record in entities]
    found = set()
    for grant_id, entry in city.policy.grants.items():
        resource = city.policy.resources[entry.grant.resource].resource
        own = grant_key(MASTER, grant_id, entry.key_version)
        for record in _records(city, str(entry.grant.topic)):
            assert record.key is not None
            avro = split(record.key)[1]
            if has_canonical_key(resource, entry.grant):
                key = ReferenceCodec(CANONICAL_KEY_SCHEMA).decode(avro)
                hit = EntityKey(str(key["identity"]), RecordId(str(key["record_id"]))) in wanted
            else:
                said = ReferenceCodec(PSEUDONYM_KEY_SCHEMA).decode(avro)["pseudonym"]
                hit = said in {pseudonym(own, each) for each in wanted}
            if hit:
                outcome = "delivered" if record.value is not None else "tombstoned"
                found.add((str(grant_id), record.coordinates, outcome))
    return found


def _records(city: MemoryCity, topic: str) -> Iterator[KafkaRecord]:
    for place, records in city.memory.records.items():
        if place.topic == topic:
            yield from records
