"""Policies over tables that a test makes up, and their Debezium-shaped raw records, for the engines."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.support.policy import CANONICAL_KEY, sample_policy
from topics.canonical import envelope_schema, schema_text
from topics.engine.reference import ReferenceCodec
from topics.event import Headers, KafkaRecord, SchemaId, TopicName
from topics.policy import Policy, ResourcePolicy
from topics.resource import Resource
from topics.wire import frame

SCHEMA_ID = SchemaId(900)
TITLES = {"zh": "测试", "en": "test"}
RECORDED_MS = 1_790_000_000_500

Field = dict[str, Any]


def resource_of(
    name: str, primary_key: Sequence[str], identity: Field, items: Sequence[Field], **more: Any
) -> Resource:
    """A captured resource of the police with these items, each at least a name."""
    return Resource.model_validate(
        {
            "code": "1-01-0000/000001",
            "domain": "made",
            "name": name,
            "titles": TITLES,
            "provider": "police",
            "source": {"kind": "capture", "schema": "public", "table": name, "primary_key": primary_key},
            "avro_schema": f"made.{name}.v1.avsc",
            "identity": identity,
            "items": [{"titles": TITLES, **item} for item in items],
            **more,
        }
    )


def policy_of(resources: Sequence[tuple[Resource, Sequence[Field]]], **more: Any) -> Policy:
    """A policy of these resources alone, each with the Avro fields of its items."""
    found = {}
    for number, (resource, fields) in enumerate(resources):
        schema = {"type": "record", "name": "Made", "namespace": "govbus.resource", "fields": list(fields)}
        found[resource.id] = ResourcePolicy(
            resource=resource,
            item_schema=schema_text(schema),
            envelope_schema=schema_text(envelope_schema(schema, resource.scope_items)),
            canonical_key_schema_id=CANONICAL_KEY,
            canonical_value_schema_id=SchemaId(700 + number),
        )
    return sample_policy().model_copy(update={"resources": found, "grants": {}, **more})


def debezium_schema(columns: Sequence[Field]) -> dict[str, Any]:
    """The value schema that Debezium's PostgreSQL connector registers for a table."""
    row = {"type": "record", "name": "Value", "fields": list(columns)}
    text, number = ["null", "string"], ["null", "long"]
    plain = ["version", "connector", "name"]
    source = [
        *({"name": name, "type": "string"} for name in plain),
        {"name": "ts_ms", "type": "long"},
        {"name": "snapshot", "type": ["null", "string"], "default": None},
        {"name": "db", "type": "string"},
        {"name": "sequence", "type": text, "default": None},
        *({"name": name, "type": number, "default": None} for name in ("ts_us", "ts_ns")),
        *({"name": name, "type": "string"} for name in ("schema", "table")),
        *({"name": name, "type": number, "default": None} for name in ("txId", "lsn", "xmin")),
    ]
    transaction = [
        {"name": "id", "type": "string"},
        {"name": "total_order", "type": "long"},
        {"name": "data_collection_order", "type": "long"},
    ]
    return {
        "type": "record",
        "name": "Envelope",
        "namespace": "made",
        "fields": [
            {"name": "before", "type": ["null", row], "default": None},
            {"name": "after", "type": ["null", "Value"], "default": None},
            {"name": "source", "type": {"type": "record", "name": "Source", "fields": source}},
            {
                "name": "transaction",
                "type": ["null", {"type": "record", "name": "block", "fields": transaction}],
                "default": None,
            },
            {"name": "op", "type": "string"},
            *({"name": name, "type": number, "default": None} for name in ("ts_ms", "ts_us", "ts_ns")),
        ],
    }


def source_block(position: int, **changed: object) -> dict[str, object]:
    """A source block whose last commit stands at this position."""
    time_ms = RECORDED_MS - 100
    return {
        "version": "3.6.0.Final",
        "connector": "postgresql",
        "name": "raw.police",
        "ts_ms": time_ms,
        "snapshot": "false",
        "db": "police",
        "sequence": f'["{position}","{position + 5}"]',
        "ts_us": time_ms * 1_000,
        "ts_ns": time_ms * 1_000_000,
        "schema": "public",
        "table": "made",
        "txId": 771,
        "lsn": position + 5,
        "xmin": None,
        **changed,
    }


def envelope_value(
    operation: str,
    before: Mapping[str, object] | None,
    after: Mapping[str, object] | None,
    source: Mapping[str, object],
) -> dict[str, object]:
    """A whole envelope."""
    time_ms = RECORDED_MS - 50
    return {
        "before": before,
        "after": after,
        "source": source,
        "transaction": None,
        "op": operation,
        "ts_ms": time_ms,
        "ts_us": time_ms * 1_000,
        "ts_ns": time_ms * 1_000_000,
    }


def made_record(
    topic: TopicName,
    offset: int,
    codec: ReferenceCodec,
    envelope: Mapping[str, object],
    key: bytes | None,
    headers: Headers = (("govbus.incarnation", b"3"),),
) -> KafkaRecord:
    """The raw record of an envelope."""
    value = frame(SCHEMA_ID, codec.encode(envelope))
    return KafkaRecord(topic, 0, offset, RECORDED_MS + offset, key, value, headers)
