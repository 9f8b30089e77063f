"""Which of two values of one key is the stricter."""

from services.control.clocks.pack import Content
from services.control.clocks.policy_keys import Kind, PolicyKey
from services.control.clocks.rules import (
    AgreedDate,
    ClockRule,
    FixedDate,
    NaturalDays,
    Stage,
    WorkingDays,
)

_END_OF_MONTH = 31


class Incomparable(ValueError):  # noqa: N818 - says what is wrong, not that something is
    """The two cannot be compared; the text goes on after both were named, and ``remedy`` says what to do."""

    def __init__(self, why: str, remedy: str = "give both in one unit, from one event") -> None:
        super().__init__(why)
        self.remedy = remedy


def is_stricter(key: PolicyKey, one: Content, other: Content) -> bool:
    """Whether the first value binds more than the second; equal ones do not.

    A binding clock is stricter than a target. Of equal lengths the one with the shorter extension is the
    stricter, and then the one that does not stand still.

    Raises:
        Incomparable: the two are in different units, run from different events, or take different words.
    """
    if isinstance(one, Stage) and isinstance(other, Stage):
        return _is_stricter_clock(key.kind, one, other)
    if isinstance(one, tuple) and isinstance(other, tuple):
        return _takes_fewer(frozenset(one), frozenset(other))
    if key.kind is Kind.CHOICE:
        return key.choices.index(str(one)) > key.choices.index(str(other))
    return int(str(one)) > int(str(other))


def _is_stricter_clock(kind: Kind, one: Stage, other: Stage) -> bool:
    if one.rule.advisory != other.rule.advisory:
        return other.rule.advisory
    if one.starts_on != other.starts_on:
        raise Incomparable(f"run from different events, {one.starts_on} and {other.starts_on}")
    if type(one.rule.length) is not type(other.rule.length):
        raise Incomparable("are in different units")
    return _rank(kind, one.rule) < _rank(kind, other.rule)


def _rank(kind: Kind, rule: ClockRule) -> tuple[object, ...]:
    length = _length(rule)
    if kind is Kind.NOTICE:
        length = tuple(-each for each in length)
    extension = 0 if rule.extension is None else rule.extension.most
    return length, not rule.counts_first_day, extension, len(rule.pauses_while)


def _length(rule: ClockRule) -> tuple[int, ...]:
    match rule.length:
        case WorkingDays(count) | NaturalDays(count):
            return (count,)
        case FixedDate(month, day):
            return month, day or _END_OF_MONTH
        case AgreedDate():
            return ()


def _takes_fewer(one: frozenset[str], other: frozenset[str]) -> bool:
    if one <= other or other <= one:
        return one < other
    raise Incomparable(
        "take different words, neither fewer than the other", "let one of the two hold the other"
    )
