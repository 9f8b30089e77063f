"""Cases are explained by article, and replayed under another pack without what happened to them changing."""

from datetime import UTC, date, datetime

from services.control.cases.case import Case
from services.control.cases.words import Action
from services.control.clocks.calendar_file import china
from services.control.docket.bound import Bound
from services.control.docket.explaining import explanation
from services.control.docket.filed import Filed
from services.control.docket.simulating import Late, another, late_under
from tests.support.desk import COUNTY, PACKS, policy
from tests.support.sharing_cases import CONSUMER, DECIDER, application, deciding, draft, taken

TEN_DAYS = policy("national-2025", "county-template-2021")


def on(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 1, 0, tzinfo=UTC)


def filed(case: Case, bound: Bound) -> Filed:
    return Filed(case, 7, bound.digest, bound, {}, "307/1")


def replayed(case: Case, bound: Bound, *packs: str, today: date = date(2026, 3, 20)) -> list[Late]:
    other = another(bound, [PACKS[each] for each in packs])
    return list(late_under(filed(case, bound), other, china(), today))


def test_an_answer_in_eight_days_is_late_where_five_are_given() -> None:
    answered = taken(deciding(draft()), Action.REFUSE, DECIDER, on(3, 12))
    assert replayed(answered, TEN_DAYS, "county-template-2021") == []
    (late,) = replayed(answered, TEN_DAYS, "yanjin-2019")
    assert (late.case, late.stage, late.due_on, late.was_due_on) == (
        7,
        "reply",
        date(2026, 3, 9),
        date(2026, 3, 16),
    )
    assert (late.was_late, late.open, late.provider) == (False, False, "police")


def test_what_is_late_anyway_says_so_and_what_is_open_is_late_after_its_day() -> None:
    (late,) = replayed(deciding(draft()), COUNTY, "county-template-2021")
    assert (late.was_late, late.open, late.due_on) == (True, True, date(2026, 3, 16))
    assert replayed(deciding(draft()), COUNTY, "county-template-2021", today=date(2026, 3, 16)) == []


def test_a_pack_of_another_level_only_adds_what_is_stricter() -> None:
    answered = taken(deciding(draft()), Action.REFUSE, DECIDER, on(3, 12))
    assert replayed(answered, TEN_DAYS, "jiyuan-2022") == []


def test_a_target_makes_nobody_late() -> None:
    assert (
        replayed(deciding(draft()), policy("national-2025"), "department-sample", today=date(2026, 3, 10))
        == []
    )


def test_a_clock_is_explained_with_its_article_what_it_passed_over_and_its_pauses() -> None:
    case = taken(deciding(draft()), Action.RETURN, DECIDER, on(3, 3))
    case = taken(case, Action.SUPPLEMENT, CONSUMER, on(3, 6), application=application())
    told = explanation(filed(case, COUNTY), china(), on(3, 6))
    (clock,) = told["clocks"]
    assert (clock["rule"], clock["article"], clock["due"]) == ("5 working days", "三(二)", "2026-03-12")
    assert [(each["pack"], each["why"]) for each in clock["over"]] == [("national-2025", "it is less strict")]
    assert clock["pauses"] == [[on(3, 3).isoformat(), on(3, 6).isoformat()]]
    assert clock["begun"] == {"event": 2, "action": "request_decision", "at": "2026-03-02T01:00:00+00:00"}
    assert (clock["state"], clock["ended"], clock["elapsed"], clock["remaining"]) == ("running", None, 1, 4)
