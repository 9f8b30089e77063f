"""The days of a grant: who may read on them, and what a change of them asks for."""

from datetime import date

import pytest

from services.control.comparison import compare_offline
from services.control.definitions import load_definitions, packaged_definitions
from services.control.rights import grant_rights
from services.control.transitions import Move, transitions
from services.control.validity import official_day
from tests.support.policy import sample_policy
from topics.event import GrantId
from topics.grants.declaration import Grant, GrantState
from topics.policy import Policy

HEALTH = GrantId("health-persons-gusu")
FIRST, LAST = date(2026, 1, 10), date(2026, 1, 20)
MS_PER_S = 1000


def grant(first: date = FIRST, last: date = LAST) -> Grant:
    entry = sample_policy().grants[HEALTH].grant
    return entry.model_copy(update={"valid_from": first, "valid_until": last, "state": GrantState.ACTIVE})


@pytest.mark.parametrize(
    ("now_s", "day"),
    [(1767974399, date(2026, 1, 9)), (1767974400, date(2026, 1, 10))],
    ids=["a second before midnight in official time", "midnight"],
)
def test_a_day_begins_at_midnight_in_official_time(now_s: int, day: date) -> None:
    assert official_day(now_s * MS_PER_S) == day


@pytest.mark.parametrize(
    ("day", "reads"),
    [
        (date(2026, 1, 9), False),
        (FIRST, True),
        (LAST, True),
        (date(2026, 1, 21), False),
        (None, True),
    ],
)
def test_a_grant_has_a_reader_on_its_days_only_and_its_writers_are_never_refused_for_them(
    day: date | None, reads: bool
) -> None:
    found = grant_rights(grant(), day)
    assert {acl.user for acl in found} == ({"consumer-health"} if reads else set())
    assert all(acl.allow for acl in found)


def test_plan_takes_the_right_of_an_expired_grant() -> None:
    city = load_definitions(packaged_definitions())
    topic = city.grants[HEALTH].topic

    def readers(now_ms: int) -> set[str]:
        acls = compare_offline(city, lambda: now_ms).desired.acls
        return {acl.user for acl in acls if acl.name == topic}

    assert readers(1767974400 * MS_PER_S) == {"consumer-health"}
    assert readers(2**32 * MS_PER_S) == set()


def moved(had: Grant, wanted: Grant, day: date | None) -> Move:
    sample = sample_policy()
    entry = sample.grants[HEALTH].model_copy(update={"grant": had})
    live: Policy = sample.model_copy(update={"grants": {**sample.grants, HEALTH: entry}})
    resources = {key: entry.resource for key, entry in sample.resources.items()}
    (found,) = transitions({HEALTH: wanted}, resources, live, day=day)
    return found.move


@pytest.mark.parametrize(
    ("wanted", "day", "expected"),
    [
        (grant(), LAST, Move.KEEP),
        (grant(last=date(2026, 2, 1)), date(2026, 1, 19), Move.KEEP),
        (grant(last=date(2026, 2, 1)), LAST, Move.FILL),
        (grant(last=date(2026, 2, 1)), date(2026, 1, 25), Move.FILL),
        (grant(last=date(2026, 1, 22)), date(2026, 1, 25), Move.KEEP),
        (grant(last=date(2026, 1, 15)), date(2026, 1, 12), Move.KEEP),
        (grant(first=date(2026, 1, 5)), date(2026, 1, 7), Move.FILL),
        (grant(first=date(2026, 1, 5)), date(2026, 1, 4), Move.KEEP),
        (grant(first=date(2026, 1, 12)), date(2026, 1, 15), Move.KEEP),
        (grant(last=date(2026, 2, 1)), None, Move.FILL),
    ],
    ids=[
        "unchanged",
        "extended in time",
        "extended on the last day",
        "extended after it expired",
        "extended and expired all the same",
        "shortened",
        "begins earlier",
        "begins earlier, but later than today",
        "begins later",
        "extended, nobody knows the day",
    ],
)
def test_a_grant_is_filled_where_its_old_days_may_have_withheld_what_the_new_ones_cover(
    wanted: Grant, day: date | None, expected: Move
) -> None:
    assert moved(grant(), wanted, day) is expected
