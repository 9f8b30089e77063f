"""Random tables and Debezium records, sound and corrupted, for hypothesis."""

import io
import random
from dataclasses import dataclass
from datetime import date
from typing import Any

import fastavro
from hypothesis import strategies as st

from services.demo.numbers import credit_code, resident_number
from tests.support.gate_rule_strategies import rules
from tests.support.gate_tables import (
    Field,
    debezium_schema,
    envelope_value,
    made_record,
    policy_of,
    resource_of,
    source_block,
)
from topics.engine.reference import DoesNotFit, ReferenceCodec
from topics.event import KafkaRecord, Record, TopicName
from topics.policy import Policy

_RNG = random.Random(5)  # noqa: S311
RESIDENTS = [resident_number("320508", date(1980, 2, 1 + n), n) for n in range(4)] + ["11010519491231002X"]
CREDITS = [credit_code(_RNG) for _ in range(4)]
PASSPORTS = ["E12345678", "AB1234567", "G00000001"]
PERMITS = ["H12345678", "H1234567801", "12345678", "1234567802", "FRA110219800101"[:15]]
BROKEN = [
    "",
    " ",
    "　",
    "110105194912310021",
    "123456789012345",
    "000000000000000000",
    "91110105194912310",
    "99999999999999999X",
    "110105188512310025",
    "110105209912310029",
    "110105198002300026",
    "abc",
    "i" * 70,
    "汉",
]
_IDENTITIES = RESIDENTS + CREDITS + PASSPORTS + PERMITS + BROKEN
_PLACEHOLDER = "__debezium_unavailable_value"
_TEXTS = [
    "1",
    "2",
    "a",
    "320508",
    " x ",
    "　王 ",
    "Straße",
    "12.50",
    "-3",
    "+0.1",
    "1e5",
    "",
    "true",
    "x" * 60,
]
_TIMES = [
    "2024-05-01T12:34:56.123456Z",
    "2024-05-01T12:34:56+08:00",
    "2024-05-01T12:34:56.5Z",
    "2024-02-30T00:00:00Z",
    "2024-05-01T12:34:56",
    "0001-01-01T00:00:00+08:00",
]

TEXT = st.one_of(
    st.sampled_from(_TEXTS + _TIMES + _IDENTITIES + [_PLACEHOLDER, "resident_id", "CHN", "fra"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    st.sampled_from(RESIDENTS + CREDITS).map(lambda text: f" {text.lower()}\u3000"),
    st.sampled_from(RESIDENTS + CREDITS).map(lambda text: "".join(chr(ord(c) + 0xFEE0) for c in text)),
)
_INTS = st.integers(-(2**31), 2**31 - 1) | st.sampled_from([0, 1, 2, 3653, 20_000, 20_717, 40_000])
_LONGS = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([0, 1, 1_789_999_999_999, 1_790_000_000_000_000])
_FLOATS = st.floats(width=32)
_ENUM: Field = {"type": "enum", "name": "Mark", "symbols": ["A", "B"]}

_KINDS: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "string": ("string", TEXT),
    "int": ("int", _INTS),
    "long": ("long", _LONGS),
    "boolean": ("boolean", st.booleans()),
    "double": ("double", st.floats()),
    "float": ("float", _FLOATS),
    "bytes": ("bytes", st.binary(max_size=9) | st.just(_PLACEHOLDER.encode())),
    "array": ({"type": "array", "items": ["null", "string"]}, st.lists(st.none() | st.just("a"), max_size=3)),
    "map": ({"type": "map", "values": "long"}, st.dictionaries(st.sampled_from("ab"), st.integers(0, 9))),
    "enum": (_ENUM, st.sampled_from("AB")),
    "mixed": (["null", "long", "string"], st.none() | st.integers(0, 9) | st.just("m")),
}
DEEPEST = 64
"""A chain of more named records is nested deeper than anybody reads."""


def _nested(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {"inner": 1}
    for _ in range(levels):
        value = {"inner": value}
    return value


def _chain(levels: int) -> "list[tuple[Field, st.SearchStrategy[Any]]]":
    """Columns of which each holds the one before it by its name; only the last is ever there."""
    found: list[tuple[Field, st.SearchStrategy[Any]]] = []
    for level in range(levels):
        inner = f"Deep{level - 1}" if level else "int"
        record = {"type": "record", "name": f"Deep{level}", "fields": [{"name": "inner", "type": inner}]}
        there = st.just(_nested(level)) if level == levels - 1 else st.none()
        found.append(({"name": f"deep{level}", "type": ["null", record]}, there))
    return found


_PLAIN = ("string", "int", "long", "boolean", "double", "float", "bytes")
_CONVERSIONS = ("none", "none", "trim", "upper", "normalise", "text", "iso_timestamp", "microseconds")
_TAME = ("string", "string", "int", "long", "boolean", "bytes")
_FITTING = {
    "string": ("none", "trim", "upper", "normalise", "text"),
    "long": ("none", "microseconds", "text"),
    "int": ("none", "text"),
}


@dataclass(frozen=True)
class Column:
    name: str
    kind: str
    nullable: bool
    made: tuple[Field, st.SearchStrategy[Any]] | None = None
    """Field and values of a column that no item is made of."""

    @property
    def field(self) -> Field:
        if self.made is not None:
            return self.made[0]
        avro = _KINDS[self.kind][0]
        wrapped = ["null", avro] if self.nullable and self.kind != "mixed" else avro
        return {"name": self.name, "type": wrapped}

    @property
    def values(self) -> st.SearchStrategy[Any]:
        if self.made is not None:
            return self.made[1]
        found = _KINDS[self.kind][1]
        return st.none() | found if self.nullable else found


@dataclass(frozen=True)
class Table:
    columns: tuple[Column, ...]
    policy: Policy
    topic: TopicName
    schema: dict[str, Any]
    kind: str
    tame: bool


@st.composite
def tables(draw: st.DrawFn, *, deep: bool = False) -> Table:
    """A table, its resource with random conversions and rules, and a policy of it alone.

    ``deep``: a column of it is nested about as deep as may be.
    """
    tame = deep or draw(st.sampled_from([True, True, False]))
    kinds = draw(st.lists(st.sampled_from(_TAME if tame else [*_PLAIN, *_KINDS]), min_size=1, max_size=6))
    if "enum" in kinds:
        kinds = [kind for kind in kinds if kind != "enum"] + ["enum"]
    others = [Column(f"c{n}", kind, draw(st.booleans())) for n, kind in enumerate(kinds)]
    key_kind = draw(st.sampled_from(["long", "string", "int", *([] if tame else ["bytes", "boolean"])]))
    columns = [Column("id", key_kind, False), Column("number", "string", draw(st.booleans())), *others]
    country = draw(st.booleans())
    if country:
        columns.append(Column("country", "string", True))
    if deep:
        chain = _chain(draw(st.integers(DEEPEST - 4, DEEPEST - 2)))
        columns += [Column(made[0]["name"], "deep", True, made) for made in chain]
    kind = draw(st.sampled_from(["resident_id"] * 3 + ["credit_code"] * 2 + list(_RARE)))
    return _declared(draw, columns, kind, country, tame)


_RARE = ("passport", "hk_macao_permit", "taiwan_permit", "foreign_permanent_resident", "organisation_code")


def _declared(draw: st.DrawFn, columns: list[Column], kind: str, country: bool, tame: bool) -> Table:
    usual = [c for c in columns if c.made is None]
    taken = [c for c in usual if c.name in ("number", "country") or draw(st.integers(0, 4))]
    items, fields = [], []
    for column in taken:
        owner = draw(st.sampled_from([None] * 6 + ["social_security"]))
        conversion = draw(st.sampled_from(_FITTING.get(column.kind, ("none",)) if tame else _CONVERSIONS))
        items.append(
            {"name": f"i_{column.name}", "column": column.name, "conversion": conversion, "owner": owner}
        )
        target = draw(st.sampled_from([column.kind] * 5 + ([] if tame else ["long", "string"])))
        target = "string" if conversion == "text" else target
        target = "long" if conversion in ("iso_timestamp", "microseconds") else target
        target = "string" if target not in _PLAIN else target
        fields.append(
            {
                "name": f"i_{column.name}",
                "type": ["null", target] if tame or draw(st.integers(0, 5)) else target,
            }
        )
    names = [str(item["name"]) for item in items]
    foreign = [
        {"column": c.name, "owner": "social_security", "resource": "social.enrolment.v1", "item": "name"}
        for c in usual
        if c not in taken
    ]
    keys = draw(st.sampled_from([["id"], ["id"], ["id", "number"], ["number"]]))
    resource = resource_of(
        "made",
        keys,
        {"kind": kind, "item": "i_number", "country_item": "i_country" if country else None},
        items,
        foreign_items=foreign,
        rules=draw(rules(names)),
        scope_items=draw(st.lists(st.sampled_from(names), max_size=2, unique=True)),
        partitions=draw(st.integers(1, 3)),
    )
    return Table(
        tuple(columns),
        policy_of([(resource, fields)]),
        resource.raw_topic,
        debezium_schema([c.field for c in columns]),
        kind,
        tame,
    )


_SEQUENCES = st.sampled_from(
    [
        None,
        "",
        "[]",
        '["5","9"]',
        '[null,"9"]',
        '["7",null]',
        '[ "5" , "9" ]',
        "[5,9]",
        '["x","9"]',
        '["5","9"',
        "null",
        '["00012","3"]',
        f'["{"9" * 18}","1"]',
        f'["{"9" * 20}","1"]',
        '["5","9","1"]',
        '["","9"]',
        '["5","x"]',
    ]
)


@st.composite
def envelopes(draw: st.DrawFn, table: Table, position: int) -> dict[str, object]:
    """An envelope of the table; most are what Debezium would send."""
    row = st.fixed_dictionaries({column.name: column.values for column in table.columns})
    wild = 0 if table.tame and draw(st.integers(0, 9)) else 1
    valid = {"resident_id": RESIDENTS, "credit_code": CREDITS, "passport": PASSPORTS}.get(table.kind, PERMITS)
    after = draw(row)
    if draw(st.integers(0, 4)):
        after["number"] = draw(st.sampled_from(valid))
    if not wild:
        after = {name: _tamed(value) for name, value in after.items()}
        after["number"] = draw(st.sampled_from(valid))
    before = draw(row) if wild and draw(st.booleans()) else {**after, **draw(_change(table))}
    operation = draw(st.sampled_from("cccuuuuuddrtmx" if wild else "ccuuudr"))
    rows: tuple[object, object] = (before, after)
    if not wild or draw(st.integers(0, 9)):
        rows = {"c": (None, after), "r": (None, after), "d": (before, None)}.get(operation, rows)
    else:
        rows = (draw(st.sampled_from([None, before])), draw(st.sampled_from([None, after])))
    source = source_block(position)
    if wild and not draw(st.integers(0, 3)):
        changes = {
            "sequence": _SEQUENCES,
            "lsn": st.none() | st.sampled_from([-5, 0, 77]),
            "ts_ms": _LONGS | st.just(1_790_000_000_000),
        }
        source |= draw(st.fixed_dictionaries(changes))
    return envelope_value(operation, rows[0], rows[1], source)  # type: ignore[arg-type]


def _tamed(value: object) -> object:
    """The value, unless it is one that stops a record by itself."""
    return "x" if value == _PLACEHOLDER else b"x" if value == _PLACEHOLDER.encode() else value


def _change(table: Table) -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from(table.columns).flatmap(
        lambda column: st.fixed_dictionaries({column.name: column.values})
    )


_HEADERS = st.lists(
    st.sampled_from(
        [
            ("govbus.incarnation", b"3"),
            ("govbus.incarnation", b"0"),
            ("govbus.incarnation", b""),
            ("govbus.incarnation", b"x1"),
            ("govbus.incarnation", b"9" * 19),
            ("other", b"\xff"),
            ("govbus_release", b"3"),
        ]
    ),
    max_size=2,
).map(tuple)


class _Unchecked(ReferenceCodec):
    """Writes what nobody reads, too: what is nested too deep, numbers that are too long."""

    def encode(self, record: Record) -> bytes:
        stream = io.BytesIO()
        try:
            fastavro.schemaless_writer(stream, self._schema, dict(record), strict=True)
        except Exception as error:
            raise DoesNotFit(type(error).__name__) from error
        return stream.getvalue()


@st.composite
def batches(draw: st.DrawFn, table: Table, start: int = 0) -> list[KafkaRecord]:
    """Records of few keys; some are tombstones, bytes of nothing, or corrupted."""
    codec = _Unchecked(table.schema)
    found = []
    for offset in range(start, start + draw(st.integers(1, 8))):
        key = draw(st.sampled_from([b"k1", b"k2", b"k3", None, b"%d" % offset, b"x%d" % offset]))
        headers = (
            draw(_HEADERS)
            if not draw(st.integers(0, 5 if table.tame else 2))
            else (("govbus.incarnation", b"2"),)
        )
        envelope = draw(envelopes(table, 100 * offset))
        try:
            record = made_record(table.topic, offset, codec, envelope, key, headers)
        except DoesNotFit:
            continue
        spoilt = not table.tame or not draw(st.integers(0, 3))
        found.append(_corrupted(draw, record) if spoilt else record)
    return found


def _corrupted(draw: st.DrawFn, record: KafkaRecord) -> KafkaRecord:
    value: bytes | None = record.value or b""
    damage = draw(st.integers(0, 12))
    if damage == 0:
        value = draw(st.none() | st.binary(max_size=12))
    elif damage == 1 and value:
        value = value[: draw(st.integers(0, len(value)))] + draw(st.binary(max_size=2))
    elif damage == 2 and value:
        at = draw(st.integers(0, len(value) - 1))
        value = value[:at] + bytes([draw(st.integers(0, 255))]) + value[at + 1 :]
    timestamp_ms = record.timestamp_ms if draw(st.integers(0, 9)) else draw(_LONGS)
    return KafkaRecord(record.topic, 0, record.offset, timestamp_ms, record.key, value, record.headers)
