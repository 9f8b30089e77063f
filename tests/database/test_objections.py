"""Objections over the API and on pages: made, told, answered by the packs of then, listed when late."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.control.accounts.roles import Role
from services.control.store.cases.policies import adopt
from services.control.store.database import ControlDatabase
from services.control.store.notices import inbox
from services.control.store.objections.tables import EVENTS
from tests.database.api.test_catalogue import published
from tests.support.desk import policy
from tests.support.portal import Portal
from tests.support.web import NOW, Browser, Web

CITY = policy("national-2025", "jiyuan-2022")
ANY = {"if-match": "*"}
LATE = datetime(2026, 3, 17, 1, 0, tzinfo=UTC)


def on_packs_of_the_city(web: Web) -> str:
    """The id of a published entry of the police, under packs that give objections ten working days."""
    with web.parts.database.begin() as connection:
        adopt(connection, CITY, "operator:test", NOW, "for a test")
    return published(web, web.at(Role.PROVIDER))


@pytest.fixture
def web(control_database: ControlDatabase) -> Web:
    return Web(control_database)


def made(browser: Browser, entry: str, **changes: Any) -> int:
    answer = browser.post("/objections", {"entry": entry, "text": "应当无条件开放"} | changes)
    assert answer.status_code == 201, answer.text
    number: int = answer.json()["number"]
    return number


def acted(browser: Browser, number: int, headers: dict[str, str] | None = None, **form: Any) -> Any:
    return browser.post(f"/objections/{number}/actions", form, headers=headers or ANY)


def kinds(web: Web, department: str) -> list[str]:
    with web.parts.database.reading() as connection:
        page = inbox.page(connection, department, "somebody", limit=100)
    return [each.happened.kind.value for each in reversed(page)]


@pytest.mark.requirement("A10-04")
def test_an_objection_is_a_task_of_the_provider_until_it_is_answered_with_reason_and_basis(web: Web) -> None:
    entry = on_packs_of_the_city(web)
    consumer, provider = web.at(Role.CONSUMER, department="health"), web.at(Role.PROVIDER)
    authority = web.at(Role.AUTHORITY, department="data_bureau")
    number = made(consumer, entry)
    tasks = [each for each in provider.get("/tasks").json()["items"] if each["kind"] == "objection"]
    assert [(each["number"], each["due_on"], each["days_left"]) for each in tasks] == [
        (number, "2026-03-16", 10)
    ]
    refused = acted(provider, number, action="deny", text="", basis="x")
    assert refused.json()["problems"][0]["code"] == "TEXT_MISSING"
    longer = acted(provider, number, action="extend", days=5, text="待核实", approver="head_of_department")
    assert longer.status_code == 200, longer.text
    shown = provider.get(f"/objections/{number}").json()
    assert (shown["due_on"], shown["article"], shown["version"]) == ("2026-03-23", "第四十条", 1)
    done = acted(provider, number, action="deny", text="涉及隐私", basis="《个人信息保护法》第二十五条")
    assert done.json()["state"] == "denied"
    assert [each for each in provider.get("/tasks").json()["items"] if each["kind"] == "objection"] == []
    assert acted(provider, number, action="accept", text="x").status_code == 409
    told = ["objection.received", "objection.extended", "objection.denied"]
    for department in ("health", "police", "data_bureau"):
        assert [each for each in kinds(web, department) if each.startswith("objection.")] == told
    assert authority.get(f"/objections/{number}").json()["events"][1]["basis"]
    id_ = shown["id"]
    assert web.acts("objection", id_) == ["objection.object", "objection.extend", "objection.deny"]


@pytest.mark.requirement("A10-04", "A12-08")
def test_what_is_not_answered_in_time_is_a_breach_and_later_packs_do_not_move_its_day(web: Web) -> None:
    entry = on_packs_of_the_city(web)
    number = made(web.at(Role.CONSUMER, department="health"), entry)
    with web.parts.database.begin() as connection:
        later = datetime(2026, 3, 5, tzinfo=UTC)
        adopt(connection, policy("national-2025"), "operator:test", later, "without such a clock")
    web.clock.now = datetime(2026, 3, 16, 9, 0, tzinfo=UTC)
    authority = web.at(Role.AUTHORITY, department="data_bureau")
    assert authority.get("/clocks/breaches").json()["items"] == []
    web.clock.now = LATE
    (breach,) = web.at(Role.PROVIDER).get("/clocks/breaches", params={"kind": "objection"}).json()["items"]
    assert (breach["number"], breach["department"], breach["days_late"]) == (number, "police", 1)
    assert (breach["key"], breach["article"]) == ("clocks.open.objection", "第四十条")


def test_the_parties_and_the_authority_see_an_objection_and_others_do_not(web: Web) -> None:
    entry = on_packs_of_the_city(web)
    number = made(web.at(Role.CONSUMER, department="health"), entry)
    for role, department, sees in (
        (Role.CONSUMER, "health", True),
        (Role.PROVIDER, "police", True),
        (Role.AUTHORITY, "data_bureau", True),
        (Role.CONSUMER, "tax", False),
    ):
        browser = web.at(role, department=department)
        listed = [each["number"] for each in browser.get("/objections").json()["items"]]
        assert (number in listed) is sees, (role, department)
        assert browser.get(f"/objections/{number}").status_code == (200 if sees else 403)


def test_the_authority_takes_a_letter_of_the_public_by_its_number(web: Web) -> None:
    entry = on_packs_of_the_city(web)
    authority = web.at(Role.AUTHORITY, department="data_bureau")
    without = authority.post("/objections", {"entry": entry, "text": "应当开放"})
    assert [each["code"] for each in without.json()["problems"]] == ["REFERENCE_MISSING"]
    number = made(authority, entry, reference="信访〔2026〕7号")
    assert acted(authority, number, action="withdraw").json()["state"] == "withdrawn"


def test_who_was_quicker_counts_and_what_happened_never_changes(web: Web) -> None:
    entry = on_packs_of_the_city(web)
    number, provider = made(web.at(Role.CONSUMER, department="health"), entry), web.at(Role.PROVIDER)
    assert acted(provider, number, {"if-match": '"0"'}, action="accept", text="将修订").status_code == 200
    overtaken = acted(provider, number, {"if-match": '"0"'}, action="accept", text="将修订")
    assert overtaken.status_code == 412
    with pytest.raises(DBAPIError, match="never changed"), web.parts.database.begin() as connection:
        connection.execute(EVENTS.update().values(text="x"))
    with pytest.raises(DBAPIError, match="never changed"), web.parts.database.begin() as connection:
        connection.execute(text("DELETE FROM objection_events"))


@pytest.mark.requirement("A10-04")
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_it_is_made_on_the_entrys_page_and_answered_from_the_tasks(
    control_database: ControlDatabase, language: str
) -> None:
    portal = Portal(control_database)
    entry = on_packs_of_the_city(portal)
    consumer = portal.reader(Role.CONSUMER, department="health", language=language)
    address = f"/objections/new?entry={entry}"
    assert address in consumer.open(f"/catalogue/entries/{entry}").links
    form = consumer.open(address)
    assert form.faults == []
    empty = consumer.sent(form, address, text="")
    assert (empty.status, empty.faults) == (422, [])
    page = consumer.sent(form, address, text="应当无条件开放")
    assert (page.status, page.faults) == (200, [])
    assert "应当无条件开放" in page.text
    provider = portal.reader(Role.PROVIDER, department="police", language=language)
    assert page.path in provider.open("/tasks?kind=objection").links
    assert any(each.endswith(page.path) for each in provider.open("/inbox").links)
    seen = provider.open(page.path)
    assert (seen.actions, seen.faults) == ({"extend", "accept", "deny"}, [])
    unapproved = provider.sent(seen, f"{page.path}/extend", days="5", text="待核实")
    assert (unapproved.status, unapproved.faults) == (422, [])
    longer = provider.sent(seen, f"{page.path}/extend", days="5", text="待核实", approved="yes")
    assert (longer.status, longer.faults) == (200, [])
    assert "2026-03-23" in longer.text
    assert longer.actions == {"accept", "deny"}
    done = provider.sent(longer, f"{page.path}/deny", text="涉及隐私", basis="第二十五条")
    assert (done.status, done.faults) == (200, [])
    assert "第二十五条" in done.text
    listed = consumer.open("/objections")
    assert listed.faults == []
    assert page.path in listed.links
