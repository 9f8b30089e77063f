"""Sharing cases over HTTP: from application to decision, versions, keys, pages, what is told to whom."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import select

from services.control.accounts.roles import Role
from services.control.store.cases.tables import COMMANDS
from services.control.store.database import ControlDatabase
from tests.support.web import Browser, Web, application


@pytest.fixture
def web(control_database: ControlDatabase) -> Web:
    return Web(control_database)


def submitted(consumer: Browser, **changes: Any) -> int:
    """The number of a case that was opened and handed in."""
    opened = consumer.post("/cases", application(**changes))
    assert opened.status_code == 201, opened.text
    number: int = opened.json()["number"]
    handed_in = consumer.post(
        f"/cases/{number}/actions", {"action": "submit"}, headers={"if-match": opened.headers["etag"]}
    )
    assert handed_in.status_code == 200, handed_in.text
    return number


def act(browser: Browser, number: int, version: str = "*", key: str = "", **form: Any) -> Response:
    headers = {"if-match": version} | ({"idempotency-key": key} if key else {})
    return browser.post(f"/cases/{number}/actions", form, headers=headers)


def test_a_department_applies_and_the_provider_approves(web: Web) -> None:
    consumer, provider = web.at(Role.CONSUMER, department="health"), web.at(Role.PROVIDER)
    number = submitted(consumer)
    seen = provider.get(f"/cases/{number}")
    assert seen.json()["state"] == "deciding"
    assert "approve" in seen.json()["allowed"]
    done = act(provider, number, seen.headers["etag"], action="approve", text="同意")
    assert done.status_code == 200, done.text
    assert done.json()["state"] == "provisioning"
    assert done.headers["etag"] != seen.headers["etag"]
    case = seen.json()["case"]
    assert web.acts("case", case)[:2] == ["case.open", "case.submit"]
    assert "case.approve" in web.acts("case", case)


def test_who_decides_on_an_old_version_is_told_what_happened_meanwhile(web: Web) -> None:
    consumer, provider = web.at(Role.CONSUMER, department="health"), web.at(Role.PROVIDER)
    number = submitted(consumer)
    etag = provider.get(f"/cases/{number}").headers["etag"]
    assert act(provider, number, etag, action="return", text="请补充").status_code == 200
    late = act(provider, number, etag, action="approve")
    assert late.status_code == 412
    assert late.json()["code"] == "OVERTAKEN"
    assert [each["action"] for each in late.json()["meanwhile"]] == ["return"]
    assert late.json()["meanwhile"][0]["text"] == "请补充"
    assert late.headers["etag"] == provider.get(f"/cases/{number}").headers["etag"]


def test_of_two_at_once_exactly_one_decides(web: Web) -> None:
    consumer = web.at(Role.CONSUMER, department="health")
    number = submitted(consumer)
    deciders = [web.at(Role.PROVIDER), web.at(Role.PROVIDER)]
    etag = deciders[0].get(f"/cases/{number}").headers["etag"]
    gate = Barrier(2, timeout=30)

    def decide(browser: Browser) -> int:
        gate.wait()
        return act(browser, number, etag, action="approve").status_code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(decide, deciders)) == [200, 412]


def test_without_a_version_nothing_is_decided(web: Web) -> None:
    consumer = web.at(Role.CONSUMER, department="health")
    number = submitted(consumer)
    answer = consumer.post(f"/cases/{number}/actions", {"action": "withdraw"})
    assert answer.status_code == 428
    assert answer.json()["code"] == "VERSION_MISSING"
    assert consumer.get(f"/cases/{number}").json()["state"] == "deciding"


def test_the_same_key_opens_one_case_and_another_content_under_it_is_refused(web: Web) -> None:
    consumer = web.at(Role.CONSUMER, department="health")
    key = {"idempotency-key": "apply-1"}
    first = consumer.post("/cases", application(), headers=key)
    again = consumer.post("/cases", application(), headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() | {"repeated": True} == again.json()
    other = consumer.post("/cases", application(scenario="另一场景的使用"), headers=key)
    assert other.status_code == 409
    assert other.json()["code"] == "KEY_REUSED"
    assert len(consumer.get("/cases").json()["items"]) == 1


def test_a_request_without_a_key_leaves_none_behind_and_takes_place_each_time(web: Web) -> None:
    consumer = web.at(Role.CONSUMER, department="health")
    first, second = submitted(consumer), submitted(consumer)
    assert first != second
    with web.parts.database.begin() as connection:
        assert connection.execute(select(COMMANDS)).all() == []
    consumer.post("/cases", application(), headers={"idempotency-key": "k"})
    with web.parts.database.begin() as connection:
        assert len(connection.execute(select(COMMANDS)).all()) == 1


def test_keys_of_two_people_never_meet(web: Web) -> None:
    mine, theirs = web.at(Role.CONSUMER, department="health"), web.at(Role.CONSUMER, department="health")
    key = {"idempotency-key": "the-same"}
    first, second = (each.post("/cases", application(), headers=key).json() for each in (mine, theirs))
    assert first["case"] != second["case"]


def test_an_action_under_a_key_takes_place_once(web: Web) -> None:
    consumer, provider = web.at(Role.CONSUMER, department="health"), web.at(Role.PROVIDER)
    number = submitted(consumer)
    etag = provider.get(f"/cases/{number}").headers["etag"]
    first = act(provider, number, etag, key="k1", action="approve")
    again = act(provider, number, etag, key="k1", action="approve")
    assert (first.status_code, again.status_code) == (200, 200), again.text
    assert again.json() == first.json() | {"repeated": True}


@pytest.mark.requirement("A6-01")
def test_rules_are_told_by_code_and_in_the_language_of_the_reader(web: Web) -> None:
    consumer = web.at(Role.CONSUMER, department="health")
    opened = consumer.post("/cases", application(scenario="x", items=["nothing"]))
    number = opened.json()["number"]
    answers = {
        language: consumer.post(
            f"/cases/{number}/actions",
            {"action": "submit"},
            headers={"if-match": "*", "accept-language": language},
        )
        for language in ("zh-CN", "en")
    }
    for answer in answers.values():
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        codes = {each["code"] for each in answer.json()["problems"]}
        assert {"SCENARIO_MISSING", "ITEM_UNKNOWN"} <= codes
    zh, en = answers["zh-CN"].json(), answers["en"].json()
    assert zh["title"] != en["title"]
    assert "未说明使用场景" in {each["what"] for each in zh["problems"]}
    assert "the scenario of use is not described" in {each["what"] for each in en["problems"]}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"scenario": "x" * 4001}, "TOO_LONG"),
        ({"scenario": "一\x1b二"}, "CONTROL_CHARACTERS"),
        ({"end": "9999-12-31"}, "DAYS_TOO_LATE"),
        ({"start": "0001-01-01"}, "DAYS_TOO_EARLY"),
    ],
)
def test_an_application_beyond_its_bounds_opens_no_case(web: Web, changes: Any, code: str) -> None:
    consumer = web.at(Role.CONSUMER, department="health")
    answer = consumer.post("/cases", application(**changes), headers={"accept-language": "zh-CN"})
    assert (answer.status_code, answer.json()["problems"][0]["code"]) == (422, code)
    assert answer.json()["problems"][0]["what"][0] > "\u4e00"
    assert consumer.get("/cases").json()["items"] == []


def test_a_list_is_walked_without_gap_or_double_while_cases_come_and_go(web: Web) -> None:
    consumer = web.at(Role.CONSUMER, department="health")
    numbers = [submitted(consumer) for _ in range(7)]
    first = consumer.get("/cases", params={"limit": 3}).json()
    submitted(consumer)
    act(consumer, numbers[2], action="withdraw")
    walked, cursor = [each["number"] for each in first["items"]], first["next"]
    while cursor is not None:
        page = consumer.get("/cases", params={"limit": 3, "cursor": cursor}).json()
        walked += [each["number"] for each in page["items"]]
        cursor = page["next"]
    assert walked == sorted(numbers, reverse=True)


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "WyJhIiwgWzFdXQ", "W10", "é", "9" * 900])
def test_what_is_no_cursor_is_refused(web: Web, cursor: str) -> None:
    answer = web.at(Role.CONSUMER, department="health").get("/cases", params={"cursor": cursor})
    assert answer.status_code == 400
    assert answer.json()["code"] == "CURSOR"


def test_a_cursor_of_another_question_is_refused(web: Web) -> None:
    consumer = web.at(Role.CONSUMER, department="health")
    for _ in range(3):
        submitted(consumer)
    cursor = consumer.get("/cases", params={"limit": 1}).json()["next"]
    asked = {"limit": 1, "cursor": cursor, "state": "deciding"}
    assert consumer.get("/cases", params=asked).json()["code"] == "CURSOR"


def test_others_see_neither_the_case_nor_that_it_is_in_a_list(web: Web) -> None:
    number = submitted(web.at(Role.CONSUMER, department="health"))
    stranger = web.at(Role.CONSUMER, Role.PROVIDER, department="tax")
    assert stranger.get("/cases").json()["items"] == []
    there, nowhere = stranger.get(f"/cases/{number}"), stranger.get("/cases/999999")
    assert (there.status_code, nowhere.status_code) == (404, 404)
    assert _said(there) == _said(nowhere)
    assert stranger.get(f"/cases/{number}/context").status_code == 404
    overseer = web.at(Role.OVERSEER, department="tax", oversees=("health",))
    assert [each["number"] for each in overseer.get("/cases").json()["items"]] == [number]
    blind = web.at(Role.OVERSEER, department="tax", oversees=("police",))
    assert blind.get("/cases").json()["items"] == []


def _said(answer: Response) -> tuple[int, dict[str, Any]]:
    """What is answered, but for what names the request."""
    told = {name: value for name, value in answer.json().items() if name not in ("instance", "request")}
    return answer.status_code, told


@pytest.mark.parametrize("action", ["complain", "withdraw", "approve"])
@pytest.mark.parametrize("version", ['"1"', "*"])
def test_who_is_no_party_can_do_nothing_with_a_case_and_not_even_find_it(
    web: Web, action: str, version: str
) -> None:
    number = submitted(web.at(Role.CONSUMER, department="health"))
    auditor = web.at(Role.AUDITOR, department="data_bureau")
    before = auditor.get(f"/cases/{number}").headers["etag"]
    stranger = web.at(Role.CONSUMER, Role.PROVIDER, department="tax")
    there, nowhere = (act(stranger, each, version, action=action, text="太慢") for each in (number, 999999))
    assert _said(there) == _said(nowhere)
    assert there.status_code == 404
    assert auditor.get(f"/cases/{number}").headers["etag"] == before


def test_the_departments_of_a_case_complain_about_it(web: Web) -> None:
    consumer = web.at(Role.CONSUMER, department="health")
    number = submitted(consumer)
    assert act(consumer, number, action="complain", text="办理太慢").status_code == 200
    assert act(web.at(Role.PROVIDER), number, action="complain", text="材料不实").status_code == 200


def test_tasks_say_how_many_working_days_are_left(web: Web) -> None:
    consumer, provider = web.at(Role.CONSUMER, department="health"), web.at(Role.PROVIDER)
    number = submitted(consumer)
    (task,) = provider.get("/tasks").json()["items"]
    assert (task["kind"], task["number"], task["state"]) == ("case", number, "deciding")
    assert task["days_left"] == 5
    assert task["department"] == "health"
    assert act(provider, number, action="return", text="请补充").status_code == 200
    assert provider.get("/tasks").json()["items"] == []
    (task,) = consumer.get("/tasks").json()["items"]
    assert (task["state"], task["days_left"]) == ("returned", None)


@pytest.mark.requirement("A12-08")
@pytest.mark.parametrize("sort", ["newest", "due"])
def test_cases_with_an_overdue_duty_are_asked_for(web: Web, sort: str) -> None:
    consumer = web.at(Role.CONSUMER, department="health")
    late = submitted(consumer)
    web.clock.pass_by(timedelta(days=14))
    submitted(web.at(Role.CONSUMER, department="health"))
    asked = {"overdue": "true", "sort": sort}
    items = web.at(Role.PROVIDER).get("/cases", params=asked).json()["items"]
    assert [each["number"] for each in items] == [late]
    assert act(
        web.at(Role.PROVIDER), late, action="refuse", reason="LAW_FORBIDS", text="否", acceptable_if="无"
    )
    assert web.at(Role.PROVIDER).get("/cases", params=asked).json()["items"] == []


@pytest.mark.requirement("A8-06")
def test_an_approver_sees_what_the_applicant_holds_and_what_both_reveal(web: Web) -> None:
    consumer, provider = web.at(Role.CONSUMER, department="health"), web.at(Role.PROVIDER)
    first = submitted(consumer, items=["name"], rows=[])
    assert act(provider, first, action="approve").status_code == 200
    second = submitted(consumer, items=["id_number", "birth_date"], rows=[])
    context = provider.get(f"/cases/{second}/context").json()
    assert [each["case"] for each in context["held"]] == [provider.get(f"/cases/{first}").json()["case"]]
    assert {each["name"] for each in context["added"]} == {"id_number", "birth_date"}
    assert consumer.get(f"/cases/{second}/context").status_code == 403


def test_dates_are_explained_by_article(web: Web) -> None:
    consumer = web.at(Role.CONSUMER, department="health")
    number = submitted(consumer)
    told = consumer.get(f"/cases/{number}/clocks").json()
    assert told["clocks"][0]["due"] == "2026-03-09"
    assert told["clocks"][0]["article"]
