"""Compiles (writer schema x source) into what the gate's fast implementations walk and write by.

Debezium's envelope is walked once, in the order of its fields; only the columns that items, the primary key
or claims need get a slot. What the program cannot describe raises ``NotCompilable``: such records are for
the reference, one by one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from topics.engine import schema as avro
from topics.engine.gate_rules import NO_ITEM, RuleStep, rule_steps
from topics.engine.gate_spec import GateSpec
from topics.engine.schema import NotCompilable
from topics.engine.skip import Code, Programs

COMPLEX: Final = -1
"""The code of a field that is only skipped: nested, enum, fixed, or a union of several types."""
NONE: Final = -1

_SIMPLE: Final = {
    "boolean": Code.BOOLEAN,
    "int": Code.INT,
    "long": Code.LONG,
    "float": Code.FLOAT,
    "double": Code.DOUBLE,
    "bytes": Code.BYTES,
    "string": Code.STRING,
}
_SOURCE_FIELDS: Final = ("ts_ms", "sequence", "lsn")
_HEAD: Final = (
    ("operation", "string"),
    ("generation", "long"),
    ("incarnation", "long"),
    ("commit", "long"),
    ("ordinal", "long"),
    ("source_time", "long"),
    ("raw_topic", "string"),
    ("raw_partition", "int"),
    ("raw_offset", "long"),
    ("policy_version", "long"),
)


class Role(IntEnum):
    """What a field of the envelope is to the gate."""

    SKIPPED = 0
    BEFORE = 1
    AFTER = 2
    SOURCE = 3
    OPERATION = 4


@dataclass(frozen=True, slots=True)
class FieldStep:
    """One field of a record: how to walk it, and the slot that its value goes to."""

    program: int
    code: int
    """A ``Code`` of a simple type, or ``COMPLEX``."""
    null_branch: int = NONE
    value_branch: int = NONE
    """Both ``NONE`` where the type is no union."""
    slot: int = NONE


@dataclass(frozen=True, slots=True)
class EnvelopeStep:
    """One field of the envelope; a row's branches are those of its union with null."""

    role: Role
    program: int
    null_branch: int = NONE
    value_branch: int = NONE
    code: int = COMPLEX
    """Of a field that is only skipped."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where an item is written: its type there and the branches of its union with null."""

    item: int
    code: int
    null_branch: int = NONE
    value_branch: int = NONE


@dataclass(frozen=True, slots=True)
class GateProgram:
    """One writer schema, compiled for one source."""

    numbers: tuple[int, ...]
    """The skip programs of every type."""
    envelope: tuple[EnvelopeStep, ...]
    row: tuple[FieldStep, ...]
    source: tuple[FieldStep, ...]
    """Slots 0, 1, 2: ts_ms, sequence, lsn."""
    slots: int
    columns: tuple[str, ...]
    """The column of each slot."""
    item_slots: tuple[int, ...]
    key_slots: tuple[int, ...]
    foreign_slots: tuple[int, ...]
    """``NONE`` where the table has no such column: nothing is claimed then."""
    identity: int
    """The item that is the identity."""
    identity_slot: int
    """The slot of its column."""
    country: int
    state: tuple[Target, ...]
    scope: tuple[Target, ...]
    rules: tuple[RuleStep, ...]


def compile_program(envelope: avro.AvroType, spec: GateSpec) -> GateProgram:
    """Compile one writer schema for one source.

    Raises:
        NotCompilable: what in it the fast implementations do not describe.
    """
    if not isinstance(envelope, avro.RecordType):
        raise NotCompilable("the value is no record")
    keys = (spec.identity_item, spec.country_item)
    if all(item.name in keys for item in spec.items):
        raise NotCompilable("the provider owns no item")
    row = _row_type(envelope)
    slots = _slots(row, spec)
    programs = Programs()
    state, scope = _targets(spec)
    places = {item.name: place for place, item in enumerate(spec.items)}
    program = GateProgram(
        numbers=(),
        envelope=tuple(_envelope_step(field, programs) for field in envelope.fields),
        row=tuple(_field_step(field, programs, slots.get(field.name, NONE)) for field in row.fields),
        source=_source_steps(envelope, programs),
        slots=len(slots),
        columns=tuple(slots),
        item_slots=tuple(slots[item.column] for item in spec.items),
        key_slots=tuple(slots[column] for column in spec.primary_key),
        foreign_slots=tuple(slots.get(foreign.column, NONE) for foreign in spec.foreign),
        identity=places[spec.identity_item],
        identity_slot=slots[spec.identity_column],
        country=places[spec.country_item] if spec.country_item else NO_ITEM,
        state=state,
        scope=scope,
        rules=rule_steps(spec.rules, places),
    )
    return _with_numbers(program, programs)


def _with_numbers(program: GateProgram, programs: Programs) -> GateProgram:
    values = {name: getattr(program, name) for name in GateProgram.__dataclass_fields__}
    return GateProgram(**{**values, "numbers": tuple(int(number) for number in programs.numbers)})


def _row_type(envelope: avro.RecordType) -> avro.RecordType:
    rows = []
    for name in ("before", "after"):
        field = envelope.field(name)
        found = None if field is None else _nullable(field.type)[0]
        if not isinstance(found, avro.RecordType) or not found.fields:
            raise NotCompilable(f"{name} is no row or null")
        rows.append(found)
    if rows[0] != rows[1]:
        raise NotCompilable("before and after have different columns")
    return rows[0]


def _slots(row: avro.RecordType, spec: GateSpec) -> dict[str, int]:
    wanted = [*(item.column for item in spec.items), *spec.primary_key, spec.identity_column]
    missing = [column for column in wanted if row.field(column) is None]
    if missing:
        raise NotCompilable(f"the row has no column {missing[0]}")
    wanted += [foreign.column for foreign in spec.foreign if row.field(foreign.column) is not None]
    return {column: place for place, column in enumerate(dict.fromkeys(wanted))}


def _nullable(found: avro.AvroType) -> tuple[avro.AvroType | None, int, int]:
    """The one type beside null with both branches; (None, …) where it is no such union."""
    if not isinstance(found, avro.Union) or len(found.branches) != 2:
        return None, NONE, NONE
    nulls = [place for place, branch in enumerate(found.branches) if branch == avro.Primitive("null")]
    if len(nulls) != 1:
        return None, NONE, NONE
    return found.branches[1 - nulls[0]], nulls[0], 1 - nulls[0]


def _simple(found: avro.AvroType | None) -> int:
    return int(_SIMPLE.get(found.name, COMPLEX)) if isinstance(found, avro.Primitive) else COMPLEX


def _field_step(field: avro.Field, programs: Programs, slot: int) -> FieldStep:
    program = programs.add(field.type)
    inner, null_branch, value_branch = _nullable(field.type)
    if inner is None:
        return FieldStep(program, _simple(field.type), slot=slot)
    return FieldStep(program, _simple(inner), null_branch, value_branch, slot)


def _envelope_step(field: avro.Field, programs: Programs) -> EnvelopeStep:
    program = programs.add(field.type)
    if field.name in ("before", "after"):
        role = Role.BEFORE if field.name == "before" else Role.AFTER
        return EnvelopeStep(role, program, *_nullable(field.type)[1:])
    if field.name == "source":
        return EnvelopeStep(Role.SOURCE, program)
    if field.name == "op":
        if _simple(field.type) != Code.STRING:
            raise NotCompilable("op is no text")
        return EnvelopeStep(Role.OPERATION, program)
    step = _field_step(field, programs, NONE)
    return EnvelopeStep(Role.SKIPPED, program, step.null_branch, step.value_branch, step.code)


def _source_steps(envelope: avro.RecordType, programs: Programs) -> tuple[FieldStep, ...]:
    source, operation = envelope.field("source"), envelope.field("op")
    if source is None or operation is None or not isinstance(source.type, avro.RecordType):
        raise NotCompilable("the envelope has no op or no source block")
    places = {name: place for place, name in enumerate(_SOURCE_FIELDS)}
    return tuple(_field_step(field, programs, places.get(field.name, NONE)) for field in source.type.fields)


def _targets(spec: GateSpec) -> tuple[tuple[Target, ...], tuple[Target, ...]]:
    envelope = avro.parse(spec.envelope)
    if not isinstance(envelope, avro.RecordType) or len(envelope.fields) != len(_HEAD) + 4:
        raise NotCompilable("the canonical envelope has other fields")
    for field, (name, kind) in zip(envelope.fields, _HEAD, strict=False):
        if field.name != name or not isinstance(field.type, avro.Primitive) or field.type.name != kind:
            raise NotCompilable(f"the canonical envelope has another field than {name}")
    tail = [field.name for field in envelope.fields[len(_HEAD) :]]
    if tail != ["marks", "previous_known", "previous", "state"]:
        raise NotCompilable("the canonical envelope has other fields")
    previous, state = envelope.fields[-2], envelope.fields[-1]
    places = {item.name: place for place, item in enumerate(spec.items)}
    places |= dict.fromkeys(spec.not_ours, NO_ITEM)
    found = _record_targets(state, places)
    if len(found) != len(places):
        raise NotCompilable("items and the fields of the resource's schema differ")
    return found, _record_targets(previous, places)


def _record_targets(field: avro.Field, places: Mapping[str, int]) -> tuple[Target, ...]:
    record, null_branch, _ = _nullable(field.type)
    if not isinstance(record, avro.RecordType) or null_branch != 0:
        raise NotCompilable(f"{field.name} of the canonical envelope is no record or null")
    missing = [inner.name for inner in record.fields if inner.name not in places]
    if missing:
        raise NotCompilable(f"the resource has no item {missing[0]}")
    return tuple(_target(inner, places[inner.name]) for inner in record.fields)


def _target(field: avro.Field, item: int) -> Target:
    inner, null_branch, value_branch = _nullable(field.type)
    if inner is None:
        return Target(item, _simple(field.type))
    return Target(item, _simple(inner), null_branch, value_branch)
