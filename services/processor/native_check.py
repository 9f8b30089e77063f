"""The self-test of the native transport: a transaction through a broker that librdkafka itself plays."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from services.processor import native_kafka
from services.processor.contract import InputPartition
from services.processor.transport import KafkaTransport
from topics.engine.lanes import Lane, RecordLane
from topics.engine.native_batch import ByteLane
from topics.event import OutputRecord, TopicName

_TOPIC: Final = TopicName("self-test")
_GROUP: Final = "self-test"
_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.001
_RECORDS: Final = (
    OutputRecord(_TOPIC, 0, b"key", b"value", (("name", b"\x00\xff"), ("empty", b""))),
    OutputRecord(_TOPIC, 0, b"", b""),
    OutputRecord(_TOPIC, 0, b"gone", None, (("name", b"1"),)),
    OutputRecord(_TOPIC, 0, None, b"x" * 3000),
)

_ABORTED: Final = OutputRecord(_TOPIC, 0, b"key", b"aborted")
_LAST: Final = OutputRecord(_TOPIC, 0, b"key", b"last")
_OFFSET: Final = 4
_METADATA: Final = "7"
_LINGER_MS: Final = 10_000
"""Longer than the test lasts; a flush and a commit send at once."""


class TransportDiffers(Exception):  # noqa: N818 - the caller uses the other transport
    """What was read is not what was written."""


def self_test(transport: KafkaTransport) -> None:
    """Commit lanes of both kinds, abort others, read records and a committed offset, compare.

    The broker that librdkafka plays is no whole one. It shows what is aborted once it was sent, so nothing is
    sent before it has to be: aborting means here that what is queued never comes. And it forgets the offsets
    of a transaction. So another client commits the one that is read, and of sending them it is only seen that
    it reaches librdkafka, which refuses them outside of a transaction.

    Raises:
        TransportDiffers: something is not as it was written.
        KafkaException, NoNativeTransport: a call failed.
    """
    native_kafka.load()
    broker = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    found = next(iter(broker.list_topics(timeout=_SECONDS).brokers.values()))
    common = {"bootstrap.servers": f"{found.host}:{found.port}", "log_level": 0}
    source = transport.make_source(
        common | {"group.id": _GROUP, "auto.offset.reset": "earliest", "fetch.wait.max.ms": 10}
    )
    sender = transport.make_sender(
        common
        | {"transactional.id": "self-test", "delivery.report.only.error": True, "linger.ms": _LINGER_MS}
    )
    _write(sender, source)
    records = _read(source)
    offset = _committed(source, common)
    source.close()
    if records != [*_RECORDS, *_RECORDS, _LAST]:
        raise TransportDiffers("the self-test read other records than it wrote")
    if offset != (_OFFSET, _METADATA):
        raise TransportDiffers("the self-test read another offset than it committed")


def _write(sender: Any, source: Any) -> None:
    sender.init_transactions(_SECONDS)
    sender.begin_transaction()
    for lane in (ByteLane(_TOPIC, 0), RecordLane(_TOPIC, 0)):
        for record in _RECORDS:
            lane.append(record)
        _write_lane(sender, lane)
        sender.flush(_SECONDS)
    offsets = [TopicPartition(_TOPIC, 0, _OFFSET, metadata=_METADATA)]
    sender.send_offsets_to_transaction(offsets, source.consumer_group_metadata(), _SECONDS)
    sender.commit_transaction(_SECONDS)
    sender.begin_transaction()
    _write_lane(sender, _lane_of(_ABORTED))
    _abort(sender)
    _refused(lambda: sender.send_offsets_to_transaction(offsets, source.consumer_group_metadata(), _SECONDS))
    sender.begin_transaction()
    _write_lane(sender, _lane_of(_LAST))
    sender.commit_transaction(_SECONDS)


def _abort(sender: Any) -> None:
    """Abort what is queued: the client waits until it is told of each record that it took back."""
    with ThreadPoolExecutor(1) as thread:
        aborting = thread.submit(sender.abort_transaction, _SECONDS)
        while not aborting.done():
            sender.drain()
            time.sleep(_LOOK_SECONDS)
        aborting.result()


def _refused(call: Callable[[], object]) -> None:
    try:
        call()
    except KafkaException:
        return
    raise TransportDiffers("the self-test sent offsets outside of a transaction, and nothing refused them")


def _committed(source: Any, common: Mapping[str, Any]) -> tuple[int, str]:
    """What the source reads of an offset that another client commits for its group."""
    other = Consumer({**common, "group.id": _GROUP})
    try:
        part = TopicPartition(_TOPIC, 0, _OFFSET, metadata=_METADATA)
        other.commit(offsets=[part], asynchronous=False)
    finally:
        other.close()
    [found] = source.committed([TopicPartition(_TOPIC, 0)], _SECONDS)
    return found.offset, found.metadata


def _lane_of(record: OutputRecord) -> Lane:
    lane = ByteLane(_TOPIC, 0)
    lane.append(record)
    return lane


def _write_lane(sender: Any, lane: Lane) -> None:
    if not all(sender.write(lane)):
        raise TransportDiffers("the queue of the self-test was full")


def _read(source: Any) -> list[OutputRecord]:
    # By number: whoever asks where a topic begins before its leader is known asks again half a second later.
    source.incremental_assign([TopicPartition(_TOPIC, 0, 0)])
    records: list[OutputRecord] = []
    deadline = time.monotonic() + _SECONDS
    while _LAST not in records and time.monotonic() < deadline:
        for batch in source.fetch({InputPartition(_TOPIC, 0): 0}, 100, 1_000_000)[0]:
            records += [OutputRecord(_TOPIC, 0, each.key, each.value, each.headers) for each in batch]
        time.sleep(0.001)
    return records
