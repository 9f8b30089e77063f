"""What a grant goes through, and the policy versions that follow from it."""

from typing import Any

import pytest

from services.control.desired import Declared, desired_state
from services.control.policy_document import (
    next_policy,
    same_content,
    with_active_grant,
    with_filling,
    with_grant_state,
)
from services.control.transitions import Move, UseNewGrantId, transitions, with_withdrawn
from tests.support.policy import sample_policy
from topics.event import ConsumerId, GrantId, PolicyNumber, SchemaId
from topics.grants.declaration import Grant, GrantState, HashMask, RowFilter
from topics.policy import Policy

HEALTH = GrantId("health-persons-gusu")


def live(state: GrantState = GrantState.ACTIVE, **changes: Any) -> Policy:
    policy = sample_policy()
    entry = policy.grants[HEALTH]
    changed = entry.model_copy(
        update={"grant": entry.grant.model_copy(update={"state": state, **changes}), "active_since": 1}
    )
    return policy.model_copy(update={"grants": {**policy.grants, HEALTH: changed}})


def wanted(**changes: Any) -> Grant:
    return sample_policy().grants[HEALTH].grant.model_copy(update=changes)


def move(grant: Grant, policy: Policy | None, receipts: tuple[str, ...] = ()) -> tuple[Move, bool]:
    resources = {key: entry.resource for key, entry in sample_policy().resources.items()}
    found = {each.grant: each for each in transitions({grant.id: grant}, resources, policy, receipts)}[
        grant.id
    ]
    return found.move, found.guarded


OTHER_ROWS = (RowFilter(item="household_district", values=("320505",)),)


@pytest.mark.parametrize(
    ("grant", "policy", "expected"),
    [
        (wanted(), None, (Move.FILL, False)),
        (wanted(), live(), (Move.KEEP, True)),
        (wanted(purpose="another purpose"), live(), (Move.KEEP, True)),
        (wanted(rows=OTHER_ROWS), live(), (Move.FILL, False)),
        (wanted(items=("id_number",)), live(), (Move.FILL, True)),
        (wanted(items=tuple(reversed(wanted().items))), live(), (Move.KEEP, True)),
        (wanted(masks={"name": HashMask()}), live(), (Move.FILL, True)),
        (wanted(group="other"), live(), (Move.FILL, True)),
        (wanted(once=True), live(), (Move.FILL, True)),
        (wanted(once=True), live(once=True), (Move.KEEP, True)),
        (wanted(), live(GrantState.FILLING), (Move.FILL, True)),
        (wanted(), live(GrantState.SUSPENDED), (Move.FILL, True)),
        (wanted(state=GrantState.SUSPENDED), live(), (Move.WITHDRAW, True)),
        (wanted(state=GrantState.REVOKED), live(GrantState.FILLING), (Move.WITHDRAW, True)),
        (wanted(state=GrantState.SUSPENDED), None, (Move.KEEP, True)),
        (wanted(state=GrantState.REVOKED), live(GrantState.REVOKED), (Move.WITHDRAW, True)),
    ],
)
def test_a_grant_goes_through_what_its_change_needs(
    grant: Grant, policy: Policy | None, expected: tuple[Move, bool]
) -> None:
    assert move(grant, policy) == expected


def test_a_withdrawal_with_its_receipt_is_done() -> None:
    revoked = wanted(state=GrantState.REVOKED)
    assert move(revoked, live(GrantState.REVOKED), (f"{HEALTH}.1",)) == (Move.KEEP, True)
    assert move(revoked, live(GrantState.REVOKED), (f"{HEALTH}.2",)) == (Move.WITHDRAW, True)


def test_a_withdrawal_during_a_first_fill_is_carried_through_after_a_crash() -> None:
    filling = build(None)
    assert filling.grants[HEALTH].active_since == 0
    crashed = with_grant_state(filling, {HEALTH: GrantState.REVOKED}, 9)
    revoked = wanted(state=GrantState.REVOKED)
    assert move(revoked, crashed) == (Move.WITHDRAW, True)
    assert move(revoked, crashed, (f"{HEALTH}.1",)) == (Move.KEEP, True)


def test_a_grant_that_is_declared_withdrawn_from_the_start_leaves_nothing_to_carry_through() -> None:
    first = build(None, state=GrantState.SUSPENDED)
    assert HEALTH not in first.grants
    assert move(wanted(state=GrantState.SUSPENDED), first) == (Move.KEEP, True)
    assert HEALTH not in build(first, state=GrantState.SUSPENDED).grants
    assert move(wanted(), first) == (Move.FILL, False)


def test_a_grant_may_not_move_to_another_consumer() -> None:
    with pytest.raises(UseNewGrantId, match="new id"):
        move(wanted(consumer=ConsumerId("tax")), live())


def test_a_grant_taken_out_of_the_definitions_is_revoked_and_stays_on_record() -> None:
    found = with_withdrawn({}, live())
    assert found[HEALTH].state is GrantState.REVOKED


def build(policy: Policy | None, **changes: Any) -> Policy:
    sample = sample_policy()
    grants = {key: entry.grant for key, entry in sample.grants.items()}
    grants[HEALTH] = wanted(**changes)
    import json

    declared = Declared(
        sample.providers,
        sample.consumers,
        {key: entry.resource for key, entry in sample.resources.items()},
        grants,
        sample.code_lists,
        {key: json.loads(entry.item_schema) for key, entry in sample.resources.items()},
    )
    ids = {
        subject: SchemaId(number) for number, subject in enumerate(desired_state(declared).subjects, start=1)
    }
    moves = {each.grant: each for each in transitions(grants, declared.resources, policy)}
    return next_policy(declared, moves, ids, policy, now_ms=5)


def test_the_first_version_is_1_and_every_grant_is_being_filled() -> None:
    first = build(None)
    assert first.version == 1
    assert {entry.grant.state for entry in first.grants.values()} == {GrantState.FILLING}
    assert {entry.generation for entry in first.grants.values()} == {1}


def test_the_same_definitions_give_the_same_content() -> None:
    policy = build(None)
    for grant_id in policy.grants:
        policy = with_active_grant(policy, grant_id, {0: 3}, 6)
    again = build(policy)
    assert same_content(policy, again)
    assert again.version == policy.version + 1


def test_a_new_epoch_has_a_higher_generation_also_where_the_last_one_did_not_end() -> None:
    first = build(None)
    assert build(first).grants[HEALTH].generation == 2


def test_activation_names_its_own_version_and_where_the_fan_out_goes_on() -> None:
    policy = with_active_grant(build(None), HEALTH, {0: 17, 1: 4}, 9)
    entry = policy.grants[HEALTH]
    assert entry.active_since == policy.version == PolicyNumber(2)
    assert entry.starts_at == {0: 17, 1: 4}
    assert entry.grant.state is GrantState.ACTIVE


@pytest.mark.requirement("A7-03")
def test_what_is_handed_out_once_is_closed_when_it_is_full_until_it_is_filled_anew() -> None:
    policy = with_active_grant(build(None, once=True), HEALTH, {0: 17}, 9)
    other = next(grant for grant in policy.grants if grant != HEALTH)
    policy = with_active_grant(policy, other, {0: 3}, 11)
    assert (policy.grants[HEALTH].closed_ms, policy.grants[other].closed_ms) == (9, None)
    kept = build(policy, once=True)
    assert (kept.grants[HEALTH].grant.state, kept.grants[HEALTH].closed_ms) == (GrantState.ACTIVE, 9)
    assert with_filling(policy, [HEALTH], 12).grants[HEALTH].closed_ms is None
    goes_on = build(policy).grants[HEALTH]
    assert (goes_on.grant.state, goes_on.closed_ms) == (GrantState.FILLING, None)


def test_withdrawing_one_grant_changes_no_other() -> None:
    before = build(None)
    after = with_grant_state(before, {HEALTH: GrantState.SUSPENDED}, 9)
    assert after.grants[HEALTH].grant.state is GrantState.SUSPENDED
    others = set(before.grants) - {HEALTH}
    assert all(before.grants[other] == after.grants[other] for other in others)
