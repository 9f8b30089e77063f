"""The clocks of a ticket: 5 working days to decide, 10 from the decision to correct, and what is overdue."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from services.control.clocks.merge import merge
from services.control.clocks.pack_file import load_packs, packaged_packs
from services.control.clocks.rules import WorkingDays
from services.control.clocks.running import State as ClockState
from services.control.tickets.clocks import breaches, clocks_of, open_clock, overdue, rules_from, stands
from services.control.tickets.correction import Verdict
from services.control.tickets.ticket import Ticket
from services.control.tickets.words import Action, Duty, Route, State, TicketRules
from tests.support.tickets import (
    BUREAU,
    CALENDAR,
    IN_STATE,
    NOW,
    PROVIDER,
    REPORTER,
    RULES,
    SYSTEM,
    codes,
    corrected,
    correcting,
    days,
    in_order,
    new,
    taken,
    verifying,
)

BEFORE_SPRING_FESTIVAL = datetime(2026, 2, 11, 8, 0, tzinfo=UTC)
"""A Wednesday: the festival of 2026 is from 15 to 23 February, with Saturdays 14 and 28 worked."""


def due(ticket: Ticket, duty: Duty, now: datetime = NOW) -> date | None:
    [clock] = [each for each in clocks_of(ticket) if each.duty is duty and each.is_open]
    found = stands(clock, CALENDAR, now).due
    return None if found is None else found.day


@pytest.mark.requirement("A9-04")
def test_the_provider_has_five_working_days_from_the_dispatch() -> None:
    assert due(verifying(), Duty.VERIFY) == date(2026, 3, 9)


@pytest.mark.requirement("A9-05")
def test_the_correction_has_ten_working_days_from_the_decision() -> None:
    later = taken(verifying(), Action.ACCEPT, PROVIDER, NOW + days(3))
    assert due(later, Duty.CORRECT) == date(2026, 3, 19)


@pytest.mark.requirement("A9-04")
def test_holidays_and_the_saturdays_worked_for_them_count_as_the_calendar_has_them() -> None:
    ticket = taken(new(when=BEFORE_SPRING_FESTIVAL), Action.DISPATCH, BUREAU, BEFORE_SPRING_FESTIVAL)
    # 12, 13, the worked Saturday 14, then 24 and 25 February.
    assert due(ticket, Duty.VERIFY) == date(2026, 2, 25)


@pytest.mark.requirement("A9-03")
def test_the_dispatch_has_its_time_which_stands_still_while_the_report_is_returned() -> None:
    assert due(new(), Duty.DISPATCH) == date(2026, 3, 4)
    returned = taken(new(), Action.RETURN, BUREAU)
    assert due(returned, Duty.DISPATCH) is None
    back = taken(returned, Action.SUPPLEMENT, REPORTER, NOW + days(2))
    assert due(back, Duty.DISPATCH, NOW + days(2)) == date(2026, 3, 6)


def test_where_reports_go_to_the_provider_nobody_has_to_dispatch_them() -> None:
    ticket = new(replace(RULES, route=Route.PROVIDER))
    assert clocks_of(ticket) == ()
    assert due(taken(ticket, Action.FORWARD, SYSTEM), Duty.VERIFY) == date(2026, 3, 9)


@pytest.mark.parametrize(
    ("state", "running"),
    [
        (State.REPORTED, Duty.DISPATCH),
        (State.RETURNED, Duty.DISPATCH),
        (State.VERIFYING, Duty.VERIFY),
        (State.CORRECTING, Duty.CORRECT),
        (State.REFUSED, None),
        (State.ESCALATED, None),
        (State.CORRECTED, None),
        (State.CONFIRMED, None),
        (State.CLOSED, None),
        (State.DISMISSED, None),
        (State.WITHDRAWN, None),
    ],
)
def test_exactly_one_clock_runs_where_somebody_has_a_duty(state: State, running: Duty | None) -> None:
    clock = open_clock(IN_STATE[state]())
    assert (None if clock is None else clock.duty) is running


def test_what_is_done_on_the_last_day_is_in_time_and_a_day_later_it_is_not() -> None:
    last, late = NOW + days(7), NOW + days(8)
    in_time, missed = (taken(verifying(), Action.ACCEPT, PROVIDER, when) for when in (last, late))
    assert breaches(in_time, CALENDAR, late) == ()
    assert [clock.duty for clock in breaches(missed, CALENDAR, late)] == [Duty.VERIFY]


def test_a_correction_meets_the_duty_to_correct() -> None:
    [_, _, clock] = clocks_of(in_order())
    assert (clock.duty, stands(clock, CALENDAR, NOW + days(90)).state) == (Duty.CORRECT, ClockState.MET)


def test_the_reporter_escalates_once_the_time_is_over_and_not_before() -> None:
    for ticket, last in ((verifying(), 7), (correcting(), 14)):
        assert overdue(ticket, CALENDAR, NOW + days(last)) is None
        assert codes(ticket, Action.ESCALATE, REPORTER, NOW + days(last)) == ["NOT_OVERDUE"]
        assert overdue(ticket, CALENDAR, NOW + days(last + 1)) is not None
        assert codes(ticket, Action.ESCALATE, REPORTER, NOW + days(last + 1)) == []


def test_a_duty_that_was_escalated_stays_missed() -> None:
    ticket = taken(verifying(), Action.ESCALATE, REPORTER, NOW + days(8))
    [clock] = breaches(ticket, CALENDAR, NOW + days(90))
    assert (clock.duty, clock.ended) == (Duty.VERIFY, NOW + days(8))
    ruled = taken(ticket, Action.UPHOLD, BUREAU, NOW + days(9))
    assert due(ruled, Duty.CORRECT) == date(2026, 3, 25)


def test_an_error_that_comes_back_starts_the_duty_to_correct_anew() -> None:
    ticket = taken(
        in_order(), Action.REVERT, SYSTEM, NOW + days(1), correction=corrected(31, Verdict.STANDING)
    )
    assert due(ticket, Duty.CORRECT) == date(2026, 3, 17)
    assert [each.duty for each in clocks_of(ticket)] == [
        Duty.DISPATCH,
        Duty.VERIFY,
        Duty.CORRECT,
        Duty.CORRECT,
    ]


def test_without_a_time_in_the_pack_there_is_no_clock_and_no_waiting_for_its_end() -> None:
    ticket = verifying(new(TicketRules(dispute_levels=("data_bureau",))))
    assert clocks_of(ticket) == ()
    assert codes(ticket, Action.ESCALATE, REPORTER) == []


def test_the_rules_of_a_ticket_come_from_the_merged_packs() -> None:
    packs = load_packs(packaged_packs())
    named = ("national-2025", "province-sample-2024", "jiyuan-2022", "department-sample")
    rules = rules_from(merge([packs[name] for name in named], date(2026, 3, 2)), ("data_bureau",))
    lengths = [rule and rule.length for rule in (rules.dispatch, rules.verify, rules.correct)]
    # The department's eight days are less strict than the city's five.
    assert lengths == [WorkingDays(2), WorkingDays(5), WorkingDays(10)]
    assert (rules.route, rules.dispute_levels) == (Route.AUTHORITY, ("data_bureau",))
    county = rules_from(merge([packs["yanjin-2019"]], date(2026, 3, 2)))
    assert (county.route, county.verify) == (Route.BOTH, None)
