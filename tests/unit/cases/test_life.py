"""What an action demands beyond its party: texts, reasons, the policy pack, steps, rulings, complaints."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.control.cases.case import Case, pauses
from services.control.cases.provisioning import Progress, Step
from services.control.cases.words import (
    Action,
    Actor,
    CaseRules,
    Decides,
    Role,
    State,
    StopReason,
    Unconditional,
)
from tests.support.sharing_cases import (
    AFTER,
    APPLICANT,
    AUTHORITY,
    BUREAU,
    CONSUMER,
    COUNCIL,
    DECIDER,
    ENTERPRISE,
    IN_STATE,
    NOW,
    OPERATOR,
    PRECHECKED,
    RULES,
    SYSTEM,
    active,
    application,
    codes,
    deciding,
    draft,
    entry,
    provisioned,
    provisioning,
    submitted,
    taken,
)
from topics.resource import ShareType

UNCONDITIONAL = {"resource": ENTERPRISE, "items": ("credit_code", "name"), "rows": ()}
FREE = entry(ENTERPRISE, share_type=ShareType.UNCONDITIONAL)


@pytest.mark.requirement("A6-04")
@pytest.mark.parametrize(
    ("gap", "code"),
    [
        ({"refusal_reason": None}, "REASON_MISSING"),
        ({"text": " "}, "TEXT_MISSING"),
        ({"acceptable_if": ""}, "ACCEPTABLE_IF_MISSING"),
    ],
)
def test_a_refusal_needs_its_reason_a_text_and_what_would_make_it_acceptable(
    gap: dict[str, Any], code: str
) -> None:
    assert codes(deciding(draft()), Action.REFUSE, DECIDER, **gap) == [code]


def test_a_refusal_is_kept_with_everything_that_was_said() -> None:
    case = taken(deciding(draft()), Action.REFUSE, DECIDER)
    assert case.refusal is not None
    assert (case.refusal.text, case.refusal.acceptable_if) == ("said in words", "name the article")
    assert case.approval is None


@pytest.mark.parametrize("action", [Action.SUSPEND, Action.TERMINATE])
def test_stopping_needs_a_reason_and_a_text(action: Action) -> None:
    assert codes(IN_STATE[State.ACTIVE](), action, BUREAU, stop_reason=None, text="") == [
        "REASON_MISSING",
        "TEXT_MISSING",
    ]


def test_an_event_keeps_what_its_action_demands_and_nothing_else_that_came_along() -> None:
    event = taken(deciding(draft()), Action.RETURN, DECIDER).events[-1]
    assert (event.number, event.who, event.when, event.text) == (3, DECIDER, NOW, "said in words")
    assert (event.refusal_reason, event.stop_reason, event.approval, event.step) == (None, None, None, None)


def test_an_event_before_the_last_one_is_refused() -> None:
    early = NOW - timedelta(seconds=1)
    assert codes(submitted(draft()), Action.WITHDRAW, CONSUMER, early) == ["TIME_BACKWARDS"]
    assert codes(submitted(draft()), Action.WITHDRAW, CONSUMER, NOW) == []


@pytest.mark.parametrize("action", [Action.SUSPEND, Action.TERMINATE])
def test_a_clock_that_was_set_back_keeps_nobody_from_stopping(action: Action) -> None:
    case = IN_STATE[State.ACTIVE]()
    last = case.events[-1].when
    stopped = taken(case, action, BUREAU, last - timedelta(minutes=10))
    assert stopped.events[-1].when == last
    assert taken(case, action, BUREAU, last + timedelta(minutes=10)).events[-1].when > last


@pytest.mark.parametrize(
    ("rules", "action", "expected"),
    [
        (RULES, Action.REQUEST_DECISION, []),
        (RULES, Action.REQUEST_PRECHECK, ["NO_PRECHECK"]),
        (PRECHECKED, Action.REQUEST_DECISION, ["PRECHECK_FIRST"]),
        (PRECHECKED, Action.REQUEST_PRECHECK, []),
    ],
)
@pytest.mark.requirement("A1-02", "C2")
def test_the_policy_pack_says_whether_the_authority_looks_first(
    rules: CaseRules, action: Action, expected: list[str]
) -> None:
    assert codes(submitted(draft(rules)), action, SYSTEM) == expected


@pytest.mark.requirement("A6-06", "C2")
def test_where_the_pack_lets_the_authority_decide_the_provider_does_not() -> None:
    case = deciding(draft(replace(RULES, decides=Decides.AUTHORITY)))
    assert codes(case, Action.APPROVE, DECIDER) == ["WRONG_ROLE"]
    assert codes(case, Action.APPROVE, BUREAU) == []
    assert codes(case, Action.APPROVE, Actor("Li", Role.AUTHORITY, APPLICANT)) == ["OWN_CASE"]


def test_nobody_judges_a_case_that_he_worked_on_as_applicant() -> None:
    moved = Actor(CONSUMER.person, Role.PROVIDER, DECIDER.department)
    assert codes(deciding(draft()), Action.APPROVE, moved) == ["OWN_WORK"]


def free_case(rules: CaseRules, **changes: Any) -> Case:
    case = draft(rules, application(**UNCONDITIONAL, **changes))
    return taken(case, Action.SUBMIT, CONSUMER, resource=FREE)


@pytest.mark.requirement("A6-02")
def test_an_unconditional_entry_passes_without_a_decision() -> None:
    case = free_case(RULES, committed=False)
    assert codes(case, Action.REQUEST_DECISION, SYSTEM, resource=FREE) == ["NO_DECISION_NEEDED"]
    passed = taken(case, Action.ACCEPT_UNCONDITIONAL, SYSTEM, resource=FREE)
    assert passed.state is State.APPROVED
    assert passed.approval is not None
    assert passed.approval.items == ("credit_code", "name")


@pytest.mark.requirement("A6-02", "A8-08", "C3")
def test_with_filing_and_commitment_it_passes_only_with_both() -> None:
    rules = replace(RULES, unconditional=Unconditional.FILE_AND_COMMIT)
    bare = draft(rules, application(**UNCONDITIONAL, committed=False))
    assert codes(bare, Action.SUBMIT, CONSUMER, resource=FREE) == ["COMMITMENT_MISSING", "FILING_MISSING"]
    passed = taken(free_case(rules, filing="备2026-17"), Action.ACCEPT_UNCONDITIONAL, SYSTEM, resource=FREE)
    assert passed.state is State.APPROVED


def test_an_entry_that_became_conditional_meanwhile_does_not_pass_without_a_decision() -> None:
    case = free_case(RULES)
    assert codes(case, Action.ACCEPT_UNCONDITIONAL, SYSTEM, resource=entry(ENTERPRISE)) == ["DECISION_NEEDED"]


def test_a_returned_case_goes_through_its_checks_again_and_its_clock_stood_still() -> None:
    case = IN_STATE[State.RETURNED]()
    assert pauses(case) == ((NOW, None),)
    assert codes(case, Action.SUPPLEMENT, CONSUMER, application=application(scenario="")) == [
        "SCENARIO_MISSING"
    ]
    later = NOW + timedelta(days=3)
    case = taken(case, Action.SUPPLEMENT, CONSUMER, later, application=application(items=("name",)))
    assert (case.state, case.application.items) == (State.SUBMITTED, ("name",))
    assert pauses(case) == ((NOW, later),)


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"applicant": "tax"}, "APPLICANT_FIXED"), ({"resource": ENTERPRISE}, "RESOURCE_FIXED")],
)
def test_the_parties_of_a_case_never_change(changes: dict[str, Any], code: str) -> None:
    assert codes(draft(), Action.EDIT, CONSUMER, application=application(**changes)) == [code]


def test_a_case_whose_resource_changed_its_provider_is_opened_anew() -> None:
    moved = entry(provider="education")
    assert codes(deciding(draft()), Action.APPROVE, DECIDER, resource=moved) == ["PROVIDER_CHANGED"]


@pytest.mark.requirement("A6-08", "A1-07", "C16")
def test_a_dispute_rises_level_by_level_and_only_the_body_of_its_level_rules() -> None:
    case = taken(IN_STATE[State.REFUSED](), Action.APPEAL, CONSUMER)
    case = taken(taken(case, Action.ESCALATE, CONSUMER), Action.ESCALATE, DECIDER)
    council = Actor("Gao", Role.AUTHORITY, COUNCIL)
    assert codes(case, Action.ESCALATE, CONSUMER) == ["NO_HIGHER_LEVEL"]
    assert codes(case, Action.UPHOLD, BUREAU) == ["OTHER_DEPARTMENT"]
    assert taken(case, Action.UPHOLD, council).state is State.APPROVED
    assert taken(case, Action.DISMISS, council).state is State.REFUSED_FINALLY


def test_whoever_decided_does_not_rule_on_it() -> None:
    case = taken(deciding(draft(replace(RULES, decides=Decides.AUTHORITY))), Action.REFUSE, BUREAU)
    case = taken(taken(case, Action.APPEAL, CONSUMER), Action.ESCALATE, CONSUMER)
    assert codes(case, Action.UPHOLD, BUREAU) == ["OWN_DECISION"]
    assert codes(case, Action.UPHOLD, Actor("Gao", Role.AUTHORITY, AUTHORITY)) == []


@pytest.mark.requirement("A6-11")
def test_an_entry_that_is_not_shared_can_be_appealed_against_and_not_applied_for() -> None:
    closed = entry(share_type=ShareType.NOT_SHARED)
    assert codes(draft(), Action.SUBMIT, CONSUMER, resource=closed) == ["NOT_SHARED"]
    assert codes(draft(), Action.APPEAL, CONSUMER) == ["NOT_REFUSED"]
    assert codes(draft(scenario=""), Action.APPEAL, CONSUMER, resource=closed) == ["SCENARIO_MISSING"]
    case = taken(taken(draft(), Action.APPEAL, CONSUMER, resource=closed), Action.ESCALATE, CONSUMER)
    assert codes(case, Action.UPHOLD, BUREAU, resource=closed) == ["NOT_SHARED"]
    assert taken(case, Action.UPHOLD, BUREAU).state is State.APPROVED


@pytest.mark.requirement("A6-10")
def test_any_department_complains_and_the_authority_replies_to_each_complaint() -> None:
    stranger = Actor("Sun", Role.CONSUMER, "education")
    case = taken(taken(deciding(draft()), Action.COMPLAIN, stranger), Action.COMPLAIN, CONSUMER)
    case = taken(taken(case, Action.REPLY, BUREAU), Action.REPLY, BUREAU)
    assert (case.state, case.open_complaints) == (State.DECIDING, 0)
    assert codes(case, Action.REPLY, BUREAU) == ["NO_COMPLAINT"]


def test_who_only_complained_may_still_judge() -> None:
    busy = Actor(DECIDER.person, Role.CONSUMER, "education")
    assert codes(taken(deciding(draft()), Action.COMPLAIN, busy), Action.APPROVE, DECIDER) == []


def test_a_case_is_active_only_when_every_step_is_done_in_its_order() -> None:
    case = provisioning(draft())
    assert codes(case, Action.ACTIVATE, SYSTEM) == ["STEPS_LEFT"]
    assert codes(case, Action.STEP_DONE, SYSTEM, step=Step.BACK_FILL) == ["STEP_OUT_OF_TURN"]
    for step in Step:
        assert codes(case, Action.ACTIVATE, SYSTEM) == ["STEPS_LEFT"]
        case = taken(case, Action.STEP_DONE, SYSTEM, step=step)
    assert taken(case, Action.ACTIVATE, SYSTEM).state is State.ACTIVE


def test_a_failed_step_says_why_and_is_tried_again() -> None:
    case = taken(provisioning(draft()), Action.STEP_FAILED, SYSTEM, text="broker away")
    found = case.step(Step.TOPIC)
    assert found is not None
    assert (found.progress, found.reason, found.attempts) == (Progress.FAILED, "broker away", 1)
    assert codes(case, Action.STEP_DONE, SYSTEM) == ["STEP_OUT_OF_TURN"]
    case = taken(taken(case, Action.RETRY_STEP, OPERATOR), Action.STEP_DONE, SYSTEM)
    found = case.step(Step.TOPIC)
    assert found is not None
    assert (found.progress, found.reason, found.attempts) == (Progress.DONE, "", 2)
    assert codes(case, Action.RETRY_STEP, SYSTEM) == ["STEP_NOT_FAILED"]


def test_a_case_is_rolled_back_only_when_all_that_was_done_is_taken_back() -> None:
    case = taken(provisioning(draft()), Action.STEP_DONE, SYSTEM)
    assert codes(case, Action.ROLL_BACK, SYSTEM, undone=()) == ["UNDO_INCOMPLETE"]
    assert codes(case, Action.ROLL_BACK, SYSTEM, undone=(Step.TOPIC, Step.POLICY)) == ["UNDO_UNKNOWN"]
    case = taken(case, Action.ROLL_BACK, SYSTEM, undone=(Step.TOPIC,))
    assert (case.state, case.undone) == (State.TERMINATED, (Step.TOPIC,))


@pytest.mark.requirement("A8-05")
def test_a_resumed_case_is_filled_again_before_it_is_active() -> None:
    case = taken(IN_STATE[State.SUSPENDED](), Action.RESUME, BUREAU)
    pending = [each.step for each in case.steps if each.progress is Progress.PENDING]
    assert pending == [Step.RIGHTS, Step.POLICY, Step.ACKNOWLEDGED, Step.BACK_FILL, Step.ANNOUNCED]
    assert codes(case, Action.ACTIVATE, SYSTEM) == ["STEPS_LEFT"]
    assert taken(provisioned(case), Action.ACTIVATE, SYSTEM).state is State.ACTIVE


def test_what_the_authority_suspended_only_the_authority_resumes() -> None:
    assert codes(IN_STATE[State.SUSPENDED](), Action.RESUME, DECIDER) == ["SUSPENDED_BY_AUTHORITY"]
    by_provider = taken(active(draft()), Action.SUSPEND, DECIDER)
    assert codes(by_provider, Action.RESUME, DECIDER) == []
    assert codes(by_provider, Action.RESUME, BUREAU) == []


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (datetime(2027, 3, 9, 15, 59, tzinfo=UTC), ["NOT_EXPIRED"]),
        (datetime(2027, 3, 9, 16, 0, tzinfo=UTC), []),
    ],
)
def test_a_case_expires_after_its_last_day_in_official_time(day: datetime, expected: list[str]) -> None:
    assert codes(active(draft()), Action.EXPIRE, SYSTEM, day) == expected


def test_what_has_ended_is_neither_resumed_nor_activated() -> None:
    assert codes(IN_STATE[State.SUSPENDED](), Action.RESUME, BUREAU, AFTER) == ["DAYS_PAST"]
    ready = provisioned(provisioning(draft()))
    assert codes(ready, Action.ACTIVATE, SYSTEM, AFTER) == ["DAYS_PAST"]


@pytest.mark.parametrize("state", [State.APPROVED, State.PROVISIONING, State.ACTIVE, State.SUSPENDED])
def test_the_control_plane_ends_a_case_with_its_resource_and_for_no_other_reason(state: State) -> None:
    case = IN_STATE[state]()
    for reason in set(StopReason) - {StopReason.RESOURCE_ENDED}:
        assert codes(case, Action.TERMINATE, SYSTEM, stop_reason=reason) == ["RESOURCE_STANDS"]
    ended = taken(case, Action.TERMINATE, SYSTEM, stop_reason=StopReason.RESOURCE_ENDED)
    assert (ended.state, ended.events[-1].stop_reason) == (State.TERMINATED, StopReason.RESOURCE_ENDED)
