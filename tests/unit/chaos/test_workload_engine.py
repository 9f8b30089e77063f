"""The stream of a chaos run is decided by the engines, and not by the line that they refer to."""

from services.chaos.envelopes import ENVELOPE_SCHEMA, Envelopes
from services.chaos.workload import workload
from services.gate.outcome import Decision
from services.gate.processor import GateProcessor
from services.processor.contract import InputPartition
from tests.support.debezium import KEY_SCHEMA_ID
from tests.support.memory_bus import MemoryCity
from topics.engine.records import PartitionRecords
from topics.event import KafkaRecord, SchemaId, TopicName

EVENTS, BATCH = 2_000, 200
_ENVELOPE_ID = SchemaId(60)
RAW = TopicName("raw.police.public.person")


class Counting(GateProcessor):
    """The gate, counting what an engine leaves to the line."""

    referred = 0

    def _decide(self, record: KafkaRecord) -> Decision:
        self.referred += 1
        return super()._decide(record)


def test_most_events_are_decided_by_the_engine_alone() -> None:
    city, envelopes = MemoryCity(), Envelopes(KEY_SCHEMA_ID, _ENVELOPE_ID)
    gate = Counting()
    gate.adopt(city.policy)
    gate.assign(InputPartition(RAW, 0), 0)
    records = [
        KafkaRecord(
            RAW,
            0,
            offset,
            1_790_086_400_000,
            envelopes.key(event),
            envelopes.value(event),
            envelopes.headers(event),
        )
        for offset, event in enumerate(workload(1, EVENTS))
    ]
    schemas = {KEY_SCHEMA_ID: city.registry.schemas[KEY_SCHEMA_ID], _ENVELOPE_ID: ENVELOPE_SCHEMA}
    accepted = 0
    for first in range(0, EVENTS, BATCH):
        batch = [PartitionRecords(RAW, 0, records[first : first + BATCH])]
        accepted += gate.process(batch, schemas).outcomes["accepted"]
    assert accepted > EVENTS * 0.8
    assert gate.referred < EVENTS * 0.25, "what stopped before, and what is no envelope"
