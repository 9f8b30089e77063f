"""A record of which Kafka refuses what would be written is isolated, and nothing is skipped."""

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

import pytest

from services.processor.errors import (
    ExitCode,
    OutputRefused,
    StopInstance,
)
from tests.unit.processor.copying_processor import SOURCE
from tests.unit.processor.fakes import Bench, bench_with
from topics.engine.lanes import Lane
from topics.event import OutputRecord


def refusing(bench: Bench, call: str, refused: Callable[[OutputRecord], bool]) -> None:
    """Kafka refuses a transaction with such a record, when it is handed over or when it is committed."""
    produce, commit = bench.transactions.produce, bench.transactions.commit
    written: list[OutputRecord] = []

    def judge(at: str) -> None:
        if at == call and any(map(refused, written)):
            raise OutputRefused("MSG_SIZE_TOO_LARGE")

    async def judged_produce(lanes: Iterable[Lane], trace: bytes | None = None) -> None:
        lanes = list(lanes)
        written[:] = chain.from_iterable(lanes)
        judge("produce")
        await produce(lanes, trace)

    async def judged_commit(*given: Any) -> None:
        judge("commit")
        await commit(*given)

    bench.transactions.produce = judged_produce  # type: ignore[method-assign]
    bench.transactions.commit = judged_commit  # type: ignore[method-assign]


@pytest.mark.parametrize("call", ["produce", "commit"])
async def test_a_record_of_which_too_much_would_be_written_is_isolated_and_the_others_go_on(
    call: str,
) -> None:
    values = [str(number).encode() for number in range(100)]
    values[70] = b"huge"
    bench = bench_with(*values, batch_records=200)
    refusing(bench, call, lambda output: output.value == b"huge" and output.key == b"live")
    await bench.run()
    wanted = [(b"OutputRefused" if value == b"huge" else b"live", value) for value in values]
    assert bench.written() == wanted
    assert bench.metrics.counts["defects"] <= 3
    assert bench.health.not_ready() == []


async def test_a_record_whose_stop_is_refused_too_ends_the_instance_and_skips_nothing() -> None:
    bench = bench_with(b"1", b"huge", b"3")
    refusing(bench, "commit", lambda output: output.value == b"huge")
    with pytest.raises(StopInstance) as told:
        await bench.run()
    assert told.value.code is ExitCode.DEFECT
    assert "in:0:1" in str(told.value)
    assert bench.input.stored[SOURCE] == (1, 1)
