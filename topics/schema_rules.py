"""Which Avro schemas a resource may have: flat, plain, and few bytes never decode to many items."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

MAX_DEPTH: Final = 32
MAX_PARTS: Final = 50_000
"""Types in a schema with every name written out: a table of a thousand columns has a fifth of it."""
MAX_HOLLOW: Final = 16
"""Parts without bytes in one item of a collection."""

PRIMITIVES: Final = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
NAMED: Final = frozenset({"record", "error", "enum", "fixed"})
_PLAIN: Final = PRIMITIVES - {"null"}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something to correct in a definition: where (keys and indexes from its top), what, and the remedy."""

    path: tuple[str | int, ...]
    problem: str
    remedy: str


@dataclass(frozen=True, slots=True)
class ItemForm:
    """The type of one item: Avro type, logical type, and whether it may be null."""

    type: str
    logical: str | None
    nullable: bool

    @property
    def is_text(self) -> bool:
        """Whether it is a string without a logical type."""
        return self.type == "string" and self.logical is None

    @property
    def is_date(self) -> bool:
        """Whether it is a date (days since the epoch)."""
        return self.type == "int" and self.logical == "date"


def unsafe_parts(schema: Any) -> list[Problem]:
    """Find what makes a schema dangerous to decode: recursion, and collections of items without width.

    A recursive schema decodes as deep as a sender likes; an array of items that take no bytes (null, a record
    without fields, fixed of size 0) decodes to as many items as its count says, whatever its length. Names
    that are used twice in each of twenty records one inside the other stand for a million types.
    """
    found = list(_Walk().visit(schema, (), "", ()))
    # Only what has no such problem can be measured: each name is known then before it is used.
    return found or list(_Measure().problems(schema))


def item_form(avro_type: Any) -> ItemForm | None:
    """Read the type of an item; None if it is nested, or a union of more than null and one type."""
    nullable = isinstance(avro_type, list)
    branches = [branch for branch in avro_type if branch != "null"] if nullable else [avro_type]
    if len(branches) != 1 or (nullable and len(avro_type) != 2):
        return None
    branch = branches[0]
    name, logical = (
        (branch.get("type"), branch.get("logicalType")) if isinstance(branch, dict) else (branch, None)
    )
    return ItemForm(name, logical, nullable) if isinstance(name, str) and name in _PLAIN else None


def item_forms(schema: Mapping[str, Any]) -> dict[str, ItemForm]:
    """Read the items of a resource's schema that have a plain type, by name."""
    found = {entry["name"]: item_form(entry["type"]) for entry in _fields(schema)}
    return {name: form for name, form in found.items() if form is not None}


def item_problems(schema: Any) -> list[Problem]:
    """Find what keeps a schema from being a resource's: no record, nested items, null without a default."""
    if not isinstance(schema, dict) or schema.get("type") != "record":
        return [Problem((), "the schema is not a record", "declare a record whose fields are the items")]
    if not _fields(schema):
        return [Problem(("fields",), "the record has no fields", "declare one field per item")]
    return [problem for entry in _fields(schema) for problem in _field_problems(entry)]


def _fields(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    fields = schema.get("fields")
    return [entry for entry in fields if _is_field(entry)] if isinstance(fields, list) else []


def _is_field(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("name"), str) and "type" in entry


def _field_problems(entry: dict[str, Any]) -> Iterator[Problem]:
    path = ("fields", entry["name"])
    form = item_form(entry["type"])
    if form is None:
        yield Problem(
            path, "the item has no plain type", "give it one type, or null and one type; nest nothing"
        )
    elif form.nullable and (
        "default" not in entry or entry["default"] is not None or entry["type"][0] != "null"
    ):
        yield Problem(
            path, "the item may be null and null is not its default", 'write ["null", …] and "default": null'
        )


@dataclass(slots=True)
class _Walk:
    """One pass over a schema: which names are complete, which are still open, which of them take no bytes."""

    no_width: dict[str, bool] = field(default_factory=dict)

    def visit(
        self, schema: Any, path: tuple[str | int, ...], space: str, open_names: tuple[str, ...]
    ) -> Iterator[Problem]:
        """Yield the problems of a schema and of everything in it."""
        if len(path) > MAX_DEPTH:
            yield Problem(path, f"the schema is nested more than {MAX_DEPTH} deep", "make it flatter")
        elif isinstance(schema, str):
            yield from self._reference(schema, path, space, open_names)
        elif isinstance(schema, list):
            for index, branch in enumerate(schema):
                yield from self.visit(branch, (*path, index), space, open_names)
        elif isinstance(schema, dict):
            yield from self._object(schema, path, space, open_names)
        else:
            yield Problem(path, "this is no schema", "give a type name, a union or an object with a type")

    def _reference(
        self, name: str, path: tuple[str | int, ...], space: str, open_names: tuple[str, ...]
    ) -> Iterator[Problem]:
        if name in PRIMITIVES:
            return
        full = full_name(name, space)
        if full in open_names:
            yield Problem(
                path, f"{full} contains itself: a recursive schema", "refer to the other record by its key"
            )
        elif full not in self.no_width:
            yield Problem(path, f"the type {full} is not declared before it is used", "declare it first")

    def _object(
        self, schema: dict[str, Any], path: tuple[str | int, ...], space: str, open_names: tuple[str, ...]
    ) -> Iterator[Problem]:
        kind = schema.get("type")
        if kind in ("array", "map"):
            yield from self._collection(schema, path, space, open_names)
        elif isinstance(kind, str) and kind in NAMED:
            yield from self._named(schema, path, space, open_names)
        else:
            yield from self.visit(kind, path if isinstance(kind, str) else (*path, "type"), space, open_names)

    def _collection(
        self, schema: dict[str, Any], path: tuple[str | int, ...], space: str, open_names: tuple[str, ...]
    ) -> Iterator[Problem]:
        part = "items" if schema["type"] == "array" else "values"
        inner = schema.get(part)
        yield from self.visit(inner, (*path, part), space, open_names)
        if self._takes_no_bytes(inner, space):
            yield Problem(
                (*path, part),
                f"{part} of this {schema['type']} take no bytes: a short record could hold millions",
                "give them a type that takes at least one byte, or send a count",
            )

    def _named(
        self, schema: dict[str, Any], path: tuple[str | int, ...], space: str, open_names: tuple[str, ...]
    ) -> Iterator[Problem]:
        full = full_name(str(schema.get("name", "")), str(schema.get("namespace", space)))
        inside = full.rpartition(".")[0]
        if full in self.no_width:
            yield Problem(path, f"the type {full} is declared twice", "declare it once, then use its name")
        for entry in _fields(schema):
            yield from self.visit(
                entry["type"], (*path, "fields", entry["name"]), inside, (*open_names, full)
            )
        # Set after the fields, which must be known first; a name that is still open is recursion.
        self.no_width[full] = self._empty(schema, inside)

    def _empty(self, schema: dict[str, Any], inside: str) -> bool:
        if schema["type"] == "fixed":
            return bool(schema.get("size") == 0)
        if schema["type"] == "enum":
            return False
        return all(self._takes_no_bytes(entry["type"], inside) for entry in _fields(schema))

    def _takes_no_bytes(self, schema: Any, space: str) -> bool:
        while isinstance(schema, dict) and not isinstance(schema.get("type"), str):
            schema = schema.get("type")
        name = schema
        if isinstance(schema, dict):
            name = schema["type"]
            if name in NAMED:
                name = full_name(str(schema.get("name", "")), str(schema.get("namespace", space)))
        if not isinstance(name, str):
            return False
        return name == "null" or self.no_width.get(full_name(name, space), False)


@dataclass(frozen=True, slots=True)
class _Extent:
    """How many types a schema stands for, and how many of them take no bytes and hold nothing."""

    parts: int
    hollow: int = 0


@dataclass(slots=True)
class _Measure:
    """One pass over a sound schema; each name is measured once, where it is declared."""

    named: dict[str, _Extent] = field(default_factory=dict)
    full_of_nothing: list[str] = field(default_factory=list)

    def problems(self, schema: Any) -> Iterator[Problem]:
        """Yield what makes it dangerous: too many types, or items of a collection full of nothing."""
        parts = self._of(schema, "").parts
        if parts > MAX_PARTS:
            yield Problem(
                (), f"with its names written out the schema has {parts} types", f"stay below {MAX_PARTS}"
            )
        for kind in self.full_of_nothing:
            yield Problem(
                (),
                f"one item of a collection ({kind}) has more than {MAX_HOLLOW} parts that take no bytes",
                "leave them out, or give them a type that takes at least one byte",
            )

    def _of(self, schema: Any, space: str) -> _Extent:
        if isinstance(schema, str):
            return self.named.get(full_name(schema, space), _Extent(1, int(schema == "null")))
        if isinstance(schema, list):
            branches = [self._of(branch, space) for branch in schema]
            hollow = [
                found.hollow for found, branch in zip(branches, schema, strict=True) if branch != "null"
            ]
            return _Extent(1 + sum(found.parts for found in branches), max(hollow, default=0))
        kind = schema.get("type")
        if kind in ("array", "map"):
            return self._collection(schema, space)
        if isinstance(kind, str) and kind in NAMED:
            return self._declared(schema, space)
        return self._of(kind, space)

    def _collection(self, schema: dict[str, Any], space: str) -> _Extent:
        inner = self._of(schema.get("items" if schema["type"] == "array" else "values"), space)
        if inner.hollow > MAX_HOLLOW:
            self.full_of_nothing.append(schema["type"])
        return _Extent(1 + inner.parts)

    def _declared(self, schema: dict[str, Any], space: str) -> _Extent:
        full = full_name(str(schema.get("name", "")), str(schema.get("namespace", space)))
        fields = [self._of(entry["type"], full.rpartition(".")[0]) for entry in _fields(schema)]
        empty = (
            schema.get("size") == 0 if schema["type"] == "fixed" else schema["type"] != "enum" and not fields
        )
        hollow = int(empty) + sum(found.hollow for found in fields)
        self.named[full] = _Extent(1 + sum(found.parts for found in fields), hollow)
        return self.named[full]


def full_name(name: str, space: str) -> str:
    """A type's name with its namespace: its own where it has a dot, else the one around it."""
    return name if "." in name or not space else f"{space}.{name}"
