"""How a plain Avro value is read as text, number, day or instant; what does not fit reads as None."""

import math
import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Final

# All of China keeps one civil time, and the dates in its registers are days of it.
CIVIL_TIME: Final = timezone(timedelta(hours=8))
EPOCH: Final = date(1970, 1, 1)

_DAYS: Final = (date.min - EPOCH).days, (date.max - EPOCH).days
_SECONDS_A_DAY: Final = 86_400
_DECIMAL: Final = re.compile(r"[+-]?[0-9]{1,100}(?:\.[0-9]{1,100})?")


class Unit(StrEnum):
    """What the numbers of an item count."""

    NUMBER = "number"
    DATE = "date"
    TIMESTAMP_MILLIS = "timestamp-millis"
    TIMESTAMP_MICROS = "timestamp-micros"


PER_SECOND: Final = {Unit.TIMESTAMP_MILLIS: 1_000, Unit.TIMESTAMP_MICROS: 1_000_000}


def is_absent(value: object) -> bool:
    """Tell whether an item has no value: missing, null, or text of nothing but white space."""
    return value is None or (isinstance(value, str) and not value.strip())


def as_number(value: object) -> Decimal | None:
    """Read an int, a finite float or plain decimal text exactly; booleans are no numbers."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return Decimal(value)
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value)
    return None


def as_count(value: object, unit: Unit) -> int | None:
    """Read a date (days) or timestamp (ms, us) since the epoch, within the years 1 to 9999."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    scale = 1 if unit is Unit.DATE else PER_SECOND[unit] * _SECONDS_A_DAY
    return value if _DAYS[0] * scale <= value < (_DAYS[1] + 1) * scale else None


def measure(value: object, unit: Unit) -> Decimal | int | None:
    """Read a value in its unit, None if it is not of it."""
    return as_number(value) if unit is Unit.NUMBER else as_count(value, unit)


def as_code(value: object) -> str | None:
    """Read a code: text as it is, a whole number by its digits."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return str(value) if -(2**63) <= value < 2**63 else None


def count_of_ms(moment_ms: int, unit: Unit) -> int:
    """Express an instant (ms since the epoch) in a unit of time; as a date it is the day of civil time."""
    if unit is Unit.DATE:
        offset = int(CIVIL_TIME.utcoffset(None).total_seconds())
        return (moment_ms // 1_000 + offset) // _SECONDS_A_DAY
    return moment_ms * PER_SECOND[unit] // 1_000


def civil_day(moment_ms: int) -> date:
    """Return the day of civil time of an instant (ms since the epoch): the `today` of a record."""
    return EPOCH + timedelta(days=count_of_ms(moment_ms, Unit.DATE))


def count_of_moment(moment: date | datetime, unit: Unit) -> int:
    """Express a declared date or time in a unit of time; without an offset it is civil time."""
    if unit is Unit.DATE:
        return ((moment.date() if isinstance(moment, datetime) else moment) - EPOCH).days
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=CIVIL_TIME)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=CIVIL_TIME)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(microseconds=1) * PER_SECOND[unit] // 1_000_000


def is_same(left: object, right: object) -> bool:
    """Compare two plain values; unlike Python's own comparison, true is not 1 and NaN equals nothing."""
    return isinstance(left, bool) == isinstance(right, bool) and left == right
