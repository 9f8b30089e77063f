"""The checker of chaos runs finds every bug that is put into a clean run, and nothing in the clean run."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from schemas.load import control_schema
from services.chaos.sequences import What
from tests.unit.chaos.memory_run import EVENTS, MemoryRun
from topics.engine.reference import ReferenceCodec
from topics.event import KafkaRecord, TopicName
from topics.names import LEDGER_DELIVERY, LEDGER_INTAKE
from topics.wire import frame, split

SEEDS = [*range(4), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(4, 12))]

Spoil = Callable[[list[KafkaRecord], Random], None]


@pytest.fixture(scope="module")
def run() -> MemoryRun:
    return MemoryRun.played()


def seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311 - not for secrets


def drop(records: list[KafkaRecord], rng: Random) -> None:
    del records[rng.randrange(len(records))]


def repeat(records: list[KafkaRecord], rng: Random) -> None:
    records.append(rng.choice(records))


def swap(records: list[KafkaRecord], rng: Random) -> None:
    """Two neighbours of one key change places."""
    first = rng.randrange(len(records))
    while True:
        key = records[first].key
        later = [n for n in range(first + 1, len(records)) if records[n].key == key]
        if later and records[later[0]] != records[first]:
            break
        first = rng.randrange(len(records))
    records[first], records[later[0]] = records[later[0]], records[first]


def alter(records: list[KafkaRecord], rng: Random) -> None:
    """One byte of a value; the last one, so that it still decodes."""
    number = rng.choice([n for n, record in enumerate(records) if record.value])
    value = records[number].value or b""
    records[number] = replace(records[number], value=value[:-1] + bytes([value[-1] ^ 2]))


def drop_tombstone(records: list[KafkaRecord], rng: Random) -> None:
    del records[rng.choice([n for n, record in enumerate(records) if record.value is None])]


def invent(records: list[KafkaRecord], rng: Random) -> None:
    """A record of one change under a key that it is not owed."""
    one, other = rng.sample([record for record in records if record.value], 2)
    while one.key == other.key:
        other = rng.choice([record for record in records if record.value])
    records.append(replace(one, key=other.key))


def to_another_partition(records: list[KafkaRecord], rng: Random) -> None:
    number = rng.randrange(len(records))
    records[number] = replace(records[number], partition=(records[number].partition + 1) % 4)


def test_a_clean_run_is_clean_and_was_looked_at(run: MemoryRun) -> None:
    verdict = run.check()
    assert verdict.clean, verdict.findings
    assert sum(verdict.outcomes.values()) == EVENTS
    assert all(verdict.outcomes[name] for name in ("accepted", "stopped", "control"))
    assert verdict.records[run.layout.canonical] == len(run.topics[run.layout.canonical])
    assert verdict.blocks > 100


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (drop, {What.LOST, What.TOMBSTONE_MISSING}),
        (repeat, {What.TWICE}),
        (swap, {What.REORDERED, What.NOT_OWED}),
        (alter, {What.ALTERED, What.NOT_OWED}),
        (drop_tombstone, {What.TOMBSTONE_MISSING}),
        (invent, {What.NOT_OWED, What.TWICE}),
        (to_another_partition, {What.ALTERED, What.LOST, What.TOMBSTONE_MISSING}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
@pytest.mark.parametrize("place", ["canonical", "schools", "doctors"])
def test_a_bug_in_what_is_written_is_found(
    run: MemoryRun, place: str, spoil: Spoil, expected: set[What], seed: int
) -> None:
    schools, doctors = (TopicName(view.topic) for view in run.layout.views)
    topic = {"canonical": run.layout.canonical, "schools": schools, "doctors": doctors}[place]
    found = run.spoiled(topic, lambda records: spoil(records, seeded(seed))).check().findings.counts
    assert expected & set(found), f"seed {seed}: {dict(found)}"
    # What the ledger claims does not fit any more either: the second, independent proof.
    assert {What.DIGEST_WRONG, What.NOT_IN_LEDGER, What.NOT_DELIVERED} & set(found), dict(found)


@pytest.mark.parametrize("spoil", [drop, repeat, alter])
def test_a_bug_in_quarantine_is_found(run: MemoryRun, spoil: Spoil) -> None:
    broken = run.spoiled(run.layout.quarantine, lambda records: spoil(records, seeded(1)))
    assert not broken.check().clean


def test_a_delivery_beyond_the_grants_rows_is_found(run: MemoryRun) -> None:
    """A record of the schools' grant, which shows all districts, on the doctors' topic, which shows one."""
    schools, doctors = (TopicName(view.topic) for view in run.layout.views)
    shown = {record.header("ce_id") for record in run.topics[doctors]}
    outside = next(record for record in run.topics[schools] if record.header("ce_id") not in shown)
    headers = tuple(
        (name, b"health-persons-gusu@0" if name == "govbus_grant" else value)
        for name, value in outside.headers
    )
    found = run.spoiled(doctors, lambda records: records.append(replace(outside, headers=headers))).check()
    assert found.count(What.NOT_OWED) == 1


@pytest.mark.parametrize("ledger", [LEDGER_INTAKE, LEDGER_DELIVERY])
@pytest.mark.parametrize("seed", range(8))
def test_a_missing_decision_block_is_found(run: MemoryRun, ledger: TopicName, seed: int) -> None:
    broken = run.spoiled(ledger, lambda records: drop(records, seeded(seed)))
    assert broken.check().count(What.CHAIN_BROKEN)


@pytest.mark.parametrize("ledger", [LEDGER_INTAKE, LEDGER_DELIVERY])
@pytest.mark.parametrize("what", ["digest", "records", "from_offset"])
def test_a_cooked_decision_block_is_found(run: MemoryRun, ledger: TopicName, what: str) -> None:
    codec = ReferenceCodec(control_schema("DecisionBlock"))
    checked = (run.layout.canonical, *(view.topic for view in run.layout.views))

    def cook(records: list[KafkaRecord]) -> None:
        for number, record in enumerate(records):
            schema_id, avro = split(record.value or b"")
            block = dict(codec.decode(avro))
            outputs = [out for out in block["outputs"] if out["topic"] in checked]  # type: ignore[attr-defined]
            if not outputs:
                continue
            if what == "digest":
                outputs[0]["digest"] = "0" * 64
            elif what == "records":
                outputs[0]["records"] += 1
            else:
                block["from_offset"] = int(str(block["from_offset"])) + 1
            records[number] = replace(record, value=frame(schema_id, codec.encode(block)))
            return

    assert not run.spoiled(ledger, cook).check().clean


def test_an_event_that_never_reached_the_raw_topic_is_no_success(run: MemoryRun) -> None:
    verdict = run.spoiled(run.layout.raw, lambda records: drop(records, seeded(3))).check()
    assert verdict.count(What.STREAM_BROKEN) == 1


def test_nothing_read_is_not_clean(run: MemoryRun) -> None:
    empty = replace(run, topics={})
    assert not empty.check().clean
