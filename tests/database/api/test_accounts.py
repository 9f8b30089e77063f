"""Accounts over HTTP: who makes them, who gives roles, what is shown once; every look is recorded."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from services.control.accounts.people import Person
from services.control.accounts.roles import Role
from services.control.store.accounts.departments import department_of, edit_department
from services.control.store.accounts.identities import link
from services.control.store.accounts.persons import add_person
from services.control.store.accounts.roles import give_role
from services.control.store.database import ControlDatabase
from services.control.store.requests.answered import KEPT
from services.control.store.requests.tables import REQUESTS
from tests.support.web import CONSOLE, CONTACTS, NOW, PASSWORD, Browser, Web, application, credit_code

NEW = {"login": "new.clerk", "name": "新人", "department": "health"}


@pytest.fixture
def web(control_database: ControlDatabase) -> Web:
    return Web(control_database)


def change(browser: Browser, id_: str, etag: str = "*", **form: Any) -> Any:
    return browser.post(f"/people/{id_}/actions", form, headers={"if-match": etag})


def kept(web: Web) -> str:
    with web.parts.database.begin() as connection:
        return str(connection.execute(select(REQUESTS)).all())


def test_a_first_password_is_shown_once_and_kept_nowhere(web: Web) -> None:
    operator = web.at(Role.OPERATOR)
    first = operator.post("/people", NEW, headers={"idempotency-key": "p1"})
    again = operator.post("/people", NEW, headers={"idempotency-key": "p1"})
    assert (first.status_code, again.status_code) == (201, 201), first.text
    assert len(first.json()["password"]) > 20
    assert again.json() == first.json() | {"password": None}
    assert first.json()["password"] not in kept(web)


def test_a_tokens_text_is_shown_once(web: Web) -> None:
    browser = web.at(Role.CONSUMER)
    ends = (NOW + timedelta(days=30)).isoformat()
    form = {"name": "nightly", "scopes": ["case:look"], "expires_at": ends}
    first = browser.post("/tokens", form, headers={"idempotency-key": "t1"}).json()
    again = browser.post("/tokens", form, headers={"idempotency-key": "t1"}).json()
    assert first["token"].startswith(first["prefix"])
    assert again == first | {"token": None}
    assert first["token"] not in kept(web)
    (listed,) = browser.get("/tokens").json()["items"]
    assert (listed["prefix"], listed["scopes"]) == (first["prefix"], ["case:look"])
    bad = browser.post("/tokens", form | {"scopes": ["case:fly"]})
    assert [each["code"] for each in bad.json()["problems"]] == ["SCOPE"]


def test_who_makes_accounts_gives_no_roles_and_nobody_gets_two_duties(web: Web) -> None:
    operator, authority = web.at(Role.OPERATOR), web.at(Role.AUTHORITY, department="data_bureau")
    id_ = operator.post("/people", NEW).json()["id"]
    assert change(operator, id_, action="give_role", role="consumer").status_code == 403
    given = change(authority, id_, action="give_role", role="consumer")
    assert given.json()["roles"] == ["consumer"]
    second = change(authority, id_, given.headers["etag"], action="give_role", role="auditor")
    assert second.status_code == 409
    assert [each["code"] for each in second.json()["problems"]] == ["SEPARATION"]
    assert web.acts("account", id_).count("account.give_role") == 1


def test_an_account_that_changed_meanwhile_is_not_changed_again(web: Web) -> None:
    operator, authority = web.at(Role.OPERATOR), web.at(Role.AUTHORITY, department="data_bureau")
    id_ = operator.post("/people", NEW).json()["id"]
    etag = authority.get(f"/people/{id_}").headers["etag"]
    assert change(authority, id_, etag, action="give_role", role="consumer").status_code == 200
    assert change(authority, id_, etag, action="disable").status_code == 412
    assert authority.post(f"/people/{id_}/actions", {"action": "disable"}).status_code == 428


def test_nobody_changes_his_own_account_as_its_administrator(web: Web) -> None:
    person = web.hire(Role.AUTHORITY, department="data_bureau")
    answer = change(web.logged_in(person), str(person.id), action="give_role", role="authority")
    assert (answer.status_code, answer.json()["problems"][0]["code"]) == (403, "OWN_ACCOUNT")


def test_what_an_operator_can_do_with_an_account(web: Web) -> None:
    operator, person = web.at(Role.OPERATOR), web.hire(Role.CONSUMER, department="health")
    open_one, id_ = web.logged_in(person), str(person.id)
    assert change(operator, id_, action="revoke_sessions").status_code == 200
    assert open_one.get("/session").status_code == 401
    reset = change(operator, id_, action="reset_password").json()["password"]
    wrong = web.client().post("/api/v1/session", json={"login": person.login, "password": PASSWORD})
    assert wrong.status_code == 401
    right = web.client().post("/api/v1/session", json={"login": person.login, "password": reset})
    assert right.status_code == 200
    assert change(operator, id_, action="disable", why="离职").json()["active"] is False
    assert change(operator, id_, action="enable").json()["active"] is True
    assert change(operator, id_, action="unlock").status_code == 200
    assert {"account.disable", "account.enable", "account.unlock"} <= set(web.acts("account", id_))


def test_every_look_at_people_is_owed_to_the_ledger(web: Web) -> None:
    person = web.hire(Role.CONSUMER, department="health")
    browser = web.at(Role.CONSUMER, department="health")
    assert browser.get(f"/people/{person.id}").json()["name"] == person.name
    assert web.acts("account", str(person.id))[-1] == "account.look"
    listed = browser.get("/people").json()["items"]
    assert {each["department"] for each in listed} == {"health"}
    assert browser.get("/people", params={"department": "police"}).json()["items"] == []
    assert web.acts("department", "all") == ["account.look"]
    assert [each["id"] for each in browser.get("/departments").json()["items"]] == ["health"]
    assert browser.get("/departments/police").status_code == 403


def test_a_department_is_added_then_edited_on_the_version_that_was_seen(web: Web) -> None:
    authority = web.at(Role.AUTHORITY, department="data_bureau")
    contacts = {
        who: {"name": getattr(CONTACTS, who).name, "phone": getattr(CONTACTS, who).phone}
        for who in ("head", "deputy", "clerk")
    }
    form = {"zh": "档案局", "en": "Archives", "credit_code": credit_code("01409002"), **contacts}
    made = authority.put("/departments/archives", form)
    assert made.status_code == 201, made.text
    shown = authority.get("/departments/health")
    edited = {**contacts, "zh": "卫生健康委", "en": "Health", "credit_code": shown.json()["credit_code"]}
    assert authority.put("/departments/health", edited).status_code == 428
    done = authority.put("/departments/health", edited, headers={"if-match": shown.headers["etag"]})
    assert (done.status_code, done.json()["zh"]) == (200, "卫生健康委")
    late = authority.put("/departments/health", edited, headers={"if-match": shown.headers["etag"]})
    assert late.status_code == 412


def test_one_ends_ones_own_sessions(web: Web) -> None:
    person = web.hire(Role.CONSUMER)
    mine, other = web.logged_in(person), web.logged_in(person)
    numbers = [each["number"] for each in mine.get("/sessions").json()["items"]]
    assert len(numbers) == 2
    assert mine.delete(f"/sessions/{numbers[0]}").status_code == 204
    assert other.get("/session").status_code == 401
    assert mine.get("/session").status_code == 200
    assert mine.delete(f"/sessions/{numbers[0]}").status_code == 404


def test_keys_are_forgotten_after_a_while(web: Web) -> None:
    operator = web.at(Role.OPERATOR)
    operator.post("/people", NEW, headers={"idempotency-key": "p1"})
    web.clock.pass_by(KEPT + timedelta(seconds=1))
    later = web.at(Role.OPERATOR)
    later.post("/people", NEW | {"login": "other"}, headers={"idempotency-key": "p2"})
    with web.parts.database.begin() as connection:
        assert len(connection.execute(select(REQUESTS)).all()) == 1


@pytest.mark.parametrize("role", [Role.AUTHORITY, Role.AUDITOR, Role.OVERSEER, Role.OPERATOR])
def test_no_operator_takes_over_who_decides_who_audits_or_who_runs_the_bus(web: Web, role: Role) -> None:
    operator, person = web.at(Role.OPERATOR), web.hire(role, department="data_bureau")
    answer = change(operator, str(person.id), action="reset_password")
    assert (answer.status_code, answer.json()["problems"][0]["code"]) == (403, "RESET_AT_CONSOLE")
    assert "password" not in answer.json()
    assert web.logged_in(person).get("/session").status_code == 200


def enters(web: Web, login: str, password: str) -> int:
    """How a login is answered."""
    form = {"login": login, "password": password}
    return web.client().post("/api/v1/session", json=form).status_code


NOT_EXCHANGE = [Role.AUTHORITY, Role.AUDITOR, Role.OVERSEER, Role.OPERATOR]


@pytest.mark.requirement("A1-05")
@pytest.mark.parametrize("role", NOT_EXCHANGE)
def test_who_has_made_an_account_cannot_be_whoever_gets_it_to_decide_to_audit_or_to_run_the_bus(
    web: Web, role: Role
) -> None:
    operator, authority = web.at(Role.OPERATOR), web.at(Role.AUTHORITY, department="data_bureau")
    made = operator.post("/people", NEW).json()
    given = change(authority, made["id"], action="give_role", role=role.value)
    assert (given.status_code, given.json()["password"]) == (200, None)
    assert enters(web, NEW["login"], made["password"]) == 401
    assert "account.void_password" in web.acts("account", made["id"])
    again = change(operator, made["id"], action="reset_password")
    assert again.json()["problems"][0]["code"] == "RESET_AT_CONSOLE"
    with web.parts.database.begin() as connection:
        password = web.parts.logins.reset(connection, UUID(made["id"]), CONSOLE)
    assert enters(web, NEW["login"], password) == 200


@pytest.mark.requirement("A1-05")
@pytest.mark.parametrize("role", NOT_EXCHANGE)
def test_with_another_duty_nothing_that_was_open_before_counts(web: Web, role: Role) -> None:
    authority = web.at(Role.AUTHORITY, department="data_bureau")
    person = web.hire(Role.CONSUMER, department="health")
    open_one, token, id_ = web.logged_in(person), web.token_of(person), str(person.id)
    assert change(authority, id_, action="take_role", role="consumer").status_code == 200
    assert change(authority, id_, action="give_role", role=role.value).status_code == 200
    assert open_one.get("/session").status_code == 401
    assert web.client().get("/api/v1/cases", headers=token).status_code == 401
    assert enters(web, person.login, PASSWORD) == 401


def test_a_role_of_the_same_duty_and_one_that_exchanges_leave_the_password(web: Web) -> None:
    operator, authority = web.at(Role.OPERATOR), web.at(Role.AUTHORITY, department="data_bureau")
    made = operator.post("/people", NEW).json()
    assert change(authority, made["id"], action="give_role", role="consumer").status_code == 200
    assert enters(web, NEW["login"], made["password"]) == 200
    auditor = web.hire(Role.AUDITOR, department="data_bureau")
    open_one = web.logged_in(auditor)
    assert change(authority, str(auditor.id), action="give_role", role="overseer").status_code == 200
    assert open_one.get("/session").status_code == 200


@pytest.mark.requirement("A1-05")
def test_who_switched_an_account_off_or_the_authority_switches_it_on_again(web: Web) -> None:
    authority = web.at(Role.AUTHORITY, department="data_bureau")
    operator, other = web.at(Role.OPERATOR), web.at(Role.OPERATOR)
    id_ = str(web.hire(Role.CONSUMER, department="health").id)
    assert change(authority, id_, action="disable", why="滥用").status_code == 200
    refused = change(operator, id_, action="enable")
    assert (refused.status_code, refused.json()["problems"][0]["code"]) == (403, "DISABLED_BY_ANOTHER")
    assert change(operator, id_, action="disable").json()["active"] is False
    assert change(operator, id_, action="enable").status_code == 403
    assert change(authority, id_, action="enable").json()["active"] is True
    assert change(operator, id_, action="disable").status_code == 200
    assert change(other, id_, action="enable").status_code == 403
    assert change(operator, id_, action="enable").json()["active"] is True
    assert change(operator, id_, action="disable").status_code == 200
    assert change(authority, id_, action="disable").status_code == 200
    assert change(operator, id_, action="enable").status_code == 403


def test_who_logs_in_at_the_identity_provider_only_is_given_no_password(web: Web) -> None:
    operator = web.at(Role.OPERATOR)
    person = Person(UUID(int=77_777), "from.provider", "某人", "health")
    with web.parts.database.begin() as connection:
        add_person(connection, person, CONSOLE)
        give_role(connection, person.id, Role.CONSUMER, CONSOLE)
        link(connection, "https://id.example.gov.cn", "77777", person.id, CONSOLE)
    answer = change(operator, str(person.id), action="reset_password")
    assert (answer.status_code, answer.json()["problems"][0]["code"]) == (409, "NO_PASSWORD")


def test_a_department_that_is_switched_off_lets_nobody_in(web: Web) -> None:
    person = web.hire(Role.CONSUMER, department="health")
    open_one, token = web.logged_in(person), web.token_of(person)
    assert web.client().get("/api/v1/cases", headers=token).status_code == 200
    with web.parts.database.begin() as connection:
        found = department_of(connection, "health")
        assert found is not None
        edit_department(connection, replace(found, active=False), CONSOLE)
    assert open_one.post("/cases", application()).status_code == 401
    assert web.client().get("/api/v1/cases", headers=token).status_code == 401
    again = web.client().post("/api/v1/session", json={"login": person.login, "password": PASSWORD})
    assert again.status_code == 401
