"""Credentials that end soon or have ended are told by department and grant, with the command that helps."""

from datetime import UTC, datetime, timedelta

import pytest

from services.control.credential_life import Credential, Ended
from services.control.policy_document import with_grant_state
from services.doctor.credentials import judge_credentials
from services.doctor.finding import Level
from tests.support.policy import sample_policy
from topics.event import ConsumerId, GrantId
from topics.grants.declaration import GrantState
from topics.policy import Policy

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
HEALTH, GRANT = ConsumerId("health"), GrantId("health-persons-gusu")
DAY = timedelta(days=1)
ROTATE = "govbus credential rotate health"


def credential(days: float, consumer: str = "health", ended: Ended | None = None) -> Credential:
    """One that ends so many days from now."""
    until = NOW + days * DAY
    return Credential(
        ConsumerId(consumer), 2, until - 180 * DAY, until, None if ended is None else until, ended
    )


def judged(*found: Credential, policy: Policy | None = None) -> list[tuple[Level, str, str]]:
    findings = judge_credentials(found, policy or sample_policy(), NOW)
    return [(each.level, each.seen, each.remedy) for each in findings]


@pytest.mark.parametrize(
    ("days", "level"),
    [(31, Level.OK), (30, Level.WARNING), (1, Level.WARNING), (0, Level.FAILURE), (-1, Level.FAILURE)],
)
def test_how_bad_it_is_depends_on_the_days_that_are_left(days: float, level: Level) -> None:
    [(found, _, _)] = judged(credential(days))
    assert found is level


def test_what_ends_soon_is_told_with_its_grants_and_what_helps() -> None:
    [(_, seen, remedy)] = judged(credential(7))
    assert seen == f"health, version 2: ends on 2026-03-09, in 7 days; it reads {GRANT} with it"
    assert remedy == ROTATE
    [(_, seen, _)] = judged(credential(1))
    assert "in 1 day;" in seen


def test_what_has_ended_is_told_whoever_ended_it() -> None:
    for found in (credential(-3), credential(-3, ended=Ended.EXPIRED)):
        [(level, seen, remedy)] = judged(found)
        assert (level, remedy) == (Level.FAILURE, ROTATE)
        assert seen == f"health, version 2: ended on 2026-02-27; it reads {GRANT} with it"


def test_where_nothing_is_read_with_it_its_end_is_no_failure() -> None:
    policy = with_grant_state(sample_policy(), {GRANT: GrantState.REVOKED}, 1)
    [(level, seen, _)] = judged(credential(-3), policy=policy)
    assert level is Level.NOTE
    assert seen.endswith("it has no grant")


def test_where_the_policy_cannot_be_read_the_end_is_told_all_the_same() -> None:
    [found] = judge_credentials([credential(-3)], None, NOW)
    assert (found.level, found.seen.endswith("its grants cannot be told")) == (Level.FAILURE, True)


def test_good_ones_are_one_line_that_names_the_first_to_end() -> None:
    [(level, seen, remedy), (worse, _, _)] = judged(
        credential(90, "tax"), credential(60, "archives"), credential(3)
    )
    assert (level, remedy, worse) == (Level.OK, "", Level.WARNING)
    assert seen == "2 good, the first ends on 2026-05-01 (archives)"


def test_without_any_there_is_a_note() -> None:
    assert [level for level, *_ in judged()] == [Level.NOTE]
