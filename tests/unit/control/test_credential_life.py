"""How a credential stands at each moment of its life, on both sides of every boundary."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pydantic
import pytest

from services.control.credential_life import DEFAULT_DAYS, Credential, Ended, Standing, expiry
from services.control.settings import CredentialSettings
from topics.event import ConsumerId

ISSUED = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""Nine in the morning in Beijing."""
CREDENTIAL = Credential(ConsumerId("health"), 1, ISSUED, expiry(ISSUED, DEFAULT_DAYS))
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("before_the_end", "left", "standing"),
    [
        (180 * DAY, 180, Standing.GOOD),
        (31 * DAY, 31, Standing.GOOD),
        # The day changes at midnight in Beijing; it ends at nine in the morning.
        (30 * DAY + 9 * timedelta(hours=1) + SECOND, 31, Standing.GOOD),
        (30 * DAY + 9 * timedelta(hours=1), 30, Standing.ENDS_SOON),
        (DAY, 1, Standing.ENDS_SOON),
        (SECOND, 0, Standing.ENDS_SOON),
        (timedelta(), 0, Standing.OVER),
        (-DAY, 0, Standing.OVER),
    ],
)
def test_a_credential_stands_by_the_days_that_are_left(
    before_the_end: timedelta, left: int, standing: Standing
) -> None:
    now = CREDENTIAL.expires_at - before_the_end
    assert (CREDENTIAL.days_left(now), CREDENTIAL.standing(now)) == (left, standing)
    assert CREDENTIAL.is_over(now) == (standing is Standing.OVER)


@pytest.mark.parametrize(
    ("ended", "standing"), [(Ended.ROTATED, Standing.REPLACED), (Ended.EXPIRED, Standing.OVER)]
)
def test_what_has_ended_opens_nothing_whatever_its_date(ended: Ended, standing: Standing) -> None:
    found = replace(CREDENTIAL, ended=ended, ended_at=ISSUED + DAY)
    now = ISSUED + 2 * DAY
    assert found.is_over(now)
    assert (found.days_left(now), found.standing(now)) == (0, standing)


@pytest.mark.parametrize(
    ("before_the_end", "ends_as"),
    [(SECOND, Ended.ROTATED), (timedelta(), Ended.EXPIRED), (-DAY, Ended.EXPIRED)],
)
def test_what_another_one_takes_the_place_of_is_rotated_before_its_end_and_expired_after_it(
    before_the_end: timedelta, ends_as: Ended
) -> None:
    assert CREDENTIAL.ends_as(CREDENTIAL.expires_at - before_the_end) is ends_as


def test_the_life_is_a_setting_and_half_a_year_where_nobody_has_set_it() -> None:
    assert CredentialSettings.from_environment({}).days == DEFAULT_DAYS == 180
    assert CredentialSettings.from_environment({"GOVBUS_CREDENTIAL_DAYS": "90"}).days == 90
    for days in ("1", "0", "3651", "for ever"):
        with pytest.raises(pydantic.ValidationError):
            CredentialSettings.from_environment({"GOVBUS_CREDENTIAL_DAYS": days})
