"""Who may do what in which state of a ticket: every cell against a table that stands here once more."""

from functools import cache

import pytest

from services.control.cases.words import Actor, Role
from services.control.tickets.life import Refused, allowed, apply, report
from services.control.tickets.table import TRANSITIONS
from services.control.tickets.ticket import TERMINAL, Ticket, fold
from services.control.tickets.words import Action, State
from tests.support.tickets import (
    AUTHORITY,
    CALENDAR,
    COUNCIL,
    IN_STATE,
    NOW,
    PROVIDING,
    REPORTING,
    given,
    opening,
)

# Who: r reporter, p provider, b the authority but not of the reporter's department, a the body that rules at
# level 1, s the control plane.
EXPECTED = """
reported    forward    verifying   s
reported    dispatch   verifying   b
reported    return     returned    b
reported    withdraw   withdrawn   r
returned    supplement reported    r
returned    withdraw   withdrawn   r
verifying   accept     correcting  p
verifying   refuse     refused     p
verifying   arrive     corrected   s
verifying   escalate   escalated   r
verifying   withdraw   withdrawn   r
refused     escalate   escalated   r
refused     confirm    closed      r
refused     arrive     corrected   s
escalated   uphold     correcting  a
escalated   dismiss    dismissed   a
escalated   escalate   escalated   rp
escalated   arrive     corrected   s
escalated   withdraw   withdrawn   r
correcting  arrive     corrected   s
correcting  escalate   escalated   r
corrected   confirm    confirmed   r
corrected   reopen     verifying   r
corrected   revert     correcting  s
confirmed   revert     correcting  s
confirmed   close      closed      s
"""
LISTED = "verifying refused escalated correcting corrected confirmed"
TOLD = f"{LISTED} closed dismissed withdrawn"
DEPARTMENTS = (REPORTING, PROVIDING, AUTHORITY, COUNCIL)
STRANGERS = {"WRONG_ROLE", "OTHER_DEPARTMENT", "OWN_TICKET"}


@cache
def expected() -> dict[tuple[State, Action], tuple[State, str]]:
    rows = [line.split() for line in EXPECTED.strip().splitlines()]
    found = {(State(row[0]), Action(row[1])): (State(row[2]), row[3]) for row in rows}
    for states, action in ((LISTED, Action.LIST), (TOLD, Action.TELL)):
        found |= {(State(state), action): (State(state), "s") for state in states.split()}
    return found


def may(who: str, role: Role, department: str) -> bool:
    other = department != REPORTING
    return any(
        {
            "r": role is Role.CONSUMER and not other,
            "p": role is Role.PROVIDER and department == PROVIDING,
            "b": role is Role.AUTHORITY and other,
            "a": role is Role.AUTHORITY and department == AUTHORITY,
            "s": role is Role.SYSTEM,
        }[letter]
        for letter in who
    )


def test_the_table_leads_where_it_is_said_here_and_nowhere_else() -> None:
    assert {cell: transition.after for cell, transition in TRANSITIONS.items()} == {
        cell: after for cell, (after, _) in expected().items()
    }


@pytest.mark.requirement("A9-03")
@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("state", State)
def test_exactly_the_parties_of_a_cell_may_act(state: State, action: Action) -> None:
    ticket, cell = IN_STATE[state](), expected().get((state, action))
    for role in Role:
        for department in DEPARTMENTS:
            actor = Actor("Sun", role, department)
            after = apply(ticket, action, actor, NOW, given(), CALENDAR)
            found = {problem.code for problem in after.problems} if isinstance(after, Refused) else set()
            if cell is None:
                assert found == {"WRONG_STATE"}, (role, department)
            else:
                assert bool(found & STRANGERS) is not may(cell[1], role, department), (role, department)
                assert (action in allowed(ticket, actor)) is may(cell[1], role, department)
            if isinstance(after, Ticket):
                assert cell is not None
                assert after.state is cell[0]


@pytest.mark.parametrize("state", State)
def test_a_ticket_in_each_state_is_the_fold_of_its_events(state: State) -> None:
    ticket = IN_STATE[state]()
    assert ticket.state is state
    assert fold(ticket.opening, ticket.events) == ticket


@pytest.mark.parametrize("state", sorted(TERMINAL))
def test_nothing_leads_out_of_a_ticket_that_has_ended(state: State) -> None:
    assert {after.after for (before, _), after in TRANSITIONS.items() if before is state} == {state}


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.CONSUMER])
def test_only_a_department_that_uses_the_data_reports_it(role: Role) -> None:
    after = report(opening(reporter=Actor("Sun", role, REPORTING)))
    assert isinstance(after, Refused)
    assert [problem.code for problem in after.problems] == ["WRONG_ROLE"]


def test_of_a_wrong_state_the_answer_names_what_is_possible() -> None:
    after = apply(
        IN_STATE[State.RETURNED](),
        Action.ACCEPT,
        Actor("Sun", Role.PROVIDER, PROVIDING),
        NOW,
        given(),
        CALENDAR,
    )
    assert isinstance(after, Refused)
    assert after.problems[0].remedy == "possible now: supplement, withdraw"
