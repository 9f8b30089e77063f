"""Departments are told of cases and tickets in the transaction of the change, and of nothing undone."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import Connection

from services.cli.demo_offices import departments_of
from services.control.accounts.people import Person
from services.control.accounts.roles import Role
from services.control.cases.case import Given as CaseGiven
from services.control.cases.words import Action, Actor, State
from services.control.cases.words import Role as CaseRole
from services.control.demand.life import Refused
from services.control.demand.need import Given as NeedGiven
from services.control.demand.words import Action as NeedAction
from services.control.desk.sweep import sweep
from services.control.notices.words import Kind
from services.control.process.cases import CasesTurn
from services.control.process.news import GrantNews
from services.control.store import snapshots
from services.control.store.accounts import departments, persons, roles
from services.control.store.accounts.acts import Order
from services.control.store.database import ControlDatabase, take_back
from services.control.store.demand import reading as need_reading
from services.control.store.demand import work as need_work
from services.control.store.demand.reading import Filed as FiledNeed
from services.control.store.ids import new_id
from services.control.store.notices import inbox
from services.control.store.tickets.work import Desk, act, take_report
from services.control.suspension.acts import Act
from services.control.tickets.ticket import Given
from services.control.tickets.words import Action as TicketAction
from tests.support import needs, tickets
from tests.support.desk import Office, id_of, order
from tests.support.policy import sample_definitions
from tests.support.sharing_cases import AUTHORITY, CONSUMER, DECIDER, NOW
from tests.unit.process.test_news import GRANT, SUSPENDED

CONSOLE = Order("console:test", NOW)
OTHER_CONSUMER = Actor("sun", CaseRole.CONSUMER, needs.ANOTHER)


@pytest.fixture
def office(control_database: ControlDatabase) -> Office:
    """A desk, and an account of the authority."""
    found = Office(control_database)
    with control_database.begin() as connection:
        for department in departments_of(sample_definitions()):
            departments.add_department(connection, department, CONSOLE)
        person = Person(new_id(NOW), "li", "Li", AUTHORITY)
        persons.add_person(connection, person, CONSOLE)
        roles.give_role(connection, person.id, Role.AUTHORITY, CONSOLE)
    return found


def told(database: ControlDatabase, department: str) -> list[Kind]:
    """What a department was told, oldest first."""
    with database.begin() as connection:
        page = inbox.page(connection, department, "somebody", limit=100)
    return [each.happened.kind for each in reversed(page)]


@pytest.mark.requirement("A6-09")
def test_each_step_of_a_case_is_told_to_its_parties_and_the_authority(office: Office) -> None:
    filed = office.done(office.opened(), Action.SUBMIT, CONSUMER)
    assert filed.case.state is State.DECIDING
    assert told(office.database, "police") == [Kind.CASE_DECIDING]
    assert told(office.database, AUTHORITY) == [Kind.CASE_DECIDING]
    office.done(filed, Action.APPROVE, DECIDER)
    assert told(office.database, "health")[-2:] == [Kind.CASE_APPROVED, Kind.CASE_PROVISIONING]
    assert told(office.database, "tax") == []


def test_what_is_undone_was_never_told(office: Office) -> None:
    filed = office.opened()
    with office.database.begin() as connection:
        office.desk.act(connection, order(CONSUMER), id_of(filed), Action.SUBMIT, CaseGiven())
        take_back(connection)
    assert told(office.database, "police") == []


@pytest.mark.requirement("A12-08")
def test_reminders_go_to_who_has_to_act_and_a_breach_to_everybody_once(office: Office) -> None:
    filed = office.done(office.opened(), Action.SUBMIT, CONSUMER)
    assert filed.case.state is State.DECIDING
    for days in (0, 3, 3, 5, 7, 12, 12):
        sweep(office.desk, office.database, NOW + timedelta(days=days))
    provider = [kind for kind in told(office.database, "police") if kind.startswith("clock.")]
    assert provider[0] is Kind.CLOCK_REMINDER
    assert provider.count(Kind.CLOCK_OVERDUE) == 1
    applicant = [kind for kind in told(office.database, "health") if kind.startswith("clock.")]
    assert applicant == [Kind.CLOCK_OVERDUE]
    assert Kind.CLOCK_OVERDUE in told(office.database, AUTHORITY)


def ticket_desk(now: datetime) -> Desk:
    return Desk("test", now, tickets.CALENDAR, lambda: new_id(now))


def reported(connection: Connection) -> UUID:
    opening = tickets.opening()
    take_report(connection, ticket_desk(tickets.NOW), opening)
    return UUID(opening.id)


@pytest.mark.requirement("A9-04")
def test_tickets_tell_their_states_and_clocks(office: Office) -> None:
    with office.database.begin() as connection:
        ticket = reported(connection)
    assert told(office.database, AUTHORITY) == [Kind.TICKET_REPORTED]
    with office.database.begin() as connection:
        given = Given(text="please look")
        act(connection, ticket_desk(tickets.NOW), ticket, 0, TicketAction.DISPATCH, tickets.BUREAU, given)
    assert told(office.database, "police") == [Kind.TICKET_REPORTED, Kind.TICKET_VERIFYING]
    late = tickets.NOW + timedelta(days=30)
    turn = CasesTurn(office.database, office.desk, lambda: late)
    assert turn.turn()
    assert not turn.turn()
    assert told(office.database, "police")[-1] is Kind.CLOCK_OVERDUE


def test_a_suspension_at_a_console_is_told_once_from_its_act(office: Office) -> None:
    class Acts:
        def since(self, moment: datetime) -> list[Act]:
            assert moment.tzinfo is UTC
            return [SUSPENDED]

        def seen(self) -> None:
            """Give them again: a process that died before it noted so."""

    with office.database.begin() as connection:
        snapshots.put(connection, snapshots.Kind.GRANT, {"health-persons": GRANT}, NOW)
    turn = GrantNews(office.database, Acts(), lambda: NOW)
    assert turn.turn()
    assert not turn.turn()
    assert told(office.database, "health") == [Kind.GRANT_SUSPENDED]
    assert told(office.database, "police") == [Kind.GRANT_SUSPENDED]


@pytest.mark.requirement("A2-09", "A6-07")
def test_each_step_of_a_need_is_told_to_those_whom_it_concerns(office: Office) -> None:
    def ids() -> UUID:
        return new_id(NOW)

    with office.database.begin() as connection:
        first = need_work.state(connection, needs.opening(id=ids()), ids)
        second = need_work.state(connection, needs.opening(id=ids(), who=OTHER_CONSUMER), ids)
        assert isinstance(first, FiledNeed)
        assert isinstance(second, FiledNeed)
        for number in (first.number, second.number):
            filed = need_reading.load(connection, number, lock=True)
            assert filed is not None
            given = needs.given(NeedAction.ASSIGN)
            need_work.act(connection, filed, 0, NeedAction.ASSIGN, needs.BUREAU, needs.LATER, given, ids)
    assert told(office.database, AUTHORITY) == [Kind.NEED_STATED] * 2 + [Kind.NEED_ASSIGNED] * 2
    assert told(office.database, needs.HOLDING) == [Kind.NEED_ASSIGNED] * 2
    with office.database.begin() as connection:
        filed = need_reading.load(connection, first.number, lock=True)
        assert filed is not None
        need_work.draft(connection, filed, filed.version, needs.ASSIGNEE, needs.LATER, ids)
    # One draft answers both needs, and both departments are told.
    for department in (needs.NEEDING, OTHER_CONSUMER.department):
        assert told(office.database, department) == [
            Kind.NEED_STATED,
            Kind.NEED_ASSIGNED,
            Kind.NEED_DRAFTED,
        ]


def test_a_step_of_a_need_that_is_refused_tells_nobody(office: Office) -> None:
    with office.database.begin() as connection:
        filed = need_work.state(connection, needs.opening(), lambda: new_id(NOW))
        assert isinstance(filed, FiledNeed)
        refused = need_work.act(
            connection,
            filed,
            0,
            NeedAction.DECLINE,
            needs.BUREAU,
            needs.LATER,
            NeedGiven(),
            lambda: new_id(NOW),
        )
    assert isinstance(refused, Refused)
    assert told(office.database, needs.NEEDING) == [Kind.NEED_STATED]
