"""A stack to which tests apply definitions that they change, and what then stands in it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from confluent_kafka import Producer

from schemas.load import control_schema
from schemas.registry import SchemaRegistry
from services.control.access import Access
from services.control.applied import Applied
from services.control.apply import Apply
from services.control.comparison import compare
from services.control.definitions import load_definitions
from services.control.difference import StepKind
from services.control.kafka_topics import TransactionStaysOpen, end_offsets, reached_ends
from services.control.policy_topic import newest_policy
from services.control.reading import read_whole, whole_reader
from services.stack.api import Stack
from services.stack.settings import StackSettings
from tests.stack_fixture import temporary_stack
from topics.canonical import CANONICAL_KEY_SCHEMA, partition_of
from topics.engine.reference import ReferenceCodec
from topics.event import GrantId, KafkaRecord, Operation, ResourceId, SchemaId
from topics.names import POLICY
from topics.policy import Policy
from topics.wire import frame

PERSONS = ResourceId("population.person.v1")
HEALTH = GrantId("health-persons-gusu")
EDUCATION = GrantId("education-persons")
DISTRICTS = ("320508", "320505")


@dataclass
class Bench:
    """A stack with definitions that the tests may change."""

    stack: Stack
    access: Access
    folder: Path
    said: list[str] = field(default_factory=list)

    def apply(self, **options: Any) -> Applied:
        return Apply(self.access, load_definitions(self.folder), self.said.append, **options).run()

    def steps(self) -> list[tuple[StepKind, str]]:
        admin = self.access.admin()
        plan = compare(self.access, admin, load_definitions(self.folder)).plan
        return [(step.kind, step.target) for step in plan.steps]

    def change(self, file: str, **values: Any) -> None:
        path = self.folder / file
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        path.write_text(yaml.safe_dump({**content, **values}, allow_unicode=True), encoding="utf-8")

    def policy(self) -> Policy:
        self.ends(POLICY, 1)
        found = newest_policy(self.stack.kafka_config("admin"))
        assert found is not None
        return found

    def read(self, topic: str, partitions: int = 4) -> list[KafkaRecord]:
        ends = self.ends(topic, partitions)
        reader = whole_reader(self.stack.kafka_config("ledger"), "ledger.test")
        try:
            return [record for batch in read_whole(reader, topic, ends, 1000) for record in batch]
        finally:
            reader.close()

    def ends(self, topic: str, partitions: int) -> dict[int, int]:
        """Behind all that is committed, which a reader sees a moment later; before what stays open."""
        admin = self.access.admin()
        with suppress(TransactionStaysOpen):
            return reached_ends(admin, topic, partitions, 5)
        return end_offsets(admin, topic, partitions, stable=True)

    def held(self, grant: GrantId) -> dict[bytes, KafkaRecord]:
        """What a reader of the grant's topic ends up with: per key the last record, if it is no tombstone."""
        last = {record.key or b"": record for record in self.read(self.policy().grants[grant].grant.topic)}
        return {key: record for key, record in last.items() if record.value is not None}

    def credentials(self, name: str) -> dict[str, Any]:
        path = self.stack.settings.home / "credentials" / f"{name}.json"
        assert path.stat().st_mode & 0o077 == 0
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def markers(self, grant: GrantId) -> list[str]:
        from services.control.framing import decode

        records = self.read(f"epochs.{grant}", 1)
        return [str(decode("EpochMarker", record.value or b"")["kind"]) for record in records]


@contextmanager
def own_stack() -> Iterator[Stack]:
    """These tests withdraw departments and grants that other tests need: they have a stack to themselves."""
    home = os.environ.get("GOVBUS_TEST_APPLY_HOME")
    if home is None:
        with temporary_stack() as stack:
            yield stack
        return
    running = Stack(StackSettings.from_environment({**os.environ, "GOVBUS_HOME": home}))
    running.up()
    yield running


def policy_schema_id(bench: Bench) -> SchemaId:
    """Under which id the registry knows a policy version."""
    registry = SchemaRegistry(bench.access.registry_credentials("apply"))
    return registry.id_of("policy-value", control_schema("PolicyVersion"))


def write_persons(bench: Bench, numbers: range, operation: Operation) -> None:
    """Canonical records as the gate writes them: person n lives in one of two districts."""
    policy = bench.policy()
    entry = policy.resources[PERSONS]
    codec = ReferenceCodec(json.loads(entry.envelope_schema))
    keys = ReferenceCodec(CANONICAL_KEY_SCHEMA)
    producer = Producer({**bench.stack.kafka_config("gate"), "transactional.id": "gate.test"})
    producer.init_transactions(30)
    producer.begin_transaction()
    for number in numbers:
        identity = f"resident_id:{number:018d}"
        key = frame(
            entry.canonical_key_schema_id, keys.encode({"identity": identity, "record_id": str(number)})
        )
        value = frame(entry.canonical_value_schema_id, codec.encode(envelope(number, operation)))
        partition = partition_of(identity, entry.resource.partitions)
        producer.produce(entry.resource.canonical_topic, key=key, value=value, partition=partition)
    producer.commit_transaction(30)


def envelope(number: int, operation: Operation) -> dict[str, Any]:
    district = DISTRICTS[number % 2]
    return {
        "operation": operation.value,
        "generation": 0,
        "incarnation": 1,
        "commit": 1000 + number,
        "ordinal": number,
        "source_time": 1_790_000_000_000,
        "raw_topic": "raw.police.public.person",
        "raw_partition": 0,
        "raw_offset": number,
        "policy_version": 1,
        "marks": [],
        "previous_known": True,
        "previous": {"household_district": district} if operation is Operation.DELETE else None,
        "state": {
            "id_number": f"{number:018d}",
            "name": f"张{number}",
            "birth_date": 7000 + number,
            "sex": "1",
            "address": "苏州市",
            "household_district": district,
            "updated_at": 1_790_000_000_000,
        },
    }
