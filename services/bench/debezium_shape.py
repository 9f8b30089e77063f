"""Records as Debezium writes them: the envelope with the whole source block of its PostgreSQL connector."""

import json
from collections.abc import Mapping
from typing import Any, Final

from services.bench.rows import is_update
from topics.engine.reference import ReferenceCodec
from topics.event import TopicName

_DAYS: Final = {"type": "int", "connect.version": 1, "connect.name": "io.debezium.time.Date"}
_MILLISECONDS: Final = {"type": "long", "connect.version": 1, "connect.name": "io.debezium.time.Timestamp"}
_STARTED_MS: Final = 1_760_000_000_000
_FIRST_POSITION: Final = 40_000_000


def envelope_schema(
    topic: TopicName, item_schema: Mapping[str, Any], more: tuple[str, ...]
) -> dict[str, Any]:
    """Debezium's envelope around a table with one column per item and further columns of text."""
    columns = [_column(field) for field in item_schema["fields"]]
    columns += [_nullable(name, "string") for name in more]
    row = {"type": "record", "name": "Value", "fields": columns}
    return {
        "type": "record",
        "name": "Envelope",
        "namespace": topic,
        "fields": [
            {"name": "before", "type": ["null", row], "default": None},
            {"name": "after", "type": ["null", "Value"], "default": None},
            {"name": "source", "type": _source_schema()},
            {"name": "transaction", "type": ["null", _transaction_schema()], "default": None},
            {"name": "op", "type": "string"},
            *(_nullable(name, "long") for name in ("ts_ms", "ts_us", "ts_ns")),
        ],
    }


def key_schema(topic: TopicName) -> dict[str, Any]:
    """Debezium's key of a table whose primary key is ``id``."""
    return {
        "type": "record",
        "name": "Key",
        "namespace": topic,
        "fields": [{"name": "id", "type": "long"}],
    }


class RawForm:
    """Encodes rows as changes: creates, and updates with the row before them."""

    def __init__(self, topic: TopicName, schema: Mapping[str, Any]) -> None:
        self._topic = topic
        self._codec = ReferenceCodec(schema)
        self._database = topic.split(".")[1]
        self._table = topic.rsplit(".", 1)[1]

    def encode(self, row: Mapping[str, object], place: int) -> bytes:
        """The Avro bytes of the change that stands at this place in the source."""
        updated = is_update(place)
        return self._codec.encode(
            {
                "before": row if updated else None,
                "after": row,
                "source": self._source(place),
                "transaction": None,
                "op": "u" if updated else "c",
                "ts_ms": _STARTED_MS + place + 40,
                "ts_us": (_STARTED_MS + place + 40) * 1_000,
                "ts_ns": (_STARTED_MS + place + 40) * 1_000_000,
            }
        )

    def _source(self, place: int) -> dict[str, object]:
        position = _FIRST_POSITION + place * 300
        moment = _STARTED_MS + place
        return {
            "version": "3.7.0.Final",
            "connector": "postgresql",
            "name": f"raw.{self._database}",
            "ts_ms": moment,
            "snapshot": "false",
            "db": self._database,
            "sequence": json.dumps([str(position - 48), str(position)], separators=(",", ":")),
            "ts_us": moment * 1_000,
            "ts_ns": moment * 1_000_000,
            "schema": "public",
            "table": self._table,
            "txId": 900 + place,
            "lsn": position,
            "xmin": None,
            "origin": None,
            "origin_lsn": None,
        }


def _column(field: Mapping[str, Any]) -> dict[str, Any]:
    branches = field["type"] if isinstance(field["type"], list) else [field["type"]]
    plain = next(branch for branch in branches if branch != "null")
    if isinstance(plain, dict):
        plain = _DAYS if plain["logicalType"] == "date" else _MILLISECONDS
    if field["name"] == "id":
        return {"name": "id", "type": plain}
    return _nullable(field["name"], plain)


def _nullable(name: str, plain: Any) -> dict[str, Any]:
    return {"name": name, "type": ["null", plain], "default": None}


def _source_schema() -> dict[str, Any]:
    text, number = "string", "long"
    required = {"version": text, "connector": text, "name": text, "ts_ms": number}
    fields: list[dict[str, Any]] = [{"name": name, "type": plain} for name, plain in required.items()]
    snapshot = {"type": "string", "connect.version": 1, "connect.name": "io.debezium.data.Enum"}
    fields.append({"name": "snapshot", "type": [snapshot, "null"], "default": "false"})
    fields.append({"name": "db", "type": text})
    fields += [_nullable("sequence", text), _nullable("ts_us", number), _nullable("ts_ns", number)]
    fields += [{"name": "schema", "type": text}, {"name": "table", "type": text}]
    fields += [_nullable(name, number) for name in ("txId", "lsn", "xmin")]
    fields += [_nullable("origin", text), _nullable("origin_lsn", number)]
    return {
        "type": "record",
        "name": "Source",
        "namespace": "io.debezium.connector.postgresql",
        "fields": fields,
    }


def _transaction_schema() -> dict[str, Any]:
    return {
        "type": "record",
        "name": "block",
        "namespace": "event",
        "fields": [
            {"name": "id", "type": "string"},
            {"name": "total_order", "type": "long"},
            {"name": "data_collection_order", "type": "long"},
        ],
    }
