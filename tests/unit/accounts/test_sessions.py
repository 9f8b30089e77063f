"""A session ends unused, old, or when somebody ends it; it takes another id when rights change."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.control.accounts.sessions import (
    USABLE,
    Method,
    Session,
    SessionRules,
    Standing,
    needs_touch,
    standing,
)

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
RULES = SessionRules()
SECOND = timedelta(seconds=1)


def session(
    used: timedelta = timedelta(0), ends: timedelta | None = None, replaced: bool = False, rights: int = 1
) -> Session:
    ends_at = None if ends is None else NOW + ends
    return Session("p1", Method.PASSWORD, NOW, NOW + used, rights, ends_at, replaced)


@pytest.mark.parametrize(
    ("kept", "after", "found"),
    [
        (session(), timedelta(0), Standing.VALID),
        (session(), RULES.idle - SECOND, Standing.VALID),
        (session(), RULES.idle, Standing.IDLE),
        (session(used=timedelta(hours=11, minutes=45)), RULES.absolute - SECOND, Standing.VALID),
        (session(used=timedelta(hours=11, minutes=45)), RULES.absolute, Standing.EXPIRED),
        (session(ends=SECOND), timedelta(0), Standing.VALID),
        (session(ends=SECOND), SECOND, Standing.ENDED),
        (session(rights=2), SECOND, Standing.STALE),
        (session(rights=2), RULES.idle, Standing.IDLE),
        (session(rights=2, replaced=True, ends=2 * SECOND), SECOND, Standing.VALID),
        (session(rights=2, replaced=True, ends=2 * SECOND), 2 * SECOND, Standing.ENDED),
    ],
)
def test_what_a_session_is_worth(kept: Session, after: timedelta, found: Standing) -> None:
    assert standing(kept, 1, NOW + after, RULES) is found


def test_a_use_is_noted_once_a_minute_and_never_for_an_id_that_was_replaced() -> None:
    assert not needs_touch(session(), NOW + RULES.touch_after - SECOND, RULES)
    assert needs_touch(session(), NOW + RULES.touch_after, RULES)
    assert not needs_touch(session(replaced=True), NOW + RULES.touch_after, RULES)


@given(st.integers(0, 100_000), st.integers(0, 100_000), st.integers(0, 100_000), st.integers(1, 3))
def test_no_use_brings_back_what_was_over(used: int, first: int, more: int, rights: int) -> None:
    kept = session(used=used * SECOND)
    now = NOW + first * SECOND
    if standing(kept, rights, now, RULES) not in USABLE:
        assert standing(kept, rights, now + more * SECOND, RULES) not in USABLE


@given(st.lists(st.integers(1, 3600), max_size=60))
def test_a_session_lives_only_while_it_is_used_and_never_longer_than_a_day_at_work(gaps: list[int]) -> None:
    kept, now = session(), NOW
    for gap in gaps:
        now += gap * SECOND
        if standing(kept, 1, now, RULES) not in USABLE:
            assert gap * SECOND >= RULES.idle - RULES.touch_after or now - NOW >= RULES.absolute
            return
        assert now - NOW < RULES.absolute
        if needs_touch(kept, now, RULES):
            kept = session(used=now - NOW)
