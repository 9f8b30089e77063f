"""The clocks of a case, counted by hand against the calendar of 2026: 2 March is a Monday."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from services.control.cases.case import Case
from services.control.cases.words import Action, Decides, State
from services.control.clocks.calendar import Calendar, calendar_of
from services.control.clocks.calendar_file import china
from services.control.docket.bound import REPLY, SUPPLY, UNCONDITIONAL_REPLY, Bound
from services.control.docket.case_clocks import DueLine, clocks_of, current_due, due_lines
from tests.support.desk import COUNTY, policy
from tests.support.sharing_cases import (
    BUREAU,
    CONSUMER,
    DECIDER,
    ENTERPRISE,
    IN_STATE,
    PRECHECKED,
    RULES,
    SYSTEM,
    active,
    application,
    deciding,
    draft,
    entry,
    submitted,
    taken,
)
from topics.resource import ShareType


def on(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 1, 0, tzinfo=UTC)


def lines(case: Case, bound: Bound = COUNTY, calendar: Calendar | None = None) -> tuple[DueLine, ...]:
    return due_lines(clocks_of(case, bound, {"on_platform": "yes"}), calendar or china())


def days(case: Case, bound: Bound = COUNTY) -> list[tuple[str, str, date | None, bool]]:
    return [(each.key, each.stage, each.due_on, each.open) for each in lines(case, bound)]


@pytest.mark.requirement("A6-03")
def test_an_application_is_answered_within_the_working_days_of_the_county() -> None:
    (reply,) = lines(deciding(draft()))
    assert (reply.due_on, reply.obliged, reply.open, reply.provisional) == (
        date(2026, 3, 9),
        "provider",
        True,
        False,
    )
    assert reply.remind_at == (50, 80, 100)
    assert reply.remind_on == (date(2026, 3, 5), date(2026, 3, 6), date(2026, 3, 9))


@pytest.mark.requirement("A6-03")
def test_who_decides_by_the_rules_of_the_case_owes_the_answer_and_the_provider_the_supply() -> None:
    bound = policy("national-2025", "jiyuan-2022")
    case = deciding(draft(replace(RULES, decides=Decides.AUTHORITY)))
    (reply,) = lines(case, bound)
    assert (reply.obliged, reply.due_on) == ("authority", date(2026, 3, 16))
    decided = taken(case, Action.APPROVE, BUREAU, on(3, 9))
    assert [each.obliged for each in lines(decided, bound)] == ["authority", "provider"]


def test_the_decision_ends_the_answer_and_begins_the_supply() -> None:
    case = taken(deciding(draft()), Action.APPROVE, DECIDER, on(3, 9))
    assert days(case) == [
        (REPLY, "reply", date(2026, 3, 9), False),
        # Twenty working days after 9 March; 6 April is Qingming's holiday.
        (SUPPLY, "supply", date(2026, 4, 7), True),
    ]
    assert not lines(case)[0].late


def test_an_answer_on_the_day_after_is_late() -> None:
    (reply, _) = lines(taken(deciding(draft()), Action.APPROVE, DECIDER, on(3, 10)))
    assert reply.late


def test_while_it_is_returned_the_clock_stands_still_and_then_goes_on() -> None:
    case = taken(deciding(draft()), Action.RETURN, DECIDER, on(3, 3))
    assert days(case) == [(REPLY, "reply", None, True)]
    assert current_due(lines(case)) is None
    case = taken(case, Action.SUPPLEMENT, CONSUMER, on(3, 6), application=application())
    case = taken(case, Action.REQUEST_DECISION, SYSTEM, on(3, 6))
    assert days(case) == [(REPLY, "reply", date(2026, 3, 12), True)]


@pytest.mark.parametrize("action", [Action.WITHDRAW, Action.COMPLAIN])
def test_what_happens_while_it_is_returned_ends_the_clock_or_leaves_it(action: Action) -> None:
    case = taken(taken(deciding(draft()), Action.RETURN, DECIDER), action, CONSUMER, on(3, 6))
    assert [each.open for each in lines(case)] == [action is Action.COMPLAIN]


def test_a_decision_anew_gets_the_whole_time_again() -> None:
    case = taken(
        taken(deciding(draft()), Action.REFUSE, DECIDER, on(3, 4)), Action.APPEAL, CONSUMER, on(3, 5)
    )
    case = taken(case, Action.AGREE, DECIDER, on(3, 16))
    assert days(case) == [
        (REPLY, "reply", date(2026, 3, 9), False),
        (REPLY, "reply", date(2026, 3, 23), True),
    ]


def test_the_authority_has_its_own_time_to_check_first() -> None:
    bound = policy("national-2025", "province-sample-2024", "yanjin-2019")
    case = taken(submitted(draft(PRECHECKED)), Action.REQUEST_PRECHECK, SYSTEM)
    assert days(case, bound) == [(REPLY, "precheck", date(2026, 3, 4), True)]
    case = taken(case, Action.ACCEPT, BUREAU, on(3, 4))
    assert days(case, bound) == [
        (REPLY, "precheck", date(2026, 3, 4), False),
        (REPLY, "reply", date(2026, 3, 11), True),
    ]
    assert lines(case, bound)[0].obliged == "authority"


@pytest.mark.requirement("A6-02")
def test_what_is_unconditional_is_answered_at_once_and_then_supplied_in_time() -> None:
    free = entry(ENTERPRISE, share_type=ShareType.UNCONDITIONAL)
    wanted = application(resource=ENTERPRISE, items=("name",), rows=())
    case = taken(draft(wanted=wanted), Action.SUBMIT, CONSUMER, resource=free)
    case = taken(case, Action.ACCEPT_UNCONDITIONAL, SYSTEM, resource=free)
    assert days(case) == [
        (UNCONDITIONAL_REPLY, "reply", date(2026, 3, 3), False),
        (SUPPLY, "supply", date(2026, 3, 30), True),
    ]


def test_an_active_case_has_nothing_left_to_do_and_a_resumed_one_no_new_supply() -> None:
    case = active(draft())
    assert current_due(lines(case)) is None
    resumed = taken(taken(case, Action.SUSPEND, BUREAU), Action.RESUME, BUREAU)
    assert [each.open for each in lines(resumed)] == [False, False]


def test_a_day_beyond_the_notices_is_provisional_and_says_what_it_waits_for() -> None:
    known = china()
    without = calendar_of("cn", [day for day in known.days.values() if day.year < 2026])
    (reply,) = due_lines(clocks_of(deciding(draft()), COUNTY, {}), without)
    assert (reply.provisional, reply.waits_for) == (True, 2026)


@pytest.mark.parametrize("state", State)
def test_what_is_stored_of_clocks_depends_on_events_alone(state: State) -> None:
    case = IN_STATE[state]()
    again = replace(case, events=case.events)
    assert lines(case) == lines(again)
    ended = state not in {State.PRECHECK, State.DECIDING, State.APPROVED, State.PROVISIONING, State.RETURNED}
    assert all(not each.open for each in lines(case)) or not ended


def test_a_target_is_due_after_every_duty() -> None:
    bound = policy("department-sample")
    (target,) = lines(deciding(draft()), bound)
    assert target.advisory
    first = current_due((target, *lines(deciding(draft()))))
    assert first is not None
    assert not first.advisory
