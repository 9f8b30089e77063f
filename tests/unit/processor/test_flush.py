"""A flush in the middle of a transaction: what was refused is told before anything comes after it."""

import pytest
from confluent_kafka import KafkaError, KafkaException

from services.processor.errors import AbortTransaction, OutputRefused, RecreateProducer, StopInstance
from tests.unit.processor.fake_producer import OUTPUT, FakeProducer, failure, opened
from topics.engine.lanes import into_lanes


@pytest.fixture
def producer() -> FakeProducer:
    return FakeProducer()


async def test_a_portion_is_queued_once_the_one_before_it_is_accepted(producer: FakeProducer) -> None:
    transactions = await opened(producer)
    transactions.begin()
    producer.fails("begin", failure(KafkaError._STATE), failure(KafkaError._STATE))
    await transactions.write([into_lanes([OUTPUT])] * 3)
    flushed = ["flush", "begin"]
    assert producer.calls == ["init", "begin", *["produce", *flushed] * 2, "produce"]
    assert transactions.opened_at is not None


async def test_what_was_refused_is_told_at_the_flush_and_nothing_comes_after_it(
    producer: FakeProducer,
) -> None:
    transactions = await opened(producer)
    transactions.begin()
    producer.fails("begin", failure(KafkaError.MSG_SIZE_TOO_LARGE, abort=True))
    with pytest.raises(OutputRefused, match="MSG_SIZE_TOO_LARGE"):
        await transactions.write([into_lanes([OUTPUT])] * 2)
    assert len(producer.produced) == 1


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        (failure(KafkaError.UNKNOWN_TOPIC_OR_PART, abort=True), AbortTransaction),
        (failure(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, fatal=True), RecreateProducer),
        (failure(KafkaError._FENCED, fatal=True), StopInstance),
    ],
)
async def test_whatever_else_a_flush_tells_is_named_after_what_to_do(
    producer: FakeProducer, error: KafkaException, asked: type[Exception]
) -> None:
    transactions = await opened(producer)
    transactions.begin()
    producer.fails("begin", error)
    with pytest.raises(asked):
        await transactions.flush()


async def test_records_that_a_flush_leaves_behind_ask_for_a_new_producer(producer: FakeProducer) -> None:
    transactions = await opened(producer)
    transactions.begin()
    producer.queued = 1
    with pytest.raises(RecreateProducer):
        await transactions.flush()
