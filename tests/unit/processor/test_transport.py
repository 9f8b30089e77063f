"""Which transport is used: the native one only if it proves itself, and never against the operator's word."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from confluent_kafka import OFFSET_BEGINNING, Producer, TopicPartition

from services.processor import transport
from services.processor.clients import ConfluentSource
from services.processor.contract import InputPartition
from services.processor.health import Health
from services.processor.transport import KafkaTransport, confluent, native_transport
from topics.engine import native
from topics.engine.records import Records
from topics.event import TopicName

needs_native = pytest.mark.skipif(not native.compiled(), reason="no compiled modules here")
SOURCE = InputPartition(TopicName("in"), 0)
TRANSPORTS = [confluent] + ([native_transport] if native.compiled() else [])


def test_the_operator_may_ask_for_the_slower_transport() -> None:
    assert transport.choose({"GOVBUS_TRANSPORT": "confluent"}).name == "confluent"


def test_an_unknown_transport_is_refused() -> None:
    with pytest.raises(transport.UnknownTransport, match="'pigeon'"):
        transport.choose({"GOVBUS_TRANSPORT": "pigeon"})


@needs_native
@pytest.mark.parametrize("environ", [{}, {"GOVBUS_TRANSPORT": ""}, {"GOVBUS_TRANSPORT": "native"}])
def test_where_it_is_compiled_and_its_self_test_passes_the_native_transport_is_used(
    environ: dict[str, str],
) -> None:
    assert transport.choose(environ).name == "native"


def test_without_compiled_modules_records_travel_the_slower_way_and_the_log_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def absent(name: str) -> Any:
        raise ImportError(f"no module {name}")

    monkeypatch.setattr(native, "module", absent)
    with caplog.at_level(logging.WARNING):
        assert transport.choose({}).name == "confluent"
    assert "slower" in caplog.text
    with pytest.raises(transport.UnknownTransport, match="no module"):
        transport.choose({"GOVBUS_TRANSPORT": "native"})


class Changing:
    """A sender that loses or changes what it writes, around a real one."""

    def __init__(self, inner: Any, change: Any) -> None:
        self._inner, self._change = inner, change

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def write(self, lane: Any, trace: bytes | None = None) -> Iterator[bool]:
        changed = type(lane)(lane.topic, lane.partition)
        records = list(lane)
        for record in self._change(records) if len(records) > 1 else records:
            changed.append(record)
        yield from self._inner.write(changed, trace)


@needs_native
@pytest.mark.parametrize(
    "change",
    [
        lambda records: [*records[:3], replace(records[3], key=b"")],
        lambda records: [replace(records[0], headers=()), *records[1:]],
        lambda records: [records[1], records[0], *records[2:]],
        lambda records: [replace(records[0], value=b"other"), *records[1:]],
    ],
    ids=["a null key", "no headers", "another order", "another value"],
)
def test_a_native_transport_that_changes_anything_is_not_used(
    monkeypatch: pytest.MonkeyPatch, change: Any
) -> None:
    real = transport.native_transport()
    broken = replace(real, make_sender=lambda settings: Changing(real.make_sender(settings), change))
    monkeypatch.setattr(transport, "native_transport", lambda: broken)
    assert "other records than it wrote" in (transport.doubt_about_native() or "")
    assert transport.choose({}).name == "confluent"


class Around:
    """A client of the transport with some calls replaced."""

    def __init__(self, inner: Any, calls: dict[str, Any]) -> None:
        self._inner, self._calls = inner, calls

    def __getattr__(self, name: str) -> Any:
        return self._calls.get(name) or getattr(self._inner, name)


def aborting_is_committing(real: Any) -> dict[str, Any]:
    return {"abort_transaction": real.commit_transaction}


def nothing(*_: Any) -> None:
    return None


@needs_native
@pytest.mark.parametrize(
    ("calls", "doubt"),
    [
        (lambda _: {"send_offsets_to_transaction": nothing}, "offsets outside of a transaction"),
        (lambda _: {"abort_transaction": nothing}, "offsets outside of a transaction"),
        (aborting_is_committing, "other records than it wrote"),
        (lambda _: {"commit_transaction": nothing}, "_STATE"),
        (lambda _: {"init_transactions": nothing}, "_STATE"),
    ],
    ids=[
        "offsets dropped",
        "abort does nothing",
        "abort commits",
        "commit does nothing",
        "init does nothing",
    ],
)
def test_a_native_transport_whose_transactions_do_not_work_is_not_used(
    monkeypatch: pytest.MonkeyPatch, calls: Any, doubt: str
) -> None:
    real = transport.native_transport()

    def make(settings: Any) -> Any:
        sender = real.make_sender(settings)
        return Around(sender, calls(sender))

    monkeypatch.setattr(transport, "native_transport", lambda: replace(real, make_sender=make))
    assert doubt in (transport.doubt_about_native() or "")


@needs_native
@pytest.mark.parametrize("wrong", [("offset", 5), ("metadata", "8")])
def test_a_native_transport_that_reads_another_committed_offset_is_not_used(
    monkeypatch: pytest.MonkeyPatch, wrong: tuple[str, Any]
) -> None:
    real = transport.native_transport()

    def make(settings: Any) -> Any:
        source = real.make_source(settings)

        def committed(parts: Any, seconds: float) -> Any:
            found = source.committed(parts, seconds)
            values = {"offset": found[0].offset, "metadata": found[0].metadata} | dict([wrong])
            return [TopicPartition("self-test", 0, **values)]

        return Around(source, {"committed": committed})

    monkeypatch.setattr(transport, "native_transport", lambda: replace(real, make_source=make))
    assert "another offset than it committed" in (transport.doubt_about_native() or "")


@needs_native
def test_a_setting_that_is_refused_is_named_without_its_value() -> None:
    secret = "the-password"
    with pytest.raises(Exception, match="nonsense") as told:
        transport.native_transport().make_sender({"sasl.nonsense": secret})
    assert secret not in str(told.value)
    with pytest.raises(Exception, match=r"sasl\.password") as told:
        transport.native_transport().make_sender({"sasl.password": lambda: secret})
    assert secret not in str(told.value)


def test_the_answers_of_a_processor_say_which_transport_is_in_use() -> None:
    assert Health(1.0, 1.0, transport="native").as_json()["transport"] == "native"


class Message:
    def __init__(self, offset: int, topic: str = "in", error: object = None) -> None:
        self._offset, self._topic, self._error = offset, topic, error

    def error(self) -> object:
        return self._error

    def topic(self) -> str:
        return self._topic

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self._offset

    def timestamp(self) -> tuple[int, int]:
        return 2, 1_000

    def key(self) -> bytes:
        return b"k"

    def value(self) -> bytes:
        return b"v"

    def headers(self) -> None:
        return None


class FakeConsumer:
    """Gives what it has, so many at once."""

    subscribe = unsubscribe = incremental_assign = consumer_group_metadata = None
    pause = resume = seek = committed = close = None

    def __init__(self, *messages: Message) -> None:
        self.messages = list(messages)

    def consume(self, count: int, _seconds: float) -> list[Message]:
        given, self.messages = self.messages[:count], self.messages[count:]
        return given


def test_records_before_the_position_and_of_other_partitions_are_passed_over() -> None:
    consumer = FakeConsumer(Message(1), Message(2, "other"), Message(2), Message(0, error="bad"), Message(3))
    records, errors = ConfluentSource(consumer).fetch({SOURCE: 2}, 100, 1_000)
    assert [[each.offset for each in batch] for batch in records] == [[2, 3]]
    assert errors == ["bad"]


def test_a_fetch_ends_at_so_many_records() -> None:
    consumer = FakeConsumer(*(Message(offset) for offset in range(400)))
    records, _ = ConfluentSource(consumer).fetch({SOURCE: 0}, 300, 1_000_000)
    assert len(records[0]) == 300
    assert len(consumer.messages) == 100


@pytest.mark.parametrize("make", TRANSPORTS)
def test_a_partition_whose_records_all_lie_below_its_position_gives_no_batch(
    make: Callable[[], KafkaTransport],
) -> None:
    broker = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    found = next(iter(broker.list_topics(timeout=5).brokers.values()))
    for topic, count in (("in", 3), ("other", 6)):
        for _ in range(count):
            broker.produce(topic, b"v", b"k", partition=0)
    assert broker.flush(5) == 0
    source = make().make_source({"bootstrap.servers": f"{found.host}:{found.port}", "group.id": "g"})
    parts = [TopicPartition(topic, 0, OFFSET_BEGINNING) for topic in ("in", "other")]
    source.incremental_assign(parts)
    positions = {SOURCE: 3, InputPartition(TopicName("other"), 0): 5}
    batches: list[Records] = []
    deadline = time.monotonic() + 10
    while not batches and time.monotonic() < deadline:
        batches += source.fetch(positions, 100, 1_000_000)[0]
    source.close()
    assert [[(each.topic, each.offset) for each in batch] for batch in batches] == [[("other", 5)]]
