"""Quality rules by tables: what passes, what is found, and that findings never hold a value."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from topics.quality.compiler import compile_rules
from topics.quality.declaration import parse_declarations
from topics.quality.rules import CodeList
from topics.quality.values import civil_day
from topics.quality.verdict import AssessmentContext, CompiledRules, QualityCode, QualityVerdict

SEX = CodeList("GB/T 2261.1", "2003", frozenset({"0", "1", "2", "9"}))
MS = 1_000
DAY_MS = 86_400 * MS
# 2026-03-01 00:30 in China, still February in UTC.
NOW_MS = int(datetime(2026, 2, 28, 16, 30, tzinfo=UTC).timestamp()) * MS
MALE = "440524188001010014"
FEMALE = "11010519491231002X"


def days(year: int, month: int, day: int) -> int:
    return (date(year, month, day) - date(1970, 1, 1)).days


def rules(text: str) -> CompiledRules:
    return compile_rules(parse_declarations(yaml.safe_load(f"[{text}]")), [SEX])


def assess(text: str, record: dict[str, object], source_at_ms: int | None = NOW_MS) -> QualityVerdict:
    return rules(text).assess(record, AssessmentContext(NOW_MS, source_at_ms))


def code(text: str, record: dict[str, object], source_at_ms: int | None = NOW_MS) -> QualityCode | None:
    verdict = assess(text, record, source_at_ms)
    return verdict.stops[0].code if verdict.stops else None


REQUIRED = "{rule: required, item: a}"
LENGTH = "{rule: length, item: a, min: 2, max: 3}"
PATTERN = "{rule: pattern, item: a, pattern: '^[0-9]{4}$'}"
CODES = "{rule: code_list, item: a, list: GB/T 2261.1, version: '2003'}"
RANGE = "{rule: range, item: a, min: 0, max: 0.1}"
BORN = "{rule: range, item: a, unit: date, min: 1850-01-01, max: now}"
AT = "{rule: range, item: a, unit: timestamp-millis, min: '2026-01-01T00:00:00+08:00', max: now}"
AT_US = "{rule: range, item: a, unit: timestamp-micros, min: 2026-01-01, max: now}"


def of_type(name: str, more: str = "") -> str:
    return f"{{rule: type, item: a, type: {name}{more}}}"


NEW_YEAR_MS = days(2026, 1, 1) * DAY_MS - 8 * 3_600 * MS


@pytest.mark.requirement("A5-07")
@pytest.mark.parametrize(
    ("declared", "value", "expected"),
    [
        (REQUIRED, "x", None),
        (REQUIRED, 0, None),
        (REQUIRED, False, None),
        (REQUIRED, b"", None),
        (REQUIRED, None, QualityCode.MISSING),
        (REQUIRED, "", QualityCode.MISSING),
        (REQUIRED, " 　", QualityCode.MISSING),
        (LENGTH, None, None),
        (LENGTH, "x", QualityCode.TOO_SHORT),
        (LENGTH, "王五", None),
        (LENGTH, "𠮷𠮷𠮷", None),
        (LENGTH, "abcd", QualityCode.TOO_LONG),
        (LENGTH, b"ab", None),
        (LENGTH, 12, QualityCode.WRONG_TYPE),
        (PATTERN, "2026", None),
        (PATTERN, "2026\n", QualityCode.PATTERN),
        (PATTERN, "20267", QualityCode.PATTERN),
        (PATTERN, "２０２６", QualityCode.PATTERN),
        (PATTERN, 2026, QualityCode.WRONG_TYPE),
        (PATTERN, "1" * 1_000, QualityCode.PATTERN),
        (PATTERN, "1" * 1_001, QualityCode.TOO_LONG),
        (CODES, "1", None),
        (CODES, 1, None),
        (CODES, "3", QualityCode.NOT_IN_CODE_LIST),
        (CODES, "1 ", QualityCode.NOT_IN_CODE_LIST),
        (CODES, True, QualityCode.WRONG_TYPE),
        (CODES, 2**63, QualityCode.WRONG_TYPE),
        (RANGE, 0, None),
        (RANGE, "0.1", None),
        (RANGE, "0.10000000000000000001", QualityCode.ABOVE_RANGE),
        (RANGE, -1, QualityCode.BELOW_RANGE),
        (RANGE, "-0.01", QualityCode.BELOW_RANGE),
        (RANGE, 1, QualityCode.ABOVE_RANGE),
        (RANGE, float("nan"), QualityCode.WRONG_TYPE),
        (RANGE, float("inf"), QualityCode.WRONG_TYPE),
        (RANGE, "NaN", QualityCode.WRONG_TYPE),
        (RANGE, "1e9", QualityCode.WRONG_TYPE),
        (RANGE, True, QualityCode.WRONG_TYPE),
        (BORN, days(1850, 1, 1), None),
        (BORN, days(1849, 12, 31), QualityCode.BELOW_RANGE),
        (BORN, days(2026, 3, 1), None),
        (BORN, days(2026, 3, 2), QualityCode.ABOVE_RANGE),
        (BORN, "1990-01-01", QualityCode.WRONG_TYPE),
        (BORN, 10**9, QualityCode.WRONG_TYPE),
        (AT, NEW_YEAR_MS, None),
        (AT, NEW_YEAR_MS - 1, QualityCode.BELOW_RANGE),
        (AT, NOW_MS, None),
        (AT, NOW_MS + 1, QualityCode.ABOVE_RANGE),
        (AT_US, NEW_YEAR_MS * MS, None),
        (AT_US, NEW_YEAR_MS * MS - 1, QualityCode.BELOW_RANGE),
        (AT_US, NOW_MS * MS + 1, QualityCode.ABOVE_RANGE),
    ],
)
def test_one_item(declared: str, value: object, expected: QualityCode | None) -> None:
    assert code(declared, {"a": value}) is expected


@pytest.mark.parametrize(
    ("declared", "good", "bad"),
    [
        (of_type("string"), ["", "x"], [1, b"x", "\ud800"]),
        (of_type("integer"), [0, -(2**63), 2**63 - 1], [True, 1.0, "1", 2**63]),
        (of_type("number"), [0, 1.5], [True, "1", float("nan")]),
        (of_type("decimal"), ["0", "-1.50", "+2"], [1, 1.5, "1e3", "1.", ".5", "", "١"]),
        (of_type("boolean"), [True, False], [0, "true"]),
        (of_type("bytes"), [b""], ["", 0]),
        (
            of_type("date"),
            [days(1, 1, 1), days(9999, 12, 31)],
            [days(1, 1, 1) - 1, days(9999, 12, 31) + 1, "", 1.0],
        ),
        (
            of_type("timestamp-millis"),
            [days(1, 1, 1) * DAY_MS, (days(9999, 12, 31) + 1) * DAY_MS - 1],
            [days(1, 1, 1) * DAY_MS - 1, (days(9999, 12, 31) + 1) * DAY_MS, False],
        ),
        (of_type("timestamp-micros"), [0], [(days(9999, 12, 31) + 1) * DAY_MS * MS, "0"]),
    ],
)
def test_a_value_is_of_its_type_or_found(declared: str, good: list[object], bad: list[object]) -> None:
    assert [code(declared, {"a": value}) for value in good] == [None] * len(good)
    assert [code(declared, {"a": value}) for value in bad] == [QualityCode.WRONG_TYPE] * len(bad)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("123.45", None),
        ("000123.4", None),
        ("-123.45", None),
        ("1234", QualityCode.TOO_LONG),
        ("1.234", QualityCode.TOO_LONG),
    ],
)
def test_a_decimal_keeps_to_precision_and_scale(value: str, expected: QualityCode | None) -> None:
    assert code(of_type("decimal", ", precision: 5, scale: 2"), {"a": value}) is expected


ORDER = "{rule: date_order, earlier: a, later: b}"
EQUAL = "{rule: equal, items: [a, b]}"
IMPLIES = "{rule: implication, when: {item: a, in: ['2', 3]}, then: {item: b, present: true}}"
NOT_BOTH = "{rule: implication, when: {item: a, equals: true}, then: {item: b, present: false}}"
BIRTH = "{rule: identity_birth_date, identity_item: a, birth_date_item: b, kind_item: kind}"
SEX_OF = "{rule: identity_sex, identity_item: a, sex_item: b}"


@pytest.mark.parametrize(
    ("declared", "a", "b", "expected"),
    [
        (ORDER, 5, 5, None),
        (ORDER, 5, 6, None),
        (ORDER, 6, 5, QualityCode.DATE_ORDER),
        (ORDER, None, 5, None),
        (ORDER, 5, None, None),
        (ORDER, "5", 6, QualityCode.WRONG_TYPE),
        (EQUAL, "x", "x", None),
        (EQUAL, "x", None, None),
        (EQUAL, "x", "y", QualityCode.ITEMS_DIFFER),
        (EQUAL, 1, True, QualityCode.ITEMS_DIFFER),
        (IMPLIES, "1", None, None),
        (IMPLIES, "2", "x", None),
        (IMPLIES, "2", " ", QualityCode.IMPLICATION),
        (IMPLIES, 3, None, QualityCode.IMPLICATION),
        (IMPLIES, "3", None, None),
        (IMPLIES, None, None, None),
        (NOT_BOTH, True, None, None),
        (NOT_BOTH, 1, "x", None),
        (NOT_BOTH, True, "x", QualityCode.IMPLICATION),
        (BIRTH, FEMALE, days(1949, 12, 31), None),
        (BIRTH, " 11010519491231002ｘ", days(1949, 12, 31), None),
        (BIRTH, FEMALE, days(1949, 12, 30), QualityCode.BIRTH_DATE_DIFFERS),
        (BIRTH, FEMALE, None, None),
        (BIRTH, FEMALE, "1949-12-31", QualityCode.WRONG_TYPE),
        (BIRTH, "110105491231002", 1, QualityCode.IDENTITY_UNREADABLE),
        (BIRTH, 7, 1, QualityCode.IDENTITY_UNREADABLE),
        (SEX_OF, MALE, "1", None),
        (SEX_OF, FEMALE, 2, None),
        (SEX_OF, MALE, "2", QualityCode.SEX_DIFFERS),
        (SEX_OF, FEMALE, "1", QualityCode.SEX_DIFFERS),
        (SEX_OF, FEMALE, "9", QualityCode.SEX_DIFFERS),
        (SEX_OF, FEMALE, None, None),
        (SEX_OF, FEMALE, 2.0, QualityCode.WRONG_TYPE),
    ],
)
def test_several_items(declared: str, a: object, b: object, expected: QualityCode | None) -> None:
    assert code(declared, {"a": a, "b": b, "kind": "resident_id"}) is expected


def test_a_passport_states_no_birth_date() -> None:
    assert code(BIRTH, {"a": "E12345678", "b": 1, "kind": "passport"}) is None


def test_the_day_of_an_instant_is_the_one_in_china() -> None:
    assert civil_day(NOW_MS) == date(2026, 3, 1)
    assert civil_day(NOW_MS - 30 * 60 * MS - 1) == date(2026, 2, 28)


@pytest.mark.requirement("A4-13")
@pytest.mark.parametrize(
    ("declared", "delay_ms", "expected"),
    [
        ("{rule: timeliness, update_cycle: daily}", DAY_MS, None),
        ("{rule: timeliness, update_cycle: daily}", DAY_MS + 1, QualityCode.LATE),
        ("{rule: timeliness, update_cycle: real_time}", 300 * MS + 1, QualityCode.LATE),
        ("{rule: timeliness, within_seconds: 10}", 10 * MS, None),
        ("{rule: timeliness, within_seconds: 10}", 10 * MS + 1, QualityCode.LATE),
        ("{rule: timeliness, within_seconds: 10}", -300 * MS, None),
        ("{rule: timeliness, within_seconds: 10}", -300 * MS - 1, QualityCode.SOURCE_TIME_AHEAD),
    ],
)
def test_a_record_is_in_time_or_late(declared: str, delay_ms: int, expected: QualityCode | None) -> None:
    assert code(declared, {}, NOW_MS - delay_ms) is expected


def test_a_record_without_a_source_time_is_not_in_time() -> None:
    assert code("{rule: timeliness, update_cycle: daily}", {}, None) is QualityCode.SOURCE_TIME_UNKNOWN


def test_the_delay_may_be_measured_from_an_item() -> None:
    declared = "{rule: timeliness, within_seconds: 10, item: a, unit: timestamp-micros}"
    assert code(declared, {"a": (NOW_MS - 10 * MS) * MS}) is None
    assert code(declared, {"a": (NOW_MS - 10 * MS - 1) * MS}) is QualityCode.LATE
    assert code(declared, {"a": "yesterday"}) is QualityCode.SOURCE_TIME_UNKNOWN


def test_severity_divides_what_stops_from_what_marks_in_declared_order() -> None:
    verdict = assess(
        "{rule: required, item: c, severity: mark},"
        "{rule: required, item: a},"
        "{id: b-is-short, rule: length, item: b, max: 1}",
        {"b": "secret"},
    )
    assert [(found.rule, found.items, found.code) for found in verdict.stops] == [
        ("a.required", ("a",), QualityCode.MISSING),
        ("b-is-short", ("b",), QualityCode.TOO_LONG),
    ]
    assert [found.rule for found in verdict.marks] == ["c.required"]


EVERY_RULE = ",".join(
    [
        *(REQUIRED, LENGTH, PATTERN, CODES, RANGE, ORDER, EQUAL, IMPLIES, BIRTH, SEX_OF),
        of_type("decimal"),
        BORN.replace("{rule", "{id: born, rule"),
        AT.replace("{rule", "{id: at, rule"),
        NOT_BOTH.replace("{rule", "{id: not-both, rule"),
        "{rule: timeliness, update_cycle: daily, item: b}",
    ]
)
COMPILED = rules(EVERY_RULE)
values: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
    | st.sampled_from([MALE, FEMALE, "\ud800", 10**400, -(10**400), [], {}])
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["a", "b", "kind", "x"]), values), st.none() | st.integers())
def test_no_value_makes_a_rule_raise(record: dict[str, object], source_at_ms: int | None) -> None:
    COMPILED.assess(record, AssessmentContext(NOW_MS, source_at_ms))


@given(st.text("qjzx", min_size=6, max_size=8), st.text("qjzx", min_size=6, max_size=8))
def test_no_finding_holds_a_value_of_the_record(a: str, b: str) -> None:
    verdict = COMPILED.assess({"a": a, "b": b, "kind": "resident_id"}, AssessmentContext(NOW_MS, None))
    assert verdict.stops
    assert not any(a in found.detail or b in found.detail for found in verdict.stops)
