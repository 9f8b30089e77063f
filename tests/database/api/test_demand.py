"""Needs over HTTP: stated, merged, assigned, and made into a draft; what the catalogue derives."""

import csv
import io
import json

import pytest
from httpx2 import Response

from services.control.accounts.roles import Role
from services.control.store.database import ControlDatabase
from services.control.store.snapshots import Kind, put
from tests.database.api.test_catalogue import published
from tests.support.web import NOW, Browser, Web, statement


@pytest.fixture
def web(control_database: ControlDatabase) -> Web:
    return Web(control_database)


def act(browser: Browser, number: int, etag: str = "*", **form: object) -> Response:
    return browser.post(f"/demand/needs/{number}/actions", form, headers={"if-match": etag})


@pytest.mark.requirement("A2-09", "A6-07")
def test_a_need_is_stated_assigned_and_leads_to_a_draft_of_the_department_that_holds_the_data(
    web: Web,
) -> None:
    consumer = web.at(Role.CONSUMER, department="health")
    authority = web.at(Role.AUTHORITY, department="data_bureau")
    provider = web.at(Role.PROVIDER)
    made = consumer.post("/demand/needs", statement(), headers={"idempotency-key": "n1"})
    assert made.status_code == 201, made.text
    number, etag = made.json()["number"], made.headers["etag"]
    again = consumer.post("/demand/needs", statement(), headers={"idempotency-key": "n1"})
    assert again.json() == made.json()
    (task,) = authority.get("/tasks").json()["items"]
    assert (task["kind"], task["number"], task["name"]) == ("need", number, "流浪人员救助信息")
    assigned = act(authority, number, etag, action="assign", department="police")
    assert assigned.json()["state"] == "assigned", assigned.text
    late = act(authority, number, etag, action="assign", department="tax")
    assert late.status_code == 412
    (task,) = provider.get("/tasks").json()["items"]
    assert (task["kind"], task["state"]) == ("need", "assigned")
    drafted = act(provider, number, assigned.headers["etag"], action="draft")
    assert drafted.json()["state"] == "drafted", drafted.text
    entry = provider.get(f"/catalogue/entries/{drafted.json()['entry']}").json()
    assert (entry["state"], entry["versions"][0]["entry"]["name"]) == ("draft", "流浪人员救助信息")
    (line,) = web.at(Role.CONSUMER, department="tax").get("/demand").json()["items"]
    assert (line["departments"], line["needs"][0]["scenario"]) == (["health"], "流浪人员医疗救治")
    whole = consumer.get(f"/demand/needs/{number}").json()
    assert [each["action"] for each in whole["events"]] == ["assign", "draft"]


@pytest.mark.requirement("A6-07")
def test_why_not_is_answered_with_its_reason(web: Web) -> None:
    consumer = web.at(Role.CONSUMER, department="health")
    authority = web.at(Role.AUTHORITY, department="data_bureau")
    number = consumer.post("/demand/needs", statement()).json()["number"]
    bare = act(authority, number, action="decline", reason="LAW_FORBIDS", text=" ")
    assert (bare.status_code, bare.json()["problems"][0]["code"]) == (422, "TEXT_MISSING")
    assert act(authority, number, action="decline", reason="LAW_FORBIDS", text="第七条").status_code == 200
    (line,) = consumer.get("/demand/needs", params={"state": "declined"}).json()["items"]
    assert (line["reason"], line["answer"]) == ("LAW_FORBIDS", "第七条")
    assert consumer.get("/demand").json()["items"] == []


def test_what_is_wrong_with_a_need_is_said_in_the_readers_language(web: Web) -> None:
    consumer = web.at(Role.CONSUMER, department="health")
    headers = {"accept-language": "zh-CN"}
    answer = consumer.post("/demand/needs", statement(subject="x", scenario=" "), headers=headers)
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["what"] == "未说明使用场景"
    odd = consumer.post("/demand/needs", statement(code="nonsense"), headers=headers).json()
    assert odd["problems"][0]["what"] == "未指明目录编码"
    authority = web.at(Role.AUTHORITY, department="data_bureau")
    number = consumer.post("/demand/needs", statement()).json()["number"]
    assert act(authority, number, action="point", code="nonsense").status_code == 422
    assert consumer.get("/demand/needs/999").status_code == 404
    assert act(authority, 999, action="assign", department="tax").status_code == 404


def test_needs_are_listed_page_by_page(web: Web) -> None:
    consumer = web.at(Role.CONSUMER, department="health")
    for number in range(3):
        assert consumer.post("/demand/needs", statement(subject=f"信息{number}")).status_code == 201
    first = consumer.get("/demand/needs", params={"limit": 2}).json()
    rest = consumer.get("/demand/needs", params={"limit": 2, "cursor": first["next"]}).json()
    assert [each["subject"] for each in (*first["items"], *rest["items"])] == ["信息2", "信息1", "信息0"]
    assert rest["next"] is None


WITHHELD = {
    "code": "3013205/000002",
    "name": "案件侦办信息",
    "sharing": {
        "type": "not_shared",
        "condition": "涉及侦查秘密",
        "basis_level": "law",
        "basis": "《刑事诉讼法》第五十四条",
    },
}
OPEN = {"code": "3013205/000003", "name": "办证网点信息", "opening": {"type": "unconditional"}}


@pytest.mark.requirement("A2-10", "A3-07")
def test_one_catalogue_is_published_as_a_share_and_an_open_directory_and_says_why_not(web: Web) -> None:
    provider = web.at(Role.PROVIDER)
    published(web, provider)
    published(web, provider, **WITHHELD)
    published(web, provider, **OPEN)
    provider.post("/catalogue/entries", {"name": "草稿"})
    reader = web.at(Role.CONSUMER, department="tax")
    names = {
        which: [each["name"] for each in reader.get(f"/catalogue/directories/{which}").json()["items"]]
        for which in ("share", "open", "not_shared")
    }
    assert names == {
        "share": ["居住证办理信息", "办证网点信息"],
        "open": ["办证网点信息"],
        "not_shared": ["案件侦办信息"],
    }
    (why,) = reader.get("/catalogue/directories/not_shared").json()["items"]
    assert (why["basis"], why["share_condition"]) == ("《刑事诉讼法》第五十四条", "涉及侦查秘密")
    first = reader.get("/catalogue/directories/share", params={"limit": 1}).json()
    rest = reader.get("/catalogue/directories/share", params={"limit": 1, "cursor": first["next"]}).json()
    assert [first["items"][0]["name"], rest["items"][0]["name"]] == names["share"]
    assert rest["next"] is None
    file = reader.get("/catalogue/directories/open/export")
    assert file.headers["content-type"].startswith("text/csv")
    _, row = csv.reader(io.StringIO(file.content.decode("utf-8-sig")))
    assert row[1] == "办证网点信息"
    whole = reader.get("/catalogue/directories/share/export", params={"format": "json"})
    assert [each["name"] for each in json.loads(whole.content)["entries"]] == names["share"]


@pytest.mark.requirement("A2-08")
def test_duties_follow_from_what_is_published_and_are_judged_by_what_was_seen(web: Web) -> None:
    provider = web.at(Role.PROVIDER)
    published(web, provider)
    reader = web.at(Role.CONSUMER, department="tax")
    before = reader.get("/catalogue/duties").json()
    assert (before["as_of"], before["items"][0]["duties"][0]["fulfilment"]) == (None, "unseen")
    with web.parts.database.begin() as connection:
        put(connection, Kind.MOUNTING, {"3013205/000001": {"state": "fresh", "differences": []}}, NOW)
    (department,) = reader.get("/catalogue/duties").json()["items"]
    assert (department["department"], department["fulfilled"]) == ("公安局", 1)
    assert department["duties"][0]["fulfilment"] == "fulfilled"
    own = reader.get("/catalogue/duties", params={"department": "公安局"}).json()
    assert own["items"] == [department]
    assert reader.get("/catalogue/duties", params={"department": "税务局"}).json()["items"] == []
