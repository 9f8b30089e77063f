"""Avro schemas as a tree of types with every name resolved: what the engine's compilers read."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

PRIMITIVES: Final = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
_MOST_DEPTH: Final = 32


class NotCompilable(Exception):  # noqa: N818 - named after what the schema is
    """The schema is recursive, too deep or malformed: the record counts as one of an unknown schema."""


@dataclass(frozen=True, slots=True)
class Primitive:
    """One of ``PRIMITIVES``; ``logical`` is kept because conversions differ by it."""

    name: str
    logical: str | None = None


@dataclass(frozen=True, slots=True)
class Fixed:
    """So many bytes."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Enumeration:
    """The index of a symbol."""

    name: str
    symbols: tuple[str, ...]
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Array:
    """Blocks of items."""

    items: "AvroType"


@dataclass(frozen=True, slots=True)
class Map:
    """Blocks of text keys and values."""

    values: "AvroType"


@dataclass(frozen=True, slots=True)
class Union:
    """The index of a branch, then its datum."""

    branches: tuple["AvroType", ...]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record."""

    name: str
    type: "AvroType"
    aliases: tuple[str, ...] = ()
    has_default: bool = False
    default: Any = field(default=None, hash=False)
    """May be a list or an object, which have no hash."""


@dataclass(frozen=True, slots=True)
class RecordType:
    """Fields, one after another."""

    name: str
    fields: tuple[Field, ...]
    aliases: tuple[str, ...] = ()

    def field(self, name: str) -> Field | None:
        """The field of that name, or None."""
        return next((found for found in self.fields if found.name == name), None)


AvroType = Primitive | Fixed | Enumeration | Array | Map | Union | RecordType


def parse(schema: Any) -> AvroType:
    """Read a schema in its JSON form.

    Raises:
        NotCompilable: it is recursive, nested more than 32 deep, or no Avro schema.
    """
    return _Reader({}).read(schema, "", 0)


def plain(avro_type: AvroType) -> AvroType:
    """The same type without logical types, which the bytes do not show."""
    match avro_type:
        case Primitive():
            return Primitive(avro_type.name)
        case Array():
            return Array(plain(avro_type.items))
        case Map():
            return Map(plain(avro_type.values))
        case Union():
            return Union(tuple(plain(branch) for branch in avro_type.branches))
        case RecordType():
            fields = tuple(replace(found, type=plain(found.type)) for found in avro_type.fields)
            return replace(avro_type, fields=fields)
        case _:
            return avro_type


class _Reader:
    """One pass over a schema; a name is known from the end of its definition on."""

    def __init__(self, known: dict[str, AvroType]) -> None:
        self._known = known

    def read(self, schema: Any, space: str, depth: int) -> AvroType:
        if depth > _MOST_DEPTH:
            raise NotCompilable(f"nested more than {_MOST_DEPTH} deep")
        if isinstance(schema, str):
            return self._named(schema, space)
        if isinstance(schema, list):
            return Union(tuple(self.read(branch, space, depth + 1) for branch in schema))
        if isinstance(schema, Mapping) and "type" in schema:
            return self._complex(schema, space, depth)
        raise NotCompilable("neither a name, a union nor an object with a type")

    def _named(self, name: str, space: str) -> AvroType:
        if name in PRIMITIVES:
            return Primitive(name)
        full = name if "." in name or not space else f"{space}.{name}"
        found = self._known.get(full) or self._known.get(name)
        if found is None:
            raise NotCompilable(f"{name} is not defined before it is used, or recursive")
        return found

    def _complex(self, schema: Mapping[str, Any], space: str, depth: int) -> AvroType:
        kind = schema["type"]
        if isinstance(kind, (list, Mapping)):
            return self.read(kind, space, depth + 1)
        if kind in PRIMITIVES:
            logical = schema.get("logicalType")
            return Primitive(kind, logical if isinstance(logical, str) else None)
        if kind == "array":
            return Array(self.read(schema.get("items"), space, depth + 1))
        if kind == "map":
            return Map(self.read(schema.get("values"), space, depth + 1))
        if kind in ("record", "error", "enum", "fixed"):
            return self._definition(kind, schema, space, depth)
        return self._named(str(kind), space)

    def _definition(self, kind: str, schema: Mapping[str, Any], space: str, depth: int) -> AvroType:
        name = str(schema.get("name") or "")
        space = name.rpartition(".")[0] or str(schema.get("namespace", space) or "")
        full = name if "." in name or not space else f"{space}.{name}"
        found: AvroType
        if kind == "fixed":
            found = Fixed(full, _size(schema.get("size")))
        elif kind == "enum":
            symbols = tuple(str(symbol) for symbol in schema.get("symbols") or ())
            found = Enumeration(full, symbols, schema.get("default"))
        else:
            fields = tuple(self._field(field, space, depth) for field in schema.get("fields") or ())
            found = RecordType(full, fields, tuple(schema.get("aliases") or ()))
        self._known[full] = found
        return found

    def _field(self, field: Mapping[str, Any], space: str, depth: int) -> Field:
        if not isinstance(field, Mapping) or "name" not in field or "type" not in field:
            raise NotCompilable("a field has no name or no type")
        return Field(
            str(field["name"]),
            self.read(field["type"], space, depth + 1),
            tuple(field.get("aliases") or ()),
            "default" in field,
            field.get("default"),
        )


def _size(size: Any) -> int:
    if not isinstance(size, int) or size < 0:
        raise NotCompilable("a fixed type without a size")
    return size
