"""Schema resolution, item by item: where an item of the policy's schema comes from in a writer's record.

As Avro's specification has it (names, then aliases, then defaults; promotions), but an item that cannot be
resolved harms only who asks for it, not the whole record.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from topics.engine.schema import AvroType, Field, Fixed, Primitive, RecordType, Union
from topics.event import Record

PROMOTIONS: Final = frozenset(
    {
        ("int", "long"),
        ("int", "float"),
        ("int", "double"),
        ("long", "float"),
        ("long", "double"),
        ("float", "double"),
        ("string", "bytes"),
        ("bytes", "string"),
    }
)
_TO_FLOAT: Final = frozenset({("int", "float"), ("int", "double"), ("long", "float"), ("long", "double")})


class Unresolvable(Exception):  # noqa: N818 - named after what the item is
    """The item cannot be had from this writer's record; the message holds no value."""


@dataclass(frozen=True, slots=True)
class Form:
    """A type as null and one other: ``null`` is the index of the null branch, -1 where there is none."""

    base: AvroType
    null: int = -1


@dataclass(frozen=True, slots=True)
class Route:
    """One item: the writer's field that it is read from, or the default where there is none."""

    reader: Form
    source: int | None = None
    writer: Form | None = None
    default: Any = None


def form_of(avro_type: AvroType) -> Form:
    """Take null out of a union of null and one other; every other type stands for itself."""
    null = Primitive("null")
    if isinstance(avro_type, Union) and len(avro_type.branches) == 2 and null in avro_type.branches:
        index = avro_type.branches.index(null)
        return Form(avro_type.branches[1 - index], index)
    return Form(avro_type)


def route(name: str, writer: RecordType, reader: RecordType) -> Route | None:
    """The route of one item; None where the reader's schema has no such item.

    Raises:
        Unresolvable: the writer has no such field and there is no default, or the types do not fit.
    """
    wanted = reader.field(name)
    if wanted is None:
        return None
    form = form_of(wanted.type)
    index = _source(wanted, writer, reader)
    if index is None:
        if not wanted.has_default:
            raise Unresolvable(f"{name} is not in the writer's schema and has no default")
        return Route(form, default=_default(wanted))
    found = form_of(writer.fields[index].type)
    if found.base != form.base and not _promotes(found.base, form.base):
        raise Unresolvable(f"{name} has another type in the writer's schema")
    return Route(form, index, found)


def _source(wanted: Field, writer: RecordType, reader: RecordType) -> int | None:
    names = [field.name for field in writer.fields]
    if wanted.name in names:
        return names.index(wanted.name)
    taken = {field.name for field in reader.fields}
    old = [alias for alias in wanted.aliases if alias in names and alias not in taken]
    return names.index(old[0]) if old else None


def _promotes(writer: AvroType, reader: AvroType) -> bool:
    if not isinstance(writer, Primitive) or not isinstance(reader, Primitive):
        return False
    return writer.name == reader.name or (writer.name, reader.name) in PROMOTIONS


def _default(field: Field) -> Any:
    first = field.type.branches[0] if isinstance(field.type, Union) else field.type
    binary = isinstance(first, Fixed) or (isinstance(first, Primitive) and first.name == "bytes")
    return field.default.encode("latin-1") if binary and isinstance(field.default, str) else field.default


class ResolvedState(Mapping[str, object]):
    """A state in the writer's items, read in the policy's items.

    Reading raises Unresolvable where the item cannot be had, UnicodeDecodeError where bytes are no text.
    """

    def __init__(self, state: Record, writer: RecordType, reader: RecordType) -> None:
        self._state, self._writer, self._reader = state, writer, reader

    def __getitem__(self, name: str) -> object:
        found = route(name, self._writer, self._reader)
        if found is None:
            raise KeyError(name)
        if found.source is None or found.writer is None:
            return found.default
        return _converted(self._state[self._writer.fields[found.source].name], found.writer, found.reader)

    def __iter__(self) -> Iterator[str]:
        return iter(field.name for field in self._reader.fields)

    def __len__(self) -> int:
        return len(self._reader.fields)


def _converted(value: object, writer: Form, reader: Form) -> object:
    if value is None and writer.null >= 0:
        if reader.null < 0:
            raise Unresolvable("null where the policy's schema has no null")
        return None
    if not isinstance(writer.base, Primitive) or not isinstance(reader.base, Primitive):
        return value
    change = writer.base.name, reader.base.name
    if change in _TO_FLOAT and isinstance(value, int):
        return float(value)
    if change == ("string", "bytes") and isinstance(value, str):
        return value.encode()
    if change == ("bytes", "string") and isinstance(value, bytes):
        return value.decode()
    return value
