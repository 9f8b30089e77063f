from collections.abc import Mapping

from topics.engine.choose import Implementation
from topics.engine.fanout import Before, Decided, FanoutSpec, Reference
from topics.engine.records import Records
from topics.engine.schema import AvroType
from topics.event import GrantId, SchemaId

class NativeFanout:
    implementation: Implementation
    with_keys: bool
    with_headers: bool
    def __init__(self, spec: FanoutSpec, reference: Reference) -> None: ...
    def learn(self, schema_id: SchemaId, writer: AvroType) -> bool: ...
    def decide(
        self, records: Records, writers: Mapping[SchemaId, AvroType], before: Before | None = None
    ) -> Decided: ...
    def fallbacks(self, writer: AvroType) -> Mapping[GrantId, str]: ...
