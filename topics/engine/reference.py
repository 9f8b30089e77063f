"""Avro bytes to values and back with fastavro: the reference that every faster walker is held against."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import fastavro

from topics.event import Record


class Undecodable(Exception):  # noqa: N818 - named after what the bytes are
    """The bytes are not one datum of the writer's schema; the message holds no value of the datum."""


class DoesNotFit(Exception):  # noqa: N818 - named after what the record does
    """The record is not a datum of the schema; the message names the field, not its value."""


class ReferenceCodec:
    """One parsed schema: decodes and encodes single data, logical types left as plain Avro values."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = fastavro.parse_schema(without_logical_types(dict(schema)))

    def decode(self, data: bytes) -> Record:
        """Decode exactly one datum.

        Raises:
            Undecodable: malformed, truncated or followed by other bytes.
        """
        stream = BytesIO(data)
        try:
            decoded = fastavro.schemaless_reader(stream, self._schema, None)
        except Exception as error:
            raise Undecodable(f"{type(error).__name__} at byte {stream.tell()} of {len(data)}") from error
        if stream.tell() != len(data):
            raise Undecodable(f"{len(data) - stream.tell()} bytes left over after the datum")
        if not isinstance(decoded, dict):
            raise Undecodable("the schema is not a record")
        return decoded

    def encode(self, record: Record) -> bytes:
        """Encode one datum.

        Raises:
            DoesNotFit: a field is missing or has another type than the schema.
        """
        stream = BytesIO()
        try:
            fastavro.schemaless_writer(stream, self._schema, dict(record), strict=True)
        except Exception as error:
            raise DoesNotFit(type(error).__name__) from error
        return stream.getvalue()


def without_logical_types(schema: Any) -> Any:
    """The same schema over plain Avro values: dates stay days, timestamps stay counts."""
    if isinstance(schema, dict):
        kept = {key: value for key, value in schema.items() if key not in ("logicalType", "connect.name")}
        return {
            key: without_logical_types(value) if key != "default" else value for key, value in kept.items()
        }
    if isinstance(schema, list):
        return [without_logical_types(entry) for entry in schema]
    return schema
