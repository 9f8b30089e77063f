"""Control records as bytes: Avro by fastavro, framed with the schema's registered id."""

import io
from typing import Any

import fastavro

from schemas.load import control_schema
from topics.event import SchemaId
from topics.wire import frame, split


def encode(name: str, schema_id: SchemaId, record: dict[str, Any]) -> bytes:
    """The control record in the Confluent wire format."""
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, fastavro.parse_schema(control_schema(name)), record)
    return frame(schema_id, buffer.getvalue())


def decode(name: str, value: bytes) -> dict[str, Any]:
    """The control record of that name; its schema is the one that the project ships."""
    _, avro = split(value)
    schema = fastavro.parse_schema(control_schema(name))
    record: Any = fastavro.schemaless_reader(io.BytesIO(avro), schema, None)
    return dict(record)
