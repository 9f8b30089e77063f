"""The words of quality: findings with their reason codes, the verdict, what is known beside a record."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType, Protocol

RuleId = NewType("RuleId", str)
Record = Mapping[str, object]


class Severity(StrEnum):
    """What a finding does to its record: stop it, or let it travel with a mark."""

    STOP = "stop"
    MARK = "mark"


class QualityCode(StrEnum):
    """What is wrong with a record; a closed list, its codes are stable and public."""

    MISSING = "MISSING"
    WRONG_TYPE = "WRONG_TYPE"
    TOO_SHORT = "TOO_SHORT"
    TOO_LONG = "TOO_LONG"
    PATTERN = "PATTERN"
    NOT_IN_CODE_LIST = "NOT_IN_CODE_LIST"
    BELOW_RANGE = "BELOW_RANGE"
    ABOVE_RANGE = "ABOVE_RANGE"
    DATE_ORDER = "DATE_ORDER"
    ITEMS_DIFFER = "ITEMS_DIFFER"
    IMPLICATION = "IMPLICATION"
    IDENTITY_UNREADABLE = "IDENTITY_UNREADABLE"
    BIRTH_DATE_DIFFERS = "BIRTH_DATE_DIFFERS"
    SEX_DIFFERS = "SEX_DIFFERS"
    SOURCE_TIME_UNKNOWN = "SOURCE_TIME_UNKNOWN"
    SOURCE_TIME_AHEAD = "SOURCE_TIME_AHEAD"
    LATE = "LATE"


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that a record breaks; `detail` says how, and never holds a value of the record."""

    rule: RuleId
    items: tuple[str, ...]
    code: QualityCode
    detail: str


@dataclass(frozen=True, slots=True)
class QualityVerdict:
    """Everything found in one record: what stops it and what only marks it."""

    stops: tuple[Finding, ...]
    marks: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class AssessmentContext:
    """What is known of a record beside its items.

    Args:
        recorded_at_ms: the raw record's broker timestamp, in ms since the epoch; the only "now" of a rule.
        source_at_ms: when the source committed the change, in ms since the epoch; None if it did not say.
    """

    recorded_at_ms: int
    source_at_ms: int | None


class Rule(Protocol):
    """One compiled rule; it returns a finding for odd values and never raises for them."""

    @property
    def id(self) -> RuleId:
        """The name that findings carry."""

    @property
    def severity(self) -> Severity:
        """What a finding of this rule does to the record."""

    @property
    def items(self) -> tuple[str, ...]:
        """The items that the rule reads."""

    def assess(self, record: Record, context: AssessmentContext) -> Finding | None:
        """Return what is wrong by this rule, None if nothing is; absent items are `required`'s affair."""


@dataclass(frozen=True, slots=True)
class CompiledRules:
    """The rules of one resource, in declared order."""

    rules: tuple[Rule, ...]

    def assess(self, record: Record, context: AssessmentContext) -> QualityVerdict:
        """Assess one record by every rule; the values are plain Avro values, dates and timestamps as int."""
        stops: list[Finding] = []
        marks: list[Finding] = []
        for rule in self.rules:
            finding = rule.assess(record, context)
            if finding is not None:
                (stops if rule.severity is Severity.STOP else marks).append(finding)
        return QualityVerdict(tuple(stops), tuple(marks))
