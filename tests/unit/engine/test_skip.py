"""Walking over Avro bytes: sound data to their end, unsound ones refused, alike by both walkers."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from topics.engine import native, skip
from topics.engine.schema import parse

SCHEMA = {
    "type": "record",
    "name": "Row",
    "fields": [
        {"name": "flag", "type": "boolean"},
        {"name": "small", "type": "int"},
        {"name": "large", "type": "long"},
        {"name": "ratio", "type": ["null", "double"]},
        {"name": "text", "type": ["null", "string"]},
        {"name": "raw", "type": "bytes"},
        {"name": "mark", "type": {"type": "enum", "name": "Mark", "symbols": ["A", "B"]}},
        {"name": "hash", "type": {"type": "fixed", "name": "Hash", "size": 3}},
        {"name": "tags", "type": {"type": "array", "items": "string"}},
        {"name": "sizes", "type": {"type": "map", "values": "int"}},
    ],
}

Walker = Callable[[Sequence[int], int, bytes], tuple[int, int] | None]
WALKERS = [pytest.param(skip.fault_of, id="pure")]
if native.compiled():
    WALKERS.append(pytest.param(native.module("topics.engine.native_walk").fault_of, id="native"))

ROWS = st.fixed_dictionaries(
    {
        "flag": st.booleans(),
        "small": st.integers(-(2**31), 2**31 - 1),
        "large": st.integers(-(2**63), 2**63 - 1),
        "ratio": st.none() | st.floats(),
        "text": st.none() | st.text(st.characters(exclude_categories=["Cs"])),
        "raw": st.binary(),
        "mark": st.sampled_from("AB"),
        "hash": st.binary(min_size=3, max_size=3),
        "tags": st.lists(st.text("abc汉", max_size=5), max_size=4),
        "sizes": st.dictionaries(st.text("ab", max_size=2), st.integers(-5, 5), max_size=3),
    }
)


def program(schema: object) -> tuple[list[int], int]:
    programs = skip.Programs()
    start = programs.add(parse(schema))
    return [int(number) for number in programs.numbers], start


def encoded(row: object, schema: Any = SCHEMA) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), row)
    return stream.getvalue()


@pytest.mark.parametrize("walker", WALKERS)
@given(row=ROWS)
def test_sound_data_are_walked_to_their_end(walker: Walker, row: object) -> None:
    assert walker(*program(SCHEMA), encoded(row)) is None


@pytest.mark.skipif(not native.compiled(), reason="no compiled walker here")
@given(row=ROWS, at=st.integers(0, 10_000), byte=st.integers(0, 255), cut=st.integers(0, 200))
def test_both_walkers_refuse_the_same_bytes_at_the_same_place(
    row: object, at: int, byte: int, cut: int
) -> None:
    data = bytearray(encoded(row))
    data[at % len(data)] = byte
    corrupted = bytes(data[: len(data) - cut % len(data)])
    compiled = native.module("topics.engine.native_walk").fault_of
    assert compiled(*program(SCHEMA), corrupted) == skip.fault_of(*program(SCHEMA), corrupted)


@pytest.mark.parametrize("walker", WALKERS)
@pytest.mark.parametrize(
    ("schema", "data", "fault", "at"),
    [
        ("long", b"\x80" * 9 + b"\x01", None, 0),
        ("long", b"\x80" * 9 + b"\x02", skip.Fault.LONG_NUMBER, 0),
        ("long", b"\x80", skip.Fault.TRUNCATED, 0),
        ("int", b"\xfe\xff\xff\xff\x0f", None, 0),
        ("int", b"\x80\x80\x80\x80\x10", skip.Fault.OUT_OF_RANGE, 0),
        ("boolean", b"\x02", skip.Fault.NOT_BOOLEAN, 0),
        ("string", b"\x01", skip.Fault.NEGATIVE_LENGTH, 0),
        ("string", b"\x04a", skip.Fault.TRUNCATED, 0),
        ("string", b"\x04\xc0\x80", skip.Fault.NOT_UTF8, 0),
        ("string", b"\x06\xed\xa0\x80", skip.Fault.NOT_UTF8, 0),
        ("string", b"\x08\xf4\x8f\xbf\xbf", None, 0),
        ("string", b"\x08\xf4\x90\x80\x80", skip.Fault.NOT_UTF8, 0),
        ("string", b"\x02ab", skip.Fault.TRAILING, 2),
        (["null", "int"], b"\x04", skip.Fault.WRONG_BRANCH, 0),
        ({"type": "array", "items": "int"}, b"\xfe\xff\xff\xff\x0f\x02\x00", skip.Fault.TOO_MANY_ITEMS, 0),
        ({"type": "array", "items": "int"}, b"\x01\x02\x04\x00", None, 0),
        ({"type": "array", "items": "int"}, b"\x01\x01\x04\x00", skip.Fault.NEGATIVE_LENGTH, 0),
    ],
)
def test_each_fault_is_named_with_its_place(
    walker: Walker, schema: object, data: bytes, fault: skip.Fault | None, at: int
) -> None:
    expected = None if fault is None else (fault, at)
    assert walker(*program(schema), data) == expected
