"""Makes resident numbers and credit codes for people and companies that do not exist."""

import random
from datetime import date
from typing import Final

from services.demo.places import DISTRICTS, FORMER_DISTRICTS, MERGED_IN
from topics.identity.counties import COUNTIES
from topics.identity.digits import (
    credit_code_check_digit,
    organisation_code_check_digit,
    resident_id_check_digit,
)

_ELSEWHERE: Final = tuple(sorted(COUNTIES))
_PERMITS: Final = ("810000", "820000", "830000")
# 9, the province that took the application, the nationality in digits (ISO 3166-1 numeric).
_FOREIGNERS: Final = ("932840", "932276", "932392", "932410")
_ORGANISATION_CHARACTERS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_DEPARTMENTS: Final = ("91", "91", "91", "91", "92", "93", "A1", "N2")


def resident_number(area: str, born: date, sequence: int) -> str:
    """The number of that area (six characters), birth date and sequence (odd: male), with its check digit."""
    return with_check_digit(f"{area}{born:%Y%m%d}{sequence:03d}")


def with_check_digit(first17: str) -> str:
    """A resident number from its first 17 digits."""
    return first17 + resident_id_check_digit(first17)


def first_area(rng: random.Random, district: str, born: date) -> str:
    """The area code that a person of a district got at birth: mostly the district's own of that time."""
    draw = rng.random()
    if draw < 0.78:
        former = FORMER_DISTRICTS.get(district)
        return rng.choice(former) if former and born.year < MERGED_IN else district
    if draw < 0.988:
        return rng.choice(_ELSEWHERE)
    return rng.choice(_PERMITS) if draw < 0.994 else rng.choice(_FOREIGNERS)


def is_foreigner(area: str) -> bool:
    """Whether the area code is that of a foreigner's permanent residence number."""
    return area in _FOREIGNERS


def credit_code(rng: random.Random) -> str:
    """A code of 18 characters; the organisation code inside begins with MA as those issued since 2015 do."""
    eight = "MA" + "".join(rng.choices(_ORGANISATION_CHARACTERS, k=6))
    area = rng.choice((*DISTRICTS, "320500"))
    first17 = rng.choice(_DEPARTMENTS) + area + eight + organisation_code_check_digit(eight)
    return first17 + credit_code_check_digit(first17)


def wrong_last(rng: random.Random, number: str, alphabet: str) -> str:
    """The number with another last character, so that only its check digit is wrong."""
    return number[:-1] + rng.choice([character for character in alphabet if character != number[-1]])


def with_wrong_organisation(rng: random.Random, code: str) -> str:
    """A credit code whose organisation code has a wrong check digit and which is otherwise right."""
    first17 = wrong_last(rng, code[:17], "0123456789")
    return first17 + credit_code_check_digit(first17)
