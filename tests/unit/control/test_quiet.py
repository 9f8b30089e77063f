"""Which groups must apply the new version before an epoch copies."""

from typing import Any

import pytest

from services.control.quiet import groups_to_settle
from tests.support.policy import sample_policy
from topics.event import GrantId
from topics.grants.declaration import GrantState
from topics.policy import Policy

HEALTH = GrantId("health-persons-gusu")
SAMPLE = sample_policy()


def policy(**changes: Any) -> Policy:
    """The sample, with this grant changed so and every other grant in the group that all share."""
    entry = SAMPLE.grants[HEALTH]
    grant = entry.grant.model_copy(update=changes)
    return SAMPLE.model_copy(
        update={"grants": {**SAMPLE.grants, HEALTH: entry.model_copy(update={"grant": grant})}}
    )


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (None, ["fanout.new"]),
        (policy(group="old"), ["fanout.new", "fanout.old"]),
        (policy(group="new"), ["fanout.new"]),
        (policy(group="old", state=GrantState.SUSPENDED), ["fanout.new", "fanout.old"]),
    ],
    ids=["new grant", "moved", "stays", "resumed elsewhere"],
)
def test_the_group_that_delivered_a_grant_is_awaited_with_the_one_that_will(
    before: Policy | None, expected: list[str]
) -> None:
    assert groups_to_settle([HEALTH], before, policy(group="new")) == expected


def test_after_an_epoch_that_did_not_end_every_group_is_awaited() -> None:
    before = policy(group="new", state=GrantState.FILLING)
    others = {f"fanout.{group}" for group in before.groups()}
    assert len(others) > 1
    assert set(groups_to_settle([HEALTH], before, policy(group="new"))) == others
