"""One item of a grant, compiled: from the field of a writer's schema to the field that the grant delivers."""

import struct
from typing import Any, Final

from topics.engine.fanout import GrantSpec
from topics.engine.fanout_plan import Action, Constant, Convert, Copy, Op
from topics.engine.resolution import Form, Route, form_of, route
from topics.engine.schema import AvroType, Enumeration, Field, Fixed, Primitive, RecordType
from topics.grants.declaration import DistrictMask, DropMask, HashMask, Mask, PartialMask, YearMask
from topics.grants.masks import compile_mask

_TEXT: Final = Primitive("string")
_DATE: Final = Primitive("int")
_YEAR_LENGTH: Final = 4
_DISTRICT_LENGTH: Final = 6
_ACTIONS: Final = {
    ("int", "float"): Action.LONG_TO_FLOAT,
    ("long", "float"): Action.LONG_TO_FLOAT,
    ("int", "double"): Action.LONG_TO_DOUBLE,
    ("long", "double"): Action.LONG_TO_DOUBLE,
    ("float", "double"): Action.FLOAT_TO_DOUBLE,
    ("bytes", "string"): Action.BYTES_TO_TEXT,
}


class NotCompiled(Exception):  # noqa: N818 - named after what is so
    """A plan cannot say this; the reference decides. The message names the item and why."""


def item_ops(field: Field, grant: GrantSpec, state: RecordType, items: RecordType) -> Op:
    """What puts one field of the grant's value together.

    Raises:
        NotCompiled: the types or the mask need the reference.
        topics.engine.resolution.Unresolvable: the writer's record cannot give the item.
    """
    found = route(field.name, state, items)
    if found is None:
        raise NotCompiled(f"{field.name} is no item of the policy's schema")
    delivered, mask = form_of(field.type), grant.masks.get(field.name)
    _check_delivered(field.name, found.reader, delivered, mask)
    if found.source is None or found.writer is None:
        return _constant(field.name, found, delivered, mask, grant)
    if isinstance(mask, DropMask):
        # Not looked at, so neither converted: nothing of it is delivered.
        return Constant(encoded_long(delivered.null))
    if mask is None:
        return _unmasked(field.name, found, found.source, found.writer, delivered)
    return _masked(field.name, found, found.source, found.writer, mask, delivered, grant)


def _check_delivered(name: str, reader: Form, delivered: Form, mask: Mask | None) -> None:
    """The grant's schema is what projection makes of the policy's, or the reference has to look."""
    if isinstance(mask, DropMask):
        fits = delivered.null == 0
    elif mask is None or isinstance(mask, YearMask):
        fits = delivered == reader
    else:
        fits = delivered == Form(_TEXT, reader.null)
    if not fits:
        raise NotCompiled(f"{name} is delivered in a type that its item does not lead to")


def _unmasked(name: str, found: Route, source: int, writer: Form, delivered: Form) -> Op:
    action = _action(name, writer.base, found.reader.base)
    null_to = delivered.null
    if action is Action.SLICE and writer.null == null_to:
        return Copy(source, source + 1)
    return Convert(source, writer.null, null_to, action)


def _action(name: str, writer: AvroType, reader: AvroType) -> Action:
    if isinstance(writer, Primitive) and isinstance(reader, Primitive):
        return _ACTIONS.get((writer.name, reader.name), Action.SLICE)
    if isinstance(writer, (Fixed, Enumeration)) and writer == reader:
        return Action.SLICE
    raise NotCompiled(f"{name} is nested or a union of several types")


def _masked(
    name: str, found: Route, source: int, writer: Form, mask: Mask, delivered: Form, grant: GrantSpec
) -> Op:
    if writer.base != found.reader.base:
        raise NotCompiled(f"{name} is converted and masked")
    nulls = writer.null, delivered.null
    match mask:
        case YearMask() if writer.base == _DATE:
            return Convert(source, *nulls, Action.YEAR)
        case _ if writer.base != _TEXT:
            raise NotCompiled(f"mask {mask.kind} on {name}, which is not text")
        case YearMask():
            return Convert(source, *nulls, Action.PREFIX, _YEAR_LENGTH)
        case DistrictMask():
            return Convert(source, *nulls, Action.PREFIX, _DISTRICT_LENGTH)
        case PartialMask():
            return Convert(source, *nulls, Action.PARTIAL, mask.keep_first, mask.keep_last)
        case HashMask():
            label = name.encode() + b"\0"
            return Convert(source, *nulls, Action.HASH, secret=grant.secret_key, label=label)
        case _:
            raise NotCompiled(f"mask {mask.kind} is not known")


def _constant(name: str, found: Route, delivered: Form, mask: Mask | None, grant: GrantSpec) -> Constant:
    """The default, masked, in the form that is delivered."""
    value = found.default
    if mask is not None:
        value = compile_mask(mask, name, grant.secret_key)(value)
    if value is None:
        if delivered.null < 0:
            raise NotCompiled(f"{name} has no value and no null")
        return Constant(encoded_long(delivered.null))
    branch = b"" if delivered.null < 0 else encoded_long(1 - delivered.null)
    return Constant(branch + _encoded(name, value, delivered.base))


def _encoded(name: str, value: Any, avro_type: AvroType) -> bytes:
    kind = avro_type.name if isinstance(avro_type, Primitive) else ""
    if kind == "string" and isinstance(value, str):
        return encoded_text(value)
    if kind == "bytes" and isinstance(value, bytes):
        return encoded_long(len(value)) + value
    if kind == "boolean" and isinstance(value, bool):
        return bytes([value])
    if kind in ("int", "long") and type(value) is int:
        return encoded_long(value)
    if kind in ("float", "double") and type(value) in (int, float):
        return struct.pack("<f" if kind == "float" else "<d", float(value))
    raise NotCompiled(f"the default of {name} is of another kind than its type")


def encoded_long(number: int) -> bytes:
    """A number as Avro writes it."""
    rest = (number << 1) ^ (number >> 63)
    found = bytearray()
    while rest > 0x7F:
        found.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*found, rest])


def encoded_text(text: str) -> bytes:
    """Text as Avro writes it."""
    data = text.encode()
    return encoded_long(len(data)) + data
