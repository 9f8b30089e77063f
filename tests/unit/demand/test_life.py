"""Who may do what in which state of a need: every cell against a table that stands here once more."""

import pytest

from services.control.cases.words import Actor, Role
from services.control.demand.life import Refused, allowed, apply, state_need
from services.control.demand.need import Given, Need, fold
from services.control.demand.words import Action, State
from tests.support.needs import (
    ANOTHER,
    ASSIGNEE,
    BUREAU,
    BUREAU_OF,
    CODE,
    CONSUMER,
    HOLDING,
    IN_STATE,
    LATER,
    NEEDING,
    after,
    given,
    opening,
)

# Who: c the department that stated it, p the one that it is assigned to, b the authority but not of c.
EXPECTED = """
stated    assign     assigned   b
stated    decline    declined   b
stated    point      known      b
stated    withdraw   withdrawn  c
known     point      known      b
known     withdraw   withdrawn  c
assigned  assign     assigned   b
assigned  hand_back  stated     p
assigned  draft      drafted    p
assigned  withdraw   withdrawn  c
"""
CELLS = {
    (State(before), Action(action)): (State(after_), who)
    for before, action, after_, who in map(str.split, EXPECTED.strip().splitlines())
}
DEPARTMENTS = (NEEDING, HOLDING, BUREAU_OF, ANOTHER)


def party(need: Need, actor: Actor) -> str:
    """What somebody is to a need, said once more."""
    if actor.role is Role.CONSUMER and actor.department == NEEDING:
        return "c"
    if actor.role is Role.PROVIDER and actor.department == need.assigned_to:
        return "p"
    return "b" if actor.role is Role.AUTHORITY and actor.department != NEEDING else "-"


@pytest.mark.requirement("A6-07", "A2-09")
@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("action", Action)
def test_each_cell_is_what_the_table_says(state: State, action: Action) -> None:
    need = IN_STATE[state]()
    wanted = CELLS.get((state, action))
    for role in Role:
        for department in DEPARTMENTS:
            actor = Actor("somebody", role, department)
            done = apply(need, action, actor, LATER, given(action))
            may = wanted is not None and party(need, actor) in wanted[1]
            assert (action in allowed(need, actor)) is may, (role, department)
            if may:
                assert isinstance(done, Need), done
                assert wanted is not None
                assert done.state is wanted[0]
                assert fold(done.opening, done.events) == done
            else:
                assert isinstance(done, Refused), (role, department)
                assert len(done.problems) == 1


@pytest.mark.requirement("A6-07")
@pytest.mark.parametrize(
    ("action", "code"),
    [
        (Action.ASSIGN, {"DEPARTMENT_MISSING"}),
        (Action.DECLINE, {"REASON_MISSING", "TEXT_MISSING"}),
        (Action.POINT, {"CODE_MISSING"}),
    ],
)
def test_an_answer_of_the_authority_says_to_whom_or_why_not(action: Action, code: set[str]) -> None:
    done = apply(after(), action, BUREAU, LATER, Given(text="  "))
    assert isinstance(done, Refused)
    assert {each.code for each in done.problems} == code


def test_a_department_that_does_not_hold_the_data_says_why_and_the_authority_has_it_again() -> None:
    need = after((Action.ASSIGN, BUREAU))
    silent = apply(need, Action.HAND_BACK, ASSIGNEE, LATER, Given())
    assert isinstance(silent, Refused)
    assert [each.code for each in silent.problems] == ["TEXT_MISSING"]
    back = apply(need, Action.HAND_BACK, ASSIGNEE, LATER, given(Action.HAND_BACK))
    assert isinstance(back, Need)
    assert (back.state, back.assigned_to) == (State.STATED, None)


def test_nobody_is_assigned_his_own_need_and_a_draft_needs_its_entry() -> None:
    own = apply(after(), Action.ASSIGN, BUREAU, LATER, Given(department=NEEDING))
    assert isinstance(own, Refused)
    assert [each.code for each in own.problems] == ["ASSIGNED_TO_APPLICANT"]
    empty = apply(after((Action.ASSIGN, BUREAU)), Action.DRAFT, ASSIGNEE, LATER, Given())
    assert isinstance(empty, Refused)
    assert [each.code for each in empty.problems] == ["ENTRY_MISSING"]


def test_the_authority_gives_needs_for_the_same_data_one_name() -> None:
    moved = apply(after(), Action.ASSIGN, BUREAU, LATER, Given(department=HOLDING, subject=" 救助信息 "))
    assert isinstance(moved, Need)
    assert (moved.subject, moved.opening.subject) == ("救助信息", "流浪人员救助信息")


@pytest.mark.requirement("A2-09")
def test_everything_that_a_statement_lacks_is_said_at_once() -> None:
    bare = opening(
        who=Actor("zhao", Role.PROVIDER, NEEDING),
        subject=" ",
        items=("姓名", "姓 名"),
        scenario="",
        basis_document="",
    )
    refused = state_need(bare, None)
    assert isinstance(refused, Refused)
    assert {each.code for each in refused.problems} == {
        "WRONG_ROLE",
        "SUBJECT_MISSING",
        "ITEM_DOUBLED",
        "SCENARIO_MISSING",
        "BASIS_DOCUMENT_MISSING",
    }


def test_what_the_catalogue_has_is_needed_under_its_code_and_waits_for_nobody() -> None:
    refused = state_need(opening(), CODE)
    assert isinstance(refused, Refused)
    assert [each.code for each in refused.problems] == ["IN_CATALOGUE"]
    known = state_need(opening(code=CODE), CODE)
    assert isinstance(known, Need)
    assert (known.state, known.code) == (State.KNOWN, CODE)
    assert (allowed(known, BUREAU), allowed(known, CONSUMER)) == ((Action.POINT,), (Action.WITHDRAW,))
