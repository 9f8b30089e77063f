"""The group's input: a rebalance in the middle of a fetch, and what each error of the group means."""

import asyncio
import os
import time
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from services.processor.consumer import GroupInput, Stage
from services.processor.contract import InputPartition
from services.processor.errors import ExitCode, StopInstance, WaitAndRetry
from tests.unit.processor.fakes import numbered
from topics.engine.records import PartitionRecords, Records
from topics.event import TopicName

TOPIC = TopicName("in")
FIRST, SECOND = InputPartition(TOPIC, 0), InputPartition(TOPIC, 1)
PLACES = [TopicPartition(TOPIC, 0), TopicPartition(TOPIC, 1)]


class FakeSource:
    """A member of a group whose every fetch does what a test has laid ready."""

    name = "fake"
    wake_fd: int | None = None

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.fetches: list[Any] = []
        self.answer: Any = []
        self.ends: dict[tuple[str, int], int] = {}
        self.asked: dict[tuple[str, int], int] = {}
        """From which offsets on the last fetch wanted records."""
        self.assign: Any = None
        self.revoke: Any = None
        self.lose: Any = None

    def subscribe(self, topics: Any, on_assign: Any, on_revoke: Any, on_lost: Any) -> None:
        self.calls.append("subscribe")
        self.assign = lambda parts: on_assign(self, parts)
        self.revoke = lambda parts: on_revoke(self, parts)
        self.lose = lambda parts: on_lost(self, parts)

    def unsubscribe(self) -> None:
        self.calls.append("unsubscribe")
        self.fetches.append(lambda: self.revoke(PLACES))

    def fetch(self, positions: Any, *_: Any) -> tuple[list[Records], list[Any]]:
        self.asked = dict(positions)
        found = self.fetches.pop(0)() if self.fetches else None
        return found or ([], [])

    def committed(self, parts: Any, timeout: float) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def end_of(self, part: Any) -> int:
        return self.ends.get((part.topic, part.partition), -1001)

    def incremental_assign(self, parts: Any) -> None:
        self.calls.append("assign")

    def pause(self, parts: Any) -> None:
        self.calls.append("pause")

    def resume(self, parts: Any) -> None:
        self.calls.append("resume")

    def seek(self, part: Any) -> None:
        self.calls.append("seek")

    def consumer_group_metadata(self) -> Any:
        return b"metadata"

    def close(self) -> None:
        self.calls.append("close")


class Desk:
    def __init__(self) -> None:
        self.source = FakeSource()
        self.revoked: list[InputPartition] = []
        self.input = GroupInput(self.source, self.revoked.append)
        self.input.subscribe(frozenset({TOPIC}))
        self.source.assign(PLACES)

    def ready(self) -> "Desk":
        for place in (FIRST, SECOND):
            self.input.owned[place].stage = Stage.BEHIND
            self.input.resume(place)
        return self

    def fetches(self, *errors: Any) -> None:
        self.source.fetches.append(lambda: ([], list(errors)))
        self.input.collect(10, 1_000)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def batch(*places: InputPartition) -> list[Records]:
    return [PartitionRecords(*place, numbered(b"1", source=place)) for place in places]


def test_a_partition_that_was_just_assigned_is_paused_until_its_position_is_known(desk: Desk) -> None:
    assert desk.source.calls == ["subscribe", "assign", "pause"]
    assert desk.input.in_stage(Stage.FRESH) == [FIRST, SECOND]
    desk.source.fetches.append(lambda: (batch(FIRST), []))
    assert desk.input.collect(10, 1_000) == []


def test_records_of_a_partition_that_a_rebalance_took_in_the_same_fetch_are_not_ours(desk: Desk) -> None:
    desk.ready()

    def rebalance() -> Any:
        desk.source.revoke(PLACES[:1])
        return batch(FIRST, SECOND), []

    desk.source.fetches.append(rebalance)
    assert [found.partition for found in desk.input.collect(10, 1_000)] == [1]
    assert desk.revoked == [FIRST]


def test_the_lag_goes_by_the_newest_end_that_is_known_and_is_forgotten_with_the_partition(
    desk: Desk,
) -> None:
    desk.ready()
    place = (FIRST.topic, FIRST.partition)
    desk.source.ends[place] = 10
    assert desk.input.lags() == {FIRST: 10}
    desk.input.note_end(FIRST, 30)
    assert desk.input.lags() == {FIRST: 30}
    desk.source.ends[place] = 40
    assert desk.input.lags() == {FIRST: 40}
    desk.source.ends[place] = 10
    desk.source.revoke(PLACES)
    desk.source.assign(PLACES)
    assert desk.ready().input.lags() == {FIRST: 10}


def test_a_position_that_the_client_does_not_take_is_asked_for_again(desk: Desk) -> None:
    def refuse(part: Any) -> None:
        raise KafkaException(KafkaError(KafkaError._STATE))

    desk.source.seek = refuse  # type: ignore[method-assign]
    desk.input.owned[FIRST].stage = Stage.BEHIND
    with pytest.raises(WaitAndRetry, match="_STATE"):
        desk.input.resume(FIRST)
    assert desk.input.owned[FIRST].stage is Stage.BEHIND
    assert desk.source.calls[-1] == "pause"


def test_what_was_given_is_passed_over_if_the_client_reads_it_again_until_the_partition_goes_on_anew(
    desk: Desk,
) -> None:
    desk.ready()
    given: Records = PartitionRecords(*FIRST, numbered(b"0", b"1", b"2", source=FIRST))
    desk.source.fetches.append(lambda: ([given], []))
    assert desk.input.collect(10, 1_000) == [given]
    desk.input.collect(10, 1_000)
    assert desk.source.asked == {FIRST: 3, SECOND: 0}
    desk.input.suspend()
    desk.input.resume(FIRST)
    desk.input.collect(10, 1_000)
    assert desk.source.asked == {FIRST: 0}, "nothing of it is committed: it comes again"


def test_a_partition_is_placed_before_it_goes_on_and_once_more_to_wake_the_client(desk: Desk) -> None:
    desk.source.calls.clear()
    desk.ready()
    assert desk.source.calls == ["seek", "resume", "seek"] * 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KafkaError(KafkaError.FENCED_INSTANCE_ID), ExitCode.FENCED),
        (KafkaError(KafkaError._FATAL, "Static consumer fenced"), ExitCode.FENCED),
        (KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED, "fatal", True, False, False), ExitCode.FENCED),
        (KafkaError(KafkaError._AUTO_OFFSET_RESET), ExitCode.POSITION_LOST),
        (KafkaError(KafkaError.OFFSET_OUT_OF_RANGE), ExitCode.POSITION_LOST),
    ],
)
def test_an_instance_that_the_group_or_the_log_has_no_place_for_stops(
    desk: Desk, error: Any, code: ExitCode
) -> None:
    with pytest.raises(StopInstance) as told:
        desk.ready().fetches(error)
    assert told.value.code is code


def test_who_did_not_poll_in_time_loses_its_partitions_says_so_and_comes_back(desk: Desk) -> None:
    desk.ready().fetches(KafkaError(KafkaError._MAX_POLL_EXCEEDED))
    assert "_MAX_POLL_EXCEEDED" in (desk.input.problem or "")
    desk.source.lose(PLACES)
    assert desk.input.owned == {}
    assert desk.revoked == [FIRST, SECOND]
    desk.source.assign(PLACES)
    assert desk.input.in_stage(Stage.FRESH) == [FIRST, SECOND]
    assert desk.input.problem is None


async def test_a_wait_ends_when_something_comes_and_otherwise_with_its_time(desk: Desk) -> None:
    began = time.monotonic()
    await desk.input.wait(0.01)
    reading, writing = os.pipe()
    desk.source.wake_fd = reading
    await desk.input.wait(0.01)
    desk.input.collect(10, 1_000)
    asyncio.get_running_loop().call_later(0.01, os.write, writing, b"!")
    await desk.input.wait(60)
    os.write(writing, b"!!")
    await desk.input.wait(60)
    desk.input.collect(10, 1_000)
    os.write(writing, b"!")
    await desk.input.wait(60)
    await desk.input.close()
    os.close(reading)
    os.close(writing)
    assert time.monotonic() - began < 30


async def test_an_undecided_transaction_over_the_offsets_is_waited_for(desk: Desk) -> None:
    desk.source.answer = KafkaException(KafkaError(KafkaError.UNSTABLE_OFFSET_COMMIT))
    with pytest.raises(WaitAndRetry, match="UNSTABLE_OFFSET_COMMIT"):
        await desk.input.committed([FIRST])


async def test_who_closes_leaves_the_group_first_so_that_its_partitions_move_at_once(desk: Desk) -> None:
    await desk.ready().input.close()
    assert desk.source.calls[-2:] == ["unsubscribe", "close"]
    assert desk.input.owned == {}


def test_a_held_partition_is_not_touched_by_what_the_others_do(desk: Desk) -> None:
    desk.ready().input.hold(FIRST)
    desk.input.suspend()
    assert desk.input.in_stage(Stage.HELD) == [FIRST]
    assert desk.input.in_stage(Stage.BEHIND) == [SECOND]
    desk.input.release(SECOND)
    assert desk.input.in_stage(Stage.BEHIND) == [SECOND]
    desk.input.release(FIRST)
    assert desk.input.in_stage(Stage.BEHIND) == [FIRST, SECOND]


def test_what_is_held_and_taken_away_needs_no_release(desk: Desk) -> None:
    desk.ready().input.hold(FIRST)
    desk.source.revoke(PLACES)
    desk.input.hold(FIRST)
    desk.input.release(FIRST)
    assert desk.input.owned == {}


def test_an_error_is_over_when_every_partition_gave_records_again(desk: Desk) -> None:
    desk.ready().fetches(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))
    for places, over in (((FIRST,), False), ((FIRST,), False), ((SECOND,), True)):
        desk.source.fetches.append(lambda places=places: (batch(*places), []))
        desk.input.collect(10, 1_000)
        assert (desk.input.problem is None) is over


def test_an_error_that_comes_with_the_records_of_others_stands(desk: Desk) -> None:
    error = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)
    desk.ready().source.fetches.append(lambda: (batch(FIRST, SECOND), [error]))
    assert desk.input.collect(10, 1_000)
    assert desk.input.problem is not None
