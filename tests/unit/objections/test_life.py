"""The life of an objection: every state and action, who acts, what must be given, and its clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import pytest

from services.control.accounts.actions import Action as Permission
from services.control.cases.words import Actor, Role
from services.control.clocks.calendar_file import china
from services.control.clocks.running import due_of
from services.control.notices.event import Offices, told
from services.control.notices.of_objections import of_objection
from services.control.notices.words import Audience, Kind
from services.control.objections.clock import Clock, clock_of
from services.control.objections.life import Refused, allowed, apply, object_to
from services.control.objections.objection import Given, Objection, Opening
from services.control.objections.table import TRANSITIONS
from services.control.objections.words import Action, State
from tests.support.desk import policy

NOW: Final = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""A Monday morning in Beijing."""
CITY: Final = policy("national-2025", "jiyuan-2022")
HEAD: Final = "head_of_department"
CONSUMER: Final = Actor("zhao", Role.CONSUMER, "health")
PROVIDER: Final = Actor("wang", Role.PROVIDER, "police")
BUREAU: Final = Actor("chen", Role.AUTHORITY, "data_bureau")
OPENING: Final = Opening(
    UUID(int=1), CONSUMER, NOW, UUID(int=2), "居住证办理信息", "police", "应当无条件开放"
)
GIVEN: Final = {
    Action.EXTEND: Given(text="需要核实", days=10, approver=HEAD),
    Action.ACCEPT: Given(text="将修订目录"),
    Action.DENY: Given(text="涉及个人隐私", basis="《个人信息保护法》第二十五条"),
    Action.WITHDRAW: Given(),
}
ACTOR: Final = {action: CONSUMER if action is Action.WITHDRAW else PROVIDER for action in Action}


def made(**changes: Any) -> Objection:
    found = object_to(replace(OPENING, **changes), published=True)
    assert isinstance(found, Objection), found
    return found


def clock(objection: Objection) -> Clock | None:
    return clock_of(objection, CITY)


def after(
    objection: Objection, action: Action, now: datetime = NOW, who: Actor | None = None, **changes: Any
) -> Objection | Refused:
    given = replace(GIVEN[action], **changes)
    return apply(objection, action, who or ACTOR[action], now, given, clock(objection), china())


def codes(found: Objection | Refused) -> list[str]:
    assert isinstance(found, Refused), found
    return [each.code for each in found.problems]


def due(objection: Objection) -> str:
    found = clock(objection)
    assert found is not None
    day = due_of(found.run, china())
    assert day is not None
    return day.day.isoformat()


@pytest.mark.requirement("A10-04")
@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("state", State)
def test_each_state_knows_exactly_the_actions_of_the_table(state: State, action: Action) -> None:
    moved = after(replace(made(), state=state), action)
    transition = TRANSITIONS.get((state, action))
    if transition is None:
        assert codes(moved) == ["WRONG_STATE"]
    else:
        assert isinstance(moved, Objection)
        assert moved.state is transition.after


@pytest.mark.requirement("A10-04")
def test_a_denial_needs_its_reason_and_its_basis() -> None:
    assert codes(after(made(), Action.DENY, text=" ", basis="")) == ["TEXT_MISSING", "BASIS_MISSING"]
    assert codes(after(made(), Action.ACCEPT, text="")) == ["TEXT_MISSING"]


@pytest.mark.requirement("A10-04")
@pytest.mark.parametrize("action", Action)
def test_only_the_provider_answers_and_only_who_objected_withdraws(action: Action) -> None:
    for who in (CONSUMER, PROVIDER, BUREAU):
        moved = after(made(), action, who=who)
        assert isinstance(moved, Objection) is (who == ACTOR[action]), who
        assert (action in allowed(made(), who)) is (who == ACTOR[action])
    other = replace(ACTOR[action], department="tax")
    assert codes(after(made(), action, who=other)) == ["OTHER_DEPARTMENT"]


@pytest.mark.requirement("A10-04")
def test_it_is_answered_in_ten_working_days_and_extended_once_by_at_most_ten_by_the_head() -> None:
    objection = made()
    assert due(objection) == "2026-03-16"
    found = clock(objection)
    assert found is not None
    assert found.source.article == "第四十条"
    for changes in ({"days": 11}, {"days": 0}, {"approver": "somebody"}):
        assert codes(after(objection, Action.EXTEND, **changes)) == ["EXTENSION_REFUSED"]
    assert codes(after(objection, Action.EXTEND, NOW + timedelta(days=15))) == ["EXTENSION_REFUSED"]
    longer = after(objection, Action.EXTEND, NOW + timedelta(days=14))
    assert isinstance(longer, Objection)
    assert due(longer) == "2026-03-30"
    assert codes(after(longer, Action.EXTEND)) == ["EXTENSION_REFUSED"]
    answered = after(longer, Action.ACCEPT, NOW + timedelta(days=20))
    assert isinstance(answered, Objection)
    assert answered.state is State.ACCEPTED


def test_without_a_clock_nothing_is_extended() -> None:
    objection = made()
    assert clock_of(objection, None) is None
    assert clock_of(objection, policy("national-2025")) is None
    refused = apply(objection, Action.EXTEND, PROVIDER, NOW, GIVEN[Action.EXTEND], None, china())
    assert codes(refused) == ["EXTENSION_REFUSED"]


@pytest.mark.parametrize(
    ("changes", "published", "expected"),
    [
        ({"who": PROVIDER}, True, ["WRONG_ROLE"]),
        ({"who": replace(CONSUMER, department="police")}, True, ["OWN_ENTRY"]),
        ({"text": " "}, True, ["TEXT_MISSING"]),
        ({}, False, ["ENTRY_NOT_PUBLISHED"]),
        ({"who": BUREAU}, True, ["REFERENCE_MISSING"]),
    ],
)
def test_what_is_against_an_objection_is_said(
    changes: dict[str, Any], published: bool, expected: list[str]
) -> None:
    assert codes(object_to(replace(OPENING, **changes), published=published)) == expected


def test_the_authority_objects_for_the_public_under_the_number_of_a_letter_and_may_withdraw() -> None:
    objection = made(who=BUREAU, reference="信访〔2026〕7号")
    assert isinstance(after(objection, Action.WITHDRAW, who=BUREAU), Objection)
    assert codes(after(objection, Action.WITHDRAW, who=CONSUMER)) == ["WRONG_ROLE"]


@pytest.mark.requirement("A10-04")
def test_each_step_is_told_to_both_departments_and_the_authority() -> None:
    offices = Offices(authority=("data_bureau",))
    kinds = {Action.EXTEND: "extended", Action.ACCEPT: "accepted", Action.DENY: "denied"}
    received = of_objection(3, made(), None, offices)
    assert received.kind is Kind.OBJECTION_RECEIVED
    for action in Action:
        moved = after(made(), action)
        assert isinstance(moved, Objection)
        happened = of_objection(3, moved, None, offices)
        assert happened.kind is Kind(f"objection.{kinds.get(action, 'withdrawn')}")
        assert happened.key != received.key
        assert {each.department: each.audience for each in told(happened)} == {
            "health": Audience.CONSUMER,
            "police": Audience.PROVIDER,
            "data_bureau": Audience.AUTHORITY,
        }


def test_each_action_has_its_permission() -> None:
    assert {Permission(f"objection.{action.value}") for action in Action}
