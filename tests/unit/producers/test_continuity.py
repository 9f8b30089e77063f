"""When a capture cannot go on without a gap: each way to lose the thread, and what is no reason for alarm."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producers.continuity import (
    Sighting,
    Standing,
    as_lsn,
    jump,
    next_standing,
    published_position,
)
from producers.slots import SlotReport

BEGAN = Standing(1, "7/1", 100)


def slot(confirmed: int | None = 90, **changes: Any) -> SlotReport:
    found = SlotReport("govbus_police", "police", True, "reserved", 10, 10, None, confirmed)
    return replace(found, **changes)


def seen(**changes: Any) -> Sighting:
    """The capture as it goes on well, with changes."""
    values: dict[str, Any] = {"incarnation": 1, "system": "7/1", "slot": slot(), "position": 110}
    return Sighting(**values | changes)


@pytest.mark.parametrize(
    ("before", "sighting", "expected"),
    [
        pytest.param(None, seen(), None, id="never seen before"),
        pytest.param(BEGAN, seen(), None, id="goes on"),
        pytest.param(BEGAN, seen(position=100), None, id="idle"),
        pytest.param(BEGAN, seen(position=50), None, id="went back: it repeats, and loses nothing"),
        pytest.param(BEGAN, seen(slot=slot(110, active=False)), None, id="away, and its slot waits"),
        pytest.param(BEGAN, seen(slot=slot(111, active=False)), "made again", id="the slot begins later"),
        pytest.param(BEGAN, seen(slot=slot(999)), None, id="who reads the slot has committed that"),
        pytest.param(None, seen(slot=slot(111, active=False)), "made again", id="seen first after the fact"),
        pytest.param(BEGAN, seen(slot=None), "slot is gone", id="slot gone"),
        pytest.param(None, seen(slot=None), None, id="began after the slots were read"),
        pytest.param(Standing(1, "7/1"), seen(slot=None), None, id="took its first position meanwhile"),
        pytest.param(BEGAN, seen(slot=None, incarnation=2), None, id="captured anew meanwhile"),
        pytest.param(BEGAN, seen(slot=slot(wal_status="lost")), "invalidated", id="slot invalidated"),
        pytest.param(BEGAN, seen(system="7/2"), "timeline 1, the server is on 2", id="promoted"),
        pytest.param(BEGAN, seen(system="8/1"), "identifier 7, this is 8", id="another server"),
        pytest.param(BEGAN, seen(system="8/1", incarnation=2), None, id="captured anew over there"),
        pytest.param(BEGAN, seen(position=None), None, id="position deleted, the slot has the rest"),
        pytest.param(BEGAN, seen(position=None, slot=None), "both gone", id="position and slot deleted"),
        pytest.param(Standing(1, "7/1"), seen(position=None, slot=None), None, id="not begun"),
        pytest.param(Standing(1, "7/1"), seen(system="8/1"), None, id="moved before it began"),
        pytest.param(
            Standing(2, "8/1", 5), seen(), None, id="a configuration that was read before the newer one"
        ),
    ],
)
def test_a_capture_is_broken_where_it_cannot_go_on_without_a_gap(
    before: Standing | None, sighting: Sighting, expected: str | None
) -> None:
    broken = next_standing(before, sighting).broken
    assert (broken is None) if expected is None else (broken is not None and expected in broken)


SLOTS = st.none() | st.builds(slot, st.none() | st.integers(0, 9), active=st.booleans())
SIGHTINGS = st.builds(
    Sighting,
    st.integers(1, 3),
    st.sampled_from(["7/1", "7/2", "8/1"]),
    SLOTS,
    st.none() | st.integers(0, 9),
)


@given(st.lists(SIGHTINGS, min_size=1, max_size=12))
def test_a_break_stands_until_the_next_incarnation_and_no_incarnation_comes_back(
    sightings: list[Sighting],
) -> None:
    before: Standing | None = None
    for sighting in sightings:
        after = next_standing(before, sighting)
        if before is not None:
            assert after.incarnation >= before.incarnation
            if before.broken is not None and after.incarnation == before.incarnation:
                assert after == before
            if after.incarnation == before.incarnation and before.position is not None:
                assert after.system == before.system, "the server that it is compared with never drifts"
        before = after


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_a_slot_jumped_exactly_where_log_lies_between_it_and_what_was_published(
    confirmed: int, position: int
) -> None:
    assert (jump(slot(confirmed, active=False), position) is not None) == (confirmed > position)


@pytest.mark.parametrize(
    ("offsets", "expected"),
    [
        ([], None),
        ([{"partition": {}, "offset": {"lsn": 5, "lsn_proc": 7, "lsn_commit": 6, "ts_usec": 99}}], 7),
        ([{"partition": {}, "offset": {"lsn": 5, "lsn_commit": None}}], 5),
        ([{"partition": {}, "offset": None}], None),
        ([{"partition": {}, "offset": {"lsn": "x"}}], None),
    ],
)
def test_what_was_published_is_the_furthest_position_of_the_offsets(
    offsets: list[dict[str, Any]], expected: int | None
) -> None:
    assert published_position(offsets) == expected


def test_a_position_is_written_as_postgresql_writes_it() -> None:
    assert as_lsn(0x16_B3A8D0F0) == "16/B3A8D0F0"
