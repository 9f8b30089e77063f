"""Ends of versions over HTTP: announced once, changed on the version that was seen, by whoever may."""

from dataclasses import replace
from typing import Any

import pytest

from services.control.accounts.roles import Role
from services.control.desk.catalogued import PublishedEntries
from services.control.desk.desk import Desk
from services.control.store.cases.grant_requests import GrantOutbox
from services.control.store.database import ControlDatabase
from tests.support.retiring import FIRST, NEW, OLD, publish_entry, two_versions
from tests.support.web import Browser, Web

LATER = "2026-05-20"


@pytest.fixture
def web(control_database: ControlDatabase) -> Web:
    """The API over two versions of persons with one published entry."""
    web = Web(control_database)
    desk = Desk(PublishedEntries(two_versions()), web.city, GrantOutbox())
    web.app.state.parts = replace(web.parts, definitions=two_versions(), desk=desk)
    with control_database.begin() as connection:
        publish_entry(connection)
    return web


def form(**changes: Any) -> dict[str, Any]:
    wanted = {"old": OLD, "new": NEW, "retires_on": FIRST.isoformat(), "why": "住址拆分"}
    return wanted | changes


def act(browser: Browser, id_: str, action: str, etag: str = "*", **more: Any) -> Any:
    said = {"action": action, "why": "迁移未完成", **more}
    return browser.post(f"/retirements/{id_}/actions", said, headers={"if-match": etag})


def test_a_version_is_retired_listed_postponed_and_kept(web: Web) -> None:
    provider, reader = web.at(Role.PROVIDER), web.at(Role.CONSUMER, department="health")
    made = provider.post("/retirements", form())
    assert made.status_code == 201, made.text
    found = made.json()
    assert (found["state"], found["parallel_from"], found["working_days"]) == ("planned", "2026-03-02", 30)
    assert made.headers["location"] == f"/api/v1/retirements/{found['id']}"
    shown = reader.get(f"/retirements/{found['id']}")
    assert (shown.json(), shown.headers["etag"]) == (found, made.headers["etag"])
    moved = act(provider, found["id"], "postpone", shown.headers["etag"], retires_on=LATER)
    assert (moved.status_code, moved.json()["retires_on"]) == (200, LATER), moved.text
    late = act(provider, found["id"], "cancel", shown.headers["etag"])
    assert (late.status_code, late.json()["code"]) == (412, "OVERTAKEN")
    kept = act(provider, found["id"], "cancel", moved.headers["etag"])
    assert kept.json()["state"] == "cancelled"
    assert web.acts("resource", OLD) == [
        "catalogue.retire",
        "catalogue.postpone",
        "catalogue.cancel_retirement",
    ]
    assert reader.get("/retirements", params={"state": "planned"}).json()["items"] == []
    assert [each["id"] for each in reader.get("/retirements").json()["items"]] == [found["id"]]


def test_the_list_goes_on_where_its_cursor_says(web: Web) -> None:
    provider = web.at(Role.PROVIDER)
    for _ in range(3):
        made = provider.post("/retirements", form()).json()
        assert act(provider, made["id"], "cancel").status_code == 200
    first = provider.get("/retirements", params={"limit": 2}).json()
    second = provider.get("/retirements", params={"limit": 2, "cursor": first["next"]}).json()
    seen = [each["id"] for each in (*first["items"], *second["items"])]
    assert (len(seen), len(set(seen)), second["next"]) == (3, 3, None)
    other = {"limit": 2, "cursor": first["next"], "state": "planned"}
    assert provider.get("/retirements", params=other).status_code == 400


def test_everything_that_is_against_it_is_said_at_once_in_the_language_of_the_reader(web: Web) -> None:
    provider = web.at(Role.PROVIDER)
    wrong = form(new="legal.enterprise.v1", retires_on="2026-03-20", why=" ")
    for language, what in (("en", "30 working days"), ("zh-CN", "30 个工作日")):
        answer = provider.post("/retirements", wrong, headers={"accept-language": language})
        assert (answer.status_code, answer.json()["code"]) == (422, "INVALID"), answer.text
        problems = answer.json()["problems"]
        assert [each["code"] for each in problems] == [
            "SUCCESSOR_UNKNOWN",
            "SUCCESSOR_OTHER",
            "PARALLEL_TOO_SHORT",
            "WHY_MISSING",
        ]
        assert what in problems[2]["what"]
        assert FIRST.isoformat() in problems[2]["remedy"]
    assert web.acts("resource", OLD) == []


def test_a_version_ends_once_and_a_key_announces_it_once(web: Web) -> None:
    provider = web.at(Role.PROVIDER)
    made = provider.post("/retirements", form(), headers={"idempotency-key": "r1"})
    again = provider.post("/retirements", form(), headers={"idempotency-key": "r1"})
    assert again.json() == made.json()
    assert again.headers["idempotency-replayed"] == "true"
    other = provider.post("/retirements", form(retires_on=LATER))
    assert (other.status_code, other.json()["code"]) == (409, "WRONG_STATE")
    assert [each["code"] for each in other.json()["problems"]] == ["ALREADY_ENDING"]
    earlier = act(provider, made.json()["id"], "postpone", retires_on="2026-04-10")
    assert [each["code"] for each in earlier.json()["problems"]] == ["DAY_NOT_LATER"]


def test_only_the_provider_of_the_version_and_the_authority_decide_on_its_end(web: Web) -> None:
    made = web.at(Role.PROVIDER).post("/retirements", form()).json()["id"]
    allowed = {(Role.PROVIDER, "police"), (Role.AUTHORITY, "data_bureau")}
    for role in Role:
        for department in ("police", "health", "data_bureau"):
            browser = web.at(role, department=department)
            may = (role, department) in allowed or role is Role.AUTHORITY
            for answer in (
                browser.post("/retirements", form()),
                act(browser, made, "postpone", retires_on="2026-04-01"),
            ):
                assert (answer.status_code == 403) is not may, (role, department, answer.text)
            assert browser.get("/retirements").status_code == 200


def test_what_is_not_there_is_not_found(web: Web) -> None:
    provider = web.at(Role.PROVIDER)
    assert provider.post("/retirements", form(old="nothing.here.v1")).status_code == 404
    nobody = "01234567-0000-7000-8000-000000000000"
    assert provider.get(f"/retirements/{nobody}").status_code == 404
    assert act(provider, nobody, "cancel").status_code == 404
    made = provider.post("/retirements", form()).json()["id"]
    missing = provider.post(f"/retirements/{made}/actions", {"action": "cancel", "why": "x"})
    assert (missing.status_code, missing.json()["code"]) == (428, "VERSION_MISSING")


def test_a_longer_parallel_run_may_be_asked_for(web: Web) -> None:
    web.app.state.parts = replace(web.app.state.parts, parallel_days=31)
    answer = web.at(Role.PROVIDER).post("/retirements", form())
    assert [each["code"] for each in answer.json()["problems"]] == ["PARALLEL_TOO_SHORT"]
