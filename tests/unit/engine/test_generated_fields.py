"""The generated fan-out reads ordinary records quickly; at the limits of that it decides as the others do."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from services.fanout.engine import LineReference
from services.fanout.plan import spec_of
from tests.support.fanout_cases import (
    PARTITION,
    TOPIC,
    WRITER,
    GrantCase,
    assert_alike,
    canonical_record,
    item_schema,
    plan_of,
)
from topics.canonical import envelope_schema
from topics.engine.fanout_plan import Walk
from topics.engine.generated_fanout import GeneratedFanout
from topics.engine.generated_fields import Kind, segments
from topics.engine.records import PartitionRecords
from topics.engine.reference import ReferenceCodec
from topics.engine.schema import parse
from topics.engine.skip import Code
from topics.event import KafkaRecord
from topics.grants.declaration import DistrictMask, PartialMask, RowFilter

ITEMS = item_schema(
    [
        {"name": "id", "type": "long"},
        {"name": "first", "type": "string"},
        {"name": "second", "type": ["null", "string"], "default": None},
        {"name": "third", "type": ["string", "null"], "default": ""},
        {"name": "size", "type": ["null", "int"], "default": None},
        {"name": "is_new", "type": "boolean"},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B", "C"]}},
        {"name": "ratio", "type": ["null", "double"], "default": None},
        {"name": "last", "type": "string"},
    ]
)
ALL = ("id", "first", "second", "third", "size", "is_new", "kind", "ratio", "last")
SCOPE = ("second", "last")
WRITTEN = envelope_schema(ITEMS, SCOPE)
STATE: dict[str, Any] = {
    "id": 7,
    "first": "王芳",
    "second": "320508199001010018",
    "third": None,
    "size": 3,
    "is_new": True,
    "kind": "B",
    "ratio": 0.5,
    "last": "end",
}
GRANTS = (
    GrantCase(ALL),
    GrantCase(("first", "third", "last"), {"first": PartialMask(keep_first=1)}, canonical_key=True),
    GrantCase(("second", "size"), {"second": DistrictMask()}, (RowFilter(item="last", values=("end",)),)),
)


def record(state: dict[str, Any] | None = None, **changed: Any) -> KafkaRecord:
    return canonical_record(ITEMS, SCOPE, {**STATE, **(state or {})}, offset=5, **changed)


def walked(records: list[KafkaRecord]) -> int:
    """How many of the records the generated engine reads field by field."""
    plan, codec = plan_of(ITEMS, GRANTS), ReferenceCodec(WRITTEN)
    resource = plan.resources[TOPIC]
    engine = GeneratedFanout(spec_of(plan, resource), LineReference(plan, resource, {WRITER: codec}))
    writer = parse(WRITTEN)
    names: dict[str, Any] = getattr(engine._known(WRITER, writer)[0], "__globals__")  # noqa: B009 - of a function
    walk, found = names["walk"], list[bytes]()

    def noted(value: bytes, key: bytes) -> Any:
        found.append(value)
        return walk(value, key)

    names["walk"] = noted
    engine.decide(PartitionRecords(TOPIC, PARTITION, records), {WRITER: writer})
    return len(found)


def limits() -> Iterator[tuple[str, KafkaRecord, bool]]:
    """What, a record, and whether it is ordinary."""
    yield "plain", record(), True
    yield (
        "nothing where nothing may be",
        record({"second": None, "third": None, "size": None, "ratio": None}),
        True,
    )
    yield "with a previous scope", record(previous={"second": "x", "last": "end"}), True
    yield "with a previous scope of nothing", record(previous={"second": None, "last": ""}), True
    yield "created", record(operation="create", previous_known=False), True
    yield "read", record(operation="read"), True
    for length, ordinary in ((0, True), (63, True), (64, False), (8_192, False)):
        yield f"a text of {length} bytes", record({"first": "x" * length}), ordinary
        yield f"the last text of {length} bytes", record({"last": "x" * length}), ordinary
        yield f"an identity of {length} bytes", record(identity="x" * length), ordinary
        yield f"a raw topic of {length} bytes", record(raw_topic="t" * length), ordinary
        yield f"a scope of {length} bytes", record(previous={"second": "x" * length, "last": ""}), ordinary
    yield "a text of 63 bytes that are 21 characters", record({"second": "苏" * 21}), True
    yield "an id of nine bytes", record({"id": 2**61}), True
    yield "an id of ten bytes", record({"id": -(2**63)}), False
    yield "a size of four bytes", record({"size": 2**26}), True
    yield "a size of five bytes", record({"size": -(2**31)}), False
    yield "marks", record(marks=["rule-1"]), False
    before = {"second": "x", "last": "end"}
    deleted = canonical_record(ITEMS, SCOPE, None, offset=5, operation="delete", previous=before)
    yield "deleted", deleted, False


@pytest.mark.parametrize(
    ("what", "given", "ordinary"), list(limits()), ids=lambda value: value if type(value) is str else ""
)
def test_what_is_ordinary_is_read_quickly_and_all_is_decided_alike(
    what: str, given: KafkaRecord, ordinary: bool
) -> None:
    assert_alike(plan_of(ITEMS, GRANTS), WRITTEN, [given])
    assert walked([given]) == (0 if ordinary else 1), what


def broken() -> Iterator[tuple[str, KafkaRecord]]:
    """Records of which one byte, or a few, are not what they may be."""
    whole = record()
    value, key = whole.value or b"", whole.key or b""
    first = value.index(b"\x0c" + "王芳".encode())
    second = first + 7
    yield (
        "a text that ends within a character",
        replace(whole, value=value.replace("芳".encode(), b"\xe8\x8a\x30")),
    )
    yield (
        "a text that begins within one",
        replace(whole, value=value[: first + 1] + b"\x80" + value[first + 2 :]),
    )
    yield "a negative length", replace(whole, value=value[:first] + b"\x0b" + value[first + 1 :])
    yield "a length beyond the end", replace(whole, value=value[:first] + b"\x7e" + value[first + 1 :])
    yield "a branch that there is not", replace(whole, value=value[:second] + b"\x04" + value[second + 1 :])
    yield "a branch in two bytes", replace(whole, value=value[:second] + b"\x82\x00" + value[second + 1 :])
    yield "a byte more", replace(whole, value=value + b"\x00")
    yield "a byte less", replace(whole, value=value[:-1])
    yield "a key with a byte more", replace(whole, key=key + b"x")
    yield "a key with a byte less", replace(whole, key=key[:-1])
    yield "a key of another frame", replace(whole, key=b"\x01" + key[1:])
    yield "a key that is no text", replace(whole, key=key[:8] + b"\xff" + key[9:])
    yield "no key", replace(whole, key=None)


@pytest.mark.parametrize(
    ("what", "given"), list(broken()), ids=lambda value: value if type(value) is str else ""
)
def test_what_is_broken_is_withheld_by_all_alike_and_the_next_record_is_not(
    what: str, given: KafkaRecord
) -> None:
    found = assert_alike(plan_of(ITEMS, GRANTS), WRITTEN, [record(), given, record()])
    assert found.grants[0].delivered == (3 if what == "a branch in two bytes" else 2)


def test_after_a_record_of_another_topic_the_next_has_its_own_again() -> None:
    topics = ["a.b", "t" * 70, "a.b", "c.d", "a.b"]
    assert_alike(plan_of(ITEMS, GRANTS), WRITTEN, [record(raw_topic=topic) for topic in topics])


def test_fields_are_cut_where_they_are_needed_apart_and_where_their_kind_changes() -> None:
    walks = [Walk(Code.LONG), Walk(Code.STRING), Walk(Code.STRING, 0), Walk(Code.BOOLEAN), Walk(Code.BYTES)]
    found = [(each.first, each.end, each.kind, each.needed) for each in segments(walks, {(0, 1), (2, 5)})]
    assert found == [
        (0, 1, Kind.NUMBERS, True),
        (1, 2, Kind.TEXTS, False),
        (2, 4, Kind.TEXTS, True),
        (4, 5, Kind.OTHER, True),
    ]
