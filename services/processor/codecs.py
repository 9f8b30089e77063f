"""Writer schemas by id, compiled once; a schema that is unsafe to decode counts as unknown."""

from collections.abc import Mapping
from typing import Any

from topics.engine.records import Records
from topics.engine.reference import ReferenceCodec, usable_codec
from topics.engine.schema import AvroType, parse
from topics.event import SchemaId


class CodecCache:
    """Codecs of the writer schemas met so far; grows with the number of schemas, not of records."""

    def __init__(self) -> None:
        self.codecs: dict[SchemaId, ReferenceCodec] = {}
        self.types: dict[SchemaId, AvroType] = {}
        self._unsafe: set[SchemaId] = set()

    def missing(self, records: Records) -> frozenset[SchemaId]:
        """Ids that these records need and that are not compiled yet."""
        return frozenset(records.schema_ids() - self.codecs.keys() - self._unsafe)

    def learn(self, schemas: Mapping[SchemaId, Any]) -> None:
        """Compile what the registry gave; recursive schemas and zero-width items stay unknown."""
        for schema_id, schema in schemas.items():
            if schema_id in self.codecs or schema_id in self._unsafe:
                continue
            codec = usable_codec(schema)
            if codec is None:
                self._unsafe.add(schema_id)
            else:
                self.codecs[schema_id], self.types[schema_id] = codec, parse(schema)
