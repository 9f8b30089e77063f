"""Quality rules as one generated function: cheap tests that sound values pass; the rule says the rest."""

import re
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, Final

from topics.engine.gate_rules import TYPES, UNITS, Bounded, Op, RuleStep
from topics.quality.cross import CLOCK_TOLERANCE_MS
from topics.quality.pattern import MAX_TEXT
from topics.quality.rules import ItemType, MatchesPattern
from topics.quality.values import EPOCH, Unit, as_count

Judge = Callable[[Sequence[Any], int, int, int, "str | None"], list[int]]
"""Items, recorded at, source time, today, the valid resident number: the rules that must be asked."""

_PLAIN: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,100})?").fullmatch
_MOST_DAYS: Final = 100_000

_SECOND: Final = {Unit.DATE: 0, Unit.TIMESTAMP_MILLIS: 1_000, Unit.TIMESTAMP_MICROS: 1_000_000}


@lru_cache(_MOST_DAYS)
def born(day: str) -> int:
    """The days since 1970 of a real day YYYYMMDD."""
    return (date(int(day[:4]), int(day[4:6]), int(day[6:])) - EPOCH).days


def judge(steps: Sequence[RuleStep], identity: int) -> Judge:
    """A function that returns the places of the rules that a record may break."""
    known: dict[str, Any] = {"plain": _PLAIN, "born": born}
    lines = ["def judge(items, recorded, source, today, number):", "    asked = []"]
    for place, step in enumerate(steps):
        test = _test(place, step, identity, known)
        lines.append(f"    if not ({test}): asked.append({place})" if test else f"    asked.append({place})")
    lines.append("    return asked")
    exec("\n".join(lines), known)  # noqa: S102 - the text consists of numbers and of places
    made: Judge = known["judge"]
    return made


def _test(place: int, step: RuleStep, identity: int, known: dict[str, Any]) -> str | None:
    """An expression that is true only of records that the rule lets pass; None if there is no cheap one."""
    a, b = _item(step.first), _item(step.second)
    match step.op:
        case Op.REQUIRED:
            return f"type({a}) is str and {a} and not {a}.isspace() or type({a}) in (int, bool, bytes)"
        case Op.TYPE:
            return _type(place, step, a, known)
        case Op.LENGTH:
            most = step.most if step.most >= 0 else 2**60
            return f"{a} is None or type({a}) is str and {step.least} <= len({a}) <= {most}"
        case Op.PATTERN if isinstance(step.rule, MatchesPattern):
            known[f"m{place}"] = step.rule.pattern.fullmatch
            return f"{a} is None or type({a}) is str and len({a}) <= {MAX_TEXT} and m{place}({a}) is not None"
        case Op.CODE_LIST:
            known[f"k{place}"] = frozenset(text.decode() for text in step.texts)
            return f"{a} is None or type({a}) is str and {a} in k{place}"
        case Op.RANGE:
            return _range(step, a)
        case Op.ORDER:
            inside = f"{_inside(a, UNITS[step.unit])} and {_inside(b, UNITS[step.unit])}"
            return f"{a} is None or {b} is None or {inside} and {a} <= {b}"
        case Op.EQUAL:
            return f"{a} is None or {b} is None or type({a}) is type({b}) is str and {a} == {b}"
        case Op.BIRTH_DATE | Op.SEX if step.first == identity and not step.has_third:
            return _identity(place, step, b, known)
        case Op.TIMELY if not step.has_third:
            return f"{-CLOCK_TOLERANCE_MS} <= recorded - source <= {step.most}"
        case _:
            return None


def _item(place: int) -> str:
    return "None" if place < 0 else f"items[{place}]"


def _inside(item: str, unit: Unit) -> str:
    """Whether it is a count of the unit (``as_count``)."""
    low, high = _ends(unit)
    return f"type({item}) is int and {low} <= {item} < {high}"


def _ends(unit: Unit) -> tuple[int, int]:
    scale = 1 if unit is Unit.DATE else _SECOND[unit] * 86_400
    low, high = -719_162 * scale, 2_932_897 * scale
    if as_count(low, unit) is None or as_count(high, unit) is not None:
        raise ValueError(f"the years 1 to 9999 are other counts of {unit}")
    return low, high


def _type(place: int, step: RuleStep, item: str, known: dict[str, Any]) -> str | None:
    kind = TYPES[step.kind]
    plain = {ItemType.STRING: "str", ItemType.INTEGER: "int", ItemType.NUMBER: "int"}
    plain |= {ItemType.BOOLEAN: "bool", ItemType.BYTES: "bytes"}
    if kind in plain:
        return f"{item} is None or type({item}) is {plain[kind]}"
    if kind is not ItemType.DECIMAL:
        return f"{item} is None or {_inside(item, Unit(kind.value))}"
    whole = 100 if step.least < 0 else min(step.least, 100)
    fraction = 100 if step.most < 0 else min(step.most, 100)
    if whole < 1:
        return None
    point = rf"(?:\.[0-9]{{1,{fraction}}})?" if fraction else ""
    known[f"m{place}"] = re.compile(rf"[+-]?[0-9]{{1,{whole}}}{point}").fullmatch
    return f"{item} is None or type({item}) is str and m{place}({item}) is not None"


def _range(step: RuleStep, item: str) -> str:
    unit = UNITS[step.unit]
    tests = [f"type({item}) is int" if unit is Unit.NUMBER else _inside(item, unit)]
    if unit is Unit.NUMBER:
        # A positive number of few digits that is compared with a whole number needs no Decimal.
        if step.low.scale or step.high.scale:
            return f"{item} is None"
        value = f"(int({item}.partition('.')[0]) if type({item}) is str else {item})"
        tests = [f"(type({item}) is int or type({item}) is str and plain({item}) is not None)"]
        low, high = step.low.number, step.high.number
        tests += [f"{value} >= {low}"] if step.low.kind is not Bounded.OPEN else []
        tests += [f"{value} < {high}"] if step.high.kind is not Bounded.OPEN else []
        return f"{item} is None or {' and '.join(tests)}"
    now = {Unit.DATE: "today", Unit.TIMESTAMP_MILLIS: "recorded", Unit.TIMESTAMP_MICROS: "recorded * 1000"}[
        unit
    ]
    for end, sign in ((step.low, ">="), (step.high, "<=")):
        if end.kind is not Bounded.OPEN:
            tests.append(f"{item} {sign} {now if end.kind is Bounded.NOW else end.number}")
    return f"{item} is None or {' and '.join(tests)}"


def _identity(place: int, step: RuleStep, other: str, known: dict[str, Any]) -> str:
    if step.op is Op.BIRTH_DATE:
        agrees = f"type({other}) is int and born(number[6:14]) == {other}"
        return f"{other} is None or number is not None and {agrees}"
    known[f"k{place}"] = tuple(text.decode() for text in step.texts)
    return f"{other} is None or number is not None and {other} == k{place}[number[16] in '02468']"
