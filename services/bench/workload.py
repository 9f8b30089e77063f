"""The records that are preloaded: canonical ones for the fan-out, captured ones for the gate."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any, Final

from producers.debezium import INCARNATION_HEADER
from services.bench.debezium_shape import RawForm, envelope_schema, key_schema
from services.bench.rows import is_update, rows_of, spoilt
from topics.canonical import CANONICAL_KEY_SCHEMA, key_record, partition_of
from topics.engine.reference import ReferenceCodec
from topics.event import EntityKey, Headers, OutputRecord, RecordId, ResourceId, SchemaId
from topics.identity.check import identity_key
from topics.policy import Policy, ResourcePolicy
from topics.wire import frame, split

PERSON: Final = ResourceId("bench.person.v1")
ENTERPRISE: Final = ResourceId("bench.enterprise.v1")
BAD_EVERY: Final = 100
"""One captured record in so many is stopped by the gate."""
POOL: Final = 20_000
"""Different records; a multiple of every partition count, so that a key keeps its partition."""
FOREIGN_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {PERSON: ("employer",), ENTERPRISE: ()}
_CAPTURED: Final[Headers] = ((INCARNATION_HEADER, b"1"),)
_STARTED_MS: Final = 1_760_000_000_000


@dataclass(frozen=True, slots=True)
class RawSchemas:
    """What a captured topic's keys and values are written with, and their ids in the registry."""

    key: dict[str, Any]
    value: dict[str, Any]
    key_id: SchemaId
    value_id: SchemaId


def raw_schemas(policy: Policy, resource: ResourceId) -> tuple[dict[str, Any], dict[str, Any]]:
    """The schemas of key and value that Debezium would register for the resource's table."""
    entry = policy.resources[resource]
    topic, items = entry.resource.raw_topic, _parsed(entry.item_schema)
    return key_schema(topic), envelope_schema(topic, items, FOREIGN_COLUMNS[resource])


def canonical_records(policy: Policy, resource: ResourceId, count: int, seed: int) -> Iterator[OutputRecord]:
    """Yield canonical records as the gate writes them: creates, and updates in place; a pool in turn."""
    pool = list(_canonical_pool(policy, policy.resources[resource], min(count, POOL), seed))
    return islice(cycle(pool), count)


def with_time(value: bytes | None, envelope: str, source_time_ms: int) -> bytes:
    """The same canonical record as if the source had committed it at that time."""
    schema_id, avro = split(value or b"")
    codec = ReferenceCodec(_parsed(envelope))
    return frame(schema_id, codec.encode({**codec.decode(avro), "source_time": source_time_ms}))


def raw_records(
    policy: Policy, resource: ResourceId, schemas: RawSchemas, count: int, seed: int
) -> Iterator[OutputRecord]:
    """Yield changes as Debezium captures them: a pool of right ones in turn, and one in a hundred bad.

    A bad one has a key of its own, so that no later change meets its entry among the stopped keys.
    """
    topic = policy.resources[resource].resource.raw_topic
    partitions = policy.resources[resource].resource.partitions
    form, keys = RawForm(topic, schemas.value), ReferenceCodec(schemas.key)

    def record(row: Mapping[str, object], place: int) -> OutputRecord:
        key = frame(schemas.key_id, keys.encode({"id": row["id"]}))
        value = frame(schemas.value_id, form.encode(row, place))
        return OutputRecord(topic, place % partitions, key, value, _CAPTURED)

    pool = [record(row, place) for place, row in enumerate(rows_of(resource, min(count, POOL), seed))]
    for place in range(count):
        bad = place % BAD_EVERY == BAD_EVERY - 1
        yield record(spoilt(resource, POOL + place, seed), place) if bad else pool[place % len(pool)]


def _canonical_pool(policy: Policy, entry: ResourcePolicy, count: int, seed: int) -> Iterator[OutputRecord]:
    envelope, keys = ReferenceCodec(_parsed(entry.envelope_schema)), ReferenceCodec(CANONICAL_KEY_SCHEMA)
    items = [item.name for item in entry.resource.items]
    for place, row in enumerate(rows_of(entry.resource.id, count, seed)):
        key = _entity(entry, row)
        value = envelope.encode(_canonical(policy, entry, {name: row[name] for name in items}, place))
        yield OutputRecord(
            entry.resource.canonical_topic,
            partition_of(key.identity, entry.resource.partitions),
            frame(entry.canonical_key_schema_id, keys.encode(key_record(key))),
            frame(entry.canonical_value_schema_id, value),
        )


def _entity(entry: ResourcePolicy, row: Mapping[str, object]) -> EntityKey:
    identity = entry.resource.identity
    return EntityKey(identity_key(identity.kind, str(row[identity.item]), None), RecordId(str(row["id"])))


def _canonical(
    policy: Policy, entry: ResourcePolicy, state: Mapping[str, object], place: int
) -> dict[str, object]:
    updated = is_update(place)
    scope = {name: state[name] for name in entry.resource.scope_items}
    return {
        "operation": "update" if updated else "create",
        "generation": entry.generation,
        "incarnation": 1,
        "commit": 40_000_000 + place * 300,
        "ordinal": place,
        "source_time": _STARTED_MS + place,
        "raw_topic": entry.resource.raw_topic,
        "raw_partition": place % entry.resource.partitions,
        "raw_offset": place,
        "policy_version": policy.version,
        "marks": [],
        "previous_known": True,
        "previous": scope if updated else None,
        "state": state,
    }


def _parsed(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found
