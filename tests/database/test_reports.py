"""Yearly reports: a task of each department from the end of the year until it is handed in."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from services.control.accounts.people import Person
from services.control.accounts.roles import Role
from services.control.clocks.calendar_file import china
from services.control.store.accounts.acts import Order
from services.control.store.accounts.persons import add_person
from services.control.store.cases.policies import adopt
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id
from services.control.store.notices.tables import NOTICE_EVENTS, NOTICE_INBOX
from services.control.store.reports.reading import reports
from services.control.store.reports.telling import tell_reports
from tests.support.desk import policy
from tests.support.portal import Portal
from tests.support.web import Browser, Web

CITY = policy("national-2025", "jiyuan-2022")
"""Departments report by 31 January, the authority by the end of February; the county's by 5 January."""
NOT_YET = datetime(2026, 12, 31, 9, 0, tzinfo=UTC)
JANUARY = datetime(2027, 1, 4, 1, 0, tzinfo=UTC)
"""A Monday morning in Beijing."""
REFERENCE = "公函〔2027〕1号"


@pytest.fixture
def web(control_database: ControlDatabase) -> Web:
    """The county's packs are adopted since March 2026."""
    return Web(control_database)


def report_tasks(browser: Browser) -> list[tuple[str, str, int]]:
    """Reports on a person's tasks: whose, until when, and the working days that are left."""
    items = browser.get("/tasks").json()["items"]
    return [(each["state"], each["due_on"], each["days_left"]) for each in items if each["kind"] == "report"]


def handed_in(browser: Browser, duty: str = "department", **changes: Any) -> Any:
    return browser.post("/reports", {"duty": duty, "year": 2026, "reference": REFERENCE} | changes)


@pytest.mark.requirement("A12-01", "C7")
def test_a_report_is_a_task_with_its_working_days_from_the_years_end_until_it_is_handed_in(web: Web) -> None:
    web.clock.now = NOT_YET
    assert report_tasks(web.at(Role.PROVIDER)) == []
    web.clock.now = JANUARY
    provider, other = web.at(Role.PROVIDER), web.at(Role.CONSUMER, department="health")
    assert report_tasks(provider) == [("department", "2027-01-05", 1)]
    assert report_tasks(web.at(Role.PROVIDER, Role.CONSUMER)) == [("department", "2027-01-05", 1)]
    answer = handed_in(provider)
    assert answer.status_code == 201, answer.text
    assert report_tasks(provider) == []
    assert report_tasks(other) == [("department", "2027-01-05", 1)]
    assert web.acts("report", "department:police:2026") == ["report.file"]
    again = handed_in(provider)
    assert (again.status_code, again.json()["problems"][0]["code"]) == (409, "REPORT_HANDED_IN")


@pytest.mark.requirement("A12-01")
def test_what_is_late_stays_a_task_and_says_by_how_much(web: Web) -> None:
    web.clock.now = datetime(2027, 1, 8, 1, 0, tzinfo=UTC)
    provider = web.at(Role.PROVIDER)
    assert report_tasks(provider) == [("department", "2027-01-05", -3)]
    assert handed_in(provider).status_code == 201
    with web.parts.database.reading() as connection:
        (report,) = reports(connection, china(), web.clock.now, "police")
    assert report.late


@pytest.mark.requirement("A12-02", "C7")
def test_the_authority_has_two_reports_to_hand_in_and_sees_those_of_all(web: Web) -> None:
    with web.parts.database.begin() as connection:
        adopt(connection, CITY, "operator:test", datetime(2026, 4, 1, tzinfo=UTC), "another city")
    web.clock.now = JANUARY
    handed_in(web.at(Role.PROVIDER))
    authority = web.at(Role.AUTHORITY, department="data_bureau")
    assert [each[:2] for each in report_tasks(authority)] == [
        ("department", "2027-01-31"),
        ("authority", "2027-02-28"),
    ]
    items = authority.get("/reports").json()["items"]
    seen = {(each["duty"], each["department"], each["reference"]) for each in items}
    assert seen == {
        ("department", "police", REFERENCE),
        ("department", "data_bureau", None),
        ("authority", "data_bureau", None),
    }
    assert {each["article"] for each in items} == {"第五十五条"}
    assert handed_in(authority, "authority").status_code == 201
    assert [each[0] for each in report_tasks(authority)] == ["department"]


@pytest.mark.requirement("A12-01", "C7")
@pytest.mark.parametrize(("adopted_on", "due"), [(date(2026, 12, 30), 31), (date(2027, 1, 2), 5)])
def test_packs_that_are_adopted_after_the_years_end_move_no_day(web: Web, adopted_on: date, due: int) -> None:
    moment = datetime(adopted_on.year, adopted_on.month, adopted_on.day, 3, 0, tzinfo=UTC)
    with web.parts.database.begin() as connection:
        adopt(connection, CITY, "operator:test", moment, "another city")
    web.clock.now = JANUARY
    ((_, day, _),) = report_tasks(web.at(Role.PROVIDER))
    assert day == f"2027-01-{due:02}"


def test_a_report_is_owed_on_years_that_ended_since_the_first_adoption_and_by_who_was_here(
    web: Web, control_database: ControlDatabase
) -> None:
    web.at(Role.PROVIDER)
    with control_database.begin() as connection:
        newcomer = Person(UUID(int=99), "somebody", "某人", "tax")
        add_person(connection, newcomer, Order("console:test", datetime(2027, 6, 1, tzinfo=UTC)))
    later = datetime(2028, 1, 3, 1, 0, tzinfo=UTC)
    with control_database.reading() as connection:
        found = reports(connection, china(), later)
    assert [(each.department, each.year) for each in found] == [
        ("police", 2027),
        ("tax", 2027),
        ("police", 2026),
    ]
    for year in (2025, 2027):
        web.clock.now = JANUARY
        refused = handed_in(web.at(Role.PROVIDER), year=year)
        assert (refused.status_code, refused.json()["problems"][0]["code"]) == (409, "REPORT_NOT_OWED")


def test_without_a_policy_nothing_is_owed(control_database: ControlDatabase) -> None:
    with control_database.reading() as connection:
        assert reports(connection, china(), JANUARY) == []


def test_nobody_hands_in_what_is_not_his_and_nobody_without_naming_the_document(web: Web) -> None:
    web.clock.now = JANUARY
    provider = web.at(Role.PROVIDER)
    assert handed_in(provider, "authority").status_code == 403
    assert handed_in(web.at(Role.AUDITOR)).status_code == 403
    unnamed = handed_in(provider, reference=" ")
    assert (unnamed.status_code, unnamed.json()["problems"][0]["code"]) == (422, "REFERENCE_MISSING")
    seen = web.at(Role.CONSUMER, department="health").get("/reports").json()["items"]
    assert {each["department"] for each in seen} == {"health"}


@pytest.mark.requirement("A12-01")
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_person_comes_from_his_tasks_to_the_report_and_notes_it_as_handed_in(
    control_database: ControlDatabase, language: str
) -> None:
    portal = Portal(control_database)
    portal.clock.now = JANUARY
    reader = portal.reader(Role.PROVIDER, department="police", language=language)
    assert "/reports" in reader.open("/tasks?kind=report").links
    page = reader.open("/reports")
    assert page.faults == []
    refused = reader.sent(page, "/reports/department/2026", reference="")
    assert (refused.status, refused.faults) == (422, [])
    done = reader.sent(page, "/reports/department/2026", reference=REFERENCE)
    assert (done.status, done.faults) == (200, [])
    assert REFERENCE in done.text
    assert "/reports/department/2026" not in [form.action for form in done.forms]
    assert "2027-01-05" not in reader.open("/tasks").text


@pytest.mark.requirement("A12-01", "A12-08")
def test_a_report_that_is_overdue_stands_in_the_list_of_breaches_until_it_is_handed_in(web: Web) -> None:
    web.clock.now = datetime(2027, 1, 8, 1, 0, tzinfo=UTC)
    provider, stranger = web.at(Role.PROVIDER), web.at(Role.CONSUMER, department="health")
    authority = web.at(Role.AUTHORITY, department="data_bureau")

    def late(browser: Browser, **asked: Any) -> list[tuple[str, str, int]]:
        items = browser.get("/clocks/breaches", params={"kind": "report", **asked}).json()["items"]
        return [(each["department"], each["due_on"], each["days_late"]) for each in items]

    assert late(provider) == [("police", "2027-01-05", 3)]
    assert late(stranger) == [("health", "2027-01-05", 3)]
    assert {each[0] for each in late(authority)} == {"police", "health", "data_bureau"}
    assert late(authority, department="police") == [("police", "2027-01-05", 3)]
    assert handed_in(provider).status_code == 201
    assert late(provider) == []
    assert late(provider, done=True) == [("police", "2027-01-05", 3)]


@pytest.mark.requirement("A12-01")
def test_a_department_is_reminded_of_its_report_told_on_the_last_day_and_once_it_is_late(web: Web) -> None:
    web.clock.now = JANUARY
    provider = web.at(Role.PROVIDER)

    def told(day: int) -> list[str]:
        now = datetime(2027, 1, day, 1, 0, tzinfo=UTC)
        with web.parts.database.begin() as connection:
            tell_reports(connection, china(), now, lambda: new_id(now))
            wanted = select(NOTICE_EVENTS.c.kind).join(
                NOTICE_INBOX, NOTICE_INBOX.c.event_id == NOTICE_EVENTS.c.id
            )
            mine = wanted.where(NOTICE_INBOX.c.department == "police").order_by(NOTICE_INBOX.c.id)
            return list(connection.execute(mine).scalars())

    assert told(4) == ["clock.reminder"]
    assert told(4) == ["clock.reminder"]
    assert told(5)[1:] == ["clock.last_day"]
    assert told(6)[2:] == ["clock.overdue"]
    assert handed_in(provider).status_code == 201
    with web.parts.database.begin() as connection:
        tell_reports(connection, china(), datetime(2027, 1, 7, 1, 0, tzinfo=UTC), uuid4)
    assert len(told(8)) == 3
