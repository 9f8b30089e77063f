"""Lockouts grow, end by themselves, and no order of tries gets around them."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.control.accounts.lockout import (
    OF_ADDRESSES,
    OF_NAMES,
    Failures,
    LockoutRules,
    failed,
    given_back,
    wait,
)

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
RULES = LockoutRules(3, timedelta(seconds=10), timedelta(seconds=60), timedelta(hours=1))
SECOND, ZERO = timedelta(seconds=1), timedelta(0)


def after(times: int, rules: LockoutRules = RULES) -> Failures:
    found = Failures()
    for _ in range(times):
        found = failed(found, NOW, rules)
    return found


@pytest.mark.requirement("A11-04")
@pytest.mark.parametrize(
    ("times", "seconds"), [(0, 0), (1, 0), (3, 0), (4, 10), (5, 20), (6, 40), (7, 60), (8, 60), (500, 60)]
)
def test_the_wait_doubles_beyond_the_free_failures_up_to_the_longest(times: int, seconds: int) -> None:
    assert wait(after(times), NOW, RULES) == seconds * SECOND


def test_a_wait_ends_to_the_instant() -> None:
    locked = after(4)
    assert wait(locked, NOW + 9 * SECOND, RULES) == SECOND
    assert wait(locked, NOW + 10 * SECOND, RULES) == ZERO


def test_after_long_enough_all_is_forgotten() -> None:
    assert failed(after(9), NOW + RULES.forget, RULES).count == 1
    assert failed(after(9), NOW + RULES.forget - SECOND, RULES).count == 10


def test_a_clock_that_is_set_back_shortens_no_wait() -> None:
    locked = failed(after(4), NOW - timedelta(minutes=5), RULES)
    assert wait(locked, NOW, RULES) == 20 * SECOND


def test_a_right_try_of_an_address_gives_back_only_itself() -> None:
    assert wait(given_back(after(6)), NOW, RULES) == 20 * SECOND
    assert given_back(Failures()) == Failures()


def test_an_owner_is_not_kept_out_for_long_and_an_office_has_more_tries() -> None:
    assert OF_NAMES.longest <= timedelta(minutes=15)
    assert OF_ADDRESSES.free > OF_NAMES.free


@given(st.lists(st.integers(0, 200), max_size=60))
def test_however_somebody_tries_the_tries_within_a_time_are_bounded(gaps: list[int]) -> None:
    """Each try is made if it may be: beyond the free ones, at most one per first wait."""
    failures, now, made = Failures(), NOW, []
    for gap in gaps:
        now += gap * SECOND
        if wait(failures, now, RULES) == ZERO:
            failures = failed(failures, now, RULES)
            made.append(now)
    for before, after_it in list(pairwise(made))[RULES.free :]:
        assert after_it - before >= RULES.first


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_more_failures_never_mean_a_shorter_wait(one: int, other: int) -> None:
    few, many = sorted((one, other))
    assert wait(Failures(few, NOW), NOW, RULES) <= wait(Failures(many, NOW), NOW, RULES) <= RULES.longest
