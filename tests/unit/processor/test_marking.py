"""No batch is decided before the disputes were read once; afterwards no delivery waits for them."""

from typing import Any

import pytest

from services.fanout.processor import FanoutProcessor
from services.gate.processor import GateProcessor
from services.processor.health import Health
from services.processor.marking import Marking, Marks
from tests.support.policy import sample_policy
from tests.support.tickets import contested
from tests.unit.processor.copying_processor import Copying
from tests.unit.processor.fakes import Bench, live, numbered
from topics.disputes import Act, DisputeChange, DisputeKeyMissing, Disputes, folded
from topics.event import SchemaId
from topics.policy import Policy

POLICY = sample_policy(1)
ONE = folded([DisputeChange(1, Act.OPEN, "t.1", contested("address"))])
TWO = folded([DisputeChange(2, Act.CLOSE, "t.1")], ONE)


class Reader:
    """The topic of disputes, as far as it was read."""

    def __init__(self) -> None:
        self.newest = Disputes()
        self.caught_up = False
        self.wanted = False
        self.problem: str | None = "not read to its end yet"
        self.refused: str | None = None

    def want(self) -> None:
        self.wanted = True

    def read(self, disputes: Disputes) -> None:
        self.newest, self.caught_up, self.problem = disputes, True, None


class Noting:
    """Notes what it is given; a key may be missing."""

    def __init__(self) -> None:
        self.adopted: list[int] = []
        self.lacks_key = False

    def adopt_disputes(self, disputes: Disputes) -> None:
        if self.lacks_key:
            raise DisputeKeyMissing("a dispute needs version 2 of the master secret")
        self.adopted.append(disputes.number)


def made() -> tuple[Marking, Noting, Reader, Health]:
    processor, reader, health = Noting(), Reader(), Health(10.0, 15.0)
    topic: Any = reader
    return Marking(processor, topic, health), processor, reader, health


def older() -> Policy:
    schemas = POLICY.control_schemas.model_copy(update={"dispute_change": SchemaId(0)})
    return POLICY.model_copy(update={"control_schemas": schemas})


def test_the_fan_out_marks_and_the_gate_does_not() -> None:
    assert isinstance(FanoutProcessor("default", {1: bytes(32)}), Marks)
    assert not isinstance(GateProcessor(), Marks)


def test_before_the_topic_was_read_nothing_is_decided_and_readyz_says_why() -> None:
    marking, processor, reader, health = made()
    assert not marking.ready(POLICY)
    assert reader.wanted
    assert "disputes: not read to its end yet" in health.not_ready()
    reader.read(ONE)
    assert marking.ready(POLICY)
    assert (processor.adopted, health.disputes) == ([1], 1)
    assert not [reason for reason in health.not_ready() if "disputes" in reason]


def test_under_a_policy_that_is_older_than_disputes_nothing_is_read_and_nothing_waits() -> None:
    marking, processor, reader, _ = made()
    assert marking.ready(older())
    assert (reader.wanted, processor.adopted) == (False, [])


def test_once_it_has_begun_it_goes_on_with_what_it_knows() -> None:
    marking, processor, reader, _ = made()
    reader.read(ONE)
    assert marking.ready(POLICY)
    reader.caught_up, reader.problem = False, "topic disputes: _TRANSPORT"
    assert marking.ready(POLICY)
    reader.read(TWO)
    assert marking.ready(POLICY)
    assert marking.ready(POLICY)
    assert processor.adopted == [1, 2]


@pytest.mark.requirement("A9-06")
def test_marks_that_cannot_be_made_are_told_and_hold_nothing_back() -> None:
    marking, processor, reader, health = made()
    processor.lacks_key = True
    reader.read(ONE)
    assert marking.ready(POLICY)
    assert health.disputes == 0
    assert "version 2" in (health.disputes_problem or "")
    assert health.gauges()["disputes_unmarked"] == 1.0
    processor.lacks_key, reader.refused = False, "change 9 of the disputes: it follows 2"
    reader.read(TWO)
    assert marking.ready(POLICY)
    assert (processor.adopted, health.disputes) == ([2], 2)
    assert health.disputes_problem == reader.refused
    reader.refused = None
    assert marking.ready(POLICY)
    assert health.disputes_problem is None


async def test_the_runner_decides_and_acknowledges_only_once_it_may() -> None:
    bench = Bench(Copying(), numbered(b"1", b"2"), POLICY, batch_records=16)
    allowed = False
    bench.runner._may_decide = lambda _policy: allowed
    await bench.run(3)
    assert bench.transactions.calls == []
    allowed = True
    await bench.run(3)
    assert bench.written() == live(b"1", b"2")
