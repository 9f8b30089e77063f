"""What must become of a row, by arithmetic of its own, so that the product can be checked against it.

Nothing here uses topics.identity or topics.quality: two programs that agree by two ways of working are worth
more than one that agrees with itself.
"""

import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from services.demo.rows import ACCEPTED, EnrolmentRow, EnterpriseRow, Expected, PersonRow

_REGIONS: Final = ((1, 5), (2, 3), (3, 7), (4, 6), (5, 4), (6, 5))
# The provinces of each region are numbered from 1; 50 Chongqing, 71 Taiwan, 81 to 83 stand for themselves.
_PROVINCES: Final = {"50", "71", "81", "82", "83"} | {
    f"{region}{number}" for region, count in _REGIONS for number in range(1, count + 1)
}
_CREDIT: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_DIGITS_AND_LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_INSURANCES: Final = {"110", "120", "210", "310", "410", "510"}


def expect_person(row: PersonRow, today: date) -> Expected:
    """What the gate must decide about a person."""
    number, reason = _resident(row.id_number, today)
    if reason:
        return _stopped(reason)
    stops, marks = [], []
    name = (row.name or "").strip()
    stops += ["MISSING"] * (not name) + ["TOO_LONG"] * (len(name) > 50)
    stops += ["TOO_SHORT"] * (row.name is not None and not name)
    stops += ["MISSING"] * (row.birth_date is None)
    if row.birth_date is not None and f"{row.birth_date:%Y%m%d}" != number[6:14]:
        stops.append("BIRTH_DATE_DIFFERS")
    if row.sex is None:
        marks.append("MISSING")
    else:
        stops += ["NOT_IN_CODE_LIST"] * (row.sex not in {"0", "1", "2", "9"})
        marks += ["SEX_DIFFERS"] * (row.sex != ("1" if number[16] in "13579" else "2"))
    address = (row.address or "").strip()
    marks += ["MISSING"] * (not address)
    stops += ["TOO_LONG"] * (len(address) > 200)
    stops += _district(row.household_district)
    return _judged(number, stops, marks)


def expect_enterprise(row: EnterpriseRow, today: date) -> Expected:
    """What the gate must decide about an enterprise."""
    code, reason = _credit(row.credit_code)
    if reason:
        return _stopped(reason)
    stops, marks = [], []
    name = (row.name or "").strip()
    stops += ["MISSING"] * (not name)
    stops += ["TOO_SHORT"] * (row.name is not None and len(name) < 2) + ["TOO_LONG"] * (len(name) > 200)
    marks += ["MISSING"] * (not (row.legal_representative or "").strip())
    stops += _amount(row.registered_capital)
    stops += ["MISSING"] if row.status is None else ["NOT_IN_CODE_LIST"] * (row.status not in set("1234"))
    stops += _district(row.district)
    marks += ["ABOVE_RANGE"] * (row.established_on is not None and row.established_on > today)
    if row.term_from and row.term_until and row.term_until < row.term_from:
        stops.append("DATE_ORDER")
    return _judged(code, stops, marks)


def expect_enrolment(row: EnrolmentRow, today: date) -> Expected:
    """What the gate must decide about an enrolment; names and addresses in it become claims."""
    number, reason = _resident(row.id_number, today)
    if reason:
        return _stopped(reason)
    stops, marks = [], []
    kind = row.insurance_type
    stops += ["MISSING"] if kind is None else ["NOT_IN_CODE_LIST"] * (kind not in _INSURANCES)
    stops += ["MISSING"] * (row.enrolled_on is None)
    marks += ["ABOVE_RANGE"] * (row.enrolled_on is not None and row.enrolled_on > today)
    stops += _amount(row.monthly_base)
    stops += ["MISSING"] if row.status is None else ["NOT_IN_CODE_LIST"] * (row.status not in set("123"))
    claims = tuple(
        name for name, value in (("name", row.name), ("address", row.address)) if value is not None
    )
    return _judged(number, stops, marks, claims)


def _stopped(reason: str) -> Expected:
    if reason == "EMPTY":
        return Expected("IDENTITY_MISSING")
    return Expected("IDENTITY_INVALID", (reason,))


def _judged(identity: str, stops: list[str], marks: list[str], claims: tuple[str, ...] = ()) -> Expected:
    if stops:
        return Expected("QUALITY", tuple(sorted(stops)), claims=claims)
    return Expected(ACCEPTED, (), tuple(sorted(marks)), identity, claims)


def _district(code: str | None) -> list[str]:
    if code is None:
        return ["MISSING"]
    return [] if re.fullmatch("[1-9][0-9]{5}", code) else ["PATTERN"]


def _amount(amount: Decimal | None) -> list[str]:
    if amount is None:
        return []
    if not amount.is_finite():
        # Neither a decimal nor in a range: both rules find it.
        return ["WRONG_TYPE", "WRONG_TYPE"]
    return ["BELOW_RANGE"] * (amount < 0)


def _plain(text: str | None) -> str:
    return unicodedata.normalize("NFKC", text or "").strip().upper()


def _resident(text: str | None, today: date) -> tuple[str, str]:
    number = _plain(text)
    born = _date(number[6:14])
    tests: list[tuple[bool, str]] = [
        (not number, "EMPTY"),
        (len(number) == 15 and number.isdecimal(), "OBSOLETE_15_DIGITS"),
        (len(number) != 18, "LENGTH"),
        (not re.fullmatch("[0-9]{17}[0-9X]", number), "CHARACTERS"),
        (number[:2] not in _PROVINCES and not number.startswith("9"), "PROVINCE_UNKNOWN"),
        (born is None, "BIRTH_DATE_NOT_REAL"),
        (born is not None and born < date(1850, 1, 1), "BIRTH_DATE_BEFORE_1850"),
        (born is not None and born > today, "BIRTH_DATE_IN_FUTURE"),
    ]
    return number, _first(tests) or ("" if _mod_11_2(number) else "CHECK_DIGIT")


def _credit(text: str | None) -> tuple[str, str]:
    code = _plain(text)
    tests: list[tuple[bool, str]] = [
        (not code, "EMPTY"),
        (len(code) != 18, "LENGTH"),
        (any(character not in _CREDIT for character in code), "CHARACTERS"),
        (set(code) == {"0"} or set(code[8:17]) == {"0"}, "ALL_ZERO"),
        (not code[2:8].isdecimal(), "FORM"),
    ]
    reason = _first(tests)
    if reason:
        return code, reason
    total = sum(_CREDIT.index(character) * pow(3, place, 31) for place, character in enumerate(code[:17]))
    if (total + _CREDIT.index(code[17])) % 31:
        return code, "CHECK_DIGIT"
    return code, "" if _organisation(code[8:17]) else "ORGANISATION_CHECK_DIGIT"


def _organisation(code: str) -> bool:
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(
        _DIGITS_AND_LETTERS.index(character) * weight
        for character, weight in zip(code[:8], weights, strict=True)
    )
    return (total + (10 if code[8] == "X" else int(code[8]))) % 11 == 0 if code[8] in "0123456789X" else False


def _mod_11_2(number: str) -> bool:
    """ISO 7064 MOD 11-2 as its text defines it: powers of two from the right, congruent to one."""
    total = 0
    for character in number:
        total = total * 2 + (10 if character == "X" else int(character))
    return total % 11 == 1


def _date(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None


def _first(tests: list[tuple[bool, str]]) -> str:
    return next((reason for failed, reason in tests if failed), "")
