"""The self-test of the native transport: a transaction through a broker that librdkafka itself plays."""

import time
from typing import Any, Final

from confluent_kafka import Producer, TopicPartition

from services.processor import native_kafka
from services.processor.contract import InputPartition
from services.processor.transport import KafkaTransport
from topics.engine.lanes import Lane, RecordLane
from topics.engine.native_batch import ByteLane
from topics.event import OutputRecord, TopicName

_TOPIC: Final = TopicName("self-test")
_SECONDS: Final = 5.0
_RECORDS: Final = (
    OutputRecord(_TOPIC, 0, b"key", b"value", (("name", b"\x00\xff"), ("empty", b""))),
    OutputRecord(_TOPIC, 0, b"", b""),
    OutputRecord(_TOPIC, 0, b"gone", None, (("name", b"1"),)),
    OutputRecord(_TOPIC, 0, None, b"x" * 3000),
)


class TransportDiffers(Exception):  # noqa: N818 - the caller uses the other transport
    """What was read is not what was written."""


def self_test(transport: KafkaTransport) -> None:
    """Write lanes of both kinds in a transaction, read them back, commit an offset, compare.

    Raises:
        TransportDiffers: something is not as it was written.
        KafkaException, NoNativeTransport: a call failed.
    """
    native_kafka.load()
    broker = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    found = next(iter(broker.list_topics(timeout=_SECONDS).brokers.values()))
    common = {"bootstrap.servers": f"{found.host}:{found.port}", "log_level": 0}
    source = transport.make_source(
        common | {"group.id": "self-test", "auto.offset.reset": "earliest", "fetch.wait.max.ms": 10}
    )
    sender = transport.make_sender(
        common | {"transactional.id": "self-test", "delivery.report.only.error": True}
    )
    _write(sender, source)
    records = _read(source)
    source.close()
    if records != [*_RECORDS, *_RECORDS]:
        raise TransportDiffers("the self-test read other records than it wrote")


def _write(sender: Any, source: Any) -> None:
    sender.init_transactions(_SECONDS)
    sender.begin_transaction()
    for lane in (ByteLane(_TOPIC, 0), RecordLane(_TOPIC, 0)):
        for record in _RECORDS:
            lane.append(record)
        _write_lane(sender, lane)
        sender.flush(_SECONDS)
    offsets = [TopicPartition(_TOPIC, 0, 4, metadata="7")]
    sender.send_offsets_to_transaction(offsets, source.consumer_group_metadata(), _SECONDS)
    sender.commit_transaction(_SECONDS)
    sender.begin_transaction()
    sender.abort_transaction(_SECONDS)


def _write_lane(sender: Any, lane: Lane) -> None:
    if not all(sender.write(lane)):
        raise TransportDiffers("the queue of the self-test was full")


def _read(source: Any) -> list[OutputRecord]:
    # By number: whoever asks where a topic begins before its leader is known asks again half a second later.
    source.incremental_assign([TopicPartition(_TOPIC, 0, 0)])
    records: list[OutputRecord] = []
    deadline = time.monotonic() + _SECONDS
    while len(records) < 2 * len(_RECORDS) and time.monotonic() < deadline:
        for batch in source.fetch({InputPartition(_TOPIC, 0): 0}, 100, 1_000_000)[0]:
            records += [OutputRecord(_TOPIC, 0, each.key, each.value, each.headers) for each in batch]
        time.sleep(0.001)
    return records
