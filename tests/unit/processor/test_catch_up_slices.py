"""A catch-up comes in slices: bounded, each committed with how far it came, live records in between."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.processor.applied import Applied, Mark, Region, read_applied
from services.processor.contract import Batch, BatchResult, CatchUp, InputPartition
from services.processor.errors import AbortTransaction, RecreateProducer, WaitAndRetry
from tests.support.examples import examples
from tests.support.policy import sample_policy
from tests.unit.processor.copying_processor import OUT, SOURCE, Copying
from tests.unit.processor.fakes import Bench, numbered
from topics.engine.lanes import into_lanes
from topics.engine.records import Records
from topics.event import GrantId, KafkaRecord, OutputRecord, SchemaId

OTHER = InputPartition(SOURCE.topic, 1)
NEVER = 1_000


class Died(BaseException):
    """The process is gone."""


@dataclass(frozen=True)
class Grant:
    """Open in these versions; its copier ended at ``start``."""

    name: str
    opened: int
    closed: int
    start: int

    def is_open(self, version: int) -> bool:
        return self.opened <= version < self.closed


class Granting(Copying):
    """Writes each record once for each open grant, as the fan-out does."""

    def __init__(self, grants: Sequence[Grant]) -> None:
        super().__init__()
        self.grants = grants
        self.sizes: list[int] = []

    def catch_ups(self, source: InputPartition, position: int, applied: int) -> tuple[CatchUp, ...]:
        lacking = [
            each
            for each in self.grants
            if each.is_open(self.version) and each.opened > applied and each.start < position
        ]
        starts = sorted({each.start for each in lacking})
        names = [tuple(GrantId(each.name) for each in lacking if each.start == start) for start in starts]
        return tuple(
            CatchUp(source, start, position, found) for start, found in zip(starts, names, strict=True)
        )

    def process_catch_up(
        self, catch_up: CatchUp, records: Records, _schemas: Mapping[SchemaId, Any]
    ) -> BatchResult:
        self.sizes.append(len(records))
        assert all(catch_up.from_offset <= each.offset < catch_up.to_offset for each in records)
        return self._given(records, catch_up.grants)

    def process(self, batch: Batch, _schemas: Mapping[SchemaId, Any]) -> BatchResult:
        names = [GrantId(each.name) for each in self.grants if each.is_open(self.version)]
        return self._given(chain.from_iterable(batch), names)

    def _given(self, records: Iterable[KafkaRecord], names: Sequence[GrantId]) -> BatchResult:
        starts = {each.name: each.start for each in self.grants}
        outputs = [
            OutputRecord(OUT, each.partition, name.encode(), b"%d" % each.offset)
            for each in records
            for name in names
            if each.offset >= starts[name]
        ]
        return BatchResult(tuple(into_lanes(outputs)), {})


@dataclass
class Kafka:
    """What is committed, outputs and offsets at once; each commit ends as the test says."""

    endings: list[str] = field(default_factory=list)
    written: list[OutputRecord] = field(default_factory=list)
    offsets: dict[InputPartition, tuple[int, str]] = field(default_factory=dict)

    def serve(self, bench: Bench) -> None:
        transactions = bench.transactions

        async def commit(positions: Mapping[InputPartition, int], applied: Applied, _group: Any) -> None:
            ending = self.endings.pop(0) if self.endings else "committed"
            if ending == "aborted":
                raise AbortTransaction(ending)
            if ending != "lost":
                self.written += transactions._open
                self.offsets |= {source: (at, applied.text()) for source, at in positions.items()}
            if ending in ("lost", "unknown"):
                raise RecreateProducer(ending)
            if ending == "died":
                raise Died

        async def committed(
            sources: Iterable[InputPartition],
        ) -> dict[InputPartition, tuple[int | None, Applied]]:
            found = {source: self.offsets.get(source, (None, None)) for source in sources}
            return {source: (at, read_applied(text)) for source, (at, text) in found.items()}

        transactions.commit = commit  # type: ignore[method-assign]
        bench.input.committed = committed  # type: ignore[method-assign]

        async def read(source: InputPartition, start: int, end: int) -> list[KafkaRecord]:
            return [
                each
                for each in bench.input.records
                if each.partition == source.partition and start <= each.offset < end
            ]

        bench.reader.read = read  # type: ignore[method-assign]

    def of(self, name: str, partition: int = 0) -> list[int]:
        return [
            int(each.value or b"")
            for each in self.written
            if each.topic == OUT and each.key == name.encode() and each.partition == partition
        ]


def instance(
    kafka: Kafka, grants: Sequence[Grant], records: list[KafkaRecord], version: int, most: int
) -> Bench:
    bench = Bench(Granting(grants), records, sample_policy(version), batch_records=most)
    kafka.serve(bench)
    return bench


ENDINGS = st.sampled_from(["committed", "committed", "committed", "aborted", "lost", "unknown", "died"])


@st.composite
def grants_of(draw: st.DrawFn, records: int) -> list[Grant]:
    found = []
    for number in range(draw(st.integers(1, 4))):
        opened = draw(st.integers(2, 4))
        closed = draw(st.one_of(st.just(NEVER), st.integers(opened + 1, 6)))
        found.append(Grant(f"g{number}", opened, closed, draw(st.integers(0, records))))
    return found


async def _go_through(
    kafka: Kafka, grants: Sequence[Grant], records: list[KafkaRecord], changes: list[int], most: int
) -> None:
    version = 2
    bench = instance(kafka, grants, records, version, most)
    for turns in [*changes, 200]:
        for _ in range(turns):
            try:
                await bench.turn()
            except Died:
                bench = instance(kafka, grants, records, version, most)
        version += 1
        bench.policy.newest = sample_policy(version)


@examples(200)
@given(st.data())
def test_whatever_breaks_each_grant_is_given_each_record_once_and_in_order(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 25), "records")
    position = data.draw(st.integers(0, count), "position")
    grants = data.draw(grants_of(count), "grants")
    endings = data.draw(st.lists(ENDINGS, max_size=25), "endings")
    changes = data.draw(st.lists(st.integers(0, 6), min_size=0, max_size=4), "turns between versions")
    kafka = Kafka(endings, offsets={SOURCE: (position, "1")})
    records = numbered(*[b"x"] * count)
    asyncio.run(_go_through(kafka, grants, records, changes, data.draw(st.integers(1, 7), "most")))
    last = 2 + len(changes)
    for grant in grants:
        given_to = kafka.of(grant.name)
        whole = list(range(grant.start, count))
        assert given_to == whole[: len(given_to)], grant
        if grant.is_open(last):
            assert given_to == whole, grant


async def test_a_slice_is_no_larger_than_a_batch_and_live_records_of_others_come_in_between() -> None:
    grant = Grant("g", 2, NEVER, 0)
    kafka = Kafka(offsets={SOURCE: (40, "1"), OTHER: (0, "1")})
    records = numbered(*[b"x"] * 40) + numbered(*[b"x"] * 40, source=OTHER)
    bench = instance(kafka, [grant], records, 2, 4)
    processor: Any = bench.runner._processor
    while len(kafka.of("g")) < 40:
        await bench.turn()
    assert max(processor.sizes) <= 4
    live_before_the_end = [each.partition for each in kafka.written if each.topic == OUT]
    last_of_the_rest = len(live_before_the_end) - live_before_the_end[::-1].index(0)
    assert live_before_the_end[:last_of_the_rest].count(1) >= 20
    assert bench.health.acknowledged_version == 2, "a withdrawal does not wait for a long catch-up"


async def test_what_cannot_be_read_for_a_catch_up_holds_up_no_other_partition() -> None:
    kafka = Kafka(offsets={SOURCE: (3, "1"), OTHER: (0, "1")})
    records = numbered(*[b"x"] * 3) + numbered(*[b"x"] * 3, source=OTHER)
    bench = instance(kafka, [Grant("g", 2, NEVER, 0)], records, 2, 4)

    async def refused(*_: object) -> list[KafkaRecord]:
        raise WaitAndRetry("no answer")

    read, bench.reader.read = bench.reader.read, refused  # type: ignore[method-assign, assignment]
    await bench.run(5)
    assert kafka.of("g", 1) == [0, 1, 2]
    assert "catch-up: no answer" in bench.health.not_ready()
    bench.reader.read = read  # type: ignore[method-assign]
    bench.runner._catch_ups._waiting.clear()
    await bench.run(5)
    assert kafka.of("g") == [0, 1, 2]
    assert bench.health.not_ready() == []


@pytest.mark.parametrize(
    ("text", "applied"),
    [
        ("4", Applied(4)),
        ("4;6@55;5@60", Applied(4, (Mark(6, 55), Mark(5, 60)))),
        ("", Applied(0)),
        (None, Applied(0)),
        ("4;", Applied(0)),
        ("somebody's", Applied(0)),
    ],
)
def test_what_was_applied_stands_beside_the_offset(text: str | None, applied: Applied) -> None:
    assert read_applied(text) == applied
    if applied.version:
        assert applied.text() == text


def test_a_catch_up_under_a_third_version_begins_at_the_front_and_knows_what_the_second_did() -> None:
    begun = Applied(4).caught_up(5, 60)
    again = begun.caught_up(6, 55)
    assert list(again.regions(100)) == [Region(0, 55, 6), Region(55, 60, 5), Region(60, 100, 4)]
    assert list(again.caught_up(6, 60).regions(100)) == [Region(0, 60, 6), Region(60, 100, 4)]
    assert again.newest == 6
