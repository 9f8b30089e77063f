"""What a sweep removes: exactly what the epoch did not see."""

import pytest

from services.control.epoch_markers import still_unguarded
from services.control.sweep import Sweep, shrinks_too_much
from topics.delivery import Delivery, delivery_headers, read_delivery
from topics.event import GrantId, KafkaRecord, Operation, PolicyNumber, SourcePosition, TopicName

TOPIC = TopicName("sub.a.b.c.v1.g")
GRANT = GrantId("g")


def record(offset: int, key: str, generation: int, *, alive: bool = True) -> KafkaRecord:
    operation = Operation.UPDATE if alive else Operation.DELETE
    delivery = Delivery(
        ce_id=f"raw.x/0/{offset}",
        ce_source="/govbus/b.c.v1",
        ce_time="2026-01-01T00:00:00.000Z",
        operation=operation,
        position=SourcePosition(0, 1, offset, offset),
        grant=GRANT,
        grant_generation=generation,
        policy_version=PolicyNumber(1),
    )
    return KafkaRecord(TOPIC, 0, offset, 0, key.encode(), b"v" if alive else None, delivery_headers(delivery))


def sweep(*records: KafkaRecord) -> Sweep:
    found = Sweep(GRANT, 3)
    found.read(records)
    return found


def test_a_key_is_unseen_only_if_its_latest_record_is_older_and_alive() -> None:
    found = sweep(
        record(0, "seen again", 2),
        record(1, "gone", 2),
        record(2, "already withdrawn", 2),
        record(3, "already withdrawn", 2, alive=False),
        record(4, "withdrawn by the epoch", 2),
        record(5, "seen again", 3),
        record(6, "withdrawn by the epoch", 3, alive=False),
        record(7, "new", 3),
    )
    assert found.unseen == [b"gone"]
    assert found.held_before == 3
    assert found.kept()[0] == 2


def test_a_tombstone_is_of_the_new_generation_so_that_readers_take_it_for_newer() -> None:
    old = record(1, "gone", 2)
    tombstone = sweep(old).tombstones(TOPIC, 0, PolicyNumber(9))[0]
    assert tombstone.value is None
    assert tombstone.key == b"gone"
    assert read_delivery(tombstone.headers).order > read_delivery(old.headers).order
    assert read_delivery(tombstone.headers).policy_version == 9


def test_records_left_by_an_epoch_that_did_not_end_are_swept_too() -> None:
    assert sweep(record(0, "left by generation 1", 1)).unseen == [b"left by generation 1"]


@pytest.mark.parametrize(
    ("unseen", "held", "expected"),
    [(0, 0, False), (10, 100, False), (11, 100, True), (1, 9, True), (1, 10, False), (1, 0, True)],
)
def test_the_guard_stops_above_ten_percent(unseen: int, held: int, expected: bool) -> None:
    assert shrinks_too_much(unseen, held, 10.0) is expected


@pytest.mark.parametrize(
    ("markers", "expected"),
    [
        ([], False),
        ([("BEGIN", 1)], False),
        ([("BEGIN", 0)], True),
        ([("BEGIN", 0), ("COPIED", None), ("BEGIN", 1)], True),
        ([("BEGIN", 0), ("END", None), ("BEGIN", 1)], False),
    ],
)
def test_a_restarted_epoch_remembers_that_its_filter_was_changed_on_purpose(
    markers: list[tuple[str, int | None]], expected: bool
) -> None:
    records = [
        {"kind": kind, "counts": {} if guarded is None else {"guarded": guarded}} for kind, guarded in markers
    ]
    assert still_unguarded(records) is expected
