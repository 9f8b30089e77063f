"""What is told of rows that differ, counted, masked, and named for a repair."""

import pytest

from producers.columns import Column
from services.control.access import CaptureSource
from services.control.epochs.filters import range_of
from services.control.sink_target import Target
from services.reconcile.compare import Difference, Kind
from services.reconcile.differing import Kept, Why, parts, pseudonyms, ranges_of
from services.reconcile.report import without_values
from services.reconcile.sink import SinkTable
from topics.event import GrantId, ResourceId

PERSONS, ENTERPRISES = ResourceId("population.person.v1"), ResourceId("legal.enterprise.v1")


def difference(id_: str, kind: Kind = Kind.LOST) -> Difference:
    return Difference(kind, id_, ())


def test_explained_rows_are_counted_apart_and_not_repaired() -> None:
    kept = Kept(shown_most=2, repaired_most=10)
    kept.add(difference("1"), Why.STOPPED)
    kept.add(difference("2", Kind.DIFFERENT), None)
    kept.add(difference("3"), None)
    assert (kept.total, kept.explained, kept.ids) == (2, {"stopped": 1}, ["2", "3"])
    assert [each.id for each in kept.shown] == ["1", "2"]
    assert kept.counts[Kind.DIFFERENT] == 1


def test_what_is_too_many_to_name_is_counted_all_the_same() -> None:
    kept = Kept(shown_most=1, repaired_most=3)
    for number in range(5):
        kept.add(difference(str(number)), None)
    assert (kept.total, kept.too_many, len(kept.ids), len(kept.shown)) == (5, True, 3, 1)


def test_a_row_has_one_pseudonym_in_a_resource_and_another_elsewhere() -> None:
    persons = pseudonyms(b"secret", PERSONS)
    assert persons("1") == pseudonyms(b"secret", PERSONS)("1")
    others = {persons("2"), pseudonyms(b"secret", ENTERPRISES)("1"), pseudonyms(b"other", PERSONS)("1")}
    assert persons("1") not in others
    assert len(others) == 3


def test_a_record_id_is_taken_apart_as_it_was_put_together() -> None:
    assert parts("17", 1) == ("17",)
    assert parts('["17","甲"]', 2) == ("17", "甲")
    assert parts('["17"]', 2) == parts("17", 2) == parts("[", 2) == ()


def test_what_is_kept_of_an_answer_has_no_value_of_a_row() -> None:
    shown = {"kind": "lost", "record_id": "17", "source": {"name": "甲"}, "topic": {"name": "乙"}}
    kept = without_values({"shown": [shown], "sinks": [{"shown": [shown]}], "repair": "… 17"})
    assert not {"17", "甲", "乙", "… 17"} & set(str(kept).replace("'", " ").split())
    assert (
        kept["shown"]
        == kept["sinks"][0]["shown"]
        == [{"kind": "lost", "record_id": None, "source": None, "topic": None}]
    )


def test_a_sinks_table_is_read_in_the_values_of_the_grants_schema() -> None:
    fields = [
        {"name": "pseudonym", "type": "string"},
        {"name": "name", "type": ["null", "string"]},
        {"name": "born", "type": ["null", {"type": "int", "logicalType": "date"}]},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "size", "type": "float"},
    ]
    values = {"type": "record", "name": "R", "fields": fields}
    target = Target("public", "person", ("pseudonym",), values)
    table = SinkTable(GrantId("g"), target, "s", CaptureSource("h", 1, "d", "u", "p"))
    assert table.columns == ("pseudonym", "name", "born", "at", "size")
    assert table.query() == (
        'SELECT "pseudonym"::text, "name"::text, ("born" - DATE \'1970-01-01\'),'
        ' trunc(extract(epoch FROM "at") * 1000)::bigint, "size"::float8 FROM "public"."person"'
    )


KEY = (Column("id", "int8"),)


@pytest.mark.parametrize(
    ("key", "ids", "named"),
    [
        pytest.param(KEY, ["1", "2", "1"], True, id="a few rows"),
        pytest.param((Column("id", "date"),), ["19000"], False, id="a date travels as a number"),
        pytest.param((*KEY, Column("part", "text")), ['["1","a"]', "2"], False, id="an id of another shape"),
        pytest.param(KEY, [str(number) for number in range(200)], False, id="too many for a command"),
        pytest.param(KEY, [], False, id="none"),
    ],
)
def test_the_repair_names_ranges_of_hashes_where_the_rows_are_few(
    key: tuple[Column, ...], ids: list[str], named: bool
) -> None:
    found = ranges_of(key, ids)
    assert found == ((f"id:hash={','.join(sorted(map(range_of, '12')))}",) if named else ())
