"""A case that the authority decides by its rules: on whose desk it lies, who is told, and who is late."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from services.control.accounts.roles import Role
from services.control.cases.words import Action, State
from services.control.clocks.calendar_file import china
from services.control.desk.sweep import sweep
from services.control.docket.bound import Bound
from services.control.docket.filed import Filed
from services.control.notices.words import Kind, Language
from services.control.store.breaches import Wish, breaches
from services.control.store.cases.checking import differences
from services.control.store.database import ControlDatabase
from services.control.store.migrations.versions import v0024_who_acts
from services.control.store.notices import inbox
from services.control.store.notices.addresses import add
from services.control.store.notices.tables import NOTICE_ADDRESSES, NOTICE_DELIVERIES, NOTICE_EVENTS, Way
from tests.support.desk import Office, policy
from tests.support.sharing_cases import BUREAU, CONSUMER, NOW
from tests.support.web import Browser, Web

CITY = policy("national-2025", "jiyuan-2022")
"""Ten working days to answer, by the nation, which names the provider; the city lets the authority decide."""
WITHOUT_TIME = policy("jiyuan-2022")
"""The authority decides, and no pack says within which time."""


def submitted(database: ControlDatabase, adopted: Bound = CITY) -> tuple[Web, Office, Filed]:
    web = Web(database)
    office = Office(database, adopted)
    return web, office, office.done(office.opened(), Action.SUBMIT, CONSUMER)


def authority(web: Web) -> Browser:
    return web.at(Role.AUTHORITY, department="data_bureau")


def tasks(browser: Browser) -> list[int]:
    return [each["number"] for each in browser.get("/tasks").json()["items"] if each["kind"] == "case"]


def told(database: ControlDatabase, department: str) -> list[Kind]:
    with database.begin() as connection:
        page = inbox.page(connection, department, "somebody", limit=100)
    return [each.happened.kind for each in reversed(page)]


@pytest.mark.requirement("A6-09")
@pytest.mark.parametrize("adopted", [CITY, WITHOUT_TIME])
def test_what_the_authority_decides_lies_on_its_desk_and_on_no_other(
    control_database: ControlDatabase, adopted: Bound
) -> None:
    web, office, filed = submitted(control_database, adopted)
    assert filed.case.state is State.DECIDING
    bureau, provider = authority(web), web.at(Role.PROVIDER)
    assert (tasks(bureau), tasks(provider)) == ([filed.number], [])
    assert "approve" in bureau.get(f"/cases/{filed.number}").json()["allowed"]
    office.done(filed, Action.NEGOTIATE, CONSUMER)
    assert (tasks(bureau), tasks(provider)) == ([filed.number], [])
    office.done(filed, Action.AGREE, BUREAU)
    office.done(filed, Action.APPROVE, BUREAU)
    assert tasks(bureau) == []
    assert tasks(provider) == ([filed.number] if adopted is CITY else [])


@pytest.mark.requirement("A12-08")
def test_the_authority_is_late_and_not_the_provider(control_database: ControlDatabase) -> None:
    _, _, filed = submitted(control_database)
    later = NOW + timedelta(days=30)
    with control_database.begin() as connection:
        ((breach,), _) = breaches(connection, china(), later)
        of_provider = breaches(connection, china(), later, Wish(department="police"))
    assert (breach.number, breach.obliged, breach.department) == (filed.number, "authority", None)
    assert of_provider == ([], 0)


@pytest.mark.requirement("A6-09")
def test_the_authority_is_reminded_and_written_to(control_database: ControlDatabase) -> None:
    web = Web(control_database)
    web.hire(Role.AUTHORITY, department="data_bureau")
    with control_database.begin() as connection:
        for department in ("data_bureau", "police"):
            mailbox = f"office@{department.replace('_', '-')}.cn"
            add(connection, department, Way.EMAIL, mailbox, Language.ZH, who="console:test", now=NOW)
    office = Office(control_database, CITY)
    filed = office.done(office.opened(), Action.SUBMIT, CONSUMER)
    office.done(filed, Action.NEGOTIATE, CONSUMER)
    assert letters(control_database) == {
        ("data_bureau", "case.deciding_by_authority"),
        ("data_bureau", "case.negotiating_by_authority"),
    }
    office.done(filed, Action.AGREE, BUREAU)
    for days in (7, 11):
        sweep(office.desk, office.database, NOW + timedelta(days=days))
    assert Kind.CLOCK_REMINDER in told(control_database, "data_bureau")
    assert not [kind for kind in told(control_database, "police") if kind.startswith("clock.")]


def letters(database: ControlDatabase) -> set[tuple[str, str]]:
    """To which department a letter of which kind is owed."""
    with database.begin() as connection:
        rows = connection.execute(
            NOTICE_DELIVERIES.join(NOTICE_ADDRESSES, NOTICE_ADDRESSES.c.id == NOTICE_DELIVERIES.c.address_id)
            .join(NOTICE_EVENTS, NOTICE_EVENTS.c.id == NOTICE_DELIVERIES.c.event_id)
            .select()
            .where(NOTICE_DELIVERIES.c.channel == "email")
            .with_only_columns(NOTICE_ADDRESSES.c.department, NOTICE_EVENTS.c.kind)
        )
        return {(row.department, row.kind) for row in rows}


def test_what_was_stored_before_names_whoever_decides_after_the_migration(
    control_database: ControlDatabase,
) -> None:
    web, _, filed = submitted(control_database)
    with control_database.begin() as connection:
        connection.execute(text("UPDATE case_clocks SET obliged = 'provider'"))
        connection.execute(text("UPDATE cases SET due_from = 'provider'"))
        assert list(differences(connection, china()))
        connection.execute(text(v0024_who_acts.CLOCKS))
        connection.execute(text(v0024_who_acts.DUE))
        assert list(differences(connection, china())) == []
    assert tasks(authority(web)) == [filed.number]


def test_a_case_says_until_when_the_authority_has_to_decide(control_database: ControlDatabase) -> None:
    web, _, filed = submitted(control_database)
    web.clock.now = datetime(2026, 3, 5, 1, 0, tzinfo=UTC)
    (task,) = authority(web).get("/tasks").json()["items"]
    assert (task["number"], task["due_on"], task["days_left"]) == (filed.number, "2026-03-16", 7)
