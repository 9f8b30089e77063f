"""Checks a record before it is published: its Avro schema item by item, its identity, its declared rules.

The gate checks again and decides; this only tells the provider at once, naming each wrong item. No message
repeats a value, so that reports and logs hold no personal data.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import fastavro
from fastavro.validation import validate

from topics.identity.check import check, normalise
from topics.quality.compiler import compile_rules
from topics.quality.rules import CodeList
from topics.quality.values import CIVIL_TIME
from topics.quality.verdict import AssessmentContext
from topics.resource import Conversion, Resource

_CONVERSIONS: Final[Mapping[Conversion, Callable[[str], str]]] = {
    Conversion.TRIM: str.strip,
    Conversion.UPPER: str.upper,
    Conversion.NORMALISE: normalise,
}


@dataclass(frozen=True, slots=True, order=True)
class ItemProblem:
    """What is wrong with one item; ``item`` is empty where the record as a whole is wrong."""

    item: str
    message: str

    def __str__(self) -> str:
        return f"{self.item}: {self.message}" if self.item else self.message


class RecordChecker:
    """Checks records of one resource.

    Args:
        resource: the declaration with its rules.
        item_schema: the resource's Avro schema.
        code_lists: every code list that a rule may name.
    """

    def __init__(
        self, resource: Resource, item_schema: Mapping[str, Any], code_lists: Iterable[CodeList] = ()
    ) -> None:
        parsed: Any = fastavro.parse_schema(dict(item_schema))
        self._fields: dict[str, Mapping[str, Any]] = {field["name"]: field for field in parsed["fields"]}
        self._resource = resource
        self._conversions = {item.name: item.conversion for item in resource.items}
        names = [item.name for item in resource.items]
        self._rules = compile_rules(resource.rules, code_lists, names, resource.update_cycle)

    def problems(self, record: Mapping[str, Any], occurred_ms: int, now_ms: int) -> list[ItemProblem]:
        """Everything that is wrong with an upsert; empty if it may be published."""
        found = self.schema_problems(record) + self._identity_problems(record, now_ms)
        return found or self._rule_problems(record, occurred_ms, now_ms)

    def delete_problems(self, record: Mapping[str, Any], now_ms: int) -> list[ItemProblem]:
        """Everything that is wrong with a delete: an old state need not keep today's rules."""
        return self.schema_problems(record) + self._identity_problems(record, now_ms)

    def schema_problems(self, record: Mapping[str, Any]) -> list[ItemProblem]:
        """Items that the schema does not know, that are missing, or that have another type."""
        unknown = [
            ItemProblem(name, "the resource has no such item") for name in record if name not in self._fields
        ]
        return [
            *unknown,
            *(problem for field in self._fields.values() for problem in _of_field(field, record)),
        ]

    def _identity_problems(self, record: Mapping[str, Any], now_ms: int) -> list[ItemProblem]:
        identity = self._resource.identity
        number = record.get(identity.item)
        if number is None:
            return [ItemProblem(identity.item, "the identity is missing")]
        if not isinstance(number, str):
            return []
        country = record.get(identity.country_item) if identity.country_item else None
        today = datetime.fromtimestamp(now_ms / 1_000, CIVIL_TIME).date()
        verdict = check(identity.kind, number, today, country if isinstance(country, str) else None)
        return (
            []
            if verdict.valid
            else [ItemProblem(identity.item, f"is not a {identity.kind}: {verdict.reason}")]
        )

    def _rule_problems(self, record: Mapping[str, Any], occurred_ms: int, now_ms: int) -> list[ItemProblem]:
        converted = {name: self._converted(name, value) for name, value in record.items()}
        verdict = self._rules.assess(converted, AssessmentContext(now_ms, occurred_ms))
        return [
            ItemProblem(item, f"{finding.code}: {finding.detail} (rule {finding.rule})")
            for finding in verdict.stops
            for item in finding.items or ("",)
        ]

    def _converted(self, name: str, value: Any) -> Any:
        """The value as the gate will see it; what only concerns captured columns is left alone."""
        convert = _CONVERSIONS.get(self._conversions.get(name, Conversion.NONE))
        return convert(value) if convert is not None and isinstance(value, str) else value


def _of_field(field: Mapping[str, Any], record: Mapping[str, Any]) -> list[ItemProblem]:
    name, avro_type = field["name"], field["type"]
    if name not in record:
        optional = "default" in field or _is_nullable(avro_type)
        return [] if optional else [ItemProblem(name, "is missing")]
    return [] if _fits(record[name], avro_type) else [ItemProblem(name, f"is not {type_name(avro_type)}")]


def _fits(value: Any, avro_type: Any) -> bool:
    try:
        return bool(validate(value, avro_type, raise_errors=False))
    except (ValueError, TypeError, OverflowError, AttributeError):
        # Conversions of logical types raise for values that are not theirs.
        return False


def _is_nullable(avro_type: Any) -> bool:
    return avro_type == "null" or (isinstance(avro_type, list) and "null" in avro_type)


def type_name(avro_type: Any) -> str:
    """An Avro type in words, e.g. ``string or null``."""
    if isinstance(avro_type, list):
        parts = sorted((part for part in avro_type), key=lambda part: part == "null")
        return " or ".join(type_name(part) for part in parts)
    if isinstance(avro_type, dict):
        return str(avro_type.get("logicalType") or avro_type.get("name") or avro_type["type"])
    return str(avro_type)
