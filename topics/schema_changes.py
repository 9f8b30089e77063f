"""What differs between two versions of an Avro schema, part by part, as its readers meet it; pure.

Records are matched by the names of their fields and the aliases of the newer ones, unions by their branches.
Paths name fields with dots between them, ``[]`` what is in an array, ``{}`` what is in a map, and ``<…>`` one
branch of a union.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Self

from topics.schema_rules import NAMED, PRIMITIVES, full_name

_RECORDS: Final = frozenset({"record", "error"})
_PROMOTIONS: Final = frozenset(
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
"""Avro 1.11, "Schema Resolution": what was written as the first may be read as the second."""


class What(StrEnum):
    """In what a part differs."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    """The newer field names the older one as its alias."""
    TYPE = "type"
    PROMOTED = "promoted"
    """Another type, as which Avro reads what was written with the old one."""
    LOGICAL = "logical"
    NULLABLE = "nullable"
    """It may be null now, or never is any more."""
    SYMBOLS = "symbols"
    NAME = "name"
    """The name of the type, which is not the field's."""
    DEFAULT = "default"
    DOC = "doc"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: where, in what, and what stood and stands there; empty where nothing does."""

    path: str
    what: What
    was: str = ""
    now: str = ""


def schema_changes(old: Any, new: Any) -> tuple[Change, ...]:
    """Compare two Avro schemas; the order of fields, of a union's branches and aliases do not count.

    Args:
        old: the schema that readers know, as parsed JSON.
        new: the one that follows it.

    Returns:
        The differences in the order of the newer schema, with what is gone from a part at its end. A named
        type that is used in several places is compared once.
    """
    sides = _Side.of(old), _Side.of(new)
    return tuple(_Comparison(*sides).types("", sides[0].root, sides[1].root))


@dataclass(slots=True)
class _Side:
    """One of both schemas, with all names written in full."""

    named: dict[str, dict[str, Any]] = field(default_factory=dict)
    root: Any = None

    @classmethod
    def of(cls, schema: Any) -> Self:
        """A schema, ready to be compared."""
        side = cls()
        side.root = side.spelled(schema, "")
        return side

    def spelled(self, schema: Any, space: str) -> Any:
        """The schema with the full name wherever a name stands."""
        if isinstance(schema, str):
            return schema if schema in PRIMITIVES else full_name(schema, space)
        if isinstance(schema, list):
            return [self.spelled(branch, space) for branch in schema]
        kind = schema["type"]
        if not isinstance(kind, str):
            return self.spelled(kind, space)
        if kind in NAMED:
            return self._declared(schema, space)
        for part in ("items", "values"):
            if part in schema:
                return {**schema, part: self.spelled(schema[part], space)}
        return schema if kind in PRIMITIVES else self.spelled(kind, space)

    def _declared(self, schema: dict[str, Any], space: str) -> dict[str, Any]:
        full = full_name(schema["name"], schema.get("namespace", space))
        entry = self.named[full] = {**schema, "name": full}
        if schema["type"] in _RECORDS:
            inside = full.rpartition(".")[0]
            entry["fields"] = [
                {**each, "type": self.spelled(each["type"], inside)} for each in schema["fields"]
            ]
        return entry

    def resolved(self, schema: Any) -> Any:
        """A type's declaration where its name stands."""
        return self.named.get(schema, schema) if isinstance(schema, str) else schema

    def text(self, schema: Any) -> str:
        """A type for people, such as ``null | int (date)``."""
        schema = self.resolved(schema)
        if isinstance(schema, list):
            return " | ".join(map(self.text, schema))
        kind, logical = _kind(schema), _logical(schema)
        match kind:
            case "array":
                said = f"array<{self.text(schema['items'])}>"
            case "map":
                said = f"map<{self.text(schema['values'])}>"
            case "fixed":
                said = f"fixed {schema['name']}[{schema['size']}]"
            case _:
                said = f"{kind} {schema['name']}" if kind in NAMED else kind
        return f"{said} ({logical})" if logical else said


@dataclass(slots=True)
class _Comparison:
    """One pass over both; pairs of named types that were begun are not begun again."""

    old: _Side
    new: _Side
    begun: set[tuple[str, str]] = field(default_factory=set)

    def types(self, path: str, old: Any, new: Any) -> Iterator[Change]:
        """The differences of two types and of what is in them."""
        old, new = self.old.resolved(old), self.new.resolved(new)
        if isinstance(old, list) or isinstance(new, list):
            yield from self._unions(path, _branches(old), _branches(new))
        elif _kind(old) != _kind(new):
            yield self._other_type(path, old, new)
        else:
            yield from self._same_kind(path, old, new)

    def _unions(self, path: str, old: list[Any], new: list[Any]) -> Iterator[Change]:
        if ("null" in old) != ("null" in new):
            yield Change(path, What.NULLABLE, self.old.text(old), self.new.text(new))
        old, new = _not_null(old), _not_null(new)
        if len(old) == len(new) == 1:
            yield from self.types(path, old[0], new[0])
        else:
            yield from self._branches(path, old, new)

    def _branches(self, path: str, old: list[Any], new: list[Any]) -> Iterator[Change]:
        before = {self._branch(self.old, each): each for each in old}
        after = {self._branch(self.new, each): each for each in new}
        for name, each in after.items():
            if name in before:
                yield from self.types(f"{path}<{name}>", before[name], each)
            else:
                yield Change(f"{path}<{name}>", What.ADDED, now=self.new.text(each))
        for name in (each for each in before if each not in after):
            yield Change(f"{path}<{name}>", What.REMOVED, was=self.old.text(before[name]))

    def _branch(self, side: _Side, schema: Any) -> str:
        """By what a union tells its branches apart."""
        schema = side.resolved(schema)
        kind = _kind(schema)
        return str(schema["name"]) if kind in NAMED else kind

    def _other_type(self, path: str, old: Any, new: Any) -> Change:
        promoted = (_kind(old), _kind(new)) in _PROMOTIONS and _logical(old) == _logical(new)
        what = What.PROMOTED if promoted else What.TYPE
        return Change(path, what, self.old.text(old), self.new.text(new))

    def _same_kind(self, path: str, old: Any, new: Any) -> Iterator[Change]:
        kind = _kind(new)
        if kind == "array":
            yield from self.types(f"{path}[]", old["items"], new["items"])
        elif kind == "map":
            yield from self.types(f"{path}{{}}", old["values"], new["values"])
        elif kind in NAMED:
            yield from self._named(path, old, new)
        if _logical(old) != _logical(new):
            yield Change(path, What.LOGICAL, _logical(old), _logical(new))

    def _named(self, path: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
        pair = old["name"], new["name"]
        if pair in self.begun:
            return
        self.begun.add(pair)
        yield from _differing(path, What.NAME, *pair)
        yield from _differing(path, What.DOC, old.get("doc", ""), new.get("doc", ""))
        if new["type"] in _RECORDS:
            yield from self._fields(path, old["fields"], new["fields"])
        elif new["type"] == "enum":
            yield from _differing(path, What.SYMBOLS, *(" ".join(each["symbols"]) for each in (old, new)))
        elif old["size"] != new["size"]:
            yield Change(path, What.TYPE, self.old.text(old), self.new.text(new))

    def _fields(self, path: str, old: list[Any], new: list[Any]) -> Iterator[Change]:
        before = {each["name"]: each for each in old}
        followed = _followed(before, new)
        for each in new:
            here, was = _below(path, each["name"]), followed.get(each["name"])
            if was is None:
                yield Change(here, What.ADDED, now=self.new.text(each["type"]))
            else:
                yield from self._field(here, before[was], each)
        for name in (each for each in before if each not in followed.values()):
            yield Change(_below(path, name), What.REMOVED, was=self.old.text(before[name]["type"]))

    def _field(self, path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
        yield from _differing(path, What.RENAMED, old["name"], new["name"])
        yield from self.types(path, old["type"], new["type"])
        yield from _differing(path, What.DEFAULT, _default(old), _default(new))
        yield from _differing(path, What.DOC, old.get("doc", ""), new.get("doc", ""))


def _followed(before: Mapping[str, Any], new: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """New field → the old one that it follows: of the same name, or else one that it names as its alias."""
    found = {each["name"]: each["name"] for each in new if each["name"] in before}
    for each in new:
        free = (one for one in each.get("aliases", ()) if one in before and one not in found.values())
        was = None if each["name"] in found else next(free, None)
        if was is not None:
            found[each["name"]] = was
    return found


def _differing(path: str, what: What, was: str, now: str) -> Iterator[Change]:
    if was != now:
        yield Change(path, what, was, now)


def _default(entry: Mapping[str, Any]) -> str:
    """A default as JSON; nothing where there is none, which is not the same as null."""
    return json.dumps(entry["default"], ensure_ascii=False, sort_keys=True) if "default" in entry else ""


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _branches(schema: Any) -> list[Any]:
    return schema if isinstance(schema, list) else [schema]


def _not_null(branches: list[Any]) -> list[Any]:
    return [each for each in branches if each != "null"]


def _kind(schema: Any) -> str:
    return str(schema["type"] if isinstance(schema, dict) else schema)


def _logical(schema: Any) -> str:
    """A logical type with what belongs to it, such as ``decimal 10,2``; empty where there is none."""
    if not isinstance(schema, dict) or "logicalType" not in schema:
        return ""
    size = [str(schema[each]) for each in ("precision", "scale") if each in schema]
    return f"{schema['logicalType']} {','.join(size)}".rstrip()
