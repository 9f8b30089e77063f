"""Who is let in and for how long, where requests may come from, how many, and what no log ever says."""

import logging
from datetime import timedelta
from typing import Any

import pytest

from services.api.security.wrapping import POLICY
from services.api.settings import ApiSettings
from services.control.accounts.roles import Role
from services.control.accounts.token_bucket import OF_LOGINS, OF_PERSONS, OF_TOKENS
from services.control.store.accounts.acts import Order
from services.control.store.accounts.persons import disable
from services.control.store.accounts.roles import give_role
from services.control.store.database import ControlDatabase
from tests.support.web import NOW, ORIGIN, PASSWORD, Browser, Web, application


@pytest.fixture
def web(control_database: ControlDatabase) -> Web:
    return Web(control_database)


def test_without_a_login_nothing_is_said(web: Web) -> None:
    answer = web.client().get("/api/v1/cases")
    assert answer.status_code == 401
    assert answer.json()["code"] == "LOG_IN"
    assert answer.headers["www-authenticate"] == "Bearer"


def test_name_and_password_let_in_and_nobody_is_told_which_of_them_was_wrong(web: Web) -> None:
    person = web.hire(Role.CONSUMER)
    tries = [(person.login, "Wrong-97-Wolke"), ("nobody", PASSWORD)]
    wrong = [
        web.client().post("/api/v1/session", json={"login": login, "password": password})
        for login, password in tries
    ]
    assert {each.status_code for each in wrong} == {401}
    assert {each.json()["code"] for each in wrong} == {"LOGIN_WRONG"}
    browser = web.logged_in(person)
    told = browser.get("/session").json()
    assert (told["login"], told["department"], told["scopes"]) == (person.login, "police", None)
    assert [each["role"] for each in told["roles"]] == ["consumer"]
    assert told["csrf_token"] == browser.token


def test_too_many_wrong_passwords_have_to_wait(web: Web) -> None:
    person = web.hire(Role.CONSUMER)
    client = web.client()
    for _ in range(6):
        client.post("/api/v1/session", json={"login": person.login, "password": "Wrong-97-Wolke"})
    answer = client.post("/api/v1/session", json={"login": person.login, "password": PASSWORD})
    assert answer.status_code == 429
    assert answer.json()["code"] == "LOGIN_WAIT"
    assert int(answer.headers["retry-after"]) > 0


def test_one_address_logs_in_so_often_and_no_oftener(web: Web) -> None:
    client = web.client()
    codes = [
        client.post("/api/v1/session", json={"login": f"n{number}", "password": "x"}).json()["code"]
        for number in range(OF_LOGINS.capacity + 1)
    ]
    assert codes[-1] == "TOO_MANY"
    assert "TOO_MANY" not in codes[:-1]


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({}, True),
        ({"x-csrf-token": ""}, False),
        ({"x-csrf-token": "x" * 43}, False),
        ({"origin": "https://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "same-origin"}, True),
    ],
)
def test_what_changes_something_comes_from_a_page_of_ours(
    web: Web, headers: dict[str, str], passes: bool
) -> None:
    browser = web.at(Role.CONSUMER, department="health")
    answer = browser.post("/cases", application(), headers=headers)
    assert answer.status_code == (201 if passes else 403)
    if not passes:
        assert answer.json()["code"] == "CROSS_SITE"
        assert browser.get("/cases").json()["items"] == []


def test_the_token_of_another_session_does_not_count(web: Web) -> None:
    mine, theirs = web.at(Role.CONSUMER, department="health"), web.at(Role.CONSUMER, department="health")
    mine.token = theirs.token
    assert mine.post("/cases", application()).json()["code"] == "CROSS_SITE"


def test_nobody_can_be_logged_in_from_a_page_of_another_site(web: Web) -> None:
    person = web.hire(Role.CONSUMER)
    answer = web.client().post(
        "/api/v1/session",
        json={"login": person.login, "password": PASSWORD},
        headers={"origin": "https://evil.example"},
    )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_form_of_a_page_brings_the_token_as_a_field(web: Web) -> None:
    browser = web.at(Role.CONSUMER, department="health")
    fields = {"csrf_token": browser.token}
    answer = browser.client.post("/api/v1/notices/read", data=fields, headers={"origin": ORIGIN})
    # The form came through; what is in it is no JSON.
    assert answer.json()["code"] == "INVALID"
    without = browser.client.post("/api/v1/notices/read", data={"ids": "1"}, headers={"origin": ORIGIN})
    assert without.json()["code"] == "CROSS_SITE"


def test_after_logging_out_the_old_cookie_is_worth_nothing(web: Web) -> None:
    browser = web.at(Role.CONSUMER)
    kept = dict(browser.client.cookies)
    assert browser.delete("/session").status_code == 204
    assert browser.get("/session").status_code == 401
    thief = web.client()
    thief.cookies.update(kept)
    assert thief.get("/api/v1/session").status_code == 401


def test_a_session_ends_when_nobody_uses_it_and_when_it_is_old(web: Web) -> None:
    browser = web.at(Role.CONSUMER)
    web.clock.pass_by(timedelta(minutes=29))
    assert browser.get("/session").status_code == 200
    web.clock.pass_by(timedelta(minutes=30))
    assert browser.get("/session").status_code == 401
    other = web.at(Role.CONSUMER)
    for _ in range(24):
        web.clock.pass_by(timedelta(minutes=29))
        assert other.get("/session").status_code == 200
    web.clock.pass_by(timedelta(minutes=25))
    assert other.get("/session").status_code == 401


def test_who_gets_another_role_goes_on_under_another_id(web: Web) -> None:
    person = web.hire(Role.CONSUMER, department="health")
    browser = web.logged_in(person)
    before = dict(browser.client.cookies)
    with web.parts.database.begin() as connection:
        give_role(connection, person.id, Role.PROVIDER, Order("console:test", NOW))
    told = browser.get("/session").json()
    assert {each["role"] for each in told["roles"]} == {"consumer", "provider"}
    assert dict(browser.client.cookies) != before
    browser.token = told["csrf_token"]
    assert browser.post("/cases", application()).status_code == 201


def test_who_is_switched_off_is_out_at_once(web: Web) -> None:
    person = web.hire(Role.CONSUMER)
    browser, token = web.logged_in(person), web.token_of(person)
    with web.parts.database.begin() as connection:
        disable(connection, person.id, Order("console:test", NOW))
    assert browser.get("/session").status_code == 401
    assert web.client().get("/api/v1/session", headers=token).status_code == 401


def test_before_the_first_password_is_changed_nothing_else_is_done(web: Web) -> None:
    operator = web.at(Role.OPERATOR)
    form = {"login": "new.clerk", "name": "新人", "department": "health"}
    made = operator.post("/people", form).json()
    authority = web.at(Role.AUTHORITY, department="data_bureau")
    given = authority.post(
        f"/people/{made['id']}/actions",
        {"action": "give_role", "role": "consumer"},
        headers={"if-match": "*"},
    )
    assert given.status_code == 200, given.text
    browser = Browser(web.client())
    logged_in = browser.client.post(
        "/api/v1/session", json={"login": "new.clerk", "password": made["password"]}
    )
    assert logged_in.json()["must_change_password"] is True
    browser.token = logged_in.json()["csrf_token"]
    assert browser.get("/cases").json()["reason"] == "PASSWORD_CHANGE_FIRST"
    wrong = browser.post("/session/password", {"old": "wrong", "new": PASSWORD})
    assert (wrong.status_code, wrong.json()["problems"][0]["field"]) == (422, "old")
    weak = browser.post("/session/password", {"old": made["password"], "new": "12345"})
    assert {"PASSWORD_TOO_SHORT", "PASSWORD_GUESSABLE"} <= {each["code"] for each in weak.json()["problems"]}
    changed = browser.post("/session/password", {"old": made["password"], "new": PASSWORD})
    assert changed.status_code == 204, changed.text
    assert browser.get("/cases").status_code == 200


def test_a_token_does_what_its_scopes_say_and_nothing_of_its_owners_account(web: Web) -> None:
    person = web.hire(Role.CONSUMER, department="health")
    looks, client = web.token_of(person, "case:look"), web.client()
    assert client.get("/api/v1/cases", headers=looks).status_code == 200
    refused = client.post("/api/v1/cases", json=application(), headers=looks)
    assert refused.json()["reason"] == "OUT_OF_SCOPE"
    everything = web.token_of(person)
    assert client.post("/api/v1/cases", json=application(), headers=everything).status_code == 201
    form = {"name": "more", "scopes": ["case:look"], "expires_at": (NOW + timedelta(days=9)).isoformat()}
    made = client.post("/api/v1/tokens", json=form, headers=everything)
    assert made.json()["reason"] == "OUT_OF_SCOPE"


def test_a_token_ends_on_its_day_and_when_it_is_revoked(web: Web) -> None:
    person = web.hire(Role.CONSUMER)
    short, client = web.token_of(person, lasts=timedelta(days=1)), web.client()
    web.clock.pass_by(timedelta(days=1) - timedelta(seconds=1))
    assert client.get("/api/v1/session", headers=short).status_code == 200
    web.clock.pass_by(timedelta(seconds=1))
    assert client.get("/api/v1/session", headers=short).status_code == 401
    browser = web.logged_in(person)
    form = {
        "name": "x",
        "scopes": ["case:look"],
        "expires_at": (web.clock.now + timedelta(days=9)).isoformat(),
    }
    made = browser.post("/tokens", form).json()
    shown = {"authorization": f"Bearer {made['token']}"}
    assert client.get("/api/v1/cases", headers=shown).status_code == 200
    assert browser.delete(f"/tokens/{made['prefix']}").status_code == 204
    assert client.get("/api/v1/cases", headers=shown).status_code == 401


@pytest.mark.parametrize(
    "shown", ["Bearer", "Bearer x", "Basic eDp5", "Bearer gbt_aaaaaaaa_" + "A" * 43, "é"]
)
def test_what_is_no_token_is_refused_though_a_session_came_along(web: Web, shown: str) -> None:
    browser = web.at(Role.CONSUMER)
    assert browser.get("/session", headers={"authorization": shown.encode()}).status_code == 401


def test_a_person_and_a_token_ask_so_often_and_no_oftener(web: Web) -> None:
    person = web.hire(Role.CONSUMER)
    browser, token = web.logged_in(person), web.token_of(person)
    asked = [browser.get("/session").status_code for _ in range(OF_PERSONS.capacity + 1)]
    assert asked == [200] * OF_PERSONS.capacity + [429]
    client = web.client()
    shown = [client.get("/api/v1/session", headers=token).status_code for _ in range(OF_TOKENS.capacity + 1)]
    assert shown == [200] * OF_TOKENS.capacity + [429]
    web.clock.pass_by(OF_PERSONS.every)
    assert browser.get("/session").status_code == 200


def test_every_answer_has_its_headers_also_where_something_went_wrong(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = web.at(Role.CONSUMER)
    monkeypatch.setattr("services.api.uses.notices.page", _broken)
    answers = [browser.get("/session"), browser.get("/nowhere"), browser.get("/notices")]
    assert [each.status_code for each in answers] == [200, 404, 500]
    for answer in answers:
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-request-id"]
    assert "unsafe" not in POLICY
    assert "frame-ancestors 'none'" in POLICY


def _broken(*_arguments: object, **_more: object) -> Any:
    raise ValueError("11010519491231002X 王小明")


def test_a_defect_says_nothing_of_what_it_met(
    web: Web, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    browser = web.at(Role.CONSUMER)
    monkeypatch.setattr("services.api.uses.notices.page", _broken)
    with caplog.at_level(logging.DEBUG):
        answer = browser.get("/notices")
    assert answer.json()["code"] == "DEFECT"
    assert answer.json()["request"] in caplog.text
    assert "ValueError" in caplog.text
    for secret in ("11010519491231002X", "王小明"):
        assert secret not in caplog.text
        assert secret not in answer.text


def test_no_log_says_a_password_a_token_a_search_or_a_name(
    web: Web, caplog: pytest.LogCaptureFixture
) -> None:
    person = web.hire(Role.CONSUMER, department="health")
    with caplog.at_level(logging.DEBUG):
        browser = web.logged_in(person)
        token = web.token_of(person)
        web.client().get("/api/v1/catalogue", params={"q": "王小明"}, headers=token)
        browser.get("/catalogue", params={"q": "11010519491231002X"})
        browser.post("/cases", application(scenario="王小明的申请"))
    ours = "\n".join(each.getMessage() for each in caplog.records if each.name.startswith("govbus"))
    assert "/api/v1/catalogue" in ours
    session = browser.client.cookies["govbus"]
    for secret in (
        PASSWORD,
        token["authorization"][7:],
        session,
        browser.token,
        "11010519491231002X",
        "王小明",
    ):
        assert secret not in ours


def test_over_https_cookies_are_for_this_host_and_https_only(control_database: ControlDatabase) -> None:
    web = Web(control_database, ApiSettings(origin="https://govbus.example.gov.cn"))
    person = web.hire(Role.CONSUMER)
    answer = web.client().post("/api/v1/session", json={"login": person.login, "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-govbus=")
    for part in ("Secure", "HttpOnly", "Path=/", "SameSite=lax"):
        assert part in cookie
    assert "Domain" not in cookie
    assert answer.headers["strict-transport-security"].startswith("max-age=")


@pytest.mark.parametrize(
    "origin", ["http://govbus.example.gov.cn", "https://x/path", "ftp://127.0.0.1", "127.0.0.1", ""]
)
def test_plain_http_is_for_this_machine_only(origin: str) -> None:
    with pytest.raises(ValueError, match=r"origin|http"):
        ApiSettings(origin=origin)


def test_refusals_are_counted_without_saying_whose(web: Web) -> None:
    browser = web.at(Role.AUDITOR)
    browser.post("/cases", application())
    assert web.parts.refusals.counts == {("case.open", "WRONG_ROLE"): 1}


@pytest.mark.parametrize("path", ["/cases/1%00", "/catalogue?q=%00", "/acts/case/%00"])
def test_the_character_nul_is_refused_in_addresses(web: Web, path: str) -> None:
    answer = web.at(Role.AUTHORITY).get(path)
    assert answer.status_code == 422


def test_the_character_nul_is_refused_in_bodies(web: Web) -> None:
    browser = web.at(Role.CONSUMER, department="health")
    assert browser.post("/cases", application(scenario="a\0b c")).status_code == 422


def test_without_a_database_the_answer_says_so_and_to_come_again(web: Web) -> None:
    assert web.client().get("/readyz").json() == {"ready": True}
    assert web.client().get("/healthz").status_code == 200
