"""A bucket never gives more than it holds and what has flowed in."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.control.accounts.token_bucket import Empty, Rate, Taken, take

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
RATE = Rate(5, timedelta(seconds=2))


def drawn(times: int) -> datetime | None:
    full_at: datetime | None = None
    for _ in range(times):
        taken = take(full_at, NOW, RATE)
        assert isinstance(taken, Taken)
        full_at = taken.full_at
    return full_at


def test_a_new_bucket_is_full_and_then_says_how_long_to_wait() -> None:
    assert take(drawn(5), NOW, RATE) == Empty(timedelta(seconds=2))
    assert take(drawn(5), NOW, RATE, 2) == Empty(timedelta(seconds=4))


def test_after_the_wait_it_is_given_and_not_an_instant_before() -> None:
    almost = NOW + timedelta(seconds=2) - timedelta(microseconds=1)
    assert isinstance(take(drawn(5), almost, RATE), Empty)
    assert isinstance(take(drawn(5), NOW + timedelta(seconds=2), RATE), Taken)


def test_a_bucket_that_was_left_alone_holds_no_more_than_it_can() -> None:
    full_at, later = drawn(5), NOW + timedelta(days=9)
    for _ in range(5):
        taken = take(full_at, later, RATE)
        assert isinstance(taken, Taken)
        full_at = taken.full_at
    assert isinstance(take(full_at, later, RATE), Empty)


@pytest.mark.parametrize("back", [timedelta(seconds=1), timedelta(minutes=10), timedelta(days=900)])
@pytest.mark.parametrize("used", [1, 5])
def test_a_clock_that_was_set_back_shuts_nobody_out_for_longer_than_a_bucket_takes(
    back: timedelta, used: int
) -> None:
    taken = take(drawn(used), NOW - back, RATE)
    longest = RATE.every * RATE.capacity
    assert isinstance(taken, Taken) or taken.wait <= longest


def test_a_clock_that_was_set_back_gives_no_whole_bucket_anew() -> None:
    full_at, earlier = drawn(5), NOW - timedelta(minutes=10)
    taken = take(full_at, earlier, RATE, 2)
    assert taken == Taken(earlier + RATE.every * RATE.capacity)
    assert take(taken.full_at, earlier, RATE) == Empty(RATE.every)
    assert isinstance(take(taken.full_at, earlier + RATE.every, RATE), Taken)


@pytest.mark.parametrize("calls", [0, -1, 6])
def test_what_never_fits_is_an_error(calls: int) -> None:
    with pytest.raises(ValueError, match="cannot be taken"):
        take(None, NOW, RATE, calls)


@pytest.mark.parametrize(("capacity", "every"), [(0, timedelta(1)), (1, timedelta(0)), (1, -timedelta(1))])
def test_a_rate_is_positive(capacity: int, every: timedelta) -> None:
    with pytest.raises(ValueError, match="positive"):
        Rate(capacity, every)


@given(st.lists(st.tuples(st.integers(0, 4_000_000), st.integers(1, 5)), min_size=1, max_size=80))
def test_no_interval_gives_more_than_the_bucket_and_what_flows_in(wishes: list[tuple[int, int]]) -> None:
    full_at, now = None, NOW
    given_: list[tuple[datetime, int]] = []
    for gap, calls in wishes:
        now += timedelta(microseconds=gap)
        taken = take(full_at, now, RATE, calls)
        if isinstance(taken, Taken):
            full_at = taken.full_at
            given_.append((now, calls))
    for at, (begin, _) in enumerate(given_):
        total = 0
        for when, calls in given_[at:]:
            total += calls
            assert total * RATE.every <= RATE.capacity * RATE.every + (when - begin)


@given(st.integers(0, 20_000_000), st.integers(1, 5))
def test_whoever_waits_as_told_gets_it(gap: int, calls: int) -> None:
    now = NOW + timedelta(microseconds=gap)
    found = take(drawn(5), now, RATE, calls)
    if isinstance(found, Empty):
        assert isinstance(take(drawn(5), now + found.wait, RATE, calls), Taken)
