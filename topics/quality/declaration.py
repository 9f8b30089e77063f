"""The form in which quality rules are declared in a resource definition, read from YAML."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from topics.quality.rules import ItemType
from topics.quality.values import Unit
from topics.quality.verdict import Severity

ItemName = Annotated[str, Field(min_length=1)]
# Booleans first and strict, else YAML's true would be read as the number 1.
Scalar = Annotated[bool, Field(strict=True)] | Annotated[int, Field(strict=True)] | str
BoundValue = Annotated[int, Field(strict=True)] | float | Decimal | datetime | date | str


class UpdateCycle(StrEnum):
    """How often a resource promises to be renewed."""

    REAL_TIME = "real_time"
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    HALF_YEARLY = "half_yearly"
    YEARLY = "yearly"


class _Declaration(BaseModel):
    """What every declared rule may say; without an id it is named after its rule and items."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str | None = Field(default=None, min_length=1)
    severity: Severity = Severity.STOP


class RequiredDeclaration(_Declaration):
    """The item must have a value."""

    rule: Literal["required"]
    item: ItemName


class TypeDeclaration(_Declaration):
    """The item's value must be of a type."""

    rule: Literal["type"]
    item: ItemName
    type: ItemType
    precision: int | None = Field(default=None, ge=1)
    scale: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _only_decimals_have_digits(self) -> "TypeDeclaration":
        if self.type is not ItemType.DECIMAL and (self.precision is not None or self.scale is not None):
            raise ValueError("precision and scale belong to type decimal: take them out or change the type")
        if self.precision is not None and (self.scale or 0) > self.precision:
            raise ValueError("scale is over precision: raise precision, which counts all digits")
        return self


class LengthDeclaration(_Declaration):
    """The item's text must have a length in code points (bytes: in bytes) between min and max."""

    rule: Literal["length"]
    item: ItemName
    min: int = Field(default=0, ge=0)
    max: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _min_not_over_max(self) -> "LengthDeclaration":
        if self.max is not None and self.min > self.max:
            raise ValueError("min is over max: no text has such a length")
        return self


class PatternDeclaration(_Declaration):
    """The item's whole text must match an anchored pattern of the safe subset."""

    rule: Literal["pattern"]
    item: ItemName
    pattern: str


class CodeListDeclaration(_Declaration):
    """The item's value must be in a version of a code list."""

    rule: Literal["code_list"]
    item: ItemName
    list: str
    version: str


class RangeDeclaration(_Declaration):
    """The item's value must lie between min and max, both included; `now` is the record's own time."""

    rule: Literal["range"]
    item: ItemName
    unit: Unit = Unit.NUMBER
    min: BoundValue | None = None
    max: BoundValue | None = None

    @model_validator(mode="after")
    def _some_bound(self) -> "RangeDeclaration":
        if self.min is None and self.max is None:
            raise ValueError("a range needs min or max")
        return self


class DateOrderDeclaration(_Declaration):
    """One date or time must not be after another of the same unit."""

    rule: Literal["date_order"]
    earlier: ItemName
    later: ItemName
    unit: Unit = Unit.DATE

    @model_validator(mode="after")
    def _of_time(self) -> "DateOrderDeclaration":
        if self.unit is Unit.NUMBER:
            raise ValueError("date_order needs a unit of time; for numbers declare a range")
        return self


class EqualDeclaration(_Declaration):
    """Two items must have the same value where both have one."""

    rule: Literal["equal"]
    items: tuple[ItemName, ItemName]


class ConditionDeclaration(BaseModel):
    """A statement about one item: `equals` a value, `in` some values, or `present` (true or false)."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    item: ItemName
    equals: Scalar | None = None
    among: tuple[Scalar, ...] | None = Field(default=None, alias="in", min_length=1)
    present: bool | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "ConditionDeclaration":
        if sum(part is not None for part in (self.equals, self.among, self.present)) != 1:
            raise ValueError("say exactly one of equals, in, present")
        return self


class ImplicationDeclaration(_Declaration):
    """Where `when` holds, `then` must hold."""

    rule: Literal["implication"]
    when: ConditionDeclaration
    then: ConditionDeclaration


class IdentityBirthDateDeclaration(_Declaration):
    """The birth date must be the one in the resident number; `kind_item` tells which numbers are such."""

    rule: Literal["identity_birth_date"]
    identity_item: ItemName
    birth_date_item: ItemName
    kind_item: ItemName | None = None


class IdentitySexDeclaration(_Declaration):
    """The sex must be the one in the resident number; codes of GB/T 2261.1 unless declared otherwise."""

    rule: Literal["identity_sex"]
    identity_item: ItemName
    sex_item: ItemName
    kind_item: ItemName | None = None
    male: str = "1"
    female: str = "2"


class TimelinessDeclaration(_Declaration):
    """The record must be recorded in time: within the resource's update cycle, or a shorter time."""

    rule: Literal["timeliness"]
    update_cycle: UpdateCycle | None = None
    within_seconds: int | None = Field(default=None, ge=1)
    item: ItemName | None = None
    unit: Literal[Unit.TIMESTAMP_MILLIS, Unit.TIMESTAMP_MICROS] = Unit.TIMESTAMP_MILLIS

    @model_validator(mode="after")
    def _one_limit_at_most(self) -> "TimelinessDeclaration":
        if self.update_cycle is not None and self.within_seconds is not None:
            raise ValueError(
                "say one of update_cycle, within_seconds, or neither: then the resource's cycle counts"
            )
        return self

    def limit_seconds(self, cycle: UpdateCycle) -> int:
        """After how many seconds a record is late; ``cycle``: the resource's own."""
        return self.within_seconds or WITHIN_SECONDS[self.update_cycle or cycle]


RuleDeclaration = Annotated[
    RequiredDeclaration
    | TypeDeclaration
    | LengthDeclaration
    | PatternDeclaration
    | CodeListDeclaration
    | RangeDeclaration
    | DateOrderDeclaration
    | EqualDeclaration
    | ImplicationDeclaration
    | IdentityBirthDateDeclaration
    | IdentitySexDeclaration
    | TimelinessDeclaration,
    Field(discriminator="rule"),
]


def parse_declarations(raw: Sequence[Mapping[str, object]], item: str | None = None) -> list[RuleDeclaration]:
    """Read declared rules; `item` is filled in where they stand below an item of the definition.

    Raises:
        pydantic.ValidationError: a declaration is not of its form; the error names each place.
    """
    below = raw if item is None else [{"item": item, **entry} for entry in raw]
    adapter: TypeAdapter[list[RuleDeclaration]] = TypeAdapter(list[RuleDeclaration])
    return adapter.validate_python(below)


WITHIN_SECONDS: Final[Mapping[UpdateCycle, int]] = {
    UpdateCycle.REAL_TIME: 300,
    UpdateCycle.HOURLY: 3_600,
    UpdateCycle.DAILY: 86_400,
    UpdateCycle.WEEKLY: 7 * 86_400,
    UpdateCycle.MONTHLY: 31 * 86_400,
    UpdateCycle.QUARTERLY: 92 * 86_400,
    UpdateCycle.HALF_YEARLY: 184 * 86_400,
    UpdateCycle.YEARLY: 366 * 86_400,
}
