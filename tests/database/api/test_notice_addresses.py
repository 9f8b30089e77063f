"""Where notices go: who may say it, a secret that is shown once, judged endpoints, and trying anew."""

from typing import Any, Final

import pytest

from services.control.accounts.roles import Role
from services.control.notices.signature import secret_of
from services.control.store.database import ControlDatabase
from tests.support.notices import given_up
from tests.support.web import MASTER, Browser, Web

HOOK: Final = {"way": "webhook", "target": "https://hook.example.cn/govbus"}
MAILBOX: Final = {"way": "email", "target": "clerk@health.example.cn", "language": "en"}
ROLES: Final = tuple(Role)


@pytest.fixture
def web(control_database: ControlDatabase) -> Web:
    return Web(control_database)


@pytest.fixture
def health(web: Web) -> Browser:
    return web.at(Role.CONSUMER, department="health")


def added(browser: Browser, form: dict[str, Any]) -> dict[str, Any]:
    answer = browser.post("/notices/addresses", form)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_secret_is_shown_once_and_is_the_one_that_the_courier_signs_with(web: Web, health: Browser) -> None:
    key = {"idempotency-key": "k-1"}
    first = health.post("/notices/addresses", HOOK, headers=key)
    assert first.status_code == 201, first.text
    assert first.json()["secret"] == secret_of(MASTER, first.json()["id"], 1)
    again = health.post("/notices/addresses", HOOK, headers=key)
    assert (again.json()["id"], again.json()["secret"]) == (first.json()["id"], None)
    assert first.json()["secret"] not in health.get("/notices/addresses").text
    assert web.acts("notice_address", str(first.json()["id"])) == ["notice.address_added"]


def test_a_new_secret_leaves_a_week_and_a_mailbox_has_none(web: Web, health: Browser) -> None:
    hook, mailbox = added(health, HOOK)["id"], added(health, MAILBOX)
    assert mailbox["secret"] is None
    rotated = health.post(f"/notices/addresses/{hook}/secret").json()
    assert rotated["secret"] == secret_of(MASTER, hook, 2)
    assert rotated["previous_until"] is not None
    refused = health.post(f"/notices/addresses/{mailbox['id']}/secret")
    assert (refused.status_code, refused.json()["code"]) == (409, "WRONG_STATE")
    assert web.acts("notice_address", str(hook)) == ["notice.address_added", "notice.secret_rotated"]


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"way": "webhook", "target": "https://inside.example.cn/"}, "ADDRESS_FORBIDDEN"),
        ({"way": "webhook", "target": "https://nobody.example.cn/"}, "NAME_UNKNOWN"),
        ({"way": "webhook", "target": "http://hook.example.cn/"}, "NO_ENDPOINT"),
        ({"way": "webhook", "target": "https://u:p@hook.example.cn/"}, "NO_ENDPOINT"),
        ({"way": "email", "target": "nobody"}, "NO_MAILBOX"),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_an_address_that_cannot_be_or_must_not_be_reached_is_not_added(
    health: Browser, form: dict[str, Any], problem: str, language: str
) -> None:
    answer = health.post("/notices/addresses", form, headers={"accept-language": language})
    assert answer.status_code == 422
    (found,) = answer.json()["problems"]
    assert (found["code"], found["field"]) == (problem, "target")
    assert found["what"].isascii() == (language == "en")
    assert health.get("/notices/addresses").json()["items"] == []


def test_the_same_address_twice_is_said_and_one_that_is_off_comes_back_with_another_secret(
    web: Web, health: Browser
) -> None:
    first = added(health, HOOK)
    twice = health.post("/notices/addresses", HOOK)
    assert (twice.status_code, twice.json()["problems"][0]["code"]) == (409, "KNOWN_ALREADY")
    assert health.delete(f"/notices/addresses/{first['id']}").status_code == 204
    assert health.delete(f"/notices/addresses/{first['id']}").status_code == 409
    assert added(health, HOOK)["secret"] not in ("", None, first["secret"])
    assert web.acts("notice_address", str(first["id"])).count("notice.address_removed") == 1


def test_without_its_own_secret_no_endpoint_is_added_and_mailboxes_are(
    web: Web, control_database: ControlDatabase
) -> None:
    object.__setattr__(web.parts, "means", None)
    browser = web.at(Role.CONSUMER, department="health")
    assert browser.post("/notices/addresses", HOOK).status_code == 503
    assert added(browser, MAILBOX)["target"] == "clerk@health.example.cn"


def test_a_dead_delivery_says_why_and_is_tried_anew_once(web: Web, health: Browser) -> None:
    added(health, HOOK)
    dead = given_up(web.parts.database)
    (line,) = health.get("/notices/deliveries").json()["items"]
    assert (line["id"], line["progress"], line["failure"]) == (dead, "dead", "ANSWER_NOT_2XX")
    assert line["detail"] == "410"
    assert health.post(f"/notices/deliveries/{dead}/try").status_code == 204
    (line,) = health.get("/notices/deliveries").json()["items"]
    assert (line["progress"], line["attempts"]) == ("waiting", 0)
    assert health.post(f"/notices/deliveries/{dead}/try").status_code == 409
    assert web.acts("notice_delivery", str(dead)) == ["notice.tried_anew"]


@pytest.mark.requirement("A1-05", "A1-06")
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("own", [True, False])
def test_each_does_with_addresses_what_the_table_of_permissions_says(web: Web, role: Role, own: bool) -> None:
    owner = web.at(Role.CONSUMER, department="health")
    hook = added(owner, HOOK)["id"]
    dead = given_up(web.parts.database)
    browser = web.at(role, department="health" if own else "tax")
    looks = {True: role is not Role.OVERSEER, False: role is Role.OPERATOR}[own]
    mends = {True: role not in (Role.AUDITOR, Role.OVERSEER), False: role is Role.OPERATOR}[own]
    sets = own and mends
    for path in ("/notices/addresses", "/notices/deliveries"):
        answer = browser.get(path, params={"department": "health"})
        assert answer.status_code == (200 if looks else 403), path
    assert browser.post(f"/notices/addresses/{hook}/secret").status_code == (201 if sets else 403)
    assert browser.post(f"/notices/deliveries/{dead}/try").status_code == (204 if mends else 403)
    assert browser.delete(f"/notices/addresses/{hook}").status_code == (204 if mends else 403)


def test_what_is_not_there_tells_no_more_than_what_is_anothers(web: Web) -> None:
    stranger = web.at(Role.CONSUMER, department="tax")
    assert stranger.delete("/notices/addresses/999").status_code == 403
    assert stranger.post("/notices/deliveries/999/try").status_code == 403
    operator = web.at(Role.OPERATOR, department="data_bureau")
    assert operator.delete("/notices/addresses/999").status_code == 404
