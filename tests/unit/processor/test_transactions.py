"""Every error of the transactional producer is named after what the runner must do."""

import asyncio
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from services.processor.applied import Applied
from services.processor.clients import ConfluentSender
from services.processor.errors import (
    AbortTransaction,
    ExitCode,
    OutputRefused,
    RecreateProducer,
    StopInstance,
)
from services.processor.transactions import Transactions
from tests.unit.processor.fake_producer import OUTPUT, POSITIONS, FakeProducer, failure, opened, whole
from topics.engine.lanes import into_lanes

MOST_ABANDONED = 32


class Patient(ConfluentSender):
    """Notes how many seconds each commit is given; its offsets fail as often as the test says."""

    def __init__(self, given: list[float], failures: Sequence[KafkaException] = ()) -> None:
        super().__init__(FakeProducer())
        self._given, self._failures = given, failures
        self.commit_transaction = given.append
        self.send_offsets_to_transaction = self._send_offsets

    def _send_offsets(self, _offsets: Any, _group: Any, seconds: float) -> None:
        self._given.append(seconds)
        for error in self._failures:
            raise error


@pytest.fixture
def producer() -> FakeProducer:
    return FakeProducer()


async def test_a_transaction_writes_records_and_offsets_with_the_policy_version(
    producer: FakeProducer,
) -> None:
    transactions = await opened(producer)
    await whole(transactions)
    assert producer.calls == ["init", "begin", "produce", "offsets", "commit"]
    assert producer.produced == [
        {"topic": "out", "value": b"v", "key": b"k", "partition": 3, "headers": [("h", b"1")]}
    ]
    assert producer.offsets == [("in", 0, 7, "4")]
    assert transactions.opened_at is None


async def test_without_positions_no_offsets_are_sent(producer: FakeProducer) -> None:
    transactions = await opened(producer)
    transactions.begin()
    await transactions.commit({}, Applied(4), None)
    assert "offsets" not in producer.calls


CALLS = ["init", "begin", "offsets", "commit"]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "code",
    [
        KafkaError._FENCED,
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.FENCED_INSTANCE_ID,
    ],
)
async def test_a_fenced_instance_stops_whatever_it_was_doing(
    producer: FakeProducer, call: str, code: int
) -> None:
    producer.fails(call, failure(code, fatal=True))
    with pytest.raises(StopInstance) as told:
        await whole(await opened(producer))
    assert told.value.code is ExitCode.FENCED


@pytest.mark.parametrize("call", ["offsets", "commit"])
async def test_what_asks_for_an_abort_aborts_and_keeps_the_producer(
    producer: FakeProducer, call: str
) -> None:
    producer.fails(call, failure(KafkaError.UNKNOWN_MEMBER_ID, abort=True))
    transactions = await opened(producer)
    with pytest.raises(AbortTransaction, match="UNKNOWN_MEMBER_ID"):
        await whole(transactions)
    await transactions.abort()
    assert transactions.usable
    assert transactions.opened_at is None
    await whole(transactions)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "error",
    [
        failure(KafkaError._TIMED_OUT),
        failure(KafkaError._TRANSPORT),
        failure(KafkaError._STATE),
        failure(KafkaError.NOT_COORDINATOR),
        failure(KafkaError.COORDINATOR_NOT_AVAILABLE),
        failure(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, fatal=True),
        failure(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, fatal=True, abort=True),
    ],
    ids=[
        "timed out",
        "connection lost",
        "state",
        "coordinator moved",
        "coordinator lost",
        "fatal",
        "fatal though abortable",
    ],
)
async def test_an_unknown_outcome_or_a_broken_producer_asks_for_a_new_one(
    producer: FakeProducer, call: str, error: KafkaException
) -> None:
    producer.fails(call, error)
    with pytest.raises(RecreateProducer):
        await whole(await opened(producer))


async def test_a_record_that_the_client_refuses_aborts_the_transaction(producer: FakeProducer) -> None:
    producer.fails("produce", failure(KafkaError.MSG_SIZE_TOO_LARGE))
    transactions = await opened(producer)
    transactions.begin()
    with pytest.raises(OutputRefused, match="MSG_SIZE_TOO_LARGE"):
        await transactions.produce(into_lanes([OUTPUT]))


async def test_what_the_broker_refuses_is_told_apart_from_a_group_that_moved_on(
    producer: FakeProducer,
) -> None:
    producer.fails("commit", failure(KafkaError.MSG_SIZE_TOO_LARGE, abort=True))
    with pytest.raises(OutputRefused):
        await whole(await opened(producer))


async def test_a_full_queue_is_waited_for(producer: FakeProducer) -> None:
    producer.fails("produce", BufferError(), BufferError())
    transactions = await opened(producer)
    transactions.begin()
    await transactions.produce(into_lanes([OUTPUT]))
    assert len(producer.produced) == 1


async def test_a_queue_that_does_not_empty_asks_for_a_new_producer(producer: FakeProducer) -> None:
    producer.fails("produce", *(BufferError() for _ in range(10_000)))
    transactions = await opened(producer, patience_s=0.02)
    transactions.begin()
    with pytest.raises(RecreateProducer, match="queue"):
        await transactions.produce(into_lanes([OUTPUT]))


async def test_each_transaction_that_was_too_slow_doubles_the_patience_until_batches_commit_again() -> None:
    """After a fault a new producer helps; on a slow cluster only time does."""
    given: list[float] = []
    failures = [failure(KafkaError._TIMED_OUT)] * 3
    transactions = Transactions(lambda: Patient(given, failures), patience_s=7.0)
    for _ in range(3):
        await transactions.open()
        transactions.begin()
        with pytest.raises(RecreateProducer):
            await transactions.commit(POSITIONS, Applied(4), None)
    failures.clear()
    await transactions.open()
    for positions in ({}, POSITIONS, POSITIONS, POSITIONS):
        transactions.begin()
        await transactions.commit(positions, Applied(4), None)
    # An acknowledgement is quick on the slowest cluster: after it the next batch has as much time as before.
    assert given == pytest.approx([2.5, 5.0, 7.0, 7.0, *[7.0] * 2, *[3.5] * 2, *[2.5] * 2], abs=0.4)


async def test_after_a_commit_that_took_long_the_next_one_may_take_longer() -> None:
    given: list[float] = []
    transactions = Transactions(lambda: Patient(given), patience_s=20.0)
    await transactions.open()
    for _ in range(2):
        transactions.begin()
        assert transactions.opened_at is not None
        transactions.opened_at -= 2.0
        await transactions.commit(POSITIONS, Applied(4), None)
    assert given == pytest.approx([*[0.5] * 2, *[4.0] * 2], abs=0.4)


async def test_a_producer_that_is_replaced_between_transactions_shortens_nobody_s_patience() -> None:
    given: list[float] = []
    transactions = Transactions(lambda: Patient(given), patience_s=7.0)
    await transactions.open()
    await transactions.open()
    transactions.begin()
    await transactions.commit({}, Applied(4), None)
    assert given == pytest.approx([2.5], abs=0.5)


@pytest.mark.parametrize("call", ["commit", "abort"])
async def test_a_transaction_that_took_too_long_is_not_ended_by_its_own_producer(
    producer: FakeProducer, call: str
) -> None:
    """The coordinator has aborted it or is about to, and would say that the producer is fenced."""
    transactions = await opened(producer, patience_s=5.0)
    transactions.begin()
    assert transactions.opened_at is not None
    transactions.opened_at -= 6.0
    calls: dict[str, Any] = {
        "commit": lambda: transactions.commit(POSITIONS, Applied(4), None),
        "abort": transactions.abort,
    }
    with pytest.raises(RecreateProducer, match="too long"):
        await calls[call]()
    assert call not in producer.calls


async def test_an_abort_that_fails_asks_for_a_new_producer(producer: FakeProducer) -> None:
    producer.fails("abort", failure(KafkaError._STATE, abort=True))
    transactions = await opened(producer)
    transactions.begin()
    with pytest.raises(RecreateProducer):
        await transactions.abort()


async def test_without_a_transaction_there_is_nothing_to_abort(producer: FakeProducer) -> None:
    await (await opened(producer)).abort()
    assert "abort" not in producer.calls


async def test_without_a_producer_one_is_asked_for() -> None:
    make: Any = lambda: ConfluentSender(FakeProducer())  # noqa: E731
    transactions = Transactions(make, 1.0)
    assert not transactions.usable
    with pytest.raises(RecreateProducer):
        transactions.begin()


async def test_a_producer_that_could_not_be_initialised_is_not_used(producer: FakeProducer) -> None:
    producer.fails("init", failure(KafkaError._TIMED_OUT))
    make: Any = lambda: ConfluentSender(producer)  # noqa: E731
    transactions = Transactions(make, 1.0)
    with pytest.raises(RecreateProducer):
        await transactions.open()
    assert not transactions.usable


@pytest.mark.parametrize(
    ("error", "asked_again"),
    [
        (failure(KafkaError._TIMED_OUT, retriable=True), True),
        (failure(KafkaError._TRANSPORT), False),
        (failure(KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, fatal=True), False),
    ],
)
async def test_a_producer_that_is_only_late_is_asked_again_since_it_would_fence_a_second_one(
    error: KafkaException, asked_again: bool
) -> None:
    late, second = FakeProducer().fails("init", error), FakeProducer()
    waiting = iter((late, second))
    make: Any = lambda: ConfluentSender(next(waiting))  # noqa: E731
    transactions = Transactions(make, 1.0)
    with pytest.raises(RecreateProducer):
        await transactions.open()
    transactions.close()
    await transactions.open()
    await whole(transactions)
    assert late.calls[:2] == (["init", "init"] if asked_again else ["init"])
    assert bool(second.calls) is not asked_again


async def test_a_process_that_had_to_abandon_too_many_producers_stops() -> None:
    producers = [FakeProducer() for _ in range(MOST_ABANDONED + 2)]
    transactions = await opened(*producers)
    for _ in range(MOST_ABANDONED):
        await transactions.open()
    with pytest.raises(StopInstance, match=r"abandoned.*start it again") as told:
        await transactions.open()
    assert told.value.code is ExitCode.WORN


async def test_the_event_loop_goes_on_while_a_commit_is_pending(producer: FakeProducer) -> None:
    transactions = await opened(producer)
    transactions.begin()
    producer.slow = lambda: time.sleep(0.1)
    turns = 0

    async def turning() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.005)

    beside = asyncio.create_task(turning())
    await transactions.commit(POSITIONS, Applied(4), None)
    beside.cancel()
    assert turns > 3


async def test_a_call_that_is_still_under_way_is_not_overtaken(producer: FakeProducer) -> None:
    transactions = await opened(producer)
    transactions.begin()
    producer.slow = lambda: time.sleep(0.2)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await transactions.commit(POSITIONS, Applied(4), None)
    with pytest.raises(RecreateProducer, match="under way"):
        await transactions.abort()


@pytest.mark.parametrize("call", ["init", "offsets", "commit"])
async def test_a_call_that_never_comes_back_is_left_behind_and_a_new_producer_works(call: str) -> None:
    stuck, fresh = FakeProducer(), FakeProducer()
    never = threading.Event()
    stuck.slow = lambda: never.wait(30) if stuck.calls[-1] == call else None
    waiting = iter((stuck, fresh))
    make: Any = lambda: ConfluentSender(next(waiting))  # noqa: E731
    transactions = Transactions(make, patience_s=0.5, grace_s=0.02)

    async def from_the_start() -> None:
        await transactions.open()
        await whole(transactions)

    with pytest.raises(RecreateProducer, match="did not come back"):
        await from_the_start()
    transactions.close()
    await transactions.open()
    await whole(transactions)
    assert fresh.calls == ["init", "begin", "produce", "offsets", "commit"]
    never.set()
