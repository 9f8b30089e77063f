"""Writer schemas by id, compiled once; a schema that is unsafe to decode counts as unknown."""

from collections.abc import Iterable, Mapping
from typing import Any

from topics.engine.reference import ReferenceCodec
from topics.event import KafkaRecord, SchemaId
from topics.schema_rules import unsafe_parts
from topics.wire import NotFramed, split


class CodecCache:
    """Codecs of the writer schemas met so far; grows with the number of schemas, not of records."""

    def __init__(self) -> None:
        self.codecs: dict[SchemaId, ReferenceCodec] = {}
        self._unsafe: set[SchemaId] = set()

    def missing(self, records: Iterable[KafkaRecord]) -> frozenset[SchemaId]:
        """Ids that these records need and that are not compiled yet."""
        needed = {found for record in records if (found := schema_id_of(record.value)) is not None}
        return frozenset(needed - self.codecs.keys() - self._unsafe)

    def learn(self, schemas: Mapping[SchemaId, Any]) -> None:
        """Compile what the registry gave; recursive schemas and zero-width items stay unknown."""
        for schema_id, schema in schemas.items():
            if schema_id in self.codecs or schema_id in self._unsafe:
                continue
            if unsafe_parts(schema):
                self._unsafe.add(schema_id)
            else:
                self.codecs[schema_id] = ReferenceCodec(schema)


def schema_id_of(value: bytes | None) -> SchemaId | None:
    """The writer's schema id of a framed value, or None for a tombstone or unframed bytes."""
    if value is None:
        return None
    try:
        return split(value)[0]
    except NotFramed:
        return None
