"""Lockout after wrong passwords: each failure beyond the free ones makes the next wait longer.

A counter belongs to a name that somebody tried to log in with, known or not, or to an address. A try counts
as failed from its beginning and is given back when the password was right, so that many at once do not outrun
it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class LockoutRules:
    """How patient a counter is: free failures, the first wait, the longest, and when all is forgotten."""

    free: int
    first: timedelta
    longest: timedelta
    forget: timedelta


OF_NAMES = LockoutRules(5, timedelta(seconds=30), timedelta(minutes=15), timedelta(hours=24))
"""The longest wait is short: whoever knows a name could otherwise keep its owner out."""
OF_ADDRESSES = LockoutRules(30, timedelta(seconds=30), timedelta(hours=1), timedelta(hours=24))
"""A whole office may stand behind one address."""


@dataclass(frozen=True, slots=True)
class Failures:
    """How many tries have failed in a row, and when the last one was."""

    count: int = 0
    last: datetime | None = None


def wait(failures: Failures, now: datetime, rules: LockoutRules) -> timedelta:
    """How long the next try has to wait; zero if it need not."""
    if failures.last is None or _forgotten(failures, now, rules):
        return timedelta(0)
    return max(timedelta(0), failures.last + _delay(failures.count, rules) - now)


def failed(failures: Failures, now: datetime, rules: LockoutRules) -> Failures:
    """After one more failure. A clock that was set back does not shorten a wait."""
    before = 0 if _forgotten(failures, now, rules) else failures.count
    last = now if failures.last is None else max(now, failures.last)
    return Failures(before + 1, last)


def given_back(failures: Failures) -> Failures:
    """After a try that was counted turned out right: the others stay counted."""
    return Failures(max(0, failures.count - 1), failures.last)


def _forgotten(failures: Failures, now: datetime, rules: LockoutRules) -> bool:
    return failures.last is not None and now - failures.last >= rules.forget


def _delay(count: int, rules: LockoutRules) -> timedelta:
    """Doubled with each failure beyond the free ones, up to the longest."""
    beyond = count - rules.free
    if beyond <= 0:
        return timedelta(0)
    doublings = min(beyond - 1, 30)
    return min(rules.first * (1 << doublings), rules.longest)
