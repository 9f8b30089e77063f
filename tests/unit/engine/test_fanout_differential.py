"""All engines make the same of any grants and records, sound or corrupted: outputs, counts, digests."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from services.fanout.plan import FanoutPlan
from tests.support.examples import examples
from tests.support.fanout_cases import (
    NOON,
    PARTITION,
    GrantCase,
    assert_alike,
    canonical_record,
    item_schema,
    plan_of,
)
from topics.canonical import envelope_schema
from topics.event import KafkaRecord
from topics.grants.declaration import (
    DistrictMask,
    DropMask,
    GrantState,
    HashMask,
    Mask,
    PartialMask,
    RowFilter,
    YearMask,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCOPE_TEXT = st.sampled_from(["", "320508", "姑苏", "x"])
DATE = {"type": "int", "logicalType": "date"}
MILLIS = {"type": "long", "logicalType": "timestamp-millis"}
MICROS = {"type": "long", "logicalType": "timestamp-micros"}
DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 8, "scale": 2}
INNER = {
    "type": "record",
    "name": "Inner",
    "fields": [{"name": "x", "type": "string"}, {"name": "y", "type": ["null", "int"]}],
}
LONGS = st.integers(-(2**63), 2**63 - 1)
INTS = st.integers(-(2**31), 2**31 - 1)
KINDS: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "string": ("string", TEXT),
    "bytes": ("bytes", st.binary(max_size=12)),
    "boolean": ("boolean", st.booleans()),
    "int": ("int", INTS),
    "long": ("long", LONGS),
    "float": ("float", st.floats(width=32)),
    "double": ("double", st.floats()),
    "date": (DATE, st.integers(-800_000, 3_000_000)),
    "millis": (MILLIS, LONGS),
    "enum": ({"type": "enum", "name": "Kind", "symbols": ["A", "B"]}, st.sampled_from("AB")),
    "fixed": ({"type": "fixed", "name": "Four", "size": 4}, st.binary(min_size=4, max_size=4)),
    "micros": (MICROS, LONGS),
    "decimal": (DECIMAL, st.binary(max_size=6)),
    "uuid": ({"type": "string", "logicalType": "uuid"}, TEXT),
    "array": ({"type": "array", "items": "string"}, st.lists(TEXT, max_size=3)),
    "map": ({"type": "map", "values": "long"}, st.dictionaries(TEXT, LONGS, max_size=3)),
    "record": (INNER, st.fixed_dictionaries({"x": TEXT, "y": st.none() | INTS})),
}
NAMED = {"enum", "fixed", "record"}
NESTED = {"array", "map", "record"}
MASKS: dict[str, st.SearchStrategy[Mask]] = {
    "text": st.one_of(
        st.builds(PartialMask, keep_first=st.integers(0, 8), keep_last=st.integers(0, 8)),
        st.builds(HashMask),
        st.builds(DistrictMask),
        st.builds(YearMask),
        st.builds(DropMask),
    ),
    "date": st.one_of(st.builds(YearMask), st.builds(DropMask)),
    "other": st.builds(DropMask),
}
SCOPE = ("scope", "district")


@st.composite
def item_fields(
    draw: st.DrawFn,
) -> tuple[list[dict[str, Any]], dict[str, st.SearchStrategy[Any]], dict[str, str]]:
    """Fields of an item schema, how their values are made, and of which kind they are."""
    fields, values, kinds = [], {}, {}
    names = [*SCOPE, *(f"item{number}" for number in range(draw(st.integers(0, 6))))]
    used: set[str] = set()
    for name in draw(st.permutations(names)):
        kind = "string" if name in SCOPE else draw(st.sampled_from(sorted(KINDS.keys() - used)))
        used |= {kind} & NAMED
        avro_type, value = KINDS[kind]
        if name in SCOPE:
            value = SCOPE_TEXT
        form = draw(st.sampled_from(["plain", "null first", "null last"]))
        if form == "null first":
            avro_type, value = ["null", avro_type], st.none() | value
        elif form == "null last":
            avro_type, value = [avro_type, "null"], st.none() | value
        fields.append({"name": name, "type": avro_type})
        values[name], kinds[name] = value, kind
    return fields, values, kinds


@st.composite
def grants(draw: st.DrawFn, kinds: dict[str, str]) -> list[GrantCase]:
    return [draw(grant(kinds)) for _ in range(draw(st.integers(1, 4)))]


@st.composite
def grant(draw: st.DrawFn, kinds: dict[str, str]) -> GrantCase:
    items = draw(st.lists(st.sampled_from(sorted(kinds)), min_size=1, unique=True))
    masks = {}
    for name in items:
        if draw(st.booleans()):
            group = {"string": "text", "date": "date"}.get(kinds[name], "other")
            masks[name] = draw(MASKS[group])
    values = st.lists(st.sampled_from(["", "320508", "姑苏", "x", "\ud800"]), min_size=1, unique=True)
    rows = [
        RowFilter.model_construct(item=name, values=tuple(draw(values)))
        for name in SCOPE
        if draw(st.booleans())
    ]
    return GrantCase(
        items=tuple(items),
        masks=masks,
        rows=tuple(rows),
        state=draw(st.sampled_from([GrantState.ACTIVE, GrantState.ACTIVE, GrantState.ACTIVE, *GrantState])),
        valid_from_ms=draw(st.sampled_from([0, 0, NOON, NOON + 1])),
        valid_until_ms=draw(st.sampled_from([2**62, 2**62, NOON, NOON + 1])),
        starts_at=draw(st.sampled_from([{}, {PARTITION: 1}, {PARTITION + 1: 5}])),
        canonical_key=draw(st.booleans()),
    )


@st.composite
def case(draw: st.DrawFn) -> tuple[FanoutPlan, dict[str, Any], list[KafkaRecord]]:
    """A plan, its writer's schema, and records that are sound."""
    fields, values, kinds = draw(item_fields())
    schema = item_schema(fields)
    in_scope = draw(st.sampled_from([SCOPE, SCOPE[:1], SCOPE[1:]]))
    records = [draw(canonical(schema, in_scope, values, offset)) for offset in range(draw(st.integers(1, 4)))]
    return plan_of(schema, draw(grants(kinds))), envelope_schema(schema, in_scope), records


@st.composite
def canonical(
    draw: st.DrawFn, schema: dict[str, Any], scope: tuple[str, ...], values: dict[str, Any], offset: int
) -> KafkaRecord:
    operation = draw(st.sampled_from(["create", "update", "update", "delete", "read"]))
    state = {name: draw(value) for name, value in values.items()}
    previous = {name: draw(st.none() | SCOPE_TEXT) for name in scope}
    record = canonical_record(
        schema,
        scope,
        None if draw(st.integers(0, 9)) == 0 else state,
        offset=offset,
        timestamp_ms=draw(st.sampled_from([NOON, NOON, NOON - 1, NOON + 1])),
        identity=draw(TEXT),
        operation=operation,
        previous=draw(st.sampled_from([None, previous])),
        previous_known=draw(st.booleans()),
        marks=draw(
            st.lists(st.sampled_from(["length", "range", "汉", "a,b", "", "a b", "\x1cx"]), max_size=2)
        )
        if draw(st.integers(0, 3)) == 0
        else [],
        source_time=draw(st.sampled_from([NOON, 0, -1, -62_135_596_800_000, 253_402_300_799_999]) | LONGS),
        raw_topic=draw(st.sampled_from(["raw.police.public.person", "raw.汉", ""])),
        raw_partition=draw(INTS),
        raw_offset=draw(LONGS),
        generation=draw(LONGS),
        commit=draw(LONGS),
    )
    return replace(record, value=None) if draw(st.integers(0, 9)) == 0 else record


def corrupted(data: bytes, how: str, at: int, byte: int) -> bytes:
    """One byte changed, the end cut off, or a number made longer than it need be."""
    place = at % len(data)
    head, tail = data[:place], data[place + 1 :]
    match how:
        case "change":
            return head + bytes([byte]) + tail
        case "cut":
            return head
        case _:
            return head + bytes([data[place] | 0x80, 0]) + tail


RELAXED = examples(120, suppress_health_check=[HealthCheck.too_slow])


@given(made=case())
@RELAXED
def test_sound_records_lead_to_the_same_outputs(
    made: tuple[FanoutPlan, dict[str, Any], list[KafkaRecord]],
) -> None:
    plan, writer, records = made
    assert_alike(plan, writer, records)


HOW = ["change", "cut", "lengthen"]


@given(
    made=case(),
    how=st.sampled_from(HOW),
    at=st.integers(0, 500),
    byte=st.integers(0, 255),
    in_key=st.booleans(),
)
@RELAXED
def test_corrupted_records_lead_to_the_same_outputs(
    made: tuple[FanoutPlan, dict[str, Any], list[KafkaRecord]], how: str, at: int, byte: int, in_key: bool
) -> None:
    plan, writer, records = made
    first = records[0]
    if in_key:
        first = replace(first, key=corrupted(first.key or b"", how, at, byte))
    elif first.value is not None:
        first = replace(first, value=corrupted(first.value, how, at, byte))
    assert_alike(plan, writer, [first, *records[1:]])


EVERY_KIND = item_schema(
    [{"name": name, "type": ["null", avro_type]} for name, (avro_type, _) in KINDS.items()]
)
ONE_OF_EACH = {
    "string": "王x",
    "bytes": b"\x01\x02",
    "boolean": True,
    "int": -70,
    "long": 2**40,
    "float": 1.5,
    "double": -2.5,
    "date": 7000,
    "millis": 0,
    "enum": "B",
    "fixed": b"abcd",
    "micros": 1,
    "decimal": b"\x01\x00",
    "uuid": "6f1c2a9e-0000-4000-8000-000000000001",
    "array": ["x", "y"],
    "map": {"k": -1},
    "record": {"x": "王", "y": None},
}


@pytest.mark.parametrize("how", HOW)
def test_a_record_corrupted_at_any_place_leads_to_the_same_outputs(how: str) -> None:
    """Every byte of value and key, in turn."""
    plain = tuple(name for name in KINDS if name not in NESTED)
    plan = plan_of(
        EVERY_KIND, [GrantCase(plain), GrantCase(("string",), {"string": PartialMask(keep_last=1)})]
    )
    sound = canonical_record(EVERY_KIND, ("string",), ONE_OF_EACH, previous={"string": "y"}, marks=["m"])
    value, key = sound.value or b"", sound.key or b""
    records = [replace(sound, key=corrupted(key, how, at, 0xFF)) for at in range(len(key))]
    for byte in (0x00, 0x01, 0x02, 0x7F, 0x80, 0xC3, 0xFF):
        records += [replace(sound, value=corrupted(value, how, at, byte)) for at in range(len(value))]
    assert_alike(plan, envelope_schema(EVERY_KIND, ("string",)), records)


@given(made=case(), repeated=st.booleans())
@RELAXED
def test_an_epoch_leads_to_the_same_outputs_and_remembers_the_same_keys(
    made: tuple[FanoutPlan, dict[str, Any], list[KafkaRecord]], repeated: bool
) -> None:
    plan, writer, records = made
    [(topic, resource)] = plan.resources.items()
    alone = replace(plan, resources={topic: replace(resource, grants=resource.grants[:1])})
    again = [replace(record, offset=record.offset + 10) for record in records] if repeated else []
    found = assert_alike(alone, writer, [*records, *again], frozenset())
    keys = [output.key for lane in found.lanes for output in lane if output.key]
    assert_alike(alone, writer, records, frozenset(keys))
