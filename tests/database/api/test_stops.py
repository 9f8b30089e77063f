"""The kill switch over HTTP: who may order what, owed first, its steps and its receipt, once for a key."""

from datetime import timedelta
from typing import Any

import pytest

from services.api.uses import stopping
from services.control.accounts.roles import Role
from services.control.store.database import ControlDatabase
from services.control.suspension.receipt import Step
from tests.support.switching import over
from tests.support.web import Browser, Web

GRANT = "health-persons-gusu"
REASON = "data found on a market"


@pytest.fixture
def web(control_database: ControlDatabase) -> Web:
    return Web(control_database)


def order(**changes: Any) -> dict[str, Any]:
    return {"verb": "suspend", "scope": "grant", "name": GRANT, "reason": REASON} | changes


def ordered(web: Web, browser: Browser, **changes: Any) -> str:
    """Give an order and wait for its end; returns its id."""
    answer = browser.post("/stops", order(**changes))
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/api/v1/stops/{answer.json()['id']}"
    return over(web.parts.switch, answer.json()["id"]).id


@pytest.mark.requirement("A8-05")
def test_an_order_is_taken_at_once_and_ends_with_its_steps_its_cuts_and_an_act(web: Web) -> None:
    browser = web.at(Role.PROVIDER)
    id_ = ordered(web, browser)
    told = browser.get(f"/stops/{id_}").json()
    assert (told["progress"], told["scope"], told["name"], told["reason"]) == ("done", "grant", GRANT, REASON)
    assert [each["step"] for each in told["steps"]] == [step.value for step in Step]
    assert all(each["after_ms"] >= 0 for each in told["steps"])
    assert {
        (each["grant"], each["partition"], each["offset"] - each["partition"]) for each in told["cuts"]
    } == {(GRANT, partition, 10) for partition in range(told["document"]["grants"][0]["partitions"])}
    assert GRANT in web.switched.denied
    assert web.acts("grant", GRANT) == ["kill.grant"]


def test_how_far_an_order_is_can_be_read_while_it_runs(web: Web) -> None:
    web.switched.goes_on.clear()
    browser = web.at(Role.PROVIDER)
    id_ = browser.post("/stops", order()).json()["id"]
    seen = -1
    while True:
        work = web.parts.switch.wait(id_, seen, 30.0)
        assert work is not None
        if work.document and Step.FENCED.value in work.document["steps"]:
            break
        assert work.changes > seen, "nothing happened before the deadline"
        seen = work.changes
    half = browser.get(f"/stops/{id_}").json()
    assert (half["progress"], half["cuts"]) == ("running", [])
    assert [each["step"] for each in half["steps"] if each["done_ms"] is None] == ["cut", "recorded"]
    joined = browser.post("/stops", order(reason="the same, by somebody else")).json()["id"]
    web.switched.goes_on.set()
    over(web.parts.switch, id_)
    assert joined != id_
    assert browser.get(f"/stops/{joined}").json()["id"] == id_


def test_a_key_gives_one_order_also_where_the_process_ended_before_it_began(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = web.at(Role.PROVIDER)
    key = {"idempotency-key": "stop-1"}

    def killed(*_: object) -> None:
        raise RuntimeError("the process ends here")

    with monkeypatch.context() as patched:
        patched.setattr(stopping, "begin", killed)
        assert browser.post("/stops", order(), headers=key).status_code == 500
    assert web.switched.calls == []
    again = browser.post("/stops", order(), headers=key)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (202, "true")
    over(web.parts.switch, again.json()["id"])
    once_more = browser.post("/stops", order(), headers=key)
    assert once_more.json() == again.json()
    assert list(web.stops.suspensions.documents) == [again.json()["id"]]
    assert web.acts("grant", GRANT) == ["kill.grant"]
    other = browser.post("/stops", order(reason="another"), headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "KEY_REUSED")


def test_a_key_that_is_sent_again_much_later_begins_nothing_any_more(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = web.at(Role.PROVIDER)
    key = {"idempotency-key": "stop-2"}
    with monkeypatch.context() as patched:
        patched.setattr(stopping, "begin", lambda *_: None)
        taken = browser.post("/stops", order(), headers=key)
    web.clock.pass_by(timedelta(minutes=5))
    again = browser.post("/stops", order(), headers=key)
    assert (again.status_code, again.json()) == (202, taken.json())
    assert web.switched.calls == []


def test_who_may_not_order_learns_nothing_of_a_case_behind_a_grant(web: Web) -> None:
    stranger = web.at(Role.CONSUMER, department="tax")
    for verb in ("suspend", "resume"):
        assert stranger.post("/stops", order(verb=verb)).status_code == 403


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"name": "nobody"}, 404, "NOT_FOUND"),
        ({"name": ""}, 422, "INVALID"),
        ({"scope": "all"}, 422, "INVALID"),
        ({"scope": "planet"}, 422, "INVALID"),
        ({"reason": " "}, 422, "INVALID"),
        ({"reason": "x" * 501}, 422, "INVALID"),
    ],
)
def test_an_order_that_is_none_does_nothing_and_is_owed_to_nobody(
    web: Web, changes: dict[str, Any], status: int, code: str
) -> None:
    browser = web.at(Role.AUTHORITY, department="data_bureau")
    before = web.all_acts()
    answer = browser.post("/stops", order(**changes))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert web.switched.calls == []
    assert web.all_acts() == before


def test_without_the_bus_nothing_is_ordered(web: Web) -> None:
    browser = web.at(Role.AUTHORITY, department="data_bureau")
    id_ = ordered(web, browser)
    before = web.all_acts()
    web.bus.silent = True
    answer = browser.post("/stops", order())
    assert (answer.status_code, answer.json()["code"]) == (503, "BUS_UNAVAILABLE")
    assert web.all_acts() == before
    assert browser.get("/stops").status_code == 503
    assert browser.get(f"/stops/{id_}").json()["progress"] == "done"


def test_what_holds_is_listed_for_its_departments_and_lifted_by_the_authority_of_another(web: Web) -> None:
    authority = web.at(Role.AUTHORITY, department="data_bureau")
    id_ = ordered(web, authority)
    web.bus.current = web.switched.now
    for role, department, sees in (
        (Role.CONSUMER, "health", True),
        (Role.CONSUMER, "tax", False),
        (Role.PROVIDER, "police", True),
        (Role.AUDITOR, "tax", True),
    ):
        browser = web.at(role, department=department)
        listed = browser.get("/stops").json()
        assert [each["id"] for each in listed["holds"]] == ([id_] if sees else []), department
        assert browser.get(f"/stops/{id_}").status_code == (200 if sees else 403)
    assert authority.get("/stops/s-none").status_code == 404
    lifted = ordered(web, authority, verb="resume", reason="the leak is closed")
    told = authority.get(f"/stops/{lifted}").json()
    assert (told["verb"], told["progress"], told["steps"], told["cuts"]) == ("resume", "done", [], [])
    assert web.acts("grant", GRANT) == ["kill.grant", "kill.resume"]


def test_an_order_whose_process_is_gone_is_listed_and_the_same_order_carries_it_on(web: Web) -> None:
    browser = web.at(Role.PROVIDER)
    id_ = ordered(web, browser)
    document = web.stops.suspensions.documents[id_]
    document["steps"] = {step: when for step, when in document["steps"].items() if step in ("read_removed",)}
    object.__setattr__(web.parts, "switch", web.stops.switch(web.parts.switch.report))
    [left] = browser.get("/stops").json()["unfinished"]
    assert (left["id"], left["progress"]) == (id_, "interrupted")
    ordered(web, browser)
    assert browser.get("/stops").json()["unfinished"] == []
    assert browser.get(f"/stops/{id_}").json()["progress"] == "done"


def test_a_token_orders_with_the_scope_for_it_and_sees_what_it_ordered(web: Web) -> None:
    person = web.hire(Role.PROVIDER)
    looking, stopping_ = web.token_of(person, "grant:look"), web.token_of(person, "kill:change")
    client = web.client()
    refused = client.post("/api/v1/stops", json=order(), headers=looking)
    assert (refused.status_code, refused.json()["reason"]) == (403, "OUT_OF_SCOPE")
    taken = client.post("/api/v1/stops", json=order(), headers=stopping_)
    assert taken.status_code == 202
    over(web.parts.switch, taken.json()["id"])
    shown = client.get(f"/api/v1/stops/{taken.json()['id']}", headers=stopping_)
    assert shown.json()["progress"] == "done"
