"""The list of breaches: whose duty, on what, by which article, how late; and refusals to correct."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from services.control.accounts.roles import Role
from services.control.cases.words import Action
from services.control.catalogue.lifecycle import Action as EntryAction
from services.control.clocks.calendar_file import china
from services.control.clocks.merge import Policy
from services.control.clocks.pack_file import parse_pack
from services.control.docket.bound import with_pack
from services.control.store.breaches import Breach, Kind, Wish, breaches
from services.control.store.cases.policies import adopt
from services.control.store.catalogue.steps import Asked, open_entry, take_step
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id
from services.control.store.parties import Parties
from services.control.store.tickets.refusals import Outcome, refusals
from services.control.store.tickets.refusals import Wish as RefusalWish
from services.control.tickets.clocks import rules_from
from services.control.tickets.words import Action as TicketAction
from tests.database.tickets.filing import file, taken
from tests.support.desk import Office, policy
from tests.support.sharing_cases import CONSUMER, DECIDER
from tests.support.stored_catalogue import CLERK, REVIEWER, RULES, brought, done, numbered, opened
from tests.support.tickets import BUREAU, PROVIDER, REPORTER, opening
from tests.support.web import NOW, Web

CITY = policy("national-2025", "jiyuan-2022")
"""Five working days to review an entry, to verify a record; the county's reply is not among them."""


def on(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 1, 0, tzinfo=UTC)


def found(database: ControlDatabase, now: datetime, wish: Wish | None = None) -> list[Breach]:
    with database.reading() as connection:
        rows, total = breaches(connection, china(), now, wish)
    assert total == len(rows)
    return rows


@pytest.mark.requirement("A12-08", "A6-09")
def test_an_overdue_answer_stands_there_with_its_article_and_how_late_it_is(
    control_database: ControlDatabase,
) -> None:
    office = Office(control_database)
    filed = office.done(office.opened(), Action.SUBMIT, CONSUMER)
    assert found(control_database, on(3, 9)) == []
    (later,) = found(control_database, on(3, 16))
    assert later.days_late == 5
    (breach,) = found(control_database, on(3, 12))
    assert (breach.kind, breach.number, breach.stage) == (Kind.CASE, filed.number, "reply")
    assert (breach.due_on.isoformat(), breach.days_late, breach.done_on) == ("2026-03-09", 3, None)
    assert breach.department == "police"
    assert breach.source is not None
    assert "延津县" in breach.source.document
    for wish, count in (
        (Wish(kind=Kind.CASE), 1),
        (Wish(kind=Kind.TICKET), 0),
        (Wish(department="police"), 1),
        (Wish(department="health"), 0),
        (Wish(obliged="authority"), 0),
    ):
        assert len(found(control_database, on(3, 12), wish)) == count


def test_what_was_done_too_late_is_found_where_it_is_asked_for(control_database: ControlDatabase) -> None:
    office = Office(control_database)
    filed = office.done(office.opened(), Action.SUBMIT, CONSUMER)
    office.done(filed, Action.APPROVE, DECIDER, on(3, 11))
    assert found(control_database, on(3, 20)) == []
    (breach,) = found(control_database, on(3, 20), Wish(done=True))
    assert breach.done_on is not None
    assert (breach.done_on.isoformat(), breach.days_late) == ("2026-03-11", 2)


@pytest.mark.requirement("A12-08")
def test_an_overdue_verification_of_problem_data_stands_there(control_database: ControlDatabase) -> None:
    answer = file(control_database)
    taken(control_database, str(answer.id), (TicketAction.DISPATCH, BUREAU))
    with control_database.begin() as connection:
        adopt(connection, CITY, "operator:test", NOW, "for a test")
    assert found(control_database, NOW + timedelta(days=3)) == []
    (breach,) = found(control_database, NOW + timedelta(days=30))
    assert (breach.kind, breach.number, breach.stage) == (Kind.TICKET, answer.number, "verify")
    assert (breach.obliged, breach.department) == ("provider", opening().provider)
    assert breach.days_late > 10


def reviewed(connection: Connection, when: datetime) -> Any:
    """An entry that came for registration review at a moment."""
    stored = done(open_entry(connection, new_id(when), numbered(1), Asked(CLERK, when)))
    return done(take_step(connection, stored, EntryAction.SUBMIT, Asked(CLERK, when), RULES))


@pytest.mark.requirement("A2-06", "A12-08")
def test_a_review_of_an_entry_is_due_within_five_working_days_and_overdue_after_them(
    control_database: ControlDatabase,
) -> None:
    with control_database.begin() as connection:
        reviewed(connection, on(3, 2))
    assert found(control_database, on(6, 1)) == []
    with control_database.begin() as connection:
        adopt(connection, CITY, "operator:test", NOW, "for a test")
    assert found(control_database, on(3, 9)) == []
    (breach,) = found(control_database, on(3, 10))
    assert (breach.kind, breach.obliged, breach.department) == (Kind.ENTRY, "authority", None)
    assert (breach.due_on.isoformat(), breach.days_late) == ("2026-03-09", 1)
    assert breach.source is not None
    assert breach.source.article == "第十九条"


@pytest.mark.requirement("A12-08")
def test_pages_of_breaches_follow_one_another_over_all_kinds_and_each_says_how_many_there_are(
    control_database: ControlDatabase,
) -> None:
    office = Office(control_database)
    office.done(office.opened(), Action.SUBMIT, CONSUMER)
    taken(control_database, str(file(control_database).id), (TicketAction.DISPATCH, BUREAU))
    with control_database.begin() as connection:
        adopt(connection, CITY, "operator:test", NOW, "for a test")
        reviewed(connection, NOW)
    later = NOW + timedelta(days=40)
    whole = found(control_database, later)
    assert {each.kind for each in whole} == {Kind.CASE, Kind.TICKET, Kind.ENTRY}
    assert whole == sorted(whole, key=lambda each: each.due_on)
    with control_database.reading() as connection:
        pages = [breaches(connection, china(), later, start=at, limit=1) for at in range(len(whole))]
        nobody = Wish(cases_of=Parties(), tickets_of=Parties(), sees=lambda _each: False)
        assert breaches(connection, china(), later, nobody) == ([], 0)
    assert pages == [([each], len(whole)) for each in whole]


@pytest.mark.requirement("A2-06")
def test_the_authority_sees_on_its_tasks_until_when_an_entry_must_be_reviewed(
    control_database: ControlDatabase,
) -> None:
    web = Web(control_database)
    with control_database.begin() as connection:
        adopt(connection, CITY, "operator:test", NOW, "for a test")
        reviewed(connection, NOW)
    web.clock.now = on(3, 5)
    (task,) = web.at(Role.AUTHORITY, department="data_bureau").get("/tasks").json()["items"]
    assert (task["kind"], task["due_on"], task["days_left"]) == ("entry", "2026-03-09", 2)


@pytest.mark.requirement("A12-08")
def test_everybody_sees_the_breaches_that_concern_him_and_the_authority_all(
    control_database: ControlDatabase,
) -> None:
    web = Web(control_database)
    office = Office(control_database)
    office.done(office.opened(), Action.SUBMIT, CONSUMER)
    with control_database.begin() as connection:
        adopt(connection, CITY, "operator:test", NOW, "for a test")
        reviewed(connection, NOW)
    web.clock.now = on(3, 20)
    seen = {}
    for role, department in (
        (Role.AUTHORITY, "data_bureau"),
        (Role.CONSUMER, "health"),
        (Role.PROVIDER, "police"),
        (Role.CONSUMER, "tax"),
    ):
        answer = web.at(role, department=department).get("/clocks/breaches")
        assert answer.status_code == 200, answer.text
        seen[role, department] = {each["kind"] for each in answer.json()["items"]}
        assert answer.json()["total"] == len(answer.json()["items"])
    assert seen == {
        (Role.AUTHORITY, "data_bureau"): {"case", "entry"},
        (Role.CONSUMER, "health"): {"case"},
        (Role.PROVIDER, "police"): {"case", "entry"},
        (Role.CONSUMER, "tax"): set(),
    }
    authority = web.at(Role.AUTHORITY, department="data_bureau")
    second = authority.get("/clocks/breaches", params={"start": 1, "limit": 1}).json()
    assert (len(second["items"]), second["total"]) == (1, 2)


REFUSED = ((TicketAction.DISPATCH, BUREAU), (TicketAction.REFUSE, PROVIDER))


@pytest.mark.requirement("A9-08")
@pytest.mark.parametrize(
    ("then", "outcome"),
    [
        ((), Outcome.STANDS),
        (((TicketAction.CONFIRM, REPORTER),), Outcome.ACCEPTED),
        (((TicketAction.ESCALATE, REPORTER),), Outcome.ESCALATED),
        (((TicketAction.ESCALATE, REPORTER), (TicketAction.UPHOLD, BUREAU)), Outcome.OVERRULED),
        (((TicketAction.ESCALATE, REPORTER), (TicketAction.DISMISS, BUREAU)), Outcome.UPHELD),
    ],
)
def test_a_refusal_to_correct_is_recorded_and_listed_with_what_came_of_it(
    control_database: ControlDatabase, then: tuple[Any, ...], outcome: Outcome
) -> None:
    answer = file(control_database)
    taken(control_database, str(answer.id), *REFUSED, *then)
    with control_database.reading() as connection:
        (line,) = refusals(connection)
        assert refusals(connection, RefusalWish(outcome=outcome, provider=line.provider)) == [line]
        assert refusals(connection, RefusalWish(provider="nobody")) == []
    assert (line.number, line.provider, line.outcome) == (answer.number, opening().provider, outcome)
    assert line.reason.value


@pytest.mark.requirement("A9-08")
def test_the_parties_and_the_authority_see_a_refusal_and_others_do_not(
    control_database: ControlDatabase,
) -> None:
    web = Web(control_database)
    answer = file(control_database)
    taken(control_database, str(answer.id), *REFUSED)
    parties = opening()
    for role, department, sees in (
        (Role.AUTHORITY, "data_bureau", True),
        (Role.CONSUMER, parties.reporter.department, True),
        (Role.PROVIDER, parties.provider, True),
        (Role.CONSUMER, "tax", False),
    ):
        items = web.at(role, department=department).get("/tickets/refusals").json()["items"]
        assert bool(items) is sees, (role, department)


@pytest.mark.requirement("A2-05", "A12-08")
def test_a_revision_comes_for_review_within_five_working_days_of_the_change_or_is_late(
    control_database: ControlDatabase,
) -> None:
    web = Web(control_database)
    change, begun = date(2026, 11, 30), on(12, 3)
    with control_database.begin() as connection:
        adopt(connection, CITY, "operator:test", NOW, "for a test")
        published = brought(connection, opened(connection, numbered(1)))
        asked = Asked(CLERK, begun, "法律修订", change)
        revised = done(take_step(connection, published, EntryAction.REVISE, asked, RULES))
    assert found(control_database, on(12, 7)) == []
    (breach,) = found(control_database, on(12, 8))
    assert (breach.kind, breach.obliged, breach.department) == (Kind.ENTRY, "provider", "police")
    assert (breach.due_on.isoformat(), breach.days_late) == ("2026-12-07", 1)
    web.clock.now = on(12, 4)
    (task,) = web.at(Role.PROVIDER).get("/tasks").json()["items"]
    assert (task["kind"], task["due_on"], task["days_left"]) == ("entry", "2026-12-07", 1)
    with control_database.begin() as connection:
        sent = done(take_step(connection, revised, EntryAction.SUBMIT, Asked(CLERK, on(12, 8)), RULES))
    assert found(control_database, on(12, 9)) == []
    with control_database.begin() as connection:
        back = Asked(REVIEWER, on(12, 10), "请补充")
        done(take_step(connection, sent, EntryAction.REFUSE_REGISTRATION, back, RULES))
    assert found(control_database, on(12, 25)) == []


def test_without_a_named_day_the_time_of_a_revision_runs_from_its_beginning(
    control_database: ControlDatabase,
) -> None:
    with control_database.begin() as connection:
        adopt(connection, CITY, "operator:test", NOW, "for a test")
        opened(connection, numbered(2))
        published = brought(connection, opened(connection, numbered(1)))
        asked = Asked(CLERK, on(12, 3), "新增信息项")
        done(take_step(connection, published, EntryAction.REVISE, asked, RULES))
    assert found(control_database, on(12, 10)) == []
    (breach,) = found(control_database, on(12, 11))
    assert breach.due_on.isoformat() == "2026-12-10"


STRICTER = """
id: stricter
titles: {zh: 更严, en: stricter}
level: county
version: 1
standing: sample
effective_from: null
documents: {measures: 更严的办法}
values:
  clocks.catalog.review:
    source: {document: measures, article: 第一条}
    stages: [{name: review, obliged: authority, starts_on: update_received, working_days: 1}]
  clocks.problem.verify:
    source: {document: measures, article: 第二条}
    stages: [{name: verify, obliged: provider, starts_on: problem_dispatched, working_days: 1}]
"""


@pytest.mark.requirement("A2-06", "A9-04")
def test_packs_that_are_adopted_later_move_no_day_of_what_has_begun(
    control_database: ControlDatabase,
) -> None:
    later = with_pack(CITY, parse_pack(STRICTER, "stricter.yaml"))
    with control_database.begin() as connection:
        adopt(connection, CITY, "operator:test", NOW - timedelta(days=1), "for a test")
        reviewed(connection, on(3, 2))
    answer = file(control_database, rules=rules_from(Policy((), (), CITY.values)))
    taken(control_database, str(answer.id), (TicketAction.DISPATCH, BUREAU))
    before = found(control_database, on(4, 1))
    with control_database.begin() as connection:
        adopt(connection, later, "operator:test", on(3, 3), "a stricter county")
    assert found(control_database, on(4, 1)) == before
    assert {each.kind: each.due_on for each in before} == {
        Kind.ENTRY: date(2026, 3, 9),
        Kind.TICKET: date(2026, 3, 9),
    }
    assert {each.source.article for each in before if each.source} == {"第十九条", "第二十四条"}


@pytest.mark.requirement("A2-06")
def test_what_begins_after_an_adoption_runs_under_it(control_database: ControlDatabase) -> None:
    later = with_pack(CITY, parse_pack(STRICTER, "stricter.yaml"))
    with control_database.begin() as connection:
        adopt(connection, CITY, "operator:test", NOW, "for a test")
        adopt(connection, later, "operator:test", on(3, 3), "a stricter county")
        reviewed(connection, on(3, 4))
    (breach,) = found(control_database, on(4, 1))
    assert breach.due_on == date(2026, 3, 5)
    assert breach.source is not None
    assert breach.source.article == "第一条"
