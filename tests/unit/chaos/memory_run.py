"""A chaos run in memory: the seeded stream through the real lines, as a recording that tests can spoil."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from services.chaos.check import Checker, Layout, Verdict
from services.chaos.envelopes import ENVELOPE_SCHEMA, Envelopes
from services.chaos.scene import layout_of
from services.chaos.workload import workload
from tests.support.debezium import KEY_SCHEMA_ID
from tests.support.memory_bus import MemoryCity
from topics.event import KafkaRecord, SchemaId, TopicName

SEED, EVENTS = 11, 300
_ENVELOPE_ID = SchemaId(60)
_BATCH = 20


@dataclass
class MemoryRun:
    """What a run wrote, topic by topic."""

    city: MemoryCity
    layout: Layout
    envelopes: Envelopes
    topics: dict[TopicName, list[KafkaRecord]] = field(default_factory=dict)

    @staticmethod
    def played() -> "MemoryRun":
        city = MemoryCity()
        city.registry.schemas[_ENVELOPE_ID] = ENVELOPE_SCHEMA
        envelopes = Envelopes(KEY_SCHEMA_ID, _ENVELOPE_ID)
        run = MemoryRun(city, layout_of(city.policy.resources, city.policy.grants), envelopes)
        for event in workload(SEED, EVENTS):
            partition, key, value = event.row % 4, envelopes.key(event), envelopes.value(event)
            when = 1_790_086_400_000 + event.number
            city.memory.add(run.layout.raw, partition, key, value, envelopes.headers(event), when)
            if event.number % _BATCH == 0:
                city.pump()
        city.pump()
        for place, records in sorted(city.memory.records.items()):
            run.topics.setdefault(place.topic, []).extend(records)
        return run

    def check(self) -> Verdict:
        return Checker(
            SEED, EVENTS, self.layout, self._read, self.city.lookup.decoder, self.envelopes, bytes(32)
        ).run()

    def spoiled(self, topic: TopicName, spoil: Callable[[list[KafkaRecord]], None]) -> "MemoryRun":
        """The same run with one topic changed; the others are shared."""
        records = list(self.topics[topic])
        spoil(records)
        return replace(self, topics={**self.topics, topic: records})

    def _read(self, topic: TopicName) -> Iterator[KafkaRecord]:
        return iter(self.topics.get(topic, []))
