"""The rules of a resource's epochs: filters, scans, what was not seen, the newest epoch."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.control.epochs.errors import ConfirmShrink, StartAgain
from services.control.epochs.filters import CorrectFilter, Filter, cannot_hash, hashed, range_of
from services.control.epochs.progress import Pace, Phase, Progress
from services.control.epochs.scan import initial_scan_of, scan_of
from services.control.epochs.state import EpochState, asked_text, newest_epoch
from services.control.epochs.volume import Holding, Origin, judged, whole_digest
from topics.event import RecordId, ResourceId

RAW = "raw.police.public.person"
PERSONS = ResourceId("population.person.v1")


def parsed(*texts: str, key: tuple[str, ...] = ("id",)) -> Filter:
    found = Filter.parsed(texts, key)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "text",
    ["id", "id=", "id=1,,2", "name=x", "=1", "id:hash=", "id:hash=3F2A", "id:hash=3f2", "name:hash=3f2a"],
)
def test_a_filter_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(CorrectFilter):
        parsed(text)


def test_a_filter_is_sql_for_the_source_and_covers_the_same_rows() -> None:
    found = parsed("id=1,o'x", "part=2", key=("part", "id"))
    assert found.condition == "\"id\" IN ('1', 'o''x') AND \"part\" IN ('2')"
    assert found.covers(RecordId('["2","1"]'))
    assert not found.covers(RecordId('["1","1"]'))
    assert Filter.parsed(found.texts, ("part", "id")) == found


def test_a_filter_over_hashes_covers_a_range_and_names_no_key() -> None:
    found = hashed([RecordId('["1","a"]'), RecordId('["1","b"]')], ("part", "id"), most=2)
    assert found is not None
    assert found.texts == (f"id:hash={','.join(sorted(map(range_of, 'ab')))}", f"part:hash={range_of('1')}")
    assert Filter.parsed(found.texts, ("part", "id")) == found
    assert found.covers(RecordId('["1","b"]'))
    assert not found.covers(RecordId('["1","c"]'))
    assert not found.covers(RecordId('["2","a"]'))
    # SHA-256 of "1" begins with 6b86 (FIPS 180-4).
    digest = "left(encode(sha256(convert_to(\"part\"::text, 'UTF8')), 'hex'), 4)"
    assert f"{digest} IN ('6b86')" in found.condition


def test_more_rows_than_a_command_holds_have_no_filter_over_hashes() -> None:
    rows = [RecordId(str(number)) for number in range(300)]
    assert hashed(rows, ("id",), most=100) is None
    assert hashed([], ("id",), most=100) is None


@given(st.text(), st.text())
def test_a_row_outside_of_the_ranges_is_never_covered(named: str, other: str) -> None:
    found = hashed([RecordId(named)], ("id",), most=1)
    assert found is not None
    assert found.covers(RecordId(named))
    assert found.covers(RecordId(other)) is (range_of(named) == range_of(other))


def test_a_column_named_as_a_hash_is_a_column() -> None:
    assert parsed("id:hash=7", key=("id:hash",)).covers(RecordId("7"))


@pytest.mark.parametrize(
    ("types", "refused"),
    [
        ({"id": "int8"}, []),
        ({"id": "uuid"}, []),
        ({"id": "date"}, ["id"]),
        ({"id": "bpchar"}, ["id"]),
        ({}, ["id"]),
    ],
)
def test_a_hash_is_compared_only_where_the_source_writes_the_key_as_it_travels(
    types: dict[str, str], refused: list[str]
) -> None:
    assert cannot_hash(parsed("id:hash=3f2a"), types) == refused
    assert cannot_hash(parsed("id=7"), {}) == []


def test_whoever_is_to_confirm_or_go_on_is_told_the_same_filter() -> None:
    where = ("id:hash=3f2a,4b5c",)
    command = f"govbus snapshot start {PERSONS} --where=id:hash=3f2a,4b5c"
    assert f"`{command} --confirm-shrink`" in ConfirmShrink(PERSONS, 1, 1, 10.0, where).remedy
    assert f"`{command}` goes on" in StartAgain(PERSONS, "x", where).remedy


def told(kind: str, signal: str = "r.1", **data: str) -> dict[str, Any]:
    return {"id": signal, "type": kind, "aggregate_type": "Incremental Snapshot", "additional_data": data}


SCANNED = {"scanned_collection": "db.public.person", "total_rows_scanned": "7"}


@pytest.mark.parametrize(
    ("story", "succeeded", "failed"),
    [
        ([], False, None),
        ([told("STARTED")], False, None),
        (
            [told("STARTED"), told("TABLE_SCAN_COMPLETED", status="SUCCEEDED", **SCANNED), told("COMPLETED")],
            True,
            None,
        ),
        (
            [
                told("STARTED"),
                told("TABLE_SCAN_COMPLETED", status="SQL_EXCEPTION", **SCANNED),
                told("COMPLETED"),
            ],
            False,
            "SQL_EXCEPTION",
        ),
        ([told("STARTED"), told("COMPLETED")], False, "COMPLETED, the table not scanned"),
        ([told("STARTED"), told("ABORTED")], False, "ABORTED, the table not scanned"),
        ([told("STARTED", "other.1"), told("COMPLETED", "other.1")], False, None),
    ],
)
def test_only_a_scan_of_the_table_with_its_own_signal_counts(
    story: list[dict[str, Any]], succeeded: bool, failed: str | None
) -> None:
    scan = scan_of(story, "r.1", "public.person")
    assert (scan.succeeded, scan.failed) == (succeeded, failed)
    assert not initial_scan_of(story, "public.person", 1).began


@pytest.mark.parametrize(
    ("status", "ended", "again"),
    [
        ("SQL_EXCEPTION", "COMPLETED", True),
        (None, "ABORTED", True),
        ("SUCCEEDED", "COMPLETED", False),
        ("UNKNOWN_SCHEMA", "COMPLETED", False),
        ("NO_PRIMARY_KEY", "COMPLETED", False),
        (None, "COMPLETED", False),
        (None, None, False),
    ],
)
def test_a_scan_is_asked_for_again_where_that_may_help(
    status: str | None, ended: str | None, again: bool
) -> None:
    scanned = [told("TABLE_SCAN_COMPLETED", status=status, **SCANNED)] if status else []
    end = [told(ended)] if ended else []
    story = [told("STARTED"), *scanned, *end]
    assert scan_of(story, "r.1", "public.person").may_be_asked_again is again


def marker(kind: str, number: int, **more: Any) -> dict[str, Any]:
    base = {"kind": kind, "generation": number, "timestamp_ms": 9, "offsets": [], "counts": {}}
    return base | {"digest": "", "detail": ""} | more


def test_the_newest_epoch_is_what_its_own_markers_say() -> None:
    asked = asked_text(("id=1",), "why", "who", initial=False)
    at = [{"topic": RAW, "partition": 1, "offset": 40}, {"topic": "x", "partition": 1, "offset": 4}]
    begin = marker("BEGIN", 2, detail=asked, offsets=at)
    story = [marker("BEGIN", 1), marker("END", 1), begin, marker("INCOMPLETE", 0), marker("END", 1)]
    found = newest_epoch(story, RAW)
    assert (found.number, found.state, found.begins) == (2, EpochState.OPEN, {1: 40})
    assert (found.where, found.reason, found.by, found.initial) == (("id=1",), "why", "who", False)
    waiting = newest_epoch([*story, marker("WAITING", 2)], RAW)
    assert (waiting.state, waiting.is_open, waiting.begins) == (EpochState.WAITING, True, {1: 40})
    assert newest_epoch([*story, marker("END", 2), marker("ABORTED", 2)], RAW).state is EpochState.ENDED
    assert newest_epoch([], RAW).state is EpochState.NONE


def holding(*offsets: int) -> Holding:
    made = Holding({0: 100})
    for number, offset in enumerate(offsets):
        made.stands(b"k%d" % number, RecordId(str(number)), Origin(0, offset, 1, offset), b"v")
    return made


def test_only_keys_that_stand_and_were_neither_seen_nor_stopped_go() -> None:
    made = holding(5, 6, 100, 7)
    made.gone(b"k3")
    verdict = judged([made], lambda record: record == "1", None)
    assert (verdict.candidates, [each.record for each in verdict.unseen]) == (3, ["0"])
    inside = judged([made], lambda _: False, lambda record: record == "1")
    assert [each.record for each in inside.unseen] == ["1"]


@pytest.mark.parametrize(
    ("unseen", "seen", "waits"), [(1, 9, False), (2, 8, True), (0, 0, False), (1, 0, True)]
)
def test_a_sweep_of_more_than_the_share_waits(unseen: int, seen: int, waits: bool) -> None:
    made = holding(*[5] * unseen, *[100] * seen)
    assert judged([made], lambda _: False, None).waits(10.0) is waits


STORY = st.lists(st.tuples(st.integers(0, 6), st.sampled_from([5, 100]), st.booleans()), max_size=40)


@given(STORY)
def test_what_stands_is_the_last_word_of_each_key_in_whatever_order_keys_came(
    story: list[tuple[int, int, bool]],
) -> None:
    whole, last, apart = Holding({0: 100}), {}, {key: Holding({0: 100}) for key in range(7)}
    for key, offset, stands in story:
        for made in (whole, apart[key]):
            if stands:
                made.stands(b"%d" % key, RecordId(str(key)), Origin(0, offset, 1, 1), b"%d" % offset)
            else:
                made.gone(b"%d" % key)
        last[key] = offset if stands else None
    assert len(whole) == sum(at is not None for at in last.values())
    assert {each.record for each in whole.old()} == {str(key) for key, at in last.items() if at == 5}
    assert whole_digest([whole]) == whole_digest(apart.values())


def test_pace_tells_rate_and_time_left_of_one_phase() -> None:
    pace, resource = Pace(), ResourceId("a.b.v1")
    assert pace.of(Progress(resource, 1, Phase.SCANNING, 0, 100), 10.0) == (0.0, None)
    assert pace.of(Progress(resource, 1, Phase.SCANNING, 50, 100), 15.0) == (10.0, 5.0)
    assert pace.of(Progress(resource, 1, Phase.SWEEPING, 3, None), 16.0) == (0.0, None)
