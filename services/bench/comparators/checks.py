"""Check digits and quality rules as a comparator writes them: closures over one record's items."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

Items = Mapping[str, Any]
_RESIDENT_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_PROVINCE_TEXT = "1112131415212223313233343536374142434445465051525354616263646571818283"
_PROVINCES = frozenset(_PROVINCE_TEXT[place : place + 2] for place in range(0, len(_PROVINCE_TEXT), 2))
_RESIDENT = re.compile(r"[0-9]{17}[0-9X]")
_CREDIT = re.compile(rf"[{_CREDIT_ALPHABET}]{{2}}[0-9]{{6}}[{_CREDIT_ALPHABET}]{{10}}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,100}(?:\.[0-9]{1,100})?")
_EPOCH = date(1970, 1, 1)


class Found(NamedTuple):
    """What a rule finds wrong."""

    rule: str
    stops: bool
    code: str
    items: Sequence[str]


Rule = Callable[[Items, int], Found | None]
"""Items and the broker's timestamp in ms → what is wrong."""


def _weighted(text: str, alphabet: str, weights: Sequence[int]) -> int:
    return sum(alphabet.index(each) * weight for each, weight in zip(text, weights, strict=True))


def _born(number: str) -> date | None:
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def resident(number: str, today: int) -> str | None:
    """Why a resident number is refused; ``today`` in days since 1970."""
    if _RESIDENT.fullmatch(number) is None:
        return "LENGTH" if len(number) != 18 else "CHARACTERS"
    if number[:2] not in _PROVINCES and number[0] != "9":
        return "PROVINCE_UNKNOWN"
    born = _born(number)
    if born is None:
        return "BIRTH_DATE_NOT_REAL"
    if born.year < 1850:
        return "BIRTH_DATE_BEFORE_1850"
    if born > _EPOCH + timedelta(days=today):
        return "BIRTH_DATE_IN_FUTURE"
    check = "10X98765432"[_weighted(number[:17], "0123456789", _RESIDENT_WEIGHTS) % 11]
    return None if check == number[17] else "CHECK_DIGIT"


def credit(code: str, _today: int) -> str | None:
    """Why a unified social credit code is refused: either of its two check digits, or its form."""
    if _CREDIT.fullmatch(code) is None:
        return "LENGTH" if len(code) != 18 else "FORM"
    if _CREDIT_ALPHABET[-_weighted(code[:17], _CREDIT_ALPHABET, _CREDIT_WEIGHTS) % 31] != code[17]:
        return "CHECK_DIGIT"
    eight = _weighted(code[8:16], _ORGANISATION_ALPHABET, _ORGANISATION_WEIGHTS)
    return None if "0123456789X"[-eight % 11] == code[16] else "ORGANISATION_CHECK_DIGIT"


IDENTITIES: Mapping[str, Callable[[str, int], str | None]] = {
    "resident_id": resident,
    "credit_code": credit,
}


def _text_only(function: Callable[[str], str]) -> Callable[[Any], Any]:
    return lambda value: function(value) if isinstance(value, str) else value


_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
    "none": lambda value: value,
    "trim": _text_only(str.strip),
    "normalise": _text_only(lambda text: text.translate(_FULL_WIDTH).upper().strip()),
}


def rule(declared: Mapping[str, Any], code_lists: Mapping[str, Sequence[str]]) -> Rule:
    """The rule as a function."""
    judge = _JUDGES[declared["rule"]](declared, code_lists)
    name, stops, items = declared["id"], declared["severity"] == "stop", declared["items"]

    def assess(record: Items, ms: int) -> Found | None:
        code = judge(record, ms)
        return None if code is None else Found(name, stops, code, items)

    return assess


Judge = Callable[[Items, int], str | None]


def _required(declared: Mapping[str, Any], _lists: Any) -> Judge:
    item = declared["item"]

    def judge(record: Items, _ms: int) -> str | None:
        value = record[item]
        return "MISSING" if value is None or (isinstance(value, str) and not value.strip()) else None

    return judge


def _length(declared: Mapping[str, Any], _lists: Any) -> Judge:
    item, least, most = declared["item"], declared["min"], declared["max"]

    def judge(record: Items, _ms: int) -> str | None:
        value = record[item]
        if value is None or least <= len(value) <= most:
            return None
        return "TOO_SHORT" if len(value) < least else "TOO_LONG"

    return judge


def _pattern(declared: Mapping[str, Any], _lists: Any) -> Judge:
    item, matches = declared["item"], re.compile(declared["pattern"], re.ASCII).fullmatch
    return lambda record, _ms: "PATTERN" if record[item] is not None and not matches(record[item]) else None


def _code_list(declared: Mapping[str, Any], lists: Mapping[str, Sequence[str]]) -> Judge:
    item, codes = declared["item"], frozenset(lists[f"{declared['list']}@{declared['version']}"])
    return lambda record, _ms: None if record[item] is None or record[item] in codes else "NOT_IN_CODE_LIST"


def _range(declared: Mapping[str, Any], _lists: Any) -> Judge:
    item, least, most, days = declared["item"], declared["min"], declared["max"], declared["unit"] == "date"

    def judge(record: Items, ms: int) -> str | None:
        value = record[item]
        if value is None:
            return None
        try:
            number = Decimal(value)
        except InvalidOperation:
            return "WRONG_TYPE"
        if least is not None and number < least:
            return "BELOW_RANGE"
        highest = (ms + 28_800_000) // 86_400_000 if days and most == "now" else most
        return "ABOVE_RANGE" if highest is not None and number > highest else None

    return judge


def _type(declared: Mapping[str, Any], _lists: Any) -> Judge:
    item, scale = declared["item"], declared["scale"]
    room = declared["precision"] - scale

    def judge(record: Items, _ms: int) -> str | None:
        value = record[item]
        if value is None:
            return None
        if not _DECIMAL.fullmatch(value):
            return "WRONG_TYPE"
        whole, _, fraction = value.lstrip("+-").partition(".")
        return "TOO_LONG" if len(fraction) > scale or len(whole.lstrip("0")) > room else None

    return judge


def _date_order(declared: Mapping[str, Any], _lists: Any) -> Judge:
    earlier, later = declared["earlier"], declared["later"]

    def judge(record: Items, _ms: int) -> str | None:
        first, second = record[earlier], record[later]
        return "DATE_ORDER" if first is not None and second is not None and first > second else None

    return judge


def _birth_date(declared: Mapping[str, Any], _lists: Any) -> Judge:
    number, other = declared["identity_item"], declared["birth_date_item"]

    def judge(record: Items, _ms: int) -> str | None:
        if record[other] is None:
            return None
        born = _born(record[number])
        return None if born and (born - _EPOCH).days == record[other] else "BIRTH_DATE_DIFFERS"

    return judge


def _sex(declared: Mapping[str, Any], _lists: Any) -> Judge:
    number, other = declared["identity_item"], declared["sex_item"]

    def judge(record: Items, _ms: int) -> str | None:
        stated = "1" if int(record[number][16]) % 2 else "2"
        return None if record[other] is None or record[other] == stated else "SEX_DIFFERS"

    return judge


_JUDGES: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Sequence[str]]], Judge]] = {
    "required": _required,
    "length": _length,
    "pattern": _pattern,
    "code_list": _code_list,
    "range": _range,
    "type": _type,
    "date_order": _date_order,
    "identity_birth_date": _birth_date,
    "identity_sex": _sex,
}
