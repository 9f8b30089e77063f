"""More time for a duty of a case, by the rule of its clock; 2 March 2026 is a Monday."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from services.control.cases.case import Case
from services.control.cases.more_time import MoreTime
from services.control.cases.words import Action, Actor
from services.control.clocks.calendar_file import china
from services.control.clocks.rules import Extension
from services.control.docket.bound import REPLY, Bound
from services.control.docket.case_clocks import clocks_of, due_lines
from services.control.docket.explaining import explanation
from services.control.docket.extending import extendable, extension_problems, named
from services.control.docket.filed import Filed
from services.control.docket.simulating import late_under
from services.control.docket.written import event_document, event_of
from tests.support.desk import COUNTY, extending
from tests.support.sharing_cases import BUREAU, DECIDER, deciding, draft, given, taken

HEAD = extending(COUNTY, REPLY, Extension(3, "head_of_department"))
AUTHORITY = extending(COUNTY, REPLY, Extension(3, "authority"))
FACTS = {"on_platform": "yes"}


def on(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 1, 0, tzinfo=UTC)


def filed(case: Case, policy: Bound = HEAD) -> Filed:
    return Filed(case, 1, policy.digest, policy, FACTS, "code")


def against(
    more: MoreTime, actor: Actor = DECIDER, policy: Bound = HEAD, now: datetime = on(3, 9)
) -> list[str]:
    case = filed(deciding(draft()), policy)
    return [each.code for each in extension_problems(case, actor, more, china(), now)]


def extended() -> Case:
    more = MoreTime(2, "head_of_department", 1)
    return taken(deciding(draft()), Action.EXTEND, DECIDER, on(3, 6), more_time=more)


@pytest.mark.requirement("A6-03", "C18")
def test_an_extended_answer_is_due_so_many_working_days_later() -> None:
    (before,) = due_lines(clocks_of(deciding(draft()), HEAD, FACTS), china())
    (after,) = due_lines(clocks_of(extended(), HEAD, FACTS), china())
    assert (before.due_on, after.due_on) == (date(2026, 3, 9), date(2026, 3, 11))
    assert after.remind_on[-1] == date(2026, 3, 11)
    assert not after.late


def test_an_answer_within_the_time_that_was_added_is_not_late() -> None:
    decided = taken(extended(), Action.APPROVE, DECIDER, on(3, 11))
    assert not due_lines(clocks_of(decided, HEAD, FACTS), china())[0].late
    late = taken(extended(), Action.APPROVE, DECIDER, on(3, 12))
    assert due_lines(clocks_of(late, HEAD, FACTS), china())[0].late


@pytest.mark.requirement("C18")
@pytest.mark.parametrize(
    ("more", "actor", "policy", "now", "found"),
    [
        (MoreTime(3, "head_of_department", 1), DECIDER, HEAD, on(3, 9), []),
        (MoreTime(4, "head_of_department", 1), DECIDER, HEAD, on(3, 9), ["EXTENSION_REFUSED"]),
        (MoreTime(0, "head_of_department", 1), DECIDER, HEAD, on(3, 9), ["EXTENSION_REFUSED"]),
        (MoreTime(3, "", 1), DECIDER, HEAD, on(3, 9), ["EXTENSION_REFUSED"]),
        (MoreTime(3, "head_of_department", 1), DECIDER, HEAD, on(3, 10), ["EXTENSION_REFUSED"]),
        (MoreTime(3, "head_of_department", 1), BUREAU, HEAD, on(3, 9), ["WRONG_ROLE"]),
        (MoreTime(3, "authority", 1), BUREAU, AUTHORITY, on(3, 9), []),
        (MoreTime(3, "authority", 1), DECIDER, AUTHORITY, on(3, 9), ["WRONG_ROLE"]),
        (MoreTime(3, "head_of_department", 1), DECIDER, COUNTY, on(3, 9), ["EXTENSION_REFUSED"]),
        (MoreTime(3, "head_of_department", 2), DECIDER, HEAD, on(3, 9), ["CLOCK_UNKNOWN"]),
    ],
    ids=[
        "within the rule",
        "longer than the rule",
        "no days",
        "approved by nobody",
        "after its last day",
        "of a department's head, by the authority",
        "of the authority, by it",
        "of the authority, by the provider",
        "the rule knows none",
        "no such clock",
    ],
)
def test_the_rule_of_the_clock_says_who_may_give_how_much(
    more: MoreTime, actor: Actor, policy: Bound, now: datetime, found: list[str]
) -> None:
    assert against(more, actor, policy, now) == found


def test_a_clock_is_extended_once() -> None:
    assert extendable(filed(extended())) == ()
    again = extension_problems(
        filed(extended()), DECIDER, MoreTime(1, "head_of_department", 1), china(), on(3, 9)
    )
    assert "once" in next(iter(again)).what


def test_where_one_clock_can_be_meant_it_need_not_be_named() -> None:
    case = filed(deciding(draft()))
    said = given(more_time=MoreTime(2, "head_of_department"))
    assert named(case, said).more_time == MoreTime(2, "head_of_department", 1)
    unknown = named(filed(extended()), said)
    assert unknown.more_time == MoreTime(2, "head_of_department")


def test_the_explanation_says_who_gave_how_much_more() -> None:
    (clock,) = explanation(filed(extended()), china(), on(3, 9))["clocks"]
    assert clock["extended"] == {"days": 2, "approver": "head_of_department", "at": on(3, 6).isoformat()}
    assert clock["may_extend"] == {"most": 3, "approver": "head_of_department"}
    assert clock["due"] == "2026-03-11"


def test_an_event_is_read_as_it_was_written() -> None:
    event = extended().events[-1]
    assert event_of(event_document(event)) == event


def test_under_a_pack_without_an_extension_a_simulation_does_not_count_it() -> None:
    case = taken(extended(), Action.APPROVE, DECIDER, on(3, 11))
    late = list(late_under(filed(case), COUNTY, china(), date(2026, 3, 12)))
    assert [(each.due_on, each.was_late) for each in late] == [(date(2026, 3, 9), False)]


def test_under_a_pack_that_gives_less_a_simulation_counts_that() -> None:
    less = extending(COUNTY, REPLY, Extension(1, "head_of_department"))
    (reply,) = due_lines(clocks_of(replace(extended()), less, FACTS), china())
    assert reply.due_on == date(2026, 3, 10)
