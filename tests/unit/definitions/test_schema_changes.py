"""What differs between two Avro schemas is found part by part, named as its readers know it, and no more."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.policy import sample_definitions
from topics.canonical import envelope_schema
from topics.event import ResourceId
from topics.schema_changes import Change, What, schema_changes

PERSON = ResourceId("population.person.v1")
DATE = {"type": "int", "logicalType": "date"}


def record(*fields: dict[str, Any], name: str = "R", **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": list(fields), **more}


def field(name: str, type_: Any = "string", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, **more}


def money(scale: int) -> dict[str, Any]:
    return {"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": scale}


ENUM = {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}
FIXED = {"type": "fixed", "name": "Hash", "size": 16}


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (record(), record(field("a")), [Change("a", What.ADDED, now="string")]),
        (
            record(),
            record(field("a", ["null", DATE], default=None)),
            [Change("a", What.ADDED, now="null | int (date)")],
        ),
        (record(field("a", "int")), record(), [Change("a", What.REMOVED, was="int")]),
        (
            record(field("a")),
            record(field("b", aliases=["a"])),
            [Change("b", What.RENAMED, "a", "b")],
        ),
        (
            record(field("a")),
            record(field("b")),
            [Change("b", What.ADDED, now="string"), Change("a", What.REMOVED, was="string")],
        ),
        (record(field("a")), record(field("a", aliases=["b"])), []),
        (
            record(field("a"), field("b")),
            record(field("b", aliases=["a"])),
            [Change("a", What.REMOVED, was="string")],
        ),
        (
            record(field("a", "int")),
            record(field("b", "long", aliases=["a"])),
            [Change("b", What.RENAMED, "a", "b"), Change("b", What.PROMOTED, "int", "long")],
        ),
        (record(field("a", "long")), record(field("a", "int")), [Change("a", What.TYPE, "long", "int")]),
        (
            record(field("a", DATE)),
            record(field("a", "long")),
            [Change("a", What.TYPE, "int (date)", "long")],
        ),
        (record(field("a", DATE)), record(field("a", "int")), [Change("a", What.LOGICAL, "date", "")]),
        (
            record(field("a", money(2))),
            record(field("a", money(3))),
            [Change("a", What.LOGICAL, "decimal 10,2", "decimal 10,3")],
        ),
        (
            record(field("a")),
            record(field("a", ["null", "string"], default=None)),
            [
                Change("a", What.NULLABLE, "string", "null | string"),
                Change("a", What.DEFAULT, "", "null"),
            ],
        ),
        (
            record(field("a", ["null", "int"])),
            record(field("a", "long")),
            [Change("a", What.NULLABLE, "null | int", "long"), Change("a", What.PROMOTED, "int", "long")],
        ),
        (record(field("a", ["null", "int"])), record(field("a", ["int", "null"])), []),
        (
            record(field("a", ["int", "string"])),
            record(field("a", ["string", "long"])),
            [Change("a<long>", What.ADDED, now="long"), Change("a<int>", What.REMOVED, was="int")],
        ),
        (
            record(field("a", ["null", "string", record(field("x"), name="S")])),
            record(field("a", ["null", record(field("x", "int"), name="S"), "string"])),
            [Change("a<S>.x", What.TYPE, "string", "int")],
        ),
        (
            record(field("a", default="x")),
            record(field("a", default="y")),
            [Change("a", What.DEFAULT, '"x"', '"y"')],
        ),
        (record(field("a", default="x")), record(field("a")), [Change("a", What.DEFAULT, '"x"', "")]),
        (
            record(field("a", "int", default=1)),
            record(field("a", "int", default=True)),
            [Change("a", What.DEFAULT, "1", "true")],
        ),
        (
            record(field("a", doc="住址")),
            record(field("a", doc="地址")),
            [Change("a", What.DOC, "住址", "地址")],
        ),
        (record(doc="one"), record(doc="two"), [Change("", What.DOC, "one", "two")]),
        (record(name="A"), record(name="A", namespace="n"), [Change("", What.NAME, "A", "n.A")]),
        (
            record(field("a", record(field("b", record(field("c"), name="T")), name="S"))),
            record(field("a", record(field("b", record(field("d"), name="T")), name="S"))),
            [Change("a.b.d", What.ADDED, now="string"), Change("a.b.c", What.REMOVED, was="string")],
        ),
        (
            record(field("a", {"type": "array", "items": record(field("b"), name="S")})),
            record(field("a", {"type": "array", "items": record(field("b", "bytes"), name="S")})),
            [Change("a[].b", What.PROMOTED, "string", "bytes")],
        ),
        (
            record(field("a", {"type": "map", "values": "float"})),
            record(field("a", {"type": "map", "values": ["null", "double"]})),
            [
                Change("a{}", What.NULLABLE, "float", "null | double"),
                Change("a{}", What.PROMOTED, "float", "double"),
            ],
        ),
        (
            record(field("a", {"type": "array", "items": "int"})),
            record(field("a", {"type": "map", "values": "int"})),
            [Change("a", What.TYPE, "array<int>", "map<int>")],
        ),
        (
            record(field("a", ENUM)),
            record(field("a", {**ENUM, "symbols": ["A", "C"]})),
            [Change("a", What.SYMBOLS, "A B", "A C")],
        ),
        (
            record(field("a", FIXED)),
            record(field("a", {**FIXED, "size": 32})),
            [Change("a", What.TYPE, "fixed Hash[16]", "fixed Hash[32]")],
        ),
        (record(field("a"), field("b")), record(field("b"), field("a")), []),
        ("int", "long", [Change("", What.PROMOTED, "int", "long")]),
    ],
)
def test_each_difference_is_named_by_its_place_and_by_what_it_is(
    old: Any, new: Any, found: list[Change]
) -> None:
    assert list(schema_changes(old, new)) == found


def test_a_name_stands_for_its_declaration_however_it_is_written() -> None:
    spelled = record(field("a", record(field("x"), name="S")), field("b", "S"), name="R", namespace="govbus")
    other = record(
        field("a", {"type": "record", "name": "govbus.S", "fields": [field("x", {"type": "string"})]}),
        field("b", ["govbus.S"]),
        name="govbus.R",
    )
    assert schema_changes(spelled, other) == ()


def test_a_type_that_is_used_twice_is_compared_once() -> None:
    def twice(inner: str) -> dict[str, Any]:
        return record(field("a", record(field("x", inner), name="S")), field("b", "S"))

    assert schema_changes(twice("int"), twice("long")) == (Change("a.x", What.PROMOTED, "int", "long"),)


def test_a_type_that_contains_itself_has_an_end() -> None:
    def chain(*more: dict[str, Any]) -> dict[str, Any]:
        return record(field("next", ["null", "R"]), *more)

    assert schema_changes(chain(), chain(field("a"))) == (Change("a", What.ADDED, now="string"),)


def test_of_a_canonical_record_the_items_are_below_its_state() -> None:
    items = copy.deepcopy(sample_definitions().item_schemas[PERSON])
    items["fields"].append(field("phone", ["null", "string"], default=None))
    old = envelope_schema(sample_definitions().item_schemas[PERSON], ())
    assert schema_changes(old, envelope_schema(items, ("phone",))) == (
        Change("previous.phone", What.ADDED, now="null | string"),
        Change("state.phone", What.ADDED, now="null | string"),
    )


NAMES = st.sampled_from("abcdefgh")
PLAIN = st.sampled_from(["boolean", "int", "long", "float", "double", "bytes", "string"])


@st.composite
def schemas(draw: st.DrawFn) -> dict[str, Any]:
    """A record of plain, nested, repeated and optional fields, each named type declared once."""
    declared = iter(range(1000))

    def part(depth: int) -> Any:
        kinds = ["plain", "date", "null"] if depth == 0 else ["plain", "array", "map", "record", "null"]
        match draw(st.sampled_from(kinds)):
            case "date":
                return DATE
            case "array":
                return {"type": "array", "items": part(depth - 1)}
            case "map":
                return {"type": "map", "values": part(depth - 1)}
            case "record":
                return made(depth - 1)
            case "null":
                return ["null", draw(PLAIN)]
        return draw(PLAIN)

    def made(depth: int) -> dict[str, Any]:
        name = f"T{next(declared)}"
        names = draw(st.lists(NAMES, unique=True, max_size=4))
        return record(*(field(each, part(depth), doc=draw(NAMES)) for each in names), name=name)

    return made(2)


@given(schema=schemas())
def test_a_schema_does_not_differ_from_itself(schema: dict[str, Any]) -> None:
    assert schema_changes(schema, copy.deepcopy(schema)) == ()


@given(old=schemas(), new=schemas())
def test_what_one_way_adds_the_other_way_removes(old: dict[str, Any], new: dict[str, Any]) -> None:
    there, back = schema_changes(old, new), schema_changes(new, old)
    turned = {What.ADDED: What.REMOVED, What.REMOVED: What.ADDED}
    same = {What.TYPE, What.PROMOTED}

    def seen(changes: tuple[Change, ...]) -> list[tuple[str, str, str, str]]:
        return sorted(
            (each.path, "type" if each.what in same else each.what, each.was, each.now) for each in changes
        )

    mirrored = tuple(Change(each.path, turned.get(each.what, each.what), each.now, each.was) for each in back)
    assert seen(there) == seen(mirrored)


@given(schema=schemas(), data=st.data())
def test_one_edit_is_found_as_what_it_is_and_nothing_else_is(
    schema: dict[str, Any], data: st.DataObject
) -> None:
    new = copy.deepcopy(schema)
    new["fields"].insert(data.draw(st.integers(0, len(new["fields"]))), field("new", "int"))
    expected = [Change("new", What.ADDED, now="int")]
    if schema["fields"]:
        index = data.draw(st.integers(0, len(schema["fields"]) - 1))
        name = schema["fields"][index]["name"]
        edited = next(each for each in new["fields"] if each["name"] == name)
        edited.update(name="moved", aliases=[name])
        expected.append(Change("moved", What.RENAMED, name, "moved"))
    assert set(schema_changes(schema, new)) == set(expected)
    assert len(schema_changes(schema, new)) == len(expected)
