"""Quick tests for valid identity numbers as they mostly come; topics.identity judges what does not pass."""

import re
from datetime import date
from functools import lru_cache
from operator import mul
from typing import Final

from topics.identity.digits import (
    CREDIT_ALPHABET,
    CREDIT_WEIGHTS,
    ORGANISATION_ALPHABET,
    ORGANISATION_CHECKS,
    ORGANISATION_WEIGHTS,
    RESIDENT_CHECKS,
    RESIDENT_WEIGHTS,
)
from topics.identity.regions import PERMIT_AREAS, PROVINCES
from topics.identity.resident import EARLIEST_BIRTH
from topics.quality.values import EPOCH

_RESIDENT: Final = re.compile(r"[0-9]{17}[0-9X]").fullmatch
_CREDIT: Final = re.compile(rf"[{CREDIT_ALPHABET}]{{2}}[0-9]{{6}}[{CREDIT_ALPHABET}]{{10}}").fullmatch
_NEVER: Final = 2**40
_CREDIT_PLACES: Final = bytes(max(CREDIT_ALPHABET.find(chr(byte)), 0) for byte in range(256))
_PLACES: Final = bytes(max(ORGANISATION_ALPHABET.find(chr(byte)), 0) for byte in range(256))
"""Of each character its place in the alphabet."""


def is_resident(number: str, today: int) -> bool:
    """Whether it is a valid resident number in its normal form; ``today`` in days since 1970."""
    if _RESIDENT(number) is None:
        return False
    area = _area(number[:6])
    day, born = _day(number[6:14])
    return (
        area >= 0
        and _EARLIEST <= born <= today
        and RESIDENT_CHECKS[(area + day + _sequence(number[14:17])) % 11] == number[17]
    )


def is_credit_code(code: str) -> bool:
    """Whether it is a valid unified social credit code in its normal form."""
    if _CREDIT(code) is None or code[8:17] == "000000000":
        return False
    data = code.encode()
    total = sum(map(mul, data.translate(_CREDIT_PLACES), CREDIT_WEIGHTS))
    if CREDIT_ALPHABET[-total % 31] != code[17]:
        return False
    total = sum(map(mul, data[8:].translate(_PLACES), ORGANISATION_WEIGHTS))
    return ORGANISATION_CHECKS[-total % 11] == code[16]


@lru_cache(10_000)
def _area(digits: str) -> int:
    """What the first six digits add to the check; -1 for an unknown province."""
    known = digits[:2] in PROVINCES or digits[:2] in PERMIT_AREAS or digits[0] == "9"
    return _weighted(digits, 0) if known else -1


@lru_cache(100_000)
def _day(digits: str) -> tuple[int, int]:
    """What the birth date adds to the check, and its days since 1970; no real day is in the far future."""
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return 0, _NEVER
    return _weighted(digits, 6), (born - EPOCH).days


@lru_cache(1_000)
def _sequence(digits: str) -> int:
    return _weighted(digits, 14)


def _weighted(digits: str, start: int) -> int:
    return sum(int(digit) * RESIDENT_WEIGHTS[start + at] for at, digit in enumerate(digits))


_EARLIEST: Final = (EARLIEST_BIRTH - EPOCH).days
