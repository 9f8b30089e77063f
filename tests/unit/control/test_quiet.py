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
    assert set(groups_to_settle([HEALTH], before, policy(group="new"))) == others | {"gate"}


def scoped(*items: str) -> Policy:
    """The sample, with these scope items of the grant's resource."""
    name = SAMPLE.grants[HEALTH].grant.resource
    entry = SAMPLE.resources[name]
    resource = entry.resource.model_copy(update={"scope_items": items})
    changed = entry.model_copy(update={"resource": resource})
    return SAMPLE.model_copy(update={"resources": {**SAMPLE.resources, name: changed}})


@pytest.mark.parametrize(
    ("before", "after", "awaited"),
    [(("a",), ("a", "b"), True), (("a", "b"), ("b", "a"), False), (("a", "b"), ("a",), False)],
    ids=["added", "in another order", "removed"],
)
def test_the_gate_is_awaited_where_its_envelopes_must_carry_new_scope_items(
    before: tuple[str, ...], after: tuple[str, ...], awaited: bool
) -> None:
    assert ("gate" in groups_to_settle([HEALTH], scoped(*before), scoped(*after))) is awaited


def test_a_new_grant_that_needs_new_scope_items_awaits_the_gate() -> None:
    before = scoped("a")
    others = {key: entry for key, entry in before.grants.items() if key != HEALTH}
    without = before.model_copy(update={"grants": others})
    assert "gate" in groups_to_settle([HEALTH], without, scoped("a", "b"))
    assert "gate" not in groups_to_settle([HEALTH], without, scoped("a"))
