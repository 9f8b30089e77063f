"""A bus in memory for tests: topics as lists, and the sample city with the real processors between them."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from schemas.load import control_schema
from schemas.registry import SchemaNotFound
from services.fanout.processor import FanoutProcessor
from services.gate.effects import remembered_keys
from services.gate.processor import GateProcessor
from services.ledger.counts import Place
from services.ledger.lookup import Lookup
from services.ledger.reader import Bounds, TopicMissing
from services.processor.contract import InputPartition
from tests.support.debezium import (
    ENROLMENT_SCHEMA_ID,
    ENROLMENT_TOPIC,
    KEY_SCHEMA_ID,
    PERSON_SCHEMA_ID,
    PERSON_TOPIC,
    SCHEMAS,
    raw,
)
from tests.support.policy import CANONICAL_KEY, sample_policy
from tests.support.publication import PERMIT_SCHEMA, PERMIT_SCHEMA_ID, published
from topics import names
from topics.canonical import CANONICAL_KEY_SCHEMA, PSEUDONYM_KEY_SCHEMA
from topics.disputes import DisputeChange, Folding, change_record, keys_from
from topics.engine.records import PartitionRecords
from topics.engine.reference import ReferenceCodec
from topics.event import KafkaRecord, OutputRecord, SchemaId, TopicName
from topics.grants.keys import has_canonical_key
from topics.names import DISPUTES, LEDGER_DELIVERY, LEDGER_INTAKE, POLICY
from topics.policy import Policy
from topics.resource import DirectPublication
from topics.wire import frame

POLICY_SCHEMA_ID = SchemaId(8)


@dataclass
class MemoryReader:
    """Topics as lists of records; offsets may have gaps, as transaction markers leave them."""

    records: dict[Place, list[KafkaRecord]] = field(default_factory=dict)
    ends: dict[Place, int] = field(default_factory=dict)

    def add(
        self,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        headers: tuple[tuple[str, bytes], ...] = (),
        timestamp_ms: int = 1_000,
        skip: int = 0,
    ) -> KafkaRecord:
        place = Place(TopicName(topic), partition)
        offset = self.ends.get(place, 0) + skip
        record = KafkaRecord(place.topic, partition, offset, timestamp_ms, key, value, headers)
        self.records.setdefault(place, []).append(record)
        self.ends[place] = offset + 1
        return record

    def make(self, topic: str, partitions: int) -> None:
        for number in range(partitions):
            self.ends.setdefault(Place(TopicName(topic), number), 0)

    def layout(self) -> dict[TopicName, list[Place]]:
        return {topic: self.places(topic) for topic in self.topics()}

    def places(self, topic: TopicName) -> list[Place]:
        return sorted(place for place in self.ends if place.topic == topic)

    def topics(self) -> list[TopicName]:
        return sorted({place.topic for place in self.ends})

    def bounds_of(self, places: Iterable[Place]) -> dict[Place, Bounds]:
        return {place: self.bounds(place) for place in places}

    def highs_of(self, places: Iterable[Place]) -> dict[Place, int]:
        return {place: self.bounds(place).end for place in places}

    def offsets_at(self, places: Iterable[Place], timestamp_ms: int) -> dict[Place, int]:
        return {place: self.offset_at(place, timestamp_ms) for place in places}

    def read_all(self, ranges: Mapping[Place, Bounds]) -> Iterator[KafkaRecord]:
        """One record of each partition in turn: nobody may rely on an order between partitions."""
        waiting = [self.read(place, *found) for place, found in ranges.items()]
        while waiting:
            turns, waiting = waiting, []
            for turn in turns:
                record = next(turn, None)
                if record is not None:
                    yield record
                    waiting.append(turn)

    def bounds(self, place: Place) -> Bounds:
        if place not in self.ends:
            raise TopicMissing(str(place))
        return Bounds(0, self.ends[place])

    def offset_at(self, place: Place, timestamp_ms: int) -> int:
        later = [r.offset for r in self.records.get(place, []) if r.timestamp_ms >= timestamp_ms]
        return min(later, default=self.ends[place])

    def read(self, place: Place, start: int, end: int) -> Iterator[KafkaRecord]:
        yield from [r for r in self.records.get(place, []) if start <= r.offset < end]

    def follow(self, places: Mapping[Place, int], stop: Callable[[], bool]) -> Iterator[KafkaRecord]:
        for place, start in places.items():
            for record in self.read(place, start, self.ends[place]):
                if stop():
                    return
                yield record


class MemoryRegistry:
    """Schemas by id, those of the sample policy and of the sample raw topics."""

    def __init__(self, policy: Policy) -> None:
        control = policy.control_schemas
        self.schemas: dict[int, Mapping[str, Any]] = {
            CANONICAL_KEY: CANONICAL_KEY_SCHEMA,
            control.decision_block: control_schema("DecisionBlock"),
            control.quarantined_event: control_schema("QuarantinedEvent"),
            control.stopped_key: control_schema("StoppedKey"),
            control.accepted_version: control_schema("AcceptedVersion"),
            control.claim: control_schema("Claim"),
            control.epoch_marker: control_schema("EpochMarker"),
            control.dispute_change: control_schema("DisputeChange"),
            POLICY_SCHEMA_ID: control_schema("PolicyVersion"),
            KEY_SCHEMA_ID: {"type": "record", "name": "Key", "fields": [{"name": "id", "type": "long"}]},
            PERMIT_SCHEMA_ID: PERMIT_SCHEMA,
            **{int(number): schema for number, schema in SCHEMAS.items()},
        }
        for entry in policy.resources.values():
            self.schemas[entry.canonical_value_schema_id] = json.loads(entry.envelope_schema)
        for grant in policy.grants.values():
            resource = policy.resources[grant.grant.resource].resource
            canonical = has_canonical_key(resource, grant.grant)
            self.schemas[grant.key_schema_id] = CANONICAL_KEY_SCHEMA if canonical else PSEUDONYM_KEY_SCHEMA
            self.schemas[grant.value_schema_id] = json.loads(grant.value_schema)

    def schema(self, schema_id: SchemaId) -> Mapping[str, Any]:
        if schema_id not in self.schemas:
            raise SchemaNotFound(str(schema_id))
        return self.schemas[schema_id]


class MemoryCity:
    """The sample city with the real processors between topics in memory."""

    def __init__(self) -> None:
        self.policy = sample_policy()
        self.registry = MemoryRegistry(self.policy)
        self.memory = MemoryReader()
        self.gate = GateProcessor()
        self.fanout = FanoutProcessor("default", {1: bytes(32)})
        self.clock = 1_790_000_001_000
        self.written: list[OutputRecord] = []
        self.disputes = Folding()
        self.gate_runs = True
        self._done: dict[Place, int] = {}
        self._make_topics()
        self._issue_policy()
        for processor in (self.gate, self.fanout):
            processor.adopt(self.policy)
            for topic in processor.topics():
                for place in self.memory.places(topic):
                    processor.assign(InputPartition(topic, place.partition), 0)

    @property
    def lookup(self) -> Lookup:
        return Lookup(self.memory, self.registry, keys_from({1: bytes(32)}))

    def change(
        self,
        operation: str,
        before: Any = None,
        after: Any = None,
        enrolment: bool = False,
        at_ms: int | None = None,
    ) -> KafkaRecord:
        """A captured change of a person or an enrolment, at the end of partition 0 of its raw topic."""
        topic = ENROLMENT_TOPIC if enrolment else PERSON_TOPIC
        schema_id = ENROLMENT_SCHEMA_ID if enrolment else PERSON_SCHEMA_ID
        offset = self.memory.ends[Place(topic, 0)]
        record = raw(operation, offset, before, after, topic, schema_id, at_ms=at_ms)
        return self.memory.add(topic, 0, record.key, record.value, record.headers, record.timestamp_ms)

    def publish(self, version: int, record: Mapping[str, Any] | None = None, **given: Any) -> KafkaRecord:
        """A version of a permit, at the end of the partition of its record id."""
        made = published(version, record, **given)
        return self.memory.add(
            made.topic, made.partition, made.key, made.value, made.headers, made.timestamp_ms
        )

    def garbage(self, value: bytes) -> KafkaRecord:
        """Bytes that nobody can decode."""
        return self.memory.add(PERSON_TOPIC, 0, b"k", value, (), self._tick())

    def adopt(self, policy: Policy) -> None:
        """The next version of the policy, from now on."""
        self.policy = policy
        self._issue_policy()
        for processor in (self.gate, self.fanout):
            processor.adopt(policy)

    def dispute(self, changes: Iterable[DisputeChange]) -> None:
        """Changes of the disputes in their topic, and known to the fan-out from now on."""
        schema_id = self.policy.control_schemas.dispute_change
        codec = ReferenceCodec(control_schema("DisputeChange"))
        for change in changes:
            value = frame(schema_id, codec.encode(change_record(change)))
            self.memory.add(DISPUTES, 0, str(change.number).encode(), value, (), self._tick())
            self.disputes.take(change)
        self.fanout.adopt_disputes(self.disputes.disputes())

    def pump(self) -> None:
        """Let the gate and then the fan-out decide all that waits."""
        if self.gate_runs:
            self._run(self.gate)
            self._run(self.fanout)

    def write(self, records: Sequence[OutputRecord]) -> list[int]:
        """What an operator writes; the processors run at once."""
        self.written += records
        offsets = [self._append(record).offset for record in records]
        self.pump()
        return offsets

    def _run(self, processor: Any) -> None:
        for topic in sorted(processor.topics()):
            for place in self.memory.places(topic):
                start, end = self._done.get(place, 0), self.memory.ends[place]
                records = list(self.memory.read(place, start, end))
                if records:
                    batch = [PartitionRecords(*place, records)]
                    needed = processor.needed_schemas(batch[0])
                    known = {number: self.registry.schemas.get(number) for number in needed}
                    found = {number: schema for number, schema in known.items() if schema is not None}
                    for output in chain.from_iterable(processor.process(batch, found).lanes):
                        self._append(output)
                    self._done[place] = end

    def _append(self, record: OutputRecord) -> KafkaRecord:
        return self.memory.add(
            record.topic, record.partition, record.key, record.value, record.headers, self._tick()
        )

    def _tick(self) -> int:
        self.clock += 1
        return self.clock

    def _make_topics(self) -> None:
        for name in (LEDGER_INTAKE, LEDGER_DELIVERY):
            self.memory.make(name, 4)
        self.memory.make(POLICY, 1)
        self.memory.make(DISPUTES, 1)
        for provider in self.policy.providers:
            self.memory.make(names.quarantine(provider), 1)
            self.memory.make(names.claims(provider), 1)
        for entry in self.policy.resources.values():
            for topic in (entry.resource.raw_topic, entry.resource.canonical_topic):
                self.memory.make(topic, entry.resource.partitions)
            published = isinstance(entry.resource.source, DirectPublication)
            remembered = remembered_keys(entry.resource.raw_topic, published=published)
            self.memory.make(remembered, entry.resource.partitions)
        for grant in self.policy.grants.values():
            self.memory.make(grant.grant.topic, 4)

    def _issue_policy(self) -> None:
        document = {
            "version": self.policy.version,
            "issued_ms": self.policy.issued_ms,
            "digest": self.policy.digest(),
            "document": self.policy.model_dump_json(by_alias=True),
        }
        value = frame(POLICY_SCHEMA_ID, ReferenceCodec(control_schema("PolicyVersion")).encode(document))
        self.memory.add(POLICY, 0, str(self.policy.version).encode(), value)
