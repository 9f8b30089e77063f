"""What the comparators do is what the bus does: the same records in, the same records out, byte for byte."""

import json
from collections.abc import Iterable, Mapping

import pytest

from services.bench.comparators.copies import Copies
from services.bench.comparators.work import Out, worker
from services.bench.description import PREFIX, copies, fanout_outputs, fanout_work, gate_outputs, gate_work
from services.bench.workload import (
    BAD_EVERY,
    ENTERPRISE,
    PERSON,
    RawSchemas,
    canonical_records,
    raw_records,
    raw_schemas,
)
from services.cli.bench_machinery import bench_definitions
from services.fanout.line import fan_out
from services.fanout.plan import compile_fanout
from services.gate.line import decide
from services.gate.plan import compile_gate
from tests.support.policy import policy_of
from topics.engine.reference import ReferenceCodec
from topics.event import KafkaRecord, OutputRecord, ResourceId, SchemaId, TopicName
from topics.policy import Policy

MASTER = b"a master secret of tests"
RAW_KEY, RAW_VALUE = SchemaId(901), SchemaId(902)
COUNT = 250


@pytest.fixture(scope="module")
def policy() -> Policy:
    return policy_of(bench_definitions())


def as_read(records: Iterable[OutputRecord]) -> list[KafkaRecord]:
    """Records as a consumer gets them, offsets per partition."""
    ends: dict[tuple[TopicName, int], int] = {}
    found = []
    for record in records:
        place = (record.topic, record.partition)
        offset = ends[place] = ends.get(place, -1) + 1
        found.append(KafkaRecord(*place, offset, 1_790_000_000_000, record.key, record.value, record.headers))
    return found


def as_samples(outputs: Iterable[OutputRecord]) -> dict[str, list[KafkaRecord]]:
    samples: dict[str, list[KafkaRecord]] = {}
    for record in as_read(outputs):
        samples.setdefault(record.topic, []).append(record)
    return samples


def form(topic: str, partition: int, record: OutputRecord | Out) -> tuple[object, ...]:
    return topic, partition, record.key, record.value, tuple(record.headers)


def by_bus(outputs: Iterable[OutputRecord]) -> list[tuple[object, ...]]:
    return [form(PREFIX + record.topic, record.partition, record) for record in outputs]


def by_comparator(
    description: Mapping[str, object], records: Iterable[KafkaRecord]
) -> list[tuple[object, ...]]:
    decided = worker(dict(description))
    return [
        form(out.topic, out.partition, out)
        for r in records
        for out in decided(
            r.topic, r.partition, r.offset, r.key or b"", r.value or b"", r.timestamp_ms, r.headers
        )
    ]


def fanned_out(policy: Policy, records: Iterable[KafkaRecord]) -> list[OutputRecord]:
    plan = compile_fanout(policy, "default", {1: MASTER})
    entry = policy.resources[PERSON]
    codecs = {entry.canonical_value_schema_id: ReferenceCodec(json.loads(entry.envelope_schema))}
    outcomes = [outcome for record in records for outcome in fan_out(record, plan, codecs) or ()]
    return [outcome.output for outcome in outcomes if outcome.output is not None]


def test_the_comparators_fan_out_what_the_bus_fans_out(policy: Policy) -> None:
    records = as_read(canonical_records(policy, PERSON, COUNT, seed=3))
    outputs = fanned_out(policy, records)
    work = fanout_work(policy, "default", PERSON, MASTER, as_samples(outputs))
    found = by_comparator({"kind": "fanout", "fanout": work}, records)
    assert len(outputs) == COUNT * 4 + COUNT // 5
    assert sorted(found, key=repr) == sorted(by_bus(outputs), key=repr)


def gated(policy: Policy, name: ResourceId, records: Iterable[KafkaRecord]) -> list[OutputRecord]:
    codecs = {RAW_VALUE: ReferenceCodec(raw_schemas(policy, name)[1])}
    plan = compile_gate(policy)
    return [output for record in records for output in decide(record, plan, codecs, None).outputs]


@pytest.mark.parametrize("name", [PERSON, ENTERPRISE])
def test_the_comparators_accept_and_stop_what_the_gate_accepts_and_stops(
    policy: Policy, name: ResourceId
) -> None:
    schemas = RawSchemas(*raw_schemas(policy, name), RAW_KEY, RAW_VALUE)
    records = as_read(raw_records(policy, name, schemas, 8 * BAD_EVERY, seed=3))
    outputs = gated(policy, name, records)
    found = by_comparator({"kind": "gate", "gate": gate_work(policy, {name: schemas})}, records)
    quarantined = [output for output in outputs if output.topic.startswith("quarantine.")]
    assert len(quarantined) == 8
    canonical = {output for output in by_bus(outputs) if str(output[0]).startswith("bench.resource.")}
    assert {output for output in found if str(output[0]).startswith("bench.resource.")} == canonical
    assert [o for o in found if "quarantine" in str(o[0])] == by_bus(quarantined)


def test_a_copy_is_as_large_as_what_the_bus_writes_and_as_frequent(policy: Policy) -> None:
    records = as_read(canonical_records(policy, PERSON, COUNT, seed=3))
    samples = as_samples(fanned_out(policy, records))
    described = copies(fanout_outputs(policy, "default", 5), samples)
    made = Copies({"inputs": [records[0].topic], "copies": described})
    written: dict[str, list[tuple[int, int]]] = {}
    for record in records:
        for copy in made.of(record.topic):
            if copy.due():
                sizes = (
                    len(copy.key(record.key or b"", record.value or b"")),
                    len(copy.value(record.value or b"")),
                )
                written.setdefault(copy.topic, []).append(sizes)
    for topic, sample in samples.items():
        copied = written[PREFIX + topic]
        assert len(copied) == len(sample)
        assert abs(copied[0][0] - mean_length([record.key for record in sample])) <= 1
        assert abs(copied[0][1] - mean_length([record.value for record in sample])) <= 1


def mean_length(texts: list[bytes | None]) -> float:
    return sum(len(text or b"") for text in texts) / len(texts)


def test_the_gates_copies_pad_what_is_larger_than_its_input(policy: Policy) -> None:
    schemas = RawSchemas(*raw_schemas(policy, PERSON), RAW_KEY, RAW_VALUE)
    records = as_read(raw_records(policy, PERSON, schemas, BAD_EVERY, seed=3))
    outputs = gated(policy, PERSON, records)
    described = copies(gate_outputs(policy, [PERSON]), as_samples(outputs))
    quarantine = next(copy for copy in described if "quarantine" in copy["topic"])
    copied = Copies({"inputs": [records[0].topic], "copies": [quarantine]}).of(records[0].topic)[0]
    assert len(copied.value(b"short")) == quarantine["value_bytes"]
    assert quarantine["value_bytes"] > len(records[-1].value or b"")


def test_a_comparator_that_masks_otherwise_writes_other_records(policy: Policy) -> None:
    records = as_read(canonical_records(policy, PERSON, 5, seed=3))
    outputs = fanned_out(policy, records)
    work = fanout_work(policy, "default", PERSON, MASTER, as_samples(outputs))
    work["grants"][0]["masks"] = {}
    found = by_comparator({"kind": "fanout", "fanout": work}, records)
    assert sorted(found, key=repr) != sorted(by_bus(outputs), key=repr)
