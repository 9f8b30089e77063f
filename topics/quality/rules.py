"""Compiled rules about one item: required, type, length, pattern, code list, range."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final

from topics.quality.pattern import MAX_TEXT
from topics.quality.values import Unit, as_code, as_count, count_of_ms, is_absent, measure
from topics.quality.verdict import AssessmentContext, Finding, QualityCode, Record, RuleId, Severity


class ItemType(StrEnum):
    """What a value may be declared to be."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    BYTES = "bytes"
    DATE = "date"
    TIMESTAMP_MILLIS = "timestamp-millis"
    TIMESTAMP_MICROS = "timestamp-micros"


@dataclass(frozen=True, slots=True)
class CodeList:
    """A versioned list of codes, such as GB/T 2261.1 of 2003."""

    name: str
    version: str
    codes: frozenset[str]


@dataclass(frozen=True, slots=True)
class ItemRule:
    """What every rule about one item has; a subclass says what is wrong with a value that is there."""

    id: RuleId
    severity: Severity
    item: str

    @property
    def items(self) -> tuple[str, ...]:
        """The one item that the rule reads."""
        return (self.item,)

    def assess(self, record: Record, context: AssessmentContext) -> Finding | None:
        """Judge the item's value; no value is no finding here."""
        value = record.get(self.item)
        return None if value is None else self.judge(value, context)

    def judge(self, value: object, context: AssessmentContext) -> Finding | None:
        """Return what is wrong with a value that is there."""
        raise NotImplementedError

    def finding(self, code: QualityCode, detail: str) -> Finding:
        """Return a finding of this rule."""
        return Finding(self.id, (self.item,), code, detail)


@dataclass(frozen=True, slots=True)
class Required(ItemRule):
    """The item has a value that is not blank."""

    def assess(self, record: Record, context: AssessmentContext) -> Finding | None:  # noqa: ARG002
        """Find the item missing, null or blank."""
        if is_absent(record.get(self.item)):
            return self.finding(QualityCode.MISSING, "a value is required")
        return None


@dataclass(frozen=True, slots=True)
class TypeIs(ItemRule):
    """The value is of the declared type; a decimal also of its precision and scale."""

    type: ItemType
    precision: int | None
    scale: int | None

    def judge(self, value: object, context: AssessmentContext) -> Finding | None:  # noqa: ARG002
        """Find a value of another type, or a decimal with too many digits."""
        if not _TYPE_TESTS[self.type](value):
            return self.finding(QualityCode.WRONG_TYPE, f"not of type {self.type}")
        if self.type is ItemType.DECIMAL:
            return self._digits(str(value))
        return None

    def _digits(self, text: str) -> Finding | None:
        whole, _, fraction = text.lstrip("+-").partition(".")
        whole = whole.lstrip("0")
        if self.scale is not None and len(fraction) > self.scale:
            return self.finding(QualityCode.TOO_LONG, f"more than {self.scale} digits after the point")
        room = None if self.precision is None else self.precision - (self.scale or 0)
        if room is not None and len(whole) > room:
            return self.finding(QualityCode.TOO_LONG, f"more than {room} digits before the point")
        return None


@dataclass(frozen=True, slots=True)
class LengthWithin(ItemRule):
    """The text has a length in code points (bytes: in bytes) within bounds."""

    least: int
    most: int | None

    def judge(self, value: object, context: AssessmentContext) -> Finding | None:  # noqa: ARG002
        """Find text that is too short or too long, and values without length."""
        if not isinstance(value, str | bytes):
            return self.finding(QualityCode.WRONG_TYPE, "has no length: neither text nor bytes")
        if len(value) < self.least:
            return self.finding(QualityCode.TOO_SHORT, f"length {len(value)} is under {self.least}")
        if self.most is not None and len(value) > self.most:
            return self.finding(QualityCode.TOO_LONG, f"length {len(value)} is over {self.most}")
        return None


@dataclass(frozen=True, slots=True)
class MatchesPattern(ItemRule):
    """The whole text matches a pattern of the safe subset."""

    pattern: re.Pattern[str]

    def judge(self, value: object, context: AssessmentContext) -> Finding | None:  # noqa: ARG002
        """Find text that does not match; text too long to be tried is found too long."""
        if not isinstance(value, str):
            return self.finding(QualityCode.WRONG_TYPE, "not text")
        if len(value) > MAX_TEXT:
            return self.finding(
                QualityCode.TOO_LONG, f"longer than the {MAX_TEXT} code points a pattern reads"
            )
        if self.pattern.fullmatch(value) is None:
            return self.finding(QualityCode.PATTERN, f"does not match {self.pattern.pattern}")
        return None


@dataclass(frozen=True, slots=True)
class InCodeList(ItemRule):
    """The value is a code of one version of a code list."""

    codes: CodeList

    def judge(self, value: object, context: AssessmentContext) -> Finding | None:  # noqa: ARG002
        """Find values that are no code of the list."""
        code = as_code(value)
        if code is None:
            return self.finding(QualityCode.WRONG_TYPE, "not a code: neither text nor a whole number")
        if code not in self.codes.codes:
            return self.finding(
                QualityCode.NOT_IN_CODE_LIST, f"not in {self.codes.name} {self.codes.version}"
            )
        return None


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of a range: a value in the rule's unit, or the time at which the record was recorded."""

    value: Decimal | int | None

    def at(self, context: AssessmentContext, unit: Unit) -> Decimal | int:
        """Return the bound's value for one record."""
        return count_of_ms(context.recorded_at_ms, unit) if self.value is None else self.value


@dataclass(frozen=True, slots=True)
class InRange(ItemRule):
    """The value lies between two bounds, both included."""

    unit: Unit
    least: Bound | None
    most: Bound | None

    def judge(self, value: object, context: AssessmentContext) -> Finding | None:
        """Find values outside the range, and values that are not of its unit."""
        measured = measure(value, self.unit)
        if measured is None:
            return self.finding(QualityCode.WRONG_TYPE, f"not a {self.unit}")
        if self.least is not None and measured < self.least.at(context, self.unit):
            return self.finding(QualityCode.BELOW_RANGE, "under the least value allowed")
        if self.most is not None and measured > self.most.at(context, self.unit):
            return self.finding(QualityCode.ABOVE_RANGE, "over the most allowed")
        return None


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63


def _is_text(value: object) -> bool:
    # A lone surrogate cannot be written as UTF-8, so it cannot have come from an Avro string.
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


_TYPE_TESTS: Final[Mapping[ItemType, Callable[[object], bool]]] = {
    ItemType.STRING: _is_text,
    ItemType.INTEGER: _is_whole,
    ItemType.NUMBER: lambda value: not isinstance(value, str) and measure(value, Unit.NUMBER) is not None,
    ItemType.DECIMAL: lambda value: isinstance(value, str) and measure(value, Unit.NUMBER) is not None,
    ItemType.BOOLEAN: lambda value: isinstance(value, bool),
    ItemType.BYTES: lambda value: isinstance(value, bytes),
    ItemType.DATE: lambda value: as_count(value, Unit.DATE) is not None,
    ItemType.TIMESTAMP_MILLIS: lambda value: as_count(value, Unit.TIMESTAMP_MILLIS) is not None,
    ItemType.TIMESTAMP_MICROS: lambda value: as_count(value, Unit.TIMESTAMP_MICROS) is not None,
}
