"""The schema of what a grant delivers: its items in the resource's order, types as its masks leave them."""

from collections.abc import Mapping
from typing import Any, Final

from topics.grants.declaration import DropMask, Grant, Mask, YearMask

_NAMED: Final = frozenset({"record", "enum", "fixed"})
_PRIMITIVE: Final = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})


class UnknownItem(Exception):  # noqa: N818 - named after what to look for
    """The grant includes an item that the resource's schema does not have: correct the grant."""


def projected_schema(item_schema: dict[str, Any], grant: Grant) -> dict[str, Any]:
    """The Avro record schema of the grant's values.

    Fields keep the item schema's order, so that a record without masks is a run of slices of the original.

    Raises:
        UnknownItem: the grant includes an item that the schema does not have.
    """
    fields = item_schema["fields"]
    missing = sorted(set(grant.items) - {field["name"] for field in fields})
    if missing:
        raise UnknownItem(f"grant {grant.id}: {item_schema['name']} has no item {', '.join(missing)}")
    definitions = _definitions(item_schema)
    emitted: set[str] = set()
    chosen = []
    for field in fields:
        if field["name"] in grant.items:
            masked = _masked_field(field, grant.masks.get(field["name"]))
            chosen.append(masked | {"type": _self_contained(masked["type"], definitions, emitted)})
    return {**item_schema, "fields": chosen}


def _masked_field(field: Mapping[str, Any], mask: Mask | None) -> dict[str, Any]:
    if mask is None or isinstance(mask, YearMask):
        return dict(field)
    if isinstance(mask, DropMask):
        return {**_without_default(field), "type": _nullable_first(field["type"]), "default": None}
    return _as_text(field)


def _as_text(field: Mapping[str, Any]) -> dict[str, Any]:
    """The field as a string that stays null where it was; its default stays where it is a string's."""
    branches = field["type"] if isinstance(field["type"], list) else [field["type"]]
    texts: list[str] = list(dict.fromkeys("null" if branch == "null" else "string" for branch in branches))
    found: dict[str, Any] = {**_without_default(field), "type": texts if len(texts) > 1 else texts[0]}
    if "default" in field:
        first_is_null = texts[0] == "null"
        found["default"] = None if first_is_null else _text_default(field["default"])
    return found


def _text_default(default: Any) -> str:
    return default if isinstance(default, str) else ""


def _without_default(field: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in field.items() if name != "default"}


def _nullable_first(avro_type: Any) -> list[Any]:
    branches = avro_type if isinstance(avro_type, list) else [avro_type]
    return ["null", *(branch for branch in branches if branch != "null")]


def _definitions(avro_type: Any) -> dict[str, Any]:
    """Every named type below, by its name as written and by its full name."""
    found: dict[str, Any] = {}
    if isinstance(avro_type, list):
        for branch in avro_type:
            found |= _definitions(branch)
    elif isinstance(avro_type, dict):
        if avro_type.get("type") in _NAMED:
            found |= dict.fromkeys(_names(avro_type), avro_type)
        for field in avro_type.get("fields", ()):
            found |= _definitions(field["type"])
        for inner in ("items", "values"):
            found |= _definitions(avro_type.get(inner))
        if isinstance(avro_type.get("type"), dict | list):
            found |= _definitions(avro_type["type"])
    return found


def _names(named: Mapping[str, Any]) -> tuple[str, ...]:
    if "namespace" in named:
        return named["name"], f"{named['namespace']}.{named['name']}"
    return (named["name"],)


def _self_contained(avro_type: Any, definitions: Mapping[str, Any], emitted: set[str]) -> Any:
    """The type with each name written out where it appears first: its definition may not be granted."""
    if isinstance(avro_type, str):
        if avro_type in _PRIMITIVE or avro_type in emitted or avro_type not in definitions:
            return avro_type
        return _self_contained(definitions[avro_type], definitions, emitted)
    if isinstance(avro_type, list):
        return [_self_contained(branch, definitions, emitted) for branch in avro_type]
    found = dict(avro_type)
    if found.get("type") in _NAMED:
        emitted.update(_names(found))
    if "fields" in found:
        found["fields"] = [
            {**field, "type": _self_contained(field["type"], definitions, emitted)}
            for field in found["fields"]
        ]
    for inner in ("items", "values"):
        if inner in found:
            found[inner] = _self_contained(found[inner], definitions, emitted)
    return found
