"""Resident numbers of 18 characters (GB 11643-1999), those of residence permits included."""

import re
from datetime import date
from typing import Final

from topics.identity.digits import resident_id_check_digit
from topics.identity.kinds import (
    IdentityKind,
    IdentityNote,
    IdentityReason,
    IdentityVerdict,
    accepted,
    refused,
)
from topics.identity.regions import PERMIT_AREAS, PROVINCES, county_note

EARLIEST_BIRTH: Final = date(1850, 1, 1)
UNLIKELY_AGE_YEARS: Final = 130

_KIND: Final = IdentityKind.RESIDENT_ID
_FORM: Final = re.compile(r"[0-9]{17}[0-9X]")
_OBSOLETE_FORM: Final = re.compile(r"[0-9]{15}")
_FOREIGNER: Final = "9"


def check_resident_id(number: str, today: date) -> IdentityVerdict:
    """Check a normalised resident number; `today` is the day that decides what lies in the future."""
    reason = _form_reason(number) or _province_reason(number) or _birth_reason(number, today)
    if reason is None and resident_id_check_digit(number[:17]) != number[17]:
        reason = IdentityReason.CHECK_DIGIT
    if reason is not None:
        return refused(_KIND, number, reason)
    return accepted(_KIND, number, *_notes(number, today))


def birth_date_of(number: str) -> date | None:
    """Return the birth date in a normalised 18-character resident number, None if there is no real one."""
    if _FORM.fullmatch(number) is None:
        return None
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def is_male(number: str) -> bool | None:
    """Tell the sex that a normalised resident number states (odd 17th digit: male), None if malformed."""
    if _FORM.fullmatch(number) is None:
        return None
    return int(number[16]) % 2 == 1


def _form_reason(number: str) -> IdentityReason | None:
    if _FORM.fullmatch(number):
        return None
    if not number:
        return IdentityReason.EMPTY
    if _OBSOLETE_FORM.fullmatch(number):
        return IdentityReason.OBSOLETE_15_DIGITS
    return IdentityReason.LENGTH if len(number) != 18 else IdentityReason.CHARACTERS


def _province_reason(number: str) -> IdentityReason | None:
    known = number[:2] in PROVINCES or number[:2] in PERMIT_AREAS or number[0] == _FOREIGNER
    return None if known else IdentityReason.PROVINCE_UNKNOWN


def _birth_reason(number: str, today: date) -> IdentityReason | None:
    born = birth_date_of(number)
    if born is None:
        return IdentityReason.BIRTH_DATE_NOT_REAL
    if born < EARLIEST_BIRTH:
        return IdentityReason.BIRTH_DATE_BEFORE_1850
    return IdentityReason.BIRTH_DATE_IN_FUTURE if born > today else None


def _notes(number: str, today: date) -> tuple[IdentityNote, ...]:
    born = (int(number[6:10]) + UNLIKELY_AGE_YEARS, int(number[10:12]), int(number[12:14]))
    age = (IdentityNote.OVER_130_YEARS,) if born < (today.year, today.month, today.day) else ()
    area = _area_note(number)
    return age if area is None else (*age, area)


def _area_note(number: str) -> IdentityNote | None:
    if number[0] == _FOREIGNER:
        # 9, then the two digits of the province that took the application, then the numeric nationality.
        return None if number[1:3] in PROVINCES else IdentityNote.REGION_UNKNOWN
    return county_note(number[:6])
