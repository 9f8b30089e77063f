"""A grant's days as the fan-out counts them, from the first day that a calendar can name to the last."""

from datetime import UTC, date, datetime, timedelta

import pytest

from services.fanout.plan import compile_grants
from tests.support.policy import sample_policy
from topics.event import GrantId

GRANT = GrantId("health-persons-gusu")
EIGHT_HOURS = timedelta(hours=8)


def days(first: date, last: date) -> tuple[int, int]:
    """When the compiled grant begins and ends, in ms since 1970."""
    policy = sample_policy()
    entry = policy.grants[GRANT]
    grant = entry.grant.model_copy(update={"valid_from": first, "valid_until": last})
    plan = compile_grants(policy, [entry.model_copy(update={"grant": grant})], {1: bytes(32)})
    [compiled] = plan.resources[policy.resources[grant.resource].resource.canonical_topic].grants
    return compiled.valid_from_ms, compiled.valid_until_ms


def test_a_day_begins_at_midnight_in_beijing() -> None:
    begin, end = days(date(2026, 3, 10), date(2026, 3, 10))
    midnight = datetime(2026, 3, 10, tzinfo=UTC) - EIGHT_HOURS
    assert begin == int(midnight.timestamp() * 1000)
    assert end - begin == 86_400_000


@pytest.mark.parametrize("first", [date.min, date(1969, 12, 31), date(1970, 1, 1)])
def test_days_before_the_epoch_and_the_very_first_one_can_be_counted(first: date) -> None:
    begin, end = days(first, date.max)
    assert begin == (first - date(1970, 1, 1)).days * 86_400_000 - 8 * 3_600_000
    assert end > begin
