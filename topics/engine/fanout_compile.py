"""Compiles a fan-out spec for one writer's schema: slices, masks and sets of encoded values."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from topics.engine.fanout import FanoutSpec, GrantSpec
from topics.engine.fanout_items import NotCompiled, encoded_long, encoded_text, item_ops
from topics.engine.fanout_plan import (
    NEVER,
    CompiledFanout,
    Constant,
    Copy,
    GrantPlan,
    Op,
    Predicate,
    Walk,
)
from topics.engine.resolution import Form, Unresolvable, form_of, route
from topics.engine.schema import Array, AvroType, Enumeration, Fixed, Primitive, RecordType, plain
from topics.engine.skip import Code, Programs
from topics.event import GrantId

_TEXT: Final = Primitive("string")
_LONG: Final = Primitive("long")
_ENVELOPE: Final[tuple[tuple[str, AvroType | None], ...]] = (
    ("operation", _TEXT),
    ("generation", _LONG),
    ("incarnation", _LONG),
    ("commit", _LONG),
    ("ordinal", _LONG),
    ("source_time", _LONG),
    ("raw_topic", _TEXT),
    ("raw_partition", Primitive("int")),
    ("raw_offset", _LONG),
    ("policy_version", _LONG),
    ("marks", Array(_TEXT)),
    ("previous_known", Primitive("boolean")),
    ("previous", None),
    ("state", None),
)
_CODES: Final = {
    "null": Code.NULL,
    "boolean": Code.BOOLEAN,
    "int": Code.INT,
    "long": Code.LONG,
    "float": Code.FLOAT,
    "double": Code.DOUBLE,
    "bytes": Code.BYTES,
    "string": Code.STRING,
}


def compile_fanout(spec: FanoutSpec, writer: AvroType) -> CompiledFanout:
    """Compile for records of that writer's schema.

    Raises:
        NotCompiled: the schema is not a canonical envelope; the reference decides all of its records.
    """
    previous, state = _envelope(plain(writer))
    programs = Programs()
    marks_place = programs.add(Array(_TEXT))
    predicates: dict[Predicate, int] = {}
    projections: dict[tuple[Op, ...], int] = {}
    grants, rest = [], []
    for index, grant in enumerate(spec.grants):
        try:
            ops = tuple(_merged(_ops(grant, state, spec.items)))
            inside = list(_inside(grant, state, spec.items))
            before = _before(grant, previous)
        except (NotCompiled, Unresolvable) as reason:
            rest.append((index, str(reason)))
        else:
            now = tuple(NEVER if each is None else _number(predicates, each) for each in inside)
            then = None if before is None else tuple(_number(predicates, each) for each in before)
            grants.append(GrantPlan(index, _number(projections, ops), now, then))
    return CompiledFanout(
        marks_place=marks_place,
        previous=tuple(_walk(field.type, programs) for field in previous.fields),
        state=tuple(_walk(field.type, programs) for field in state.fields),
        program=tuple(int(number) for number in programs.numbers),
        predicates=tuple(predicates),
        projections=tuple(projections),
        grants=tuple(grants),
        rest=tuple(rest),
    )


def _number(known: dict[Any, int], value: Any) -> int:
    """The value's number; a new value gets the next."""
    return known.setdefault(value, len(known))


def _envelope(writer: AvroType) -> tuple[RecordType, RecordType]:
    """The records of ``previous`` and ``state``."""
    if not isinstance(writer, RecordType) or len(writer.fields) != len(_ENVELOPE):
        raise NotCompiled("the schema is not a canonical envelope")
    for field, (name, wanted) in zip(writer.fields, _ENVELOPE, strict=True):
        if field.name != name or (wanted is not None and field.type != wanted):
            raise NotCompiled(f"{field.name} is not what a canonical envelope has there")
    previous, state = (form_of(field.type) for field in writer.fields[-2:])
    if (previous.null, state.null) != (0, 0):
        raise NotCompiled("previous or state is not a record after null")
    if not isinstance(previous.base, RecordType) or not isinstance(state.base, RecordType):
        raise NotCompiled("previous or state is no record")
    return previous.base, state.base


def _walk(avro_type: AvroType, programs: Programs) -> Walk:
    form = form_of(avro_type)
    match form.base:
        case Primitive():
            return Walk(_CODES[form.base.name], form.null)
        case Fixed():
            return Walk(Code.FIXED, form.null, form.base.size)
        case Enumeration():
            return Walk(Code.ENUM, form.null, len(form.base.symbols))
        case _:
            return Walk(Code.RECORD, place=programs.add(avro_type))


def _ops(grant: GrantSpec, state: RecordType, items: RecordType) -> Iterator[Op]:
    for field in grant.value_type.fields:
        yield item_ops(field, grant, state, items)


def _merged(ops: Iterable[Op]) -> Iterator[Op]:
    """Neighbours as one copy, constants side by side as one."""
    held: Op | None = None
    for op in ops:
        if isinstance(held, Copy) and isinstance(op, Copy) and held.end == op.first:
            held = Copy(held.first, op.end)
        elif isinstance(held, Constant) and isinstance(op, Constant):
            held = Constant(held.data + op.data)
        else:
            if held is not None:
                yield held
            held = op
    if held is not None:
        yield held


def _inside(grant: GrantSpec, state: RecordType, items: RecordType) -> Iterator[Predicate | None]:
    """What must hold of the state; None for what no record fulfils."""
    for item, values in grant.rows.filters:
        found = route(item, state, items)
        if found is None:
            yield None
        elif found.source is None or found.writer is None:
            if found.default is None or str(found.default) not in values:
                yield None
        elif found.reader.null < 0 <= found.writer.null or found.reader.base != found.writer.base:
            raise NotCompiled(f"row filter on {item}, which is converted")
        else:
            yield Predicate(True, found.source, _encoded(item, values, found.writer))


def _before(grant: GrantSpec, previous: RecordType) -> list[Predicate] | None:
    """What must hold of the previous scope; None where it cannot tell."""
    names = [field.name for field in previous.fields]
    if any(item not in names for item, _values in grant.rows.filters):
        return None
    return [
        Predicate(False, at, _encoded(item, values, form_of(previous.fields[at].type)))
        for item, values in grant.rows.filters
        for at in (names.index(item),)
    ]


def _encoded(item: str, values: Iterable[str], form: Form) -> frozenset[bytes]:
    """The values as they stand in the field, its branch included."""
    if form.base != _TEXT:
        raise NotCompiled(f"row filter on {item}, which is not text")
    branch = b"" if form.null < 0 else encoded_long(1 - form.null)
    return frozenset(branch + encoded_text(value) for value in values if _is_text(value))


def _is_text(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)


def fallbacks(spec: FanoutSpec, writer: AvroType) -> dict[GrantId, str]:
    """Grants that the reference decides for records of that writer's schema, each with the reason."""
    try:
        rest = compile_fanout(spec, writer).rest
    except NotCompiled as reason:
        return {grant.grant: str(reason) for grant in spec.grants}
    return {spec.grants[index].grant: reason for index, reason in rest}
