"""Holds in the policy: stronger than definitions, lifted one by one, and never written over."""

import pytest
from pydantic import ValidationError

from services.control.held_grants import held_grants
from services.control.policy_document import (
    freed,
    with_active_grant,
    with_filling,
    with_grant_state,
    with_hold,
    without_hold,
)
from services.control.transitions import Move, transitions, with_withdrawn
from tests.support.policy import sample_definitions, sample_policy
from tests.support.suspending import EDUCATION, HEALTH
from topics.event import ConsumerId, GrantId, PolicyNumber
from topics.grants.declaration import GrantState
from topics.grants.hold import Hold, HoldScope
from topics.policy import Policy

GRANT = GrantId(HEALTH)


def hold(key: str, scope: HoldScope, name: str) -> Hold:
    return Hold(id=key, scope=scope, name=name, reason="why", since_ms=1, since_version=PolicyNumber(1))


def held(*holds: Hold, policy: Policy | None = None) -> Policy:
    found = policy or sample_policy()
    for one in holds:
        found = with_hold(found, one, 5)
    return found


ON_GRANT = hold("s-1", HoldScope.GRANT, HEALTH)
ON_CONSUMER = hold("s-2", HoldScope.CONSUMER, "health")
ON_ALL = hold("s-3", HoldScope.ALL, "")


@pytest.mark.requirement("A8-05")
def test_apply_leaves_a_held_grant_suspended_whatever_its_definition_says() -> None:
    declared, live = sample_definitions().grants, held(ON_GRANT)
    assert declared[GRANT].state is GrantState.ACTIVE
    wanted = with_withdrawn(declared, live)
    assert wanted[GRANT].state is GrantState.SUSPENDED
    assert wanted[GrantId(EDUCATION)].state is GrantState.ACTIVE
    moves = transitions(wanted, sample_definitions().resources, live, receipts=[f"{HEALTH}.1"])
    assert {move.grant: move.move for move in moves}[GRANT] is Move.KEEP


def test_a_grant_that_is_declared_after_its_consumer_was_suspended_is_held_too() -> None:
    declared = sample_definitions().grants
    late = declared[GRANT].model_copy(update={"id": GrantId("health-late")})
    wanted = with_withdrawn({**declared, late.id: late}, held(ON_CONSUMER))
    assert wanted[late.id].state is GrantState.SUSPENDED


def test_a_hold_never_brings_a_revoked_grant_back() -> None:
    revoked = with_grant_state(sample_policy(), {GRANT: GrantState.REVOKED}, 1)
    live = held(ON_CONSUMER, policy=revoked)
    assert live.grants[GRANT].grant.state is GrantState.REVOKED
    assert live.holds["s-2"].grants == ()
    without = {key: grant for key, grant in sample_definitions().grants.items() if key != GRANT}
    assert with_withdrawn(without, live)[GRANT].state is GrantState.REVOKED


def test_a_grant_is_given_back_only_when_every_hold_on_it_is_lifted() -> None:
    live = held(ON_GRANT, ON_CONSUMER, ON_ALL)
    for key in ("s-1", "s-3"):
        grants = live.holds[key].grants
        live = without_hold(live, key)
        assert freed(live, grants) == ([] if key == "s-1" else sorted(set(grants) - {GRANT}))
    last = live.holds["s-2"].grants
    assert GRANT in last
    assert freed(without_hold(live, "s-2"), last) == [GRANT]


def test_what_another_hold_takes_over_is_not_lost_though_it_came_first() -> None:
    suspended = with_grant_state(sample_policy(), {GRANT: GrantState.SUSPENDED}, 1)
    live = held(ON_CONSUMER, policy=suspended)
    assert live.holds["s-2"].grants == (), "a grant that its definition suspends is not given back"
    live = held(ON_GRANT, ON_CONSUMER)
    without = without_hold(live.model_copy(update={"holds": {**live.holds, "s-2": ON_CONSUMER}}), "s-1")
    assert without.holds["s-2"].grants == (GRANT,)


def test_a_resumed_grant_is_filled_under_a_new_generation() -> None:
    live = held(ON_GRANT)
    coming = with_filling(without_hold(live, "s-1"), [GRANT], 9)
    assert coming.version == live.version + 1
    assert coming.grants[GRANT].generation == live.grants[GRANT].generation + 1
    assert coming.grants[GRANT].grant.state is GrantState.FILLING
    assert coming.delivering_though_held() == []


def test_a_policy_in_which_a_held_grant_delivers_is_found() -> None:
    live = held(ON_GRANT)
    assert live.delivering_though_held() == []
    assert with_active_grant(live, GRANT, {}, 9).delivering_though_held() == [GRANT]


def test_a_hold_that_names_nothing_or_too_much_is_no_hold() -> None:
    with pytest.raises(ValidationError):
        hold("s-1", HoldScope.GRANT, "")
    with pytest.raises(ValidationError):
        hold("s-1", HoldScope.ALL, "health")


def test_a_policy_without_holds_is_read_as_before() -> None:
    old = sample_policy().model_dump(by_alias=True, mode="json")
    del old["holds"], old["control_schemas"]["control_act"]
    found = Policy.model_validate(old)
    assert found.holds == {}
    assert found.control_schemas.control_act == 0


def test_plan_notes_what_is_held_and_by_what() -> None:
    [note] = held_grants(held(ON_GRANT))
    assert HEALTH in note
    assert "s-1" in note
    assert list(held_grants(None)) == []


def test_a_hold_on_a_consumer_without_grants_is_in_force_all_the_same() -> None:
    live = held(hold("s-9", HoldScope.CONSUMER, "archives"))
    assert live.holds["s-9"].grants == ()
    entry = live.grants[GRANT].grant.model_copy(update={"consumer": ConsumerId("archives")})
    assert [one.id for one in live.holds_on(entry)] == ["s-9"]
