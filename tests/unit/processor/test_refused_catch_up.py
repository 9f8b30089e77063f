"""A record of a catch-up that Kafka refuses, or that breaks the processor, is stopped; the others come."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain, pairwise
from typing import Any

import pytest

from services.processor.contract import BatchResult, CatchUp
from services.processor.errors import ExitCode, OutputRefused, RecreateProducer, StopInstance
from services.processor.pieces import Piece, Pieces
from tests.support.policy import sample_policy
from tests.unit.processor.copying_processor import SOURCE, Copying
from tests.unit.processor.fakes import Bench, numbered
from topics.engine.lanes import Lane, into_lanes
from topics.engine.records import Records
from topics.event import GrantId, KafkaRecord, OutputRecord, SchemaId

HUGE = b"huge"
BREAK = b"break"
CAUGHT_UP, REFUSED = b"caught up", b"caught up: OutputRefused"
MOST_ATTEMPTS = 3


class CatchingUp(Copying):
    """Lacks everything below its position; ``break`` raises."""

    def __init__(self, *starts: int, end: int) -> None:
        super().__init__()
        self.due = tuple(CatchUp(SOURCE, start, end, (GrantId(f"g{start}"),)) for start in starts)
        self.ranges: list[tuple[int, int]] = []

    def process_catch_up(
        self, catch_up: CatchUp, records: Records, schemas: Mapping[SchemaId, Any]
    ) -> BatchResult:
        if any(record.value == BREAK for record in records):
            raise LookupError("a defect")
        self.ranges.append((catch_up.from_offset, catch_up.to_offset))
        return super().process_catch_up(catch_up, records, schemas)

    def stop_catch_up(self, catch_up: CatchUp, record: KafkaRecord, defect: str) -> BatchResult:
        self.ranges.append((catch_up.from_offset, catch_up.to_offset))
        return super().stop_catch_up(catch_up, record, defect)


class Refusing:
    """Kafka refuses what is ``huge`` under these keys: ``at once``, or ``later`` at the flush or commit."""

    def __init__(self, bench: Bench, when: str, *keys: bytes) -> None:
        self.when, self.keys = when, keys
        self.refusals = 0
        self._written: list[OutputRecord] = []
        fake = bench.transactions
        self._begin, self._produce = fake.begin, fake.produce
        self._flush, self._commit = fake.flush, fake.commit
        fake.begin, fake.produce = self.begin, self.produce  # type: ignore[method-assign]
        fake.flush, fake.commit = self.flush, self.commit  # type: ignore[method-assign]

    def begin(self) -> None:
        self._written = []
        self._begin()

    async def produce(self, lanes: Iterable[Lane], trace: bytes | None = None) -> None:
        lanes = list(lanes)
        self._written += chain.from_iterable(lanes)
        if self.when == "at once":
            self._judge()
        await self._produce(lanes, trace)

    async def flush(self) -> None:
        self._judge()
        await self._flush()

    async def commit(self, *given: Any) -> None:
        self._judge()
        await self._commit(*given)

    def _judge(self) -> None:
        if any(each.value == HUGE and each.key in self.keys for each in self._written):
            self.refusals += 1
            raise OutputRefused("MSG_SIZE_TOO_LARGE")


def catching_up(*values: bytes, starts: tuple[int, ...] = (0,)) -> tuple[Bench, CatchingUp]:
    """A bench whose partition has committed all but the last of these records, before the grant came."""
    processor = CatchingUp(*starts, end=len(values) - 1)
    records = numbered(*values)
    bench = Bench(processor, records, sample_policy(1))
    bench.input.stored[SOURCE] = (len(values) - 1, 0)

    async def read(_source: object, start: int, end: int) -> list[KafkaRecord]:
        return records[start:end]

    bench.reader.read = read  # type: ignore[method-assign, assignment]
    limit = bench.runner._catch_ups._limit
    limit._allowed, limit.begin = 200, lambda: None  # type: ignore[method-assign]
    return bench, processor


def expected(values: list[bytes], how: bytes = REFUSED) -> list[tuple[bytes, bytes]]:
    bad = (HUGE, BREAK)
    caught_up = [(how if value in bad else CAUGHT_UP, value) for value in values[:-1]]
    return [*caught_up, (b"live", values[-1])]


@pytest.mark.parametrize("when", ["at once", "later"])
@pytest.mark.parametrize("at", [0, 7, 98])
@pytest.mark.parametrize("count", [100, 2_000])
async def test_a_record_of_which_too_much_would_be_written_is_stopped_and_the_others_are_delivered(
    when: str, at: int, count: int
) -> None:
    values = [b"%d" % number for number in range(count)]
    values[at] = HUGE
    bench, processor = catching_up(*values)
    kafka = Refusing(bench, when, CAUGHT_UP)
    await bench.run(200)
    assert bench.written() == expected(values)
    assert kafka.refusals <= MOST_ATTEMPTS
    assert bench.metrics.counts["catch_up_records"] == count - 1
    assert bench.input.stored[SOURCE] == (count, 1)
    assert bench.health.not_ready() == []
    begins = [number for number, (start, _) in enumerate(processor.ranges) if start == 0]
    assert len(begins) == kafka.refusals + 1
    last = processor.ranges[begins[-1] :]
    assert last[-1][1] == count - 1
    assert all(before[1] == after[0] for before, after in pairwise(last)), "no gap in the ledger"


async def test_two_such_records_are_both_stopped() -> None:
    values = [b"0", HUGE, b"2", b"3", HUGE, HUGE, b"6"]
    bench, _ = catching_up(*values)
    Refusing(bench, "later", CAUGHT_UP)
    await bench.run(200)
    assert bench.written() == expected(values)


async def test_a_record_that_breaks_the_processor_is_stopped_too() -> None:
    values = [b"0", b"1", BREAK, b"3"]
    bench, _ = catching_up(*values)
    await bench.run(200)
    assert bench.written() == expected(values, b"caught up: LookupError")
    assert bench.metrics.counts["defects"] == 2


async def test_what_one_catch_up_is_refused_is_delivered_by_another_that_is_not() -> None:
    values = [b"0", b"1", HUGE, b"3"]
    bench, processor = catching_up(*values, starts=(0, 1))
    refused_grant = processor.due[0]
    deliver = processor.process_catch_up

    def renamed(catch_up: CatchUp, records: Records, schemas: Mapping[SchemaId, Any]) -> BatchResult:
        result = deliver(catch_up, records, schemas)
        if catch_up.grants == refused_grant.grants:
            return result
        found = chain.from_iterable(result.lanes)
        return BatchResult(tuple(into_lanes(replace(each, key=b"other") for each in found)), {})

    processor.process_catch_up = renamed  # type: ignore[method-assign]
    Refusing(bench, "later", CAUGHT_UP)
    await bench.run(200)
    written = bench.written()
    assert (REFUSED, HUGE) in written
    assert (b"other", HUGE) in written
    assert [value for key, value in written if key == b"other"] == [b"1", HUGE]


async def test_a_record_whose_stop_is_refused_too_ends_the_instance_and_skips_nothing() -> None:
    bench, _ = catching_up(b"0", HUGE, b"2")
    Refusing(bench, "later", CAUGHT_UP, REFUSED)
    with pytest.raises(StopInstance) as told:
        await bench.run(200)
    assert told.value.code is ExitCode.DEFECT
    assert "in:0:1" in str(told.value)
    assert bench.written() == []
    assert bench.input.stored[SOURCE] == (2, 0)


async def test_what_is_unknown_of_a_transaction_blames_no_record() -> None:
    values = [b"0", b"1", b"2"]
    bench, _ = catching_up(*values)
    bench.transactions.failures["commit"] = [RecreateProducer("timed out")] * 4
    await bench.run(200)
    assert bench.written() == expected(values)
    assert bench.metrics.counts["defects"] == 0


def shown(pieces: Iterable[Piece]) -> list[tuple[int, int, str | None]]:
    return [(each.catch_up.from_offset, each.catch_up.to_offset, each.defect) for each in pieces]


def test_a_record_that_was_compacted_meanwhile_leaves_no_gap() -> None:
    due = CatchUp(SOURCE, 10, 20, ())
    records = [KafkaRecord(*SOURCE, offset, 0, None, b"") for offset in (11, 13, 14, 17)]
    pieces = Pieces()
    [whole] = pieces.of(due, records)
    pieces.broke(whole, "OutputRefused")
    alone = list(pieces.of(due, records))
    pieces.broke(alone[2], "OutputRefused")
    assert shown(pieces.of(due, records)) == [
        (10, 13, None),
        (13, 14, None),
        (14, 17, "OutputRefused"),
        (17, 20, None),
    ]
    fewer = [each for each in records if each.offset not in (13, 17)]
    assert shown(pieces.of(due, fewer)) == [(10, 14, None), (14, 20, "OutputRefused")]
    assert list(pieces.of(due, [])) == []


async def test_once_the_rest_is_delivered_the_instance_is_ready_though_nothing_comes_after_it() -> None:
    bench, _ = catching_up(b"0", HUGE, b"2", b"unread")
    del bench.input.records[-1]
    Refusing(bench, "later", CAUGHT_UP)
    await bench.turn()
    assert any("MSG_SIZE_TOO_LARGE" in reason for reason in bench.health.not_ready())
    await bench.run(200)
    assert bench.written() == [(CAUGHT_UP, b"0"), (REFUSED, HUGE), (CAUGHT_UP, b"2")]
    assert bench.health.not_ready() == []
