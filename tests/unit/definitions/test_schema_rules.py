"""Dangerous and unsuitable Avro schemas are refused with a reason."""

from typing import Any

import pytest

from topics.engine.reference import usable_codec
from topics.schema_rules import MAX_HOLLOW, ItemForm, item_form, item_forms, item_problems, unsafe_parts


def record(*types: Any, name: str = "R") -> dict[str, Any]:
    fields = [{"name": f"f{index}", "type": each} for index, each in enumerate(types)]
    return {"type": "record", "name": name, "namespace": "n", "fields": fields}


def array(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


EMPTY = record(name="Empty")
NOTHING = {"type": "fixed", "name": "Nothing", "size": 0}


@pytest.mark.parametrize(
    "items",
    [
        "null",
        {"type": "null"},
        {"type": {"type": "null"}},
        EMPTY,
        NOTHING,
        record("null", "null", name="Nulls"),
        record(EMPTY, NOTHING, name="Nested"),
    ],
)
@pytest.mark.parametrize("collection", ["array", "map"])
def test_collections_of_items_without_width_are_refused(items: Any, collection: str) -> None:
    part = "items" if collection == "array" else "values"
    problems = unsafe_parts(record({"type": collection, part: items}))
    assert [problem.path for problem in problems] == [("fields", "f0", part)]
    assert "take no bytes" in problems[0].problem


@pytest.mark.parametrize(
    "reference",
    [
        "Empty",
        "n.Empty",
        {"type": "Empty"},
    ],
)
def test_a_collection_of_a_named_type_without_width_is_refused(reference: Any) -> None:
    assert len(unsafe_parts(record(EMPTY, array(reference)))) == 1


@pytest.mark.parametrize(
    "items",
    [
        "boolean",
        "string",
        "bytes",
        ["null", "string"],
        ["null"],
        array("string"),
        {"type": "fixed", "name": "F", "size": 1},
        {"type": "enum", "name": "E", "symbols": ["A"]},
        record("null", "int", name="Some"),
        record(array("int"), name="Counted"),
    ],
)
def test_collections_of_items_that_take_a_byte_are_allowed(items: Any) -> None:
    assert unsafe_parts(record(array(items))) == []


@pytest.mark.parametrize(
    "inner",
    ["R", "n.R", ["null", "R"], array("R"), {"type": "map", "values": "R"}, record("n.R", name="Inner")],
)
def test_recursive_schemas_are_refused(inner: Any) -> None:
    problems = unsafe_parts(record("string", inner))
    assert any("recursive" in problem.problem for problem in problems)


def test_the_same_type_twice_side_by_side_is_no_recursion() -> None:
    assert unsafe_parts(record(record("int", name="P"), "P", ["null", "P"])) == []


def test_a_name_that_is_never_declared_is_refused() -> None:
    assert "not declared" in unsafe_parts(record("Unknown"))[0].problem


def test_a_type_declared_twice_is_refused() -> None:
    assert "twice" in unsafe_parts(record(record("int", name="P"), record("int", name="P")))[0].problem


def test_very_deep_schemas_are_refused_rather_than_followed() -> None:
    deep: Any = "string"
    for _ in range(400):
        deep = array(deep)
    assert "deep" in unsafe_parts(record(deep))[0].problem


@pytest.mark.parametrize("odd", [None, 7, {"type": 7}, {}, record(None)])
def test_what_is_no_schema_is_refused(odd: Any) -> None:
    assert unsafe_parts(odd)


@pytest.mark.parametrize(
    ("avro_type", "form"),
    [
        ("string", ItemForm("string", None, nullable=False)),
        (["null", "long"], ItemForm("long", None, nullable=True)),
        (["null", {"type": "int", "logicalType": "date"}], ItemForm("int", "date", nullable=True)),
        ("null", None),
        (["null"], None),
        (["null", "int", "string"], None),
        (["int", "string"], None),
        (array("string"), None),
        (EMPTY, None),
    ],
)
def test_items_have_one_plain_type(avro_type: Any, form: ItemForm | None) -> None:
    assert item_form(avro_type) == form


@pytest.mark.parametrize(
    ("entry", "fits"),
    [
        ({"name": "a", "type": ["null", "string"], "default": None}, True),
        ({"name": "a", "type": "string"}, True),
        ({"name": "a", "type": ["null", "string"]}, False),
        ({"name": "a", "type": ["string", "null"], "default": None}, False),
        ({"name": "a", "type": ["null", "string"], "default": "x"}, False),
        ({"name": "a", "type": array("string")}, False),
    ],
)
def test_null_is_the_default_of_what_may_be_null(entry: dict[str, Any], fits: bool) -> None:
    assert (item_problems({"type": "record", "name": "R", "fields": [entry]}) == []) is fits


def test_a_resource_schema_is_a_record_with_fields() -> None:
    assert item_problems("string")
    assert item_problems(EMPTY)
    assert set(item_forms(record("string", array("int")))) == {"f0"}


def doubling(levels: int, *leaf: Any) -> list[Any]:
    """Records of which each holds the one before it twice, by its name."""
    found: list[Any] = [record(*leaf, name="R0")]
    found += [record(f"R{level - 1}", f"R{level - 1}", name=f"R{level}") for level in range(1, levels + 1)]
    return found


@pytest.mark.parametrize("leaf", [("int",), ()], ids=["of a number", "of nothing"])
def test_a_few_names_may_not_stand_for_a_hundred_thousand_types(leaf: tuple[str, ...]) -> None:
    assert unsafe_parts(record(*doubling(11, *leaf))) == []
    [problem] = unsafe_parts(record(*doubling(30, *leaf)))
    assert "types" in problem.problem
    assert usable_codec(record(*doubling(30, *leaf))) is None


def test_a_table_of_as_many_columns_as_there_may_be_is_no_bomb() -> None:
    row = record(*[["null", "string"]] * 1_600, name="Row")
    assert unsafe_parts(record(["null", row], ["null", "Row"])) == []


@pytest.mark.parametrize("nothing", ["null", EMPTY], ids=["null", "an empty record"])
def test_an_item_of_a_collection_may_not_be_full_of_parts_without_bytes(nothing: Any) -> None:
    kinds = [nothing, *["null" if nothing == "null" else EMPTY["name"]] * MAX_HOLLOW]
    assert unsafe_parts(record(array(record("int", *kinds[:-1], name="Item")))) == []
    [problem] = unsafe_parts(record(array(record("int", *kinds, name="Item"))))
    assert "take no bytes" in problem.problem
    assert unsafe_parts(record(array(record("int", *[["null", "int"]] * 100, name="Item")))) == []
