"""Decodes framed Avro by the registry's schemas, each schema compiled once."""

from collections.abc import Mapping
from typing import Any, Protocol

from topics.engine.reference import ReferenceCodec, Undecodable, usable_codec
from topics.event import KafkaRecord, Record, SchemaId
from topics.wire import NotFramed, split

__all__ = ["Decoder", "SchemaSource", "Undecodable"]


class SchemaSource(Protocol):
    """Where schemas come from: the registry, or a table in tests."""

    def schema(self, schema_id: SchemaId) -> Mapping[str, Any]:
        """The schema of that id."""
        ...


class Decoder:
    """Framed bytes to records."""

    def __init__(self, schemas: SchemaSource) -> None:
        self._schemas = schemas
        self._codecs: dict[SchemaId, ReferenceCodec] = {}

    def decode(self, framed: bytes) -> Record:
        """Decode one datum.

        Raises:
            Undecodable: the bytes are no framed datum of their schema.
            SchemaNotFound: the registry does not know the schema.
            RegistryUnavailable: it cannot be told now.
        """
        try:
            schema_id, avro = split(framed)
        except NotFramed as error:
            raise Undecodable(str(error)) from error
        if schema_id not in self._codecs:
            codec = usable_codec(self._schemas.schema(schema_id))
            if codec is None:
                raise Undecodable(f"schema {schema_id} is unsafe to decode with")
            self._codecs[schema_id] = codec
        return self._codecs[schema_id].decode(avro)

    def value(self, record: KafkaRecord) -> dict[str, Any] | None:
        """The record's value, None for a null value; raises as ``decode`` does."""
        return None if record.value is None else dict(self.decode(record.value))

    def key(self, record: KafkaRecord) -> dict[str, Any] | None:
        """The record's key, None for a null key; raises as ``decode`` does."""
        return None if record.key is None else dict(self.decode(record.key))
