"""Delivered bytes to items: the schema by its id from the registry, then Avro."""

import io
import struct
from typing import Any, Final, Protocol

import fastavro
from fastavro.schema import SchemaParseException

from schemas.registry import SchemaNotFound
from topics.event import SchemaId
from topics.wire import NotFramed, split

_AVRO_ERRORS: Final = (EOFError, ValueError, LookupError, TypeError, OverflowError, struct.error, MemoryError)


class Undecodable(Exception):  # noqa: N818 - named after what the bytes are
    """The bytes are not what their schema says; ``reason`` is one of ``consumers.parking.ParkReason``."""


class UnknownSchema(Undecodable):
    """The registry answers and does not know the schema."""


class Schemas(Protocol):
    """Where schemas come from; ``schemas.registry.SchemaRegistry`` is one."""

    def schema(self, schema_id: SchemaId) -> dict[str, Any]:
        """The schema of that id; raises SchemaNotFound or RegistryUnavailable."""
        ...


class Decoder:
    """Decodes keys and values, each schema parsed once."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._parsed: dict[SchemaId, Any] = {}

    def decode(self, framed: bytes) -> dict[str, Any]:
        """The record in the bytes: Confluent wire format, Avro.

        Raises:
            UnknownSchema: no schema has the id.
            Undecodable: anything else is wrong with the bytes.
            RegistryUnavailable: it cannot be told now; wait and try again.
        """
        try:
            schema_id, avro = split(framed)
        except NotFramed as error:
            raise Undecodable(str(error)) from error
        parsed = self._parsed_schema(schema_id)
        stream = io.BytesIO(avro)
        try:
            record = fastavro.schemaless_reader(stream, parsed, None)
        except _AVRO_ERRORS as error:
            raise Undecodable(f"not Avro of schema {schema_id}: {type(error).__name__}") from None
        if stream.read(1):
            raise Undecodable(f"bytes are left over after Avro of schema {schema_id}")
        if not isinstance(record, dict):
            raise Undecodable(f"schema {schema_id} is not a record's")
        return record

    def _parsed_schema(self, schema_id: SchemaId) -> Any:
        if schema_id not in self._parsed:
            try:
                schema = self._schemas.schema(schema_id)
            except SchemaNotFound as error:
                raise UnknownSchema(f"the registry knows no schema {schema_id}") from error
            try:
                self._parsed[schema_id] = fastavro.parse_schema(schema)
            except (SchemaParseException, *_AVRO_ERRORS) as error:
                raise Undecodable(f"schema {schema_id} is not an Avro schema") from error
        return self._parsed[schema_id]
