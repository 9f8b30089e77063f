"""Compiled rules about several items or the whole record: order, equality, implication, identity, time."""

from dataclasses import dataclass
from typing import Final

from topics.identity.kinds import IdentityKind
from topics.identity.resident import birth_date_of, is_male
from topics.identity.text import normalise
from topics.quality.values import (
    EPOCH,
    PER_SECOND,
    Unit,
    as_code,
    as_count,
    is_absent,
    is_same,
)
from topics.quality.verdict import AssessmentContext, Finding, QualityCode, Record, RuleId, Severity

# Clocks of two departments may differ by this much before a source time counts as one from the future.
CLOCK_TOLERANCE_MS: Final = 300_000


@dataclass(frozen=True, slots=True)
class RecordRule:
    """What every rule about several items has."""

    id: RuleId
    severity: Severity

    @property
    def items(self) -> tuple[str, ...]:
        """The items that the rule reads."""
        raise NotImplementedError

    def finding(self, code: QualityCode, detail: str) -> Finding:
        """Return a finding of this rule."""
        return Finding(self.id, self.items, code, detail)


@dataclass(frozen=True, slots=True)
class DatesInOrder(RecordRule):
    """One date or time is not after another of the same unit."""

    earlier: str
    later: str
    unit: Unit

    @property
    def items(self) -> tuple[str, ...]:
        """The earlier and the later item."""
        return (self.earlier, self.later)

    def assess(self, record: Record, context: AssessmentContext) -> Finding | None:  # noqa: ARG002
        """Find the wrong order, and values that are not of the unit."""
        values = record.get(self.earlier), record.get(self.later)
        if values[0] is None or values[1] is None:
            return None
        first, second = as_count(values[0], self.unit), as_count(values[1], self.unit)
        if first is None or second is None:
            return self.finding(QualityCode.WRONG_TYPE, f"not both a {self.unit}")
        if first > second:
            return self.finding(QualityCode.DATE_ORDER, f"{self.earlier} is after {self.later}")
        return None


@dataclass(frozen=True, slots=True)
class ItemsEqual(RecordRule):
    """Two items, where both have a value, have the same."""

    left: str
    right: str

    @property
    def items(self) -> tuple[str, ...]:
        """The two items."""
        return (self.left, self.right)

    def assess(self, record: Record, context: AssessmentContext) -> Finding | None:  # noqa: ARG002
        """Find two different values."""
        left, right = record.get(self.left), record.get(self.right)
        if left is None or right is None or is_same(left, right):
            return None
        return self.finding(QualityCode.ITEMS_DIFFER, f"{self.left} and {self.right} differ")


@dataclass(frozen=True, slots=True)
class Condition:
    """A statement about one item: it has one of some values, or it has any value, or none."""

    item: str
    among: tuple[str | int | bool, ...] | None
    present: bool

    def holds(self, record: Record) -> bool:
        """Tell whether the statement is true of a record."""
        value = record.get(self.item)
        if self.among is None:
            return is_absent(value) is not self.present
        return any(is_same(value, allowed) for allowed in self.among)


@dataclass(frozen=True, slots=True)
class Implies(RecordRule):
    """Where one condition holds, another holds too."""

    when: Condition
    then: Condition

    @property
    def items(self) -> tuple[str, ...]:
        """The item of the cause and the item of the consequence."""
        return (self.when.item, self.then.item)

    def assess(self, record: Record, context: AssessmentContext) -> Finding | None:  # noqa: ARG002
        """Find the first condition true and the second not."""
        if not self.when.holds(record) or self.then.holds(record):
            return None
        return self.finding(
            QualityCode.IMPLICATION, f"{self.then.item} is not what {self.when.item} asks for"
        )


@dataclass(frozen=True, slots=True)
class IdentityAgrees(RecordRule):
    """What every rule has that compares a resident number with another item.

    Without a kind item every number is taken as a resident number; with one, only those that it calls so.
    """

    identity: str
    kind: str | None
    other: str

    @property
    def items(self) -> tuple[str, ...]:
        """The identity item, the one it is compared with, and the kind item if one is named."""
        return (self.identity, self.other, *(() if self.kind is None else (self.kind,)))

    def assess(self, record: Record, context: AssessmentContext) -> Finding | None:  # noqa: ARG002
        """Find disagreement, and a number that states nothing to compare with."""
        number, other = record.get(self.identity), record.get(self.other)
        if number is None or other is None or not self._is_resident(record):
            return None
        normalised = normalise(number) if isinstance(number, str) else ""
        if birth_date_of(normalised) is None:
            return self.finding(QualityCode.IDENTITY_UNREADABLE, f"{self.identity} is no resident number")
        return self.compare(normalised, other)

    def compare(self, number: str, other: object) -> Finding | None:
        """Compare a resident number of the right form with the other item's value."""
        raise NotImplementedError

    def _is_resident(self, record: Record) -> bool:
        return self.kind is None or record.get(self.kind) == IdentityKind.RESIDENT_ID.value


@dataclass(frozen=True, slots=True)
class BirthDateAgrees(IdentityAgrees):
    """The birth date (days since the epoch) is the one in the resident number."""

    def compare(self, number: str, other: object) -> Finding | None:
        """Find another birth date."""
        stated, born = as_count(other, Unit.DATE), birth_date_of(number)
        if stated is None:
            return self.finding(QualityCode.WRONG_TYPE, f"{self.other} is not a date")
        if born is None or (born - EPOCH).days != stated:
            return self.finding(
                QualityCode.BIRTH_DATE_DIFFERS, f"{self.other} is not the one in {self.identity}"
            )
        return None


@dataclass(frozen=True, slots=True)
class SexAgrees(IdentityAgrees):
    """The sex is the one in the resident number; `codes` are those for male and for female."""

    codes: tuple[str, str]

    def compare(self, number: str, other: object) -> Finding | None:
        """Find another sex."""
        code = as_code(other)
        if code is None:
            return self.finding(QualityCode.WRONG_TYPE, f"{self.other} is not a code")
        if code != self.codes[0 if is_male(number) else 1]:
            return self.finding(QualityCode.SEX_DIFFERS, f"{self.other} is not the one in {self.identity}")
        return None


@dataclass(frozen=True, slots=True)
class InTime(RecordRule):
    """The record was recorded within so many ms of the source time, or of a timestamp item."""

    within_ms: int
    item: str | None
    unit: Unit

    @property
    def items(self) -> tuple[str, ...]:
        """The timestamp item, if one is named."""
        return () if self.item is None else (self.item,)

    def assess(self, record: Record, context: AssessmentContext) -> Finding | None:
        """Find records that are late, without a source time, or from the future."""
        start = context.source_at_ms if self.item is None else self._item_ms(record.get(self.item))
        if start is None:
            return self.finding(QualityCode.SOURCE_TIME_UNKNOWN, "no time to measure the delay from")
        delay = context.recorded_at_ms - start
        if delay > self.within_ms:
            return self.finding(QualityCode.LATE, f"over {self.within_ms // 1_000} s after the source time")
        if delay < -CLOCK_TOLERANCE_MS:
            return self.finding(
                QualityCode.SOURCE_TIME_AHEAD, "the source time is ahead of the recorded time"
            )
        return None

    def _item_ms(self, value: object) -> int | None:
        count = as_count(value, self.unit)
        return None if count is None else count * PER_SECOND[Unit.TIMESTAMP_MILLIS] // PER_SECOND[self.unit]
