"""Who may do what in which state: every cell against a table that stands here once more."""

from functools import cache

import pytest

from services.control.cases.case import TERMINAL, Case, fold
from services.control.cases.life import Refused, allowed, apply
from services.control.cases.table import TRANSITIONS
from services.control.cases.words import Action, Actor, Role, State
from tests.support.sharing_cases import (
    APPLICANT,
    AUTHORITY,
    CONSUMER,
    COUNCIL,
    IN_STATE,
    NOW,
    PROVIDER,
    given,
)

# Who: a applicant, d decider (here the provider), p provider, b bureau or another authority but not the
# applicant's, k any authority (to stop), r the body that rules at level 1, o operator, s the control plane.
EXPECTED = """
draft         edit                 draft            a
draft         submit               submitted        a
draft         appeal               negotiating      a
draft         withdraw             withdrawn        a
draft         import               active           s
submitted     request_precheck     precheck         s
submitted     request_decision     deciding         s
submitted     accept_unconditional approved         s
submitted     withdraw             withdrawn        a
precheck      accept               deciding         b
precheck      return               returned         b
precheck      withdraw             withdrawn        a
returned      supplement           submitted        a
returned      withdraw             withdrawn        a
deciding      return               returned         d
deciding      approve              approved         d
deciding      approve_in_part      approved         d
deciding      refuse               refused          d
deciding      negotiate            negotiating      ad
deciding      escalate             escalated        as
deciding      withdraw             withdrawn        a
deciding      extend               deciding         db
precheck      extend               precheck         b
approved      extend               approved         pb
provisioning  extend               provisioning     pb
refused       appeal               negotiating      a
negotiating   agree                deciding         d
negotiating   escalate             escalated        ad
negotiating   withdraw             withdrawn        a
escalated     escalate             escalated        ad
escalated     uphold               approved         r
escalated     dismiss              refused_finally  r
escalated     withdraw             withdrawn        a
approved      provision            provisioning     s
approved      withdraw             withdrawn        a
approved      terminate            terminated       akps
approved      expire               expired          s
provisioning  step_done            provisioning     s
provisioning  step_failed          provisioning     s
provisioning  retry_step           provisioning     os
provisioning  activate             active           s
provisioning  roll_back            terminated       s
provisioning  suspend              suspended        kps
provisioning  terminate            terminated       s
provisioning  expire               expired          s
active        suspend              suspended        kps
active        terminate            terminated       akps
active        expire               expired          s
suspended     suspend              suspended        kps
suspended     resume               provisioning     bp
suspended     terminate            terminated       akps
suspended     expire               expired          s
"""
DEPARTMENTS = (APPLICANT, PROVIDER, AUTHORITY, COUNCIL)
STRANGERS = {"WRONG_ROLE", "OTHER_DEPARTMENT", "OWN_CASE"}


@cache
def expected() -> dict[tuple[State, Action], tuple[State, str]]:
    rows = [line.split() for line in EXPECTED.strip().splitlines()]
    found = {(State(row[0]), Action(row[1])): (State(row[2]), row[3]) for row in rows}
    for state in set(State) - {State.DRAFT}:
        found[state, Action.COMPLAIN] = (state, "*")
        found[state, Action.REPLY] = (state, "b")
    return found


@cache
def case_in(state: State) -> Case:
    return IN_STATE[state]()


def may(who: str, role: Role, department: str) -> bool:
    other = department != APPLICANT
    return any(
        {
            "a": role is Role.CONSUMER and not other,
            "d": role is Role.PROVIDER and department == PROVIDER,
            "p": role is Role.PROVIDER and department == PROVIDER,
            "b": role is Role.AUTHORITY and other,
            "k": role is Role.AUTHORITY,
            "r": role is Role.AUTHORITY and department == AUTHORITY,
            "o": role is Role.OPERATOR,
            "s": role is Role.SYSTEM,
            "*": role is not Role.SYSTEM,
        }[letter]
        for letter in who
    )


def test_the_table_leads_where_it_is_said_here_and_nowhere_else() -> None:
    assert {cell: transition.after for cell, transition in TRANSITIONS.items()} == {
        cell: after for cell, (after, _) in expected().items()
    }


@pytest.mark.requirement("A6-06", "A1-02", "A1-03", "A1-04", "A1-05", "A1-06")
@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("state", State)
def test_exactly_the_parties_of_a_cell_may_act(state: State, action: Action) -> None:
    case, cell = case_in(state), expected().get((state, action))
    for role in Role:
        for department in DEPARTMENTS:
            actor = Actor("Sun", role, department)
            after = apply(
                case, action, actor, NOW if state is not State.EXPIRED else case.events[-1].when, given()
            )
            found = {problem.code for problem in after.problems} if isinstance(after, Refused) else set()
            if cell is None:
                assert found == {"WRONG_STATE"}, (role, department)
            else:
                assert bool(found & STRANGERS) is not may(cell[1], role, department), (role, department)
                assert (action in allowed(case, actor)) is may(cell[1], role, department)
            if isinstance(after, Case):
                assert cell is not None
                assert after.state is cell[0]


@pytest.mark.parametrize("state", State)
def test_a_case_in_each_state_is_the_fold_of_its_events(state: State) -> None:
    case = case_in(state)
    assert case.state is state
    assert fold(case.opening, case.events) == case


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_nothing_leads_out_of_a_case_that_has_ended(state: State) -> None:
    assert {after.after for (before, _), after in TRANSITIONS.items() if before is state} == {state}


def reachable(start: State, without: set[Action]) -> set[State]:
    found, left = set[State](), [start]
    while left:
        state = left.pop()
        found.add(state)
        for (before, action), transition in TRANSITIONS.items():
            if before is state and action not in without and transition.after not in found:
                left.append(transition.after)
    return found


def test_from_refused_nothing_leads_to_delivery_but_an_approval_or_a_ruling_after_it() -> None:
    granting = {Action.APPROVE, Action.APPROVE_IN_PART, Action.UPHOLD, Action.ACCEPT_UNCONDITIONAL}
    delivering = {State.APPROVED, State.PROVISIONING, State.ACTIVE}
    assert reachable(State.REFUSED, granting) & delivering == set()
    assert reachable(State.REFUSED_FINALLY, set()) == {State.REFUSED_FINALLY}


def test_of_an_unknown_state_or_role_the_answer_names_what_is_possible() -> None:
    after = apply(case_in(State.REFUSED), Action.SUBMIT, CONSUMER, NOW, given())
    assert isinstance(after, Refused)
    assert after.problems[0].remedy == "possible now: appeal, complain, reply"
