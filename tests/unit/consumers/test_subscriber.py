"""What a subscriber does with good, old, bad and refused records, without any bus."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from consumers.decoding import Decoder
from consumers.errors import HandlerKeepsFailing, NotNow
from consumers.parking import ParkReason
from consumers.positions import MemoryPositions
from consumers.received import Received
from consumers.retry import Retry
from consumers.subscriber import Subscriber
from tests.contract.subscribing import (
    TOPIC,
    FakeLog,
    FakeParking,
    FakeSchemas,
    FakeSource,
    delivered,
    subscriber_settings,
)
from topics.event import KafkaRecord, Operation, SourcePosition
from topics.wire import frame


class Bench:
    """A subscriber on fakes; its clock moves only when it sleeps."""

    def __init__(self, records: list[KafkaRecord], handler: Callable[[Received], None] | None = None) -> None:
        self.log = FakeLog(records)
        self.parking = FakeParking()
        self.schemas = FakeSchemas()
        self.positions = MemoryPositions()
        self.received: list[Received] = []
        self.said: list[str] = []
        self.slept: list[float] = []
        self.handler = handler or self.received.append
        self.source = FakeSource(self.log)

    def subscriber(self, **given: Any) -> Subscriber:
        self.source = FakeSource(self.log)
        retry = given.pop("retry", Retry(attempts=3, first_s=1.0, factor=2.0, longest_s=10.0))
        return Subscriber(
            subscriber_settings(**given),
            self.handler,
            positions=self.positions,
            source=self.source,
            parking=self.parking,
            decoder=Decoder(self.schemas),
            retry=retry,
            say=self.said.append,
            clock=lambda: sum(self.slept),
            sleep=self.slept.append,
            chance=lambda: 1.0,
        )

    def run(self, **given: Any) -> Subscriber:
        subscriber = self.subscriber(**given)
        subscriber.run(self.read_to_the_end())
        return subscriber

    def read_to_the_end(self) -> Callable[[], bool]:
        ends = {record.partition: record.offset + 1 for record in self.log.records}
        return lambda: self.source._done == ends

    def names(self) -> list[str | None]:
        return [each.value["name"] if each.value else None for each in self.received]


def test_handler_gets_the_decoded_record_and_what_its_headers_say() -> None:
    bench = Bench([delivered("a", "王芳", 5, offset=3, marks=("address-stale",))])
    bench.run()
    (received,) = bench.received
    assert received.key == {"pseudonym": "a"}
    assert received.value == {"name": "王芳", "born": None}
    assert received.operation is Operation.UPDATE
    assert received.position == SourcePosition(0, 1, 5, 0)
    assert (received.grant, received.generation, received.policy_version) == ("persons-haidian", 1, 3)
    assert received.marks == ("address-stale",)
    assert received.source_time.isoformat() == "2026-01-01T00:00:00.005000+00:00"
    assert received.change_id == "raw.gaj.public.person/0/5"
    assert received.coordinates == f"{TOPIC}:0:3"
    assert bench.log.committed[0] == 4


def test_printed_record_shows_neither_key_nor_value() -> None:
    bench = Bench([delivered("pseudonym-of-somebody", "王芳", 5)])
    bench.run()
    assert "王芳" not in repr(bench.received[0])
    assert "pseudonym-of-somebody" not in repr(bench.received[0])


def test_tombstone_is_handed_over_as_a_delete_without_a_value() -> None:
    bench = Bench([delivered("a", "x", 1, offset=0), delivered("a", None, 2, offset=1)])
    bench.run()
    assert bench.received[1].operation is Operation.DELETE
    assert bench.received[1].value is None


@pytest.mark.parametrize(
    ("second", "is_applied"),
    [
        (delivered("a", "second", 6, offset=1), True),
        (delivered("a", "second", 5, offset=1), False),
        (delivered("a", "second", 4, offset=1), False),
        (delivered("a", None, 4, offset=1), False),
        (delivered("a", "second", 4, offset=1, generation=2), True),
        (delivered("a", "second", 9, offset=1, generation=0), False),
        (delivered("b", "second", 4, offset=1), True),
    ],
    ids=["newer", "same", "older", "older tombstone", "new generation", "old generation", "other key"],
)
def test_only_what_is_newer_for_its_key_is_applied(second: KafkaRecord, is_applied: bool) -> None:
    bench = Bench([delivered("a", "first", 5), second])
    subscriber = bench.run()
    assert len(bench.received) == 1 + is_applied
    assert (subscriber.applied, subscriber.outdated) == (1 + is_applied, 1 - is_applied)
    assert bench.log.committed[0] == 2


def test_older_record_after_a_tombstone_does_not_bring_the_key_back() -> None:
    bench = Bench([delivered("a", None, 5), delivered("a", "risen", 4, offset=1)])
    bench.run()
    assert bench.names() == [None]


def test_handler_that_fails_is_called_again_after_growing_waits() -> None:
    failures = iter([RuntimeError(), RuntimeError()])

    def handler(received: Received) -> None:
        for failure in failures:
            raise failure
        bench.received.append(received)

    bench = Bench([delivered("a", "x", 1)], handler)
    bench.run()
    assert bench.names() == ["x"]
    assert sum(bench.slept) == pytest.approx(1.0 + 2.0)
    assert bench.source.kept_alive == len(bench.slept)
    assert bench.parking.parked == []


def test_record_that_the_handler_keeps_refusing_is_parked_and_the_next_goes_on() -> None:
    def handler(received: Received) -> None:
        if received.key["pseudonym"] == "bad":
            raise KeyError("王芳")
        bench.received.append(received)

    bench = Bench([delivered("bad", "x", 1), delivered("good", "y", 2, offset=1)], handler)
    subscriber = bench.run()
    assert bench.parking.parked == [(f"{TOPIC}:0:0", ParkReason.HANDLER_FAILED, "KeyError", 3)]
    assert bench.names() == ["y"]
    assert subscriber.parked == 1
    assert bench.log.committed[0] == 2
    assert any("parked.health" in said and "HANDLER_FAILED" in said for said in bench.said)
    assert not any("王芳" in said for said in bench.said)


def test_parked_record_does_not_hold_back_a_newer_one_of_its_key() -> None:
    def handler(received: Received) -> None:
        if received.value == {"name": "poison", "born": None}:
            raise ValueError
        bench.received.append(received)

    bench = Bench([delivered("a", "poison", 1), delivered("a", "good", 2, offset=1)], handler)
    bench.run()
    assert bench.names() == ["good"]


def test_handler_that_refuses_everything_stops_the_subscriber() -> None:
    def handler(received: Received) -> None:
        raise ValueError

    bench = Bench([delivered("a", "x", n, offset=n) for n in range(9)], handler)
    with pytest.raises(HandlerKeepsFailing):
        bench.run(most_parked_in_a_row=3)
    assert len(bench.parking.parked) == 3


def test_handler_that_says_not_now_is_waited_for_and_nothing_is_parked() -> None:
    outages = iter(range(50))

    def handler(received: Received) -> None:
        for _ in outages:
            raise NotNow
        bench.received.append(received)

    bench = Bench([delivered("a", "x", 1)], handler)
    bench.run()
    assert bench.names() == ["x"]
    assert bench.parking.parked == []
    assert len([said for said in bench.said if "cannot take" in said]) == 1


def test_registry_that_does_not_answer_is_waited_for_and_said() -> None:
    bench = Bench([delivered("a", "x", 1)])
    bench.schemas.unavailable_calls = 20
    bench.run()
    assert bench.names() == ["x"]
    assert len([said for said in bench.said if "registry" in said]) == 1
    assert bench.slept


GOOD = delivered("a", "x", 1)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (replace(GOOD, headers=()), ParkReason.NOT_A_DELIVERY),
        (replace(GOOD, value=b"\x01"), ParkReason.UNDECODABLE),
        (replace(GOOD, value=b""), ParkReason.UNDECODABLE),
        (replace(GOOD, value=(GOOD.value or b"")[:-1]), ParkReason.UNDECODABLE),
        (replace(GOOD, value=(GOOD.value or b"") + b"\x00"), ParkReason.UNDECODABLE),
        (replace(GOOD, key=None), ParkReason.UNDECODABLE),
        (replace(GOOD, value=frame(99, b"")), ParkReason.UNKNOWN_SCHEMA),  # type: ignore[arg-type]
    ],
)
def test_record_that_cannot_be_read_is_parked_and_the_next_goes_on(
    record: KafkaRecord, reason: ParkReason
) -> None:
    bench = Bench([record, delivered("b", "y", 2, offset=1)])
    bench.run()
    assert [parked[1] for parked in bench.parking.parked] == [reason]
    assert bench.names() == ["y"]


def test_stopping_during_a_wait_leaves_the_record_for_the_next_run() -> None:
    def handler(received: Received) -> None:
        raise RuntimeError

    bench = Bench([delivered("a", "x", 1)], handler)
    bench.subscriber().run(lambda: bool(bench.slept))
    assert bench.log.committed[0] == 0
    bench.handler = bench.received.append
    bench.run()
    assert bench.names() == ["x"]


def test_record_is_committed_only_after_the_handler_returned() -> None:
    class PowerCut(BaseException):
        pass

    def handler(received: Received) -> None:
        if received.position.commit == 1:
            raise PowerCut

    bench = Bench([delivered("a", "x", 0), delivered("a", "y", 1, offset=1)], handler)
    with pytest.raises(PowerCut):
        bench.run()
    bench.source.close()
    assert bench.log.committed[0] == 1


def test_iterating_hands_over_the_last_record_again_unless_the_next_was_asked_for() -> None:
    bench = Bench([delivered(f"k{n}", f"n{n}", n, offset=n) for n in range(3)])
    subscriber = bench.subscriber()
    for received in subscriber.records():
        bench.received.append(received)
        if received.position.commit == 1:
            break
    subscriber.close()
    assert bench.log.committed[0] == 1
    again = bench.subscriber()
    bench.received += again.records(bench.read_to_the_end())
    assert bench.names() == ["n0", "n1", "n1", "n2"]


def test_running_without_a_handler_is_refused() -> None:
    bench = Bench([])
    subscriber = bench.subscriber()
    subscriber._handler = None
    with pytest.raises(ValueError, match="handler"):
        subscriber.run()
