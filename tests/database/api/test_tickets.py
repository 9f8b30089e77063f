"""Tickets over HTTP: reported, dispatched, decided; and what was said of a person is for the parties only."""

import pytest
from httpx2 import Response

from services.control.accounts.roles import Role
from services.control.store.database import ControlDatabase
from tests.support.web import Browser, Web, report


@pytest.fixture
def web(control_database: ControlDatabase) -> Web:
    return Web(control_database)


def act(browser: Browser, number: int, etag: str = "*", **form: object) -> Response:
    return browser.post(f"/tickets/{number}/actions", form, headers={"if-match": etag})


def test_a_record_is_reported_returned_and_supplemented_on_the_version_that_was_seen(web: Web) -> None:
    reporter = web.at(Role.CONSUMER, department="health")
    authority = web.at(Role.AUTHORITY, department="data_bureau")
    made = reporter.post("/tickets", report(), headers={"idempotency-key": "r1"})
    assert made.status_code == 201, made.text
    number, etag = made.json()["number"], made.headers["etag"]
    again = reporter.post("/tickets", report(), headers={"idempotency-key": "r1"})
    assert again.json() == made.json() | {"again": True}
    (task,) = authority.get("/tasks").json()["items"]
    assert (task["kind"], task["number"]) == ("ticket", number)
    returned = act(authority, number, etag, action="return", text="请补充")
    assert returned.json()["state"] == "returned", returned.text
    late = act(authority, number, etag, action="return", text="又一次")
    assert (late.status_code, late.json()["version"]) == (412, 1)
    assert [each["action"] for each in late.json()["meanwhile"]] == ["return"]
    (task,) = reporter.get("/tasks").json()["items"]
    assert task["state"] == "returned"
    done = act(reporter, number, returned.headers["etag"], action="supplement", text="补充如下")
    assert done.json()["state"] == "reported"
    assert reporter.post(f"/tickets/{number}/actions", {"action": "withdraw"}).status_code == 428
    assert [each["number"] for each in reporter.get("/tickets").json()["items"]] == [number]


def test_texts_are_for_the_parties_and_reading_them_is_owed_to_the_ledger(web: Web) -> None:
    reporter = web.at(Role.CONSUMER, department="health")
    made = reporter.post("/tickets", report()).json()
    id_, number = made["id"], made["number"]
    for browser, reads in (
        (web.at(Role.PROVIDER), True),
        (web.at(Role.AUTHORITY, department="data_bureau"), True),
        (web.at(Role.AUDITOR, department="tax"), False),
        (web.at(Role.OVERSEER, department="tax"), False),
    ):
        before = web.acts("ticket", id_).count("ticket.look_texts")
        shown = browser.get(f"/tickets/{number}").json()
        assert (shown["statement"] == "住址门牌号有误，应为2号") is reads
        assert web.acts("ticket", id_).count("ticket.look_texts") == before + reads


def test_what_is_no_record_and_what_lacks_evidence_is_refused(web: Web) -> None:
    reporter = web.at(Role.CONSUMER, department="health")
    assert reporter.post("/tickets", report(at="nowhere:0:1")).status_code == 404
    bare = reporter.post("/tickets", report(evidence=[]))
    assert bare.status_code == 422
    assert "EVIDENCE_MISSING" in {each["code"] for each in bare.json()["problems"]}


def test_only_a_department_that_received_the_data_reports_it_and_others_learn_nothing(web: Web) -> None:
    stranger = web.at(Role.CONSUMER, department="tax")
    there, nowhere = (stranger.post("/tickets", report(**more)) for more in ({}, {"at": "nowhere:0:1"}))
    assert (there.status_code, nowhere.status_code) == (404, 404)
    assert there.json()["detail"] == nowhere.json()["detail"]
    assert web.at(Role.AUTHORITY, department="data_bureau").get("/tickets").json()["items"] == []
    web.bus.current = None
    assert web.at(Role.CONSUMER, department="health").post("/tickets", report()).status_code == 404


def test_a_ticket_of_others_is_as_if_it_were_not_there(web: Web) -> None:
    number = web.at(Role.CONSUMER, department="health").post("/tickets", report()).json()["number"]
    stranger = web.at(Role.CONSUMER, Role.PROVIDER, department="tax")
    for each in (number, 999999):
        assert stranger.get(f"/tickets/{each}").status_code == 404
        assert act(stranger, each, action="escalate", text="太慢").status_code == 404
