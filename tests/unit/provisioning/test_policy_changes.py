"""Policy versions that cases lead to: marks only rise, each lifts its own holds, apply keeps."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.control.cases.words import Action, State
from services.control.definitions import Definitions
from services.control.grant_source import grants_in_force, refused_definitions
from services.control.policy_document import with_hold
from services.control.provisioning.entries import entry_of
from services.control.provisioning.marks import is_known, mark_of
from services.control.provisioning.policy_changes import active, ended, filling, handed_over, noted
from services.control.provisioning.ports import CannotProvide
from services.control.provisioning.reasons import reason_of
from services.control.provisioning.retrying import Waits
from services.control.revoke import WithdrawalStuck
from services.control.transitions import Move, UseNewGrantId, transitions
from tests.support.policy import sample_definitions, sample_policy
from tests.support.provisioning import by_cases
from tests.support.sharing_cases import BUREAU, IN_STATE, draft, taken
from tests.support.sharing_cases import active as active_case
from tests.support.suspending import HEALTH
from topics.event import ConsumerId, GrantId, PolicyNumber, SchemaId
from topics.grants.declaration import GrantState
from topics.grants.hold import Hold, HoldScope
from topics.policy import CaseMark, Policy
from topics.sink import Sink

GRANT = GrantId(HEALTH)
IDS = (SchemaId(700), SchemaId(701))


def mark(event: int) -> CaseMark:
    return CaseMark(event=event, digest="0" * 64)


def hold(key: str, scope: HoldScope = HoldScope.GRANT, name: str = HEALTH) -> Hold:
    return Hold(id=key, scope=scope, name=name, reason="why", since_ms=1, since_version=PolicyNumber(1))


def governed() -> Policy:
    return by_cases(sample_policy())


def begun(policy: Policy, event: int = 5) -> Policy:
    entry, _ = entry_of(policy.grants[GRANT].grant, policy, *IDS)
    return filling(policy, entry, mark(event), 9)


def test_a_new_fill_rises_the_generation_marks_the_case_and_stays_in_its_group() -> None:
    policy = governed()
    moved = policy.grants[GRANT].grant.model_copy(update={"group": "other"})
    entry, transition = entry_of(moved, policy, *IDS)
    coming = filling(policy, entry, mark(5), 9)
    assert (coming.version, coming.by_cases) == (policy.version + 1, True)
    found = coming.grants[GRANT]
    assert (found.generation, found.grant.state, found.grant.group) == (2, GrantState.FILLING, "default")
    assert coming.cases[GRANT] == mark(5)
    assert transition.move is Move.FILL


def test_a_grant_for_another_consumer_never_takes_its_place() -> None:
    other = governed().grants[GRANT].grant.model_copy(update={"consumer": ConsumerId("tax")})
    with pytest.raises(UseNewGrantId):
        entry_of(other, governed(), *IDS)


def test_only_what_the_case_itself_suspended_is_lifted() -> None:
    policy = with_hold(with_hold(governed(), hold("c-1"), 1), hold("s-1"), 1)
    assert set(begun(policy).holds) == {"s-1"}
    other = with_hold(governed(), hold("c-2", name="tax-permits"), 1)
    assert set(begun(other).holds) == {"c-2"}


def test_a_provisioning_from_before_a_suspension_lifts_nothing() -> None:
    suspended = with_hold(noted(governed(), GRANT, mark(6), 1), hold("c-1"), 1)
    with pytest.raises(CannotProvide, match="event 6"):
        begun(suspended, event=5)
    assert begun(suspended, event=7).holds == {}


def test_a_mark_only_rises() -> None:
    policy = noted(governed(), GRANT, mark(6), 1)
    assert noted(policy, GRANT, mark(5), 1) is policy
    assert noted(policy, GRANT, mark(6), 1) is policy
    assert noted(policy, GRANT, mark(7), 1).cases[GRANT] == mark(7)
    assert noted(sample_policy(), GRANT, mark(1), 1).cases == {}, "before the import there are no marks"


def test_only_what_was_being_filled_becomes_active() -> None:
    policy = begun(governed())
    entry = policy.grants[GRANT]
    done = active(policy, entry, {0: 3}, 9)
    assert (done.grants[GRANT].grant.state, done.grants[GRANT].starts_at) == (GrantState.ACTIVE, {0: 3})
    for changed in (begun(policy, 6), with_hold(policy, hold("c-1"), 1), ended(policy, GRANT, mark(9), 1)):
        with pytest.raises(CannotProvide, match="was changed while it was being filled"):
            active(changed, entry, {0: 3}, 9)


def test_what_is_ended_is_revoked_without_a_hold_of_its_case_and_ended_once() -> None:
    policy = ended(with_hold(governed(), hold("c-1"), 1), GRANT, mark(9), 1)
    assert (policy.grants[GRANT].grant.state, policy.holds) == (GrantState.REVOKED, {})
    assert ended(policy, GRANT, mark(9), 1) is policy
    assert ended(policy, GRANT, None, 1) is policy


def test_the_handing_over_changes_no_grant() -> None:
    policy = handed_over(sample_policy(), {GRANT: mark(1)}, 9)
    assert (policy.by_cases, policy.cases) == (True, {GRANT: mark(1)})
    assert policy.grants == sample_policy().grants
    assert handed_over(policy, {GRANT: mark(1)}, 9) is policy


def declared(**changes: object) -> Definitions:
    return replace(sample_definitions(), **changes)  # type: ignore[arg-type]


def test_apply_takes_grants_from_files_until_cases_decide_and_then_refuses_files() -> None:
    files = sample_definitions()
    assert grants_in_force(files, None) == grants_in_force(files, sample_policy()) == files.grants
    assert list(refused_definitions(files, sample_policy())) == []
    [refusal] = refused_definitions(files, governed())
    assert HEALTH in refusal.target
    assert "`govbus case apply`" in refusal.reason
    without = declared(grants={})
    assert list(refused_definitions(without, governed())) == []
    assert set(grants_in_force(without, governed())) == set(governed().grants)


@pytest.mark.parametrize(("days_before", "refused"), [(1, True), (0, False), (-1, False)])
def test_a_grant_that_is_handed_out_once_is_not_applied_before_its_first_day(
    days_before: int, refused: bool
) -> None:
    once = sample_definitions().grants[GRANT].model_copy(update={"once": True})
    day = once.valid_from - timedelta(days=days_before)
    found = list(refused_definitions(declared(grants={GRANT: once}), None, day))
    assert [each.target for each in found if "handed out once" in each.reason] == [f"grant {GRANT}"] * refused


def test_a_sink_of_no_grant_is_refused_wherever_grants_come_from() -> None:
    sink = Sink(grant=GrantId("nobody"), database="copy", table="public.person")
    found = [refusal.target for refusal in refused_definitions(declared(sinks={sink.grant: sink}), None)]
    assert found == ["sink of nobody"]


def test_apply_leaves_a_grant_that_a_case_is_filling_to_the_control_plane() -> None:
    live = begun(governed())
    grants = {key: entry.grant for key, entry in live.grants.items()}
    moves = {move.grant: move.move for move in transitions(grants, sample_definitions().resources, live)}
    assert set(moves.values()) == {Move.KEEP}
    plain = live.model_copy(update={"by_cases": False})
    wanted = {**grants, GRANT: grants[GRANT].model_copy(update={"state": GrantState.ACTIVE})}
    before = {move.grant: move.move for move in transitions(wanted, sample_definitions().resources, plain)}
    assert before[GRANT] is Move.FILL


def test_a_policy_from_before_cases_is_read_as_before() -> None:
    old = sample_policy().model_dump(by_alias=True, mode="json")
    del old["by_cases"], old["cases"]
    found = Policy.model_validate(old)
    assert (found.by_cases, found.cases) == (False, {})


def test_the_mark_of_an_event_is_known_to_the_case_that_has_it_and_to_no_other() -> None:
    case = active_case(draft())
    known = mark_of(case, len(case.events))
    assert is_known(case, known)
    assert is_known(taken(case, Action.SUSPEND, BUREAU), known), "who knows more is not older"
    assert not is_known(None, known)
    assert not is_known(IN_STATE[State.PROVISIONING](), known)
    other = active_case(draft(id_="case-2"))
    assert not is_known(other, known)


def test_waits_double_and_have_an_end() -> None:
    waits = Waits(timedelta(seconds=30), timedelta(minutes=15))
    found = [waits.after(attempts).total_seconds() for attempts in (1, 2, 3, 6, 7, 1000)]
    assert found == [30, 60, 120, 900, 900, 900]


def test_a_reason_says_what_and_what_mends_it_and_nothing_of_a_defect_but_its_class() -> None:
    assert reason_of(CannotProvide("it is held", "resume it")) == "it is held; resume it"
    assert reason_of(WithdrawalStuck("open")) == "open; it is tried again and goes on from there"
    assert "张三" not in reason_of(ValueError("张三"))
    assert "INTERNAL ValueError" in reason_of(ValueError("张三"))
    assert len(reason_of(OSError("x" * 2000))) <= 500
