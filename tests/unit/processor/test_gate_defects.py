"""A record that breaks our own code ends in quarantine with its bytes, and the records around it go on."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest

from schemas.load import control_schema
from services.gate import processor as gate
from services.gate.line import decide
from services.gate.processor import GateProcessor
from services.processor.contract import Steps
from tests.support.debezium import PERSON_TOPIC
from tests.support.policy import sample_policy
from tests.unit.processor.fakes import Bench
from topics.engine.reference import ReferenceCodec
from topics.event import KafkaRecord
from topics.wire import split

BROKEN_OFFSET = 2


def records() -> list[KafkaRecord]:
    """Bytes that nobody can decode at offsets 0 to 4, each with its own key and a header."""
    return [
        KafkaRecord(
            PERSON_TOPIC, 0, offset, 1_790_000_000_000, f"k{offset}".encode(), b"?", (("h", b"\xff"),)
        )
        for offset in range(5)
    ]


@pytest.fixture
def broken_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate's line with a defect that one record meets."""

    def with_a_defect(record: KafkaRecord, *rest: Any) -> Any:
        if record.offset == BROKEN_OFFSET:
            raise ZeroDivisionError("a defect of ours")
        return decide(record, *rest)

    monkeypatch.setattr(gate, "decide", with_a_defect)


class BreaksAsAWhole(GateProcessor):
    """A gate whose defect lies outside the line, where no record is known yet."""

    def process_in_steps(self, batch: Any, schemas: Any) -> Steps:
        if any(record.offset == BROKEN_OFFSET for record in chain.from_iterable(batch)):
            raise ZeroDivisionError("a defect of ours")
        return super().process_in_steps(batch, schemas)


@pytest.fixture(params=["in the line", "around the line"])
def processor(request: pytest.FixtureRequest) -> Iterator[GateProcessor]:
    """The gate with a defect that the record at offset 2 meets."""
    if request.param == "in the line":
        request.getfixturevalue("broken_line")
        yield GateProcessor()
    else:
        yield BreaksAsAWhole()


def quarantined(bench: Bench) -> list[dict[str, Any]]:
    codec = ReferenceCodec(control_schema("QuarantinedEvent"))
    return [dict(codec.decode(split(value or b"")[1])) for _, value in bench.written("quarantine.police")]


async def test_the_record_is_quarantined_with_its_bytes_and_the_next_ones_are_decided(
    processor: GateProcessor,
) -> None:
    bench = Bench(processor, records(), sample_policy(1))
    await bench.run(30)
    found = quarantined(bench)
    assert [entry["offset"] for entry in found] == [0, 1, 2, 3, 4]
    reasons = [entry["reason"] for entry in found]
    assert reasons == ["UNDECODABLE", "UNDECODABLE", "INTERNAL", "UNDECODABLE", "UNDECODABLE"]
    broken = found[BROKEN_OFFSET]
    assert (broken["topic"], broken["key"], broken["value"]) == (PERSON_TOPIC, b"k2", b"?")
    assert broken["headers"] == [{"name": "h", "value": b"\xff"}]
    assert "ZeroDivisionError" in broken["detail"]
    assert "a defect of ours: " in broken["detail"]
    assert bench.input.stored[next(iter(bench.input.owned))] == (5, 1)


async def test_the_books_count_it_once(processor: GateProcessor) -> None:
    bench = Bench(processor, records(), sample_policy(1))
    await bench.run(30)
    codec = ReferenceCodec(control_schema("DecisionBlock"))
    blocks: list[Any] = [codec.decode(split(value or b"")[1]) for _, value in bench.written("ledger.intake")]
    assert sum(block["records"] for block in blocks) == 5
    assert sum(block["reasons"].get("INTERNAL", 0) for block in blocks) == 1
    assert [block["from_offset"] for block in blocks] == [0, *[block["to_offset"] for block in blocks[:-1]]]
