"""A record written under another schema is delivered in the policy's: by Avro's rules, item by item."""

import io
from dataclasses import replace
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.fanout_cases import (
    MADE,
    TOPIC,
    GrantCase,
    assert_alike,
    canonical_record,
    decided,
    encoded,
    item_schema,
    plan_of,
)
from topics.canonical import envelope_schema
from topics.engine.resolution import PROMOTIONS
from topics.grants.declaration import DropMask, HashMask, PartialMask, RowFilter, YearMask
from topics.wire import split


def field(name: str, avro_type: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": avro_type, **more}


TEXT = field("a", "string")
NULLABLE = field("a", ["null", "string"], default=None)
CASES = [
    ("added with a default", [TEXT], [TEXT, field("b", "int", default=7)], {"a": "x"}, {"a": "x", "b": 7}),
    (
        "added, null",
        [TEXT],
        [TEXT, field("b", ["null", "int"], default=None)],
        {"a": "x"},
        {"a": "x", "b": None},
    ),
    ("added, bytes", [TEXT], [field("b", "bytes", default="\u00ff")], {"a": "x"}, {"b": b"\xff"}),
    ("added, double", [TEXT], [field("b", "double", default=1)], {"a": "x"}, {"b": 1.0}),
    ("added without a default", [TEXT], [TEXT, field("b", "int")], {"a": "x"}, None),
    ("removed", [TEXT, field("b", "int")], [TEXT], {"a": "x", "b": 1}, {"a": "x"}),
    ("renamed", [field("old", "string")], [field("a", "string", aliases=["old"])], {"old": "x"}, {"a": "x"}),
    (
        "name before alias",
        [TEXT, field("c", "string")],
        [field("a", "string", aliases=["c"])],
        {"a": "x", "c": "y"},
        {"a": "x"},
    ),
    (
        "in another order",
        [TEXT, field("b", "int")],
        [field("b", "int"), TEXT],
        {"a": "x", "b": 1},
        {"b": 1, "a": "x"},
    ),
    ("may be null now", [TEXT], [NULLABLE], {"a": "x"}, {"a": "x"}),
    ("may no longer be null", [NULLABLE], [TEXT], {"a": "x"}, {"a": "x"}),
    ("is null and may not", [NULLABLE], [TEXT], {"a": None}, None),
    ("null on the other side", [NULLABLE], [field("a", ["string", "null"])], {"a": None}, {"a": None}),
    ("text on the other side", [NULLABLE], [field("a", ["string", "null"])], {"a": "x"}, {"a": "x"}),
    ("another type", [TEXT], [field("a", "int")], {"a": "x"}, None),
    ("bytes that are no text", [field("a", "bytes")], [TEXT], {"a": b"\xff"}, None),
]


@pytest.mark.parametrize(
    ("old", "new", "state", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
def test_a_state_is_read_in_the_items_of_the_policy(
    old: list[dict[str, Any]],
    new: list[dict[str, Any]],
    state: dict[str, Any],
    expected: dict[str, Any] | None,
) -> None:
    written, reader = item_schema(old), item_schema(new)
    plan = plan_of(reader, [GrantCase(tuple(each["name"] for each in new))])
    found = assert_alike(plan, envelope_schema(written, ()), [canonical_record(written, (), state)])
    values = [output.value for lane in found.lanes for output in lane]
    if expected is None:
        assert (values, dict(found.grants[0].withheld)) == ([], {"INTERNAL": 1})
    else:
        [grant] = next(iter(plan.resources.values())).grants
        assert [grant.value_codec.decode(split(value or b"")[1]) for value in values] == [expected]


def test_an_item_that_cannot_be_had_harms_only_the_grants_that_show_it() -> None:
    written, reader = item_schema([TEXT]), item_schema([TEXT, field("b", "int")])
    plan = plan_of(reader, [GrantCase(("a",)), GrantCase(("a", "b"))])
    found = assert_alike(plan, envelope_schema(written, ()), [canonical_record(written, (), {"a": "x"})])
    assert [count.delivered for count in found.grants] == [1, 0]


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(width=32),
    "string": st.text(st.characters(exclude_categories=["Cs"])),
    "bytes": st.binary(),
}


@pytest.mark.parametrize(("old", "new"), sorted(PROMOTIONS))
@given(data=st.data())
@examples(40)
def test_promotions_are_those_of_avro_whatever_may_be_null(old: str, new: str, data: st.DataObject) -> None:
    before = data.draw(st.sampled_from([old, ["null", old], [old, "null"]]))
    after = data.draw(st.sampled_from([new, ["null", new], [new, "null"]]))
    value = data.draw(st.none() | VALUES[old] if isinstance(before, list) else VALUES[old])
    written, reader = item_schema([field("a", before)]), item_schema([field("a", after)])
    plan = plan_of(reader, [GrantCase(("a",)), GrantCase(("a",), {"a": DropMask()})])
    found = assert_alike(plan, envelope_schema(written, ()), [canonical_record(written, (), {"a": value})])
    values = [(output.topic, split(output.value or b"")[1]) for lane in found.lanes for output in lane]
    whole, without = (grant.topic for grant in plan.resources[TOPIC].grants)
    assert [each for topic, each in values if topic == whole] == fastavro_would(written, reader, {"a": value})
    # What is dropped is delivered as null, whether it can be converted or not.
    assert [each for topic, each in values if topic == without] == [b"\x00"]


def fastavro_would(written: dict[str, Any], reader: dict[str, Any], datum: dict[str, Any]) -> list[bytes]:
    """The datum resolved and written again by fastavro; nothing where it cannot be."""
    stream = io.BytesIO(encoded(written, datum))
    try:
        resolved = fastavro.schemaless_reader(
            stream, fastavro.parse_schema(written), fastavro.parse_schema(reader)
        )
    except (fastavro.read.SchemaResolutionError, UnicodeDecodeError):
        return []
    return [encoded(reader, resolved)]


MASKED = [
    GrantCase(("a",), {"a": PartialMask(keep_first=1)}),
    GrantCase(("a",), {"a": HashMask()}),
    GrantCase(("d",), {"d": YearMask()}),
    GrantCase(("a", "d"), rows=(RowFilter(item="a", values=("x",)),)),
]


@pytest.mark.parametrize("value", ["x", "王小明", None])
def test_masks_and_row_filters_see_the_policys_items(value: str | None) -> None:
    written = item_schema([field("old", ["string", "null"]), field("d", ["null", "int"])])
    reader = item_schema(
        [field("d", ["int", "null"]), field("a", ["null", "string"], aliases=["old"], default=None)]
    )
    plan = plan_of(reader, MASKED)
    records = [
        canonical_record(written, (), {"old": value, "d": day}, offset=offset)
        for offset, day in enumerate((None, 0, 20_000))
    ]
    found = assert_alike(plan, envelope_schema(written, ()), records)
    assert [count.delivered for count in found.grants] == [3, 3, 3, 3 if value == "x" else 0]


def test_what_a_plan_cannot_say_is_left_to_the_reference_and_said_so() -> None:
    items = item_schema([TEXT, field("tags", {"type": "array", "items": "string"}), field("n", "int")])
    plan = plan_of(
        items, [GrantCase(("a",)), GrantCase(("a", "tags")), GrantCase(("n",), {"n": PartialMask()})]
    )
    writer = envelope_schema(items, ())
    records = [
        canonical_record(items, (), {"a": "x", "tags": ["y"], "n": 1234}, offset=at) for at in range(3)
    ]
    found = assert_alike(plan, writer, records)
    assert [count.delivered for count in found.grants] == [3, 3, 3]
    for wanted in MADE:
        assert decided(wanted, plan, writer, records).by_reference == 3


def test_a_writer_that_is_no_envelope_is_left_to_the_reference() -> None:
    items = item_schema([TEXT])
    plan = plan_of(items, [GrantCase(("a",))])
    writer = envelope_schema(items, ())
    other = {
        **writer,
        "fields": [*writer["fields"][:-1], field("more", "int", default=0), writer["fields"][-1]],
    }
    datum: dict[str, Any] = {
        **dict.fromkeys(["generation", "incarnation", "commit", "ordinal", "source_time", "raw_offset"], 1),
        "operation": "create",
        "raw_topic": "raw",
        "raw_partition": 0,
        "policy_version": 1,
        "marks": [],
        "previous_known": True,
        "previous": None,
        "more": 1,
        "state": {"a": "x"},
    }
    [record] = [canonical_record(items, (), {"a": "x"})]
    value = (record.value or b"")[:5] + encoded(other, datum)
    found = assert_alike(plan, other, [replace(record, value=value)])
    assert found.grants[0].delivered == 1
