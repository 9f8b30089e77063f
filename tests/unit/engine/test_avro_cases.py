"""The schemas that the Avro project tests its own implementations with: each is walked over, or refused.

After ``lang/py/avro/test/test_schema.py``, ``test_io.py`` and the schema for interoperability tests in
github.com/apache/avro, cut down to what differs for whoever walks over the bytes.
"""

import io
from typing import Any

import fastavro
import pytest
from fastavro.utils import generate_many

from tests.unit.engine.test_skip import WALKERS, Walker, program
from topics.engine.schema import PRIMITIVES, NotCompilable, parse

MD5 = {"type": "fixed", "name": "MD5", "size": 16}
NUMBER = [{"name": "f", "type": "long"}]

WALKED: list[Any] = [
    *PRIMITIVES,
    *({"type": name} for name in PRIMITIVES),
    ["int"],
    ["int", {"type": "boolean"}],
    ["string", "null", "long"],
    {"fields": [], "type": "record", "name": "foo"},
    {"fields": [], "type": "record", "name": "foo", "namespace": "x.y"},
    {"fields": [], "type": "record", "name": "a.b.foo", "namespace": "x.y"},
    {"type": "record", "name": "foo", "fields": [{"type": {"type": "boolean"}, "name": "f1"}]},
    {"type": "fixed", "size": 15, "name": "foo"},
    {"type": "fixed", "size": 32, "name": "x.y.z.foo"},
    {"type": "fixed", "name": "NullNamespace", "namespace": None, "size": 1},
    {"type": "fixed", "name": "EmptyStringNamespace", "namespace": "", "size": 1},
    {"type": "enum", "name": "foo", "symbols": ["A1"]},
    {"type": "enum", "name": "record", "symbols": ["A", "B"]},
    {"type": "enum", "name": "ns.int", "symbols": ["A", "B"]},
    {"type": "enum", "namespace": "ns", "name": "int", "symbols": ["A", "B"]},
    {"type": "record", "name": "record", "fields": NUMBER},
    {"type": "error", "name": "Test", "fields": NUMBER},
    {"type": "array", "items": "long"},
    {"type": "array", "items": {"type": "enum", "name": "Test", "symbols": ["A", "B"]}},
    {"type": "map", "values": {"type": "enum", "name": "Test", "symbols": ["A", "B"]}},
    {"type": "array", "items": {"type": "map", "values": ["null", "bytes"]}},
    {
        # A name used again in the union behind its definition.
        "type": "record",
        "name": "Test",
        "namespace": "org.apache.avro.test",
        "fields": [
            {"name": "named", "type": {"type": "enum", "name": "NamedEnum", "symbols": ["one", "two"]}},
            {"name": "again", "type": ["null", "NamedEnum"]},
        ],
    },
    {
        # A name used again as a plain type, in the namespace around it.
        "type": "record",
        "name": "HandshakeRequest",
        "namespace": "org.apache.avro.ipc",
        "fields": [
            {"name": "clientHash", "type": MD5},
            {"name": "clientProtocol", "type": ["null", "string"]},
            {"name": "serverHash", "type": "MD5"},
            {"name": "meta", "type": ["null", {"type": "map", "values": "bytes"}]},
        ],
    },
    {
        "type": "record",
        "name": "ipAddr",
        "fields": [
            {
                "name": "addr",
                "type": [
                    {"name": "IPv6", "type": "fixed", "size": 16},
                    {"name": "IPv4", "type": "fixed", "size": 4},
                ],
            }
        ],
    },
    {
        "type": "record",
        "name": "Interop",
        "fields": [
            {"name": "ints", "type": "int"},
            {"name": "nulls", "type": "null"},
            {"name": "doubles", "type": {"type": "array", "items": "double"}},
            {
                "name": "maps",
                "type": {
                    "type": "map",
                    "values": {
                        "name": "Foo",
                        "type": "record",
                        "fields": [{"name": "label", "type": "string"}],
                    },
                },
            },
            {"name": "unions", "type": ["boolean", "double", {"type": "array", "items": "bytes"}]},
            {"name": "kinds", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B", "C"]}},
            {"name": "fixeds", "type": MD5},
        ],
    },
    {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2},
    {"type": "fixed", "logicalType": "decimal", "name": "D", "precision": 4, "size": 10, "scale": 2},
    {"type": "string", "logicalType": "unknown-logical-type"},
    {"type": "map", "values": "long", "cp_boolean": True},
]

REFUSED: list[Any] = [
    "True",
    {"no_type": "test"},
    {"type": "panther"},
    {"type": "fixed", "name": "Missing"},
    {"type": "fixed", "name": "Negative", "size": -2},
    {"type": "record", "name": "Event", "fields": [{"name": "Sponsor"}]},
    {"type": "record", "name": "Address", "fields": [{"type": "string"}]},
    {"type": "record", "name": "Rainer", "fields": "no list"},
    # Recursive: Avro's own are sound, and a few bytes of theirs can be very deep.
    {"type": "record", "name": "L", "fields": [{"name": "next", "type": ["null", "L"]}]},
    {
        "type": "record",
        "name": "N",
        "fields": [{"name": "children", "type": {"type": "array", "items": "N"}}],
    },
    {"type": "record", "name": "ns.int", "fields": [{"name": "next", "type": ["null", "ns.int"]}]},
]

NUMBERS = [
    (0, "00"),
    (-1, "01"),
    (1, "02"),
    (-2, "03"),
    (2, "04"),
    (-64, "7f"),
    (64, "8001"),
    (8192, "808001"),
    (-8193, "818001"),
]


@pytest.mark.parametrize("walker", WALKERS)
@pytest.mark.parametrize("schema", WALKED, ids=str)
def test_data_of_avros_own_schemas_are_walked_to_their_end(walker: Walker, schema: Any) -> None:
    parsed = fastavro.parse_schema(schema)
    for datum in generate_many(_without_logical_types(schema), 20):
        stream = io.BytesIO()
        fastavro.schemaless_writer(stream, _without_logical_types(parsed), datum)
        assert walker(*program(schema), stream.getvalue()) is None


@pytest.mark.parametrize("schema", REFUSED, ids=str)
def test_what_is_no_schema_or_recursive_is_not_compiled(schema: Any) -> None:
    with pytest.raises(NotCompilable):
        parse(schema)


@pytest.mark.parametrize("walker", WALKERS)
@pytest.mark.parametrize(("number", "form"), NUMBERS)
def test_numbers_have_the_form_of_the_specification(walker: Walker, number: int, form: str) -> None:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema("long"), number)
    assert stream.getvalue() == bytes.fromhex(form)
    assert walker(*program("long"), bytes.fromhex(form)) is None


def _without_logical_types(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {name: value for name, value in schema.items() if name != "logicalType"}
    return schema
