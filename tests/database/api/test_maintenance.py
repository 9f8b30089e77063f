"""Maintenance over HTTP: announced three working days before or refused, seen by all, withdrawn once."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.control.accounts.roles import Role
from services.control.store.database import ControlDatabase
from services.control.store.notices import inbox
from services.control.store.prepare import prepare
from tests.support.web import DEPARTMENTS, NOW, Browser, Web

IN_TIME = {"begin": "2026-03-06T20:00:00+08:00", "end": "2026-03-06T23:00:00+08:00", "why": "new disks"}
"""Now is Monday the 2nd: Tuesday to Thursday are three whole working days."""


@pytest.fixture
def web(control_database: ControlDatabase) -> Web:
    prepare(control_database, NOW)
    return Web(control_database)


def operator(web: Web) -> Browser:
    return web.at(Role.OPERATOR, department="data_bureau")


@pytest.mark.requirement("A11-08")
@pytest.mark.parametrize(
    ("begin", "in_time"), [("2026-03-05", False), ("2026-03-06", True), ("2026-03-07", True)]
)
def test_fewer_than_three_whole_working_days_are_refused_with_the_last_day_for_the_notice(
    web: Web, begin: str, in_time: bool
) -> None:
    form = {"begin": f"{begin}T20:00:00+08:00", "end": f"{begin}T23:00:00+08:00", "why": "new disks"}
    answer = operator(web).post("/maintenance", form)
    if in_time:
        assert answer.status_code == 201, answer.text
        return
    told = answer.json()
    assert (answer.status_code, told["code"]) == (422, "INVALID")
    assert [(each["code"], each["field"]) for each in told["problems"]] == [("NOTICE_TOO_SHORT", "begin")]
    assert (told["latest_notice"], told["notice_days"]) == ("2026-02-28", 3)
    assert operator(web).get("/maintenance").json()["items"] == []


@pytest.mark.requirement("A11-08")
def test_what_is_announced_is_told_to_every_department_and_seen_by_everybody(web: Web) -> None:
    answer = operator(web).post("/maintenance", IN_TIME)
    made = answer.json()
    assert answer.headers["location"] == f"/api/v1/maintenance/{made['id']}"
    assert datetime.fromisoformat(made["begin"]) == datetime(2026, 3, 6, 12, tzinfo=UTC)
    for department in DEPARTMENTS:
        with web.parts.database.begin() as connection:
            [told] = inbox.page(connection, department.id, "account-9")
        assert told.happened.kind.value == "maintenance.announced"
        [seen] = web.at(Role.CONSUMER, department=department.id).get("/maintenance").json()["items"]
        assert seen == made
    assert web.acts("maintenance", made["id"]) == ["maintenance.announce"]


def test_a_refusal_is_said_in_both_languages(web: Web) -> None:
    browser = operator(web)
    late = {**IN_TIME, "begin": "2026-03-03T20:00:00+08:00"}
    for language, words in (("zh-CN", "不足 3 个工作日"), ("en", "fewer than 3 working days")):
        answer = browser.post("/maintenance", late, headers={"accept-language": language})
        assert words in answer.json()["problems"][0]["what"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"end": "2026-03-06T19:00:00+08:00"},
        {"begin": "2026-03-06T20:00:00"},
        {"begin": "0001-01-01T00:00:00Z"},
        {"why": " "},
    ],
)
def test_what_cannot_be_is_refused_and_told_to_nobody(web: Web, wrong: dict[str, Any]) -> None:
    before = web.all_acts()
    browser = operator(web)
    assert browser.post("/maintenance", IN_TIME | wrong).status_code == 422
    assert [each for each in web.all_acts() if each.startswith("maintenance")] == []
    assert browser.get("/maintenance").json()["items"] == []
    assert len(web.all_acts()) >= len(before)


def test_a_key_announces_once(web: Web) -> None:
    browser, key = operator(web), {"idempotency-key": "m-1"}
    first, again = (browser.post("/maintenance", IN_TIME, headers=key) for _ in range(2))
    assert first.json() == again.json()
    assert len(browser.get("/maintenance").json()["items"]) == 1


def test_an_announcement_is_withdrawn_once_before_it_begins_and_stays_to_be_seen(web: Web) -> None:
    browser = operator(web)
    id_ = browser.post("/maintenance", IN_TIME).json()["id"]
    assert browser.delete(f"/maintenance/{id_}", params={"why": "the disks are late"}).status_code == 204
    again = browser.delete(f"/maintenance/{id_}")
    assert (again.status_code, again.json()["code"]) == (409, "WRONG_STATE")
    assert browser.get("/maintenance").json()["items"] == []
    shown = web.at(Role.CONSUMER, department="health").get(f"/maintenance/{id_}").json()
    assert shown["state"] == "cancelled"
    assert web.acts("maintenance", id_) == ["maintenance.announce", "maintenance.cancel"]
    assert browser.delete("/maintenance/00000000-0000-0000-0000-000000000000").status_code == 404


def test_what_has_begun_is_not_withdrawn_any_more(web: Web) -> None:
    browser = operator(web)
    id_ = browser.post("/maintenance", IN_TIME).json()["id"]
    web.clock.now = datetime(2026, 3, 6, 12, 30, tzinfo=UTC)
    late = operator(web)
    assert late.delete(f"/maintenance/{id_}").status_code == 409
    assert [each["id"] for each in late.get("/maintenance").json()["items"]] == [id_]
    assert web.clock.now > NOW


@pytest.mark.parametrize("role", [Role.PROVIDER, Role.CONSUMER, Role.AUDITOR, Role.OVERSEER])
def test_only_operator_and_authority_announce_and_withdraw(web: Web, role: Role) -> None:
    id_ = operator(web).post("/maintenance", IN_TIME).json()["id"]
    browser = web.at(role)
    assert browser.post("/maintenance", IN_TIME).json()["reason"] == "WRONG_ROLE"
    assert browser.delete(f"/maintenance/{id_}").json()["reason"] == "WRONG_ROLE"
