from collections import Counter

from topics.engine.gate_engine import Desk, Tally
from topics.engine.gate_spec import GateSpec
from topics.engine.native_lanes import ByteLaneBook
from topics.engine.records import Records
from topics.engine.schema import AvroType
from topics.event import SchemaId

class NativeGateEngine:
    @property
    def raised(self) -> Counter[str]: ...
    def __init__(self, spec: GateSpec) -> None: ...
    def learn(self, schema_id: SchemaId, writer: AvroType) -> None: ...
    def decide(self, records: Records, desk: Desk, lanes: ByteLaneBook) -> Tally: ...
