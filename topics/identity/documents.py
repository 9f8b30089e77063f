"""Travel and residence documents that carry no verifiable check digit: each has its published pattern."""

import re
from datetime import date
from typing import Final

from topics.identity.kinds import (
    IdentityKind,
    IdentityNote,
    IdentityReason,
    IdentityVerdict,
    accepted,
    refused,
)
from topics.identity.regions import PROVINCES

_COUNTRY: Final = re.compile(r"[A-Z]{3}")
# ICAO Doc 9303 gives the number nine places of digits and letters; no state issues fewer than five.
_PASSPORT: Final = re.compile(r"(?=[A-Z]*[0-9])[0-9A-Z]{5,9}")
# Ordinary (E, G), diplomatic, service and public-affairs, Hong Kong (K, H) and Macao (M) passports; a second
# letter is never I or O. 14 and 15 began the ordinary passports before 2007.
_CHINESE_PASSPORT: Final = re.compile(r"[DEGHKMPS][0-9A-HJ-NP-Z][0-9]{7}|1[45][0-9]{7}")
# H Hong Kong, M Macao; eight digits for the holder's life; older cards print the count of issues after them.
_HK_MACAO: Final = re.compile(r"[HM][0-9]{8}([0-9]{2})?")
# Eight digits for the holder's life; the booklets before 2015 print the count of issues after them.
_TAIWAN: Final = re.compile(r"[0-9]{8}([0-9]{2})?")
# Nationality, area that took the application, birth date YYMMDD, sequence, check.
_FOREIGN_RESIDENT: Final = re.compile(r"[A-Z]{3}([0-9]{4})([0-9]{6})[0-9]{2}")
_CHINA: Final = "CHN"


def check_passport(number: str, country: str | None) -> IdentityVerdict:
    """Check a normalised passport number; `country` is the normalised code of the issuing state."""
    kind = IdentityKind.PASSPORT
    if country is not None and _COUNTRY.fullmatch(country) is None:
        return refused(kind, number, IdentityReason.COUNTRY_MALFORMED)
    pattern = _CHINESE_PASSPORT if country == _CHINA else _PASSPORT
    if pattern.fullmatch(number) is None:
        return refused(kind, number, _form_reason(number, (9,) if country == _CHINA else (5, 6, 7, 8, 9)))
    if not number.strip("0"):
        return refused(kind, number, IdentityReason.ALL_ZERO)
    return accepted(kind, number, *((IdentityNote.COUNTRY_NOT_GIVEN,) if country is None else ()))


def check_hk_macao_permit(number: str) -> IdentityVerdict:
    """Check a normalised mainland travel permit number of a Hong Kong or Macao resident."""
    return _lifelong(IdentityKind.HK_MACAO_PERMIT, _HK_MACAO, number, number[1:9], (9, 11))


def check_taiwan_permit(number: str) -> IdentityVerdict:
    """Check a normalised mainland travel permit number of a Taiwan resident."""
    return _lifelong(IdentityKind.TAIWAN_PERMIT, _TAIWAN, number, number[:8], (8, 10))


def check_foreign_permanent_resident(number: str) -> IdentityVerdict:
    """Check a normalised 15-character foreigners' permanent residence number.

    Its last digit is not verified: no published rule for it was found. The 18-character form that replaced
    it is a resident number that starts with 9.
    """
    kind = IdentityKind.FOREIGN_PERMANENT_RESIDENT
    match = _FOREIGN_RESIDENT.fullmatch(number)
    if match is None:
        return refused(kind, number, _form_reason(number, (15,)))
    if not _is_day_of_some_century(match[2]):
        return refused(kind, number, IdentityReason.BIRTH_DATE_NOT_REAL)
    return accepted(kind, number, *(() if match[1][:2] in PROVINCES else (IdentityNote.REGION_UNKNOWN,)))


def _lifelong(
    kind: IdentityKind, pattern: re.Pattern[str], number: str, life: str, lengths: tuple[int, ...]
) -> IdentityVerdict:
    match = pattern.fullmatch(number)
    if match is None:
        return refused(kind, number, _form_reason(number, lengths))
    if not life.strip("0"):
        return refused(kind, number, IdentityReason.ALL_ZERO)
    return accepted(kind, number, *((IdentityNote.ISSUE_COUNT_INCLUDED,) if match[1] else ()))


def _form_reason(number: str, lengths: tuple[int, ...]) -> IdentityReason:
    if not number:
        return IdentityReason.EMPTY
    return IdentityReason.FORM if len(number) in lengths else IdentityReason.LENGTH


def _is_day_of_some_century(yymmdd: str) -> bool:
    # The year 2000 is a leap year and 1900 is not, so the later century accepts every day of the earlier one.
    try:
        date(2000 + int(yymmdd[:2]), int(yymmdd[2:4]), int(yymmdd[4:]))
    except ValueError:
        return False
    return True
