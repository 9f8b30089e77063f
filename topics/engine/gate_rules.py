"""Quality rules as flat steps over numbered items: what both fast implementations of the gate are made from.

A rule, or a value, that no step describes exactly is asked of the rule itself (``Op.ASK``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum
from typing import Final

from topics.engine.automaton import Automaton, automaton_of
from topics.quality import cross, rules
from topics.quality.values import Unit
from topics.quality.verdict import CompiledRules, QualityCode, Rule, Severity

NO_ITEM: Final = -1
"""The place of an item that is always null, or of one that the rule does not name."""

CODES: Final = tuple(QualityCode)
TYPES: Final = tuple(rules.ItemType)
UNITS: Final = tuple(Unit)
_MOST: Final = 10**15
_MOST_DIGITS: Final = 18


class Op(IntEnum):
    """What a step does."""

    ASK = 0
    REQUIRED = 1
    TYPE = 2
    LENGTH = 3
    PATTERN = 4
    CODE_LIST = 5
    RANGE = 6
    ORDER = 7
    EQUAL = 8
    IMPLIES = 9
    BIRTH_DATE = 10
    SEX = 11
    TIMELY = 12


class Bounded(IntEnum):
    """Kinds of an end of a range."""

    OPEN = 0
    FIXED = 1
    NOW = 2


@dataclass(frozen=True, slots=True)
class End:
    """One end of a range: ``number`` times ten to the minus ``scale``."""

    kind: Bounded = Bounded.OPEN
    number: int = 0
    scale: int = 0


@dataclass(frozen=True, slots=True)
class When:
    """A condition: among values, or present (``present``), or absent."""

    item: int
    among: tuple[str | int | bool, ...] | None
    present: bool


@dataclass(frozen=True, slots=True)
class RuleStep:
    """One rule; which of the fields count depends on ``op``."""

    op: Op
    rule: Rule
    stops: bool
    first: int = NO_ITEM
    second: int = NO_ITEM
    third: int = NO_ITEM
    has_third: bool = False
    unit: int = 0
    kind: int = 0
    """Of a type: its place in ``TYPES``."""
    least: int = 0
    most: int = -1
    """Of a length: -1 is no upper bound. Of a decimal: digits before and after the point."""
    low: End = End()
    high: End = End()
    automaton: Automaton | None = None
    texts: tuple[bytes, ...] = ()
    """Codes of a list; or those of male and female."""
    when: When | None = None
    then: When | None = None

    def finding(self, code: QualityCode) -> str:
        """How a stop's detail tells of it."""
        return f"{code}: {', '.join(self.rule.items)}"


def rule_steps(compiled: CompiledRules, places: Mapping[str, int]) -> tuple[RuleStep, ...]:
    """The steps of a resource's rules; ``places`` numbers its items."""
    return tuple(_step(rule, places) for rule in compiled.rules)


def _step(rule: Rule, places: Mapping[str, int]) -> RuleStep:
    stops = rule.severity is Severity.STOP
    ask = RuleStep(Op.ASK, rule, stops)

    def at(item: str | None) -> int:
        return NO_ITEM if item is None else places.get(item, NO_ITEM)

    match rule:
        case rules.Required():
            return RuleStep(Op.REQUIRED, rule, stops, at(rule.item))
        case rules.TypeIs():
            return _type(rule, stops, at(rule.item))
        case rules.LengthWithin():
            most = -1 if rule.most is None else rule.most
            return RuleStep(Op.LENGTH, rule, stops, at(rule.item), least=rule.least, most=most)
        case rules.MatchesPattern():
            automaton = automaton_of(rule.pattern)
            if automaton is None:
                return ask
            return RuleStep(Op.PATTERN, rule, stops, at(rule.item), automaton=automaton)
        case rules.InCodeList():
            codes = sorted(code for code in rule.codes.codes if _is_utf8(code))
            texts = tuple(code.encode() for code in codes)
            return RuleStep(Op.CODE_LIST, rule, stops, at(rule.item), texts=texts)
        case rules.InRange():
            return _range(rule, stops, at(rule.item)) or ask
        case _:
            return _cross(rule, stops, at) or ask


def _cross(rule: Rule, stops: bool, at: object) -> RuleStep | None:
    if not callable(at):
        return None
    match rule:
        case cross.DatesInOrder():
            unit = UNITS.index(rule.unit)
            return RuleStep(Op.ORDER, rule, stops, at(rule.earlier), at(rule.later), unit=unit)
        case cross.ItemsEqual():
            return RuleStep(Op.EQUAL, rule, stops, at(rule.left), at(rule.right))
        case cross.Implies():
            when = When(at(rule.when.item), rule.when.among, rule.when.present)
            then = When(at(rule.then.item), rule.then.among, rule.then.present)
            plain = all(_is_plain(condition) for condition in (when, then))
            return RuleStep(Op.IMPLIES, rule, stops, when=when, then=then) if plain else None
        case cross.IdentityAgrees():
            return _identity(rule, stops, at(rule.identity), at(rule.other), at(rule.kind))
        case cross.InTime():
            if rule.within_ms > _MOST:
                return None
            return RuleStep(
                Op.TIMELY,
                rule,
                stops,
                at(rule.item),
                has_third=rule.item is not None,
                unit=UNITS.index(rule.unit),
                most=rule.within_ms,
            )
        case _:
            return None


def _type(rule: rules.TypeIs, stops: bool, item: int) -> RuleStep:
    scale = -1 if rule.scale is None else rule.scale
    room = -1 if rule.precision is None else rule.precision - (rule.scale or 0)
    return RuleStep(Op.TYPE, rule, stops, item, kind=TYPES.index(rule.type), least=room, most=scale)


def _range(rule: rules.InRange, stops: bool, item: int) -> RuleStep | None:
    low, high = _end(rule.least, rule.unit), _end(rule.most, rule.unit)
    if low is None or high is None:
        return None
    return RuleStep(Op.RANGE, rule, stops, item, unit=UNITS.index(rule.unit), low=low, high=high)


def _end(bound: rules.Bound | None, unit: Unit) -> End | None:
    if bound is None:
        return End()
    if bound.value is None:
        return End(Bounded.NOW)
    if unit is not Unit.NUMBER:
        number = int(bound.value)
        return End(Bounded.FIXED, number) if -(2**62) < number < 2**62 else None
    sign, digits, exponent = Decimal(bound.value).as_tuple()
    if not isinstance(exponent, int) or not -_MOST_DIGITS <= exponent <= _MOST_DIGITS:
        return None
    number = int("".join(map(str, digits)) or "0") * 10 ** max(exponent, 0)
    if number >= 10**_MOST_DIGITS:
        return None
    return End(Bounded.FIXED, -number if sign else number, max(-exponent, 0))


def _identity(rule: cross.IdentityAgrees, stops: bool, number: int, other: int, kind: int) -> RuleStep | None:
    named = rule.kind is not None
    if isinstance(rule, cross.BirthDateAgrees):
        return RuleStep(Op.BIRTH_DATE, rule, stops, number, other, kind, named)
    if isinstance(rule, cross.SexAgrees) and all(_is_utf8(code) for code in rule.codes):
        texts = tuple(code.encode() for code in rule.codes)
        return RuleStep(Op.SEX, rule, stops, number, other, kind, named, texts=texts)
    return None


def _is_plain(condition: When) -> bool:
    return all(
        _is_utf8(value) if isinstance(value, str) else -(2**63) <= value < 2**63
        for value in condition.among or ()
    )


def _is_utf8(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
