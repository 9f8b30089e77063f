"""Debezium-shaped raw records of the sample city's tables, framed as Connect writes them, for tests."""

from collections.abc import Mapping
from typing import Any

from topics.engine.reference import ReferenceCodec
from topics.event import KafkaRecord, SchemaId, TopicName
from topics.wire import frame

PERSON_TOPIC = TopicName("raw.police.public.person")
PERSON_SCHEMA_ID = SchemaId(50)
KEY_SCHEMA_ID = SchemaId(51)
ENROLMENT_TOPIC = TopicName("raw.social_security.public.enrolment")
ENROLMENT_SCHEMA_ID = SchemaId(52)

_TEXT = ["null", "string"]
_PERSON = {
    "type": "record",
    "name": "Value",
    "fields": [
        {"name": "id", "type": "long"},
        *({"name": name, "type": _TEXT} for name in ("id_number", "name")),
        {"name": "birth_date", "type": ["null", "int"]},
        *({"name": name, "type": _TEXT} for name in ("sex", "address", "household_district")),
        {"name": "updated_at", "type": ["null", "long"]},
    ],
}
_ENROLMENT = {
    "type": "record",
    "name": "Value",
    "fields": [
        {"name": "id", "type": "long"},
        *({"name": name, "type": _TEXT} for name in ("id_number", "name", "address", "insurance_type")),
        {"name": "enrolled_on", "type": ["null", "int"]},
        *({"name": name, "type": _TEXT} for name in ("monthly_base", "status")),
        {"name": "updated_at", "type": ["null", "long"]},
    ],
}


def envelope_schema(row: dict[str, Any]) -> dict[str, Any]:
    """Debezium's envelope around a row, with the parts of its source block that the bus reads."""
    source = {
        "type": "record",
        "name": "Source",
        "fields": [
            {"name": "ts_ms", "type": "long"},
            {"name": "snapshot", "type": ["null", "string"]},
            {"name": "sequence", "type": ["null", "string"]},
            {"name": "lsn", "type": ["null", "long"]},
        ],
    }
    return {
        "type": "record",
        "name": "Envelope",
        "fields": [
            {"name": "before", "type": ["null", row]},
            {"name": "after", "type": ["null", "Value"]},
            {"name": "source", "type": source},
            {"name": "op", "type": "string"},
        ],
    }


SCHEMAS: Mapping[SchemaId, dict[str, Any]] = {
    PERSON_SCHEMA_ID: envelope_schema(_PERSON),
    ENROLMENT_SCHEMA_ID: envelope_schema(_ENROLMENT),
}
_KEY = ReferenceCodec({"type": "record", "name": "Key", "fields": [{"name": "id", "type": "long"}]})


def raw(
    operation: str,
    offset: int,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    topic: TopicName = PERSON_TOPIC,
    schema_id: SchemaId = PERSON_SCHEMA_ID,
    released: int | None = None,
    at_ms: int | None = None,
) -> KafkaRecord:
    """One captured change; its commit position is its offset times 10. ``at_ms``: when it was committed."""
    row = after or before or {}
    committed_ms = 1_790_000_000_000 + offset if at_ms is None else at_ms
    envelope = {
        "before": before,
        "after": after,
        "source": {
            "ts_ms": committed_ms,
            "snapshot": None,
            "sequence": f'["{offset * 10}","{offset * 10 + 5}"]',
            "lsn": offset * 10 + 5,
        },
        "op": operation,
    }
    headers = (("govbus_release", str(released).encode()),) if released is not None else ()
    return KafkaRecord(
        topic=topic,
        partition=0,
        offset=offset,
        timestamp_ms=committed_ms + 500,
        key=raw_key(int(str(row.get("id", 0)))),
        value=frame(schema_id, ReferenceCodec(SCHEMAS[schema_id]).encode(envelope)),
        headers=headers,
    )


def raw_key(record_id: int) -> bytes:
    """The raw key of a row."""
    return frame(KEY_SCHEMA_ID, _KEY.encode({"id": record_id}))
