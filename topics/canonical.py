"""The canonical record: its key, its envelope around the resource's own schema, and its partition.

The partition comes from the identity alone, so that every record about one person or organisation meets in
one partition; the key adds the record id, so that one key has one writer and the order of its source.
"""

import hashlib
import json
from typing import Any, Final

from topics.event import EntityKey

CANONICAL_KEY_SCHEMA: Final[dict[str, Any]] = {
    "type": "record",
    "name": "CanonicalKey",
    "namespace": "govbus",
    "fields": [
        {"name": "identity", "type": "string"},
        {"name": "record_id", "type": "string"},
    ],
}
PSEUDONYM_KEY_SCHEMA: Final[dict[str, Any]] = {
    "type": "record",
    "name": "PseudonymKey",
    "namespace": "govbus",
    "fields": [{"name": "pseudonym", "type": "string"}],
}


def partition_of(identity: str, partitions: int) -> int:
    """The canonical partition of an identity: the first 8 bytes of its SHA-256, modulo the count."""
    return int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8], "big") % partitions


def key_record(key: EntityKey) -> dict[str, str]:
    """The key as the record that CANONICAL_KEY_SCHEMA describes."""
    return {"identity": key.identity, "record_id": key.record_id}


def envelope_schema(item_schema: dict[str, Any], scope_items: tuple[str, ...]) -> dict[str, Any]:
    """The Avro schema of a canonical record's value.

    ``previous`` holds the scope items of the previous canonical record of the key: null means there was none;
    ``previous_known`` false means that it cannot be told. ``state`` comes last, so that the items of one
    record are one run of bytes; it is null only where a key is withdrawn whose state is unknown.
    """
    types = {field["name"]: field["type"] for field in item_schema["fields"]}
    scope_fields = [{"name": name, "type": _nullable(types[name])} for name in scope_items]
    name = item_schema["name"]
    return {
        "type": "record",
        "name": f"Canonical{name}",
        "namespace": "govbus.canonical",
        "fields": [
            {"name": "operation", "type": "string"},
            {"name": "generation", "type": "long"},
            {"name": "incarnation", "type": "long"},
            {"name": "commit", "type": "long"},
            {"name": "ordinal", "type": "long"},
            {"name": "source_time", "type": {"type": "long", "logicalType": "timestamp-millis"}},
            {"name": "raw_topic", "type": "string"},
            {"name": "raw_partition", "type": "int"},
            {"name": "raw_offset", "type": "long"},
            {"name": "policy_version", "type": "long"},
            {"name": "marks", "type": {"type": "array", "items": "string"}},
            {"name": "previous_known", "type": "boolean"},
            {
                "name": "previous",
                "type": ["null", {"type": "record", "name": f"Scope{name}", "fields": scope_fields}],
            },
            {"name": "state", "type": ["null", item_schema]},
        ],
    }


def _nullable(avro_type: Any) -> Any:
    if isinstance(avro_type, list):
        return avro_type if "null" in avro_type else ["null", *avro_type]
    return ["null", avro_type]


def schema_text(schema: dict[str, Any]) -> str:
    """One fixed text per schema, so that equal schemas register once."""
    return json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
