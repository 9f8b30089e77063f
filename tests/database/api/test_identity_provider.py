"""Logging in at an identity provider over HTTP: begun and ended in one browser, once, back to our pages."""

from random import Random

import pytest

from services.control.accounts.groups import GroupRule
from services.control.accounts.roles import Role
from services.control.signing_in.identity_provider import Asked, Claims, ClaimsRefused, ProviderUnavailable
from services.control.signing_in.oidc import GroupMapping, OidcLogins
from services.control.store.database import ControlDatabase
from tests.support.portal import Portal
from tests.support.web import Web

RULES = (GroupRule("gb-police", "police", frozenset({Role.PROVIDER})),)
BEGIN, RETURN = "/api/v1/session/oidc", "/api/v1/session/oidc/return"


class Provider:
    """An identity provider that says of everybody what a test wants."""

    def __init__(self) -> None:
        self.asked: Asked | None = None
        self.groups = ["gb-police"]
        self.failure: Exception | None = None
        self.ends: str | None = None

    def address(self, asked: Asked) -> str:
        if self.failure is not None:
            raise self.failure
        self.asked = asked
        return "https://idp.example.gov.cn/authorize"

    def claims(self, code: str, nonce: str, verifier: str) -> Claims:
        assert self.asked is not None
        if code != "right" or (nonce, verifier) != (self.asked.nonce, self.asked.verifier):
            raise ClaimsRefused("the code is none")
        all_ = {"groups": self.groups, "name": "王丽", "preferred_username": "wang.li"}
        return Claims("https://idp.example.gov.cn", "subject-1", all_)

    def end_address(self, id_token: str, back: str) -> str | None:
        if self.failure is not None:
            raise self.failure
        return self.ends and f"{self.ends}?back={back}"

    @property
    def state(self) -> str:
        assert self.asked is not None
        return self.asked.state


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def web(control_database: ControlDatabase, provider: Provider) -> Web:
    return Web(control_database, oidc=logins_of(control_database, provider))


def logins_of(database: ControlDatabase, provider: Provider) -> OidcLogins:
    random = Random(3).randbytes  # noqa: S311 - a test wants the same each time
    return OidcLogins(database, provider, GroupMapping("groups", RULES), random)


def test_who_comes_back_with_the_right_code_is_in_and_where_he_wanted_to_go(
    web: Web, provider: Provider
) -> None:
    client = web.client()
    begun = client.get(BEGIN, params={"return_to": "/cases/17"})
    assert (begun.status_code, begun.headers["location"]) == (303, "https://idp.example.gov.cn/authorize")
    back = client.get(RETURN, params={"state": provider.state, "code": "right"})
    assert (back.status_code, back.headers["location"]) == (303, "/cases/17")
    told = client.get("/api/v1/session").json()
    assert (told["name"], told["department"]) == ("王丽", "police")
    assert "govbus-login" not in client.cookies
    again = client.get(RETURN, params={"state": provider.state, "code": "right"})
    assert (again.status_code, again.json()["reason"]) == (403, "NO_SUCH_LOGIN")


def test_another_browser_cannot_end_the_login(web: Web, provider: Provider) -> None:
    web.client().get(BEGIN)
    thief = web.client()
    answer = thief.get(RETURN, params={"state": provider.state, "code": "right"})
    assert (answer.status_code, answer.json()["code"]) == (403, "LOGIN_REFUSED")
    assert thief.get("/api/v1/session").status_code == 401


@pytest.mark.parametrize("place", ["https://evil.example/", "//evil.example", "/\\evil.example", "x"])
def test_nobody_is_sent_anywhere_else(web: Web, provider: Provider, place: str) -> None:
    client = web.client()
    client.get(BEGIN, params={"return_to": place})
    back = client.get(RETURN, params={"state": provider.state, "code": "right"})
    assert back.headers["location"] == "/"


def test_what_proves_nothing_and_groups_of_nobody_let_nobody_in(web: Web, provider: Provider) -> None:
    client = web.client()
    client.get(BEGIN)
    wrong = client.get(RETURN, params={"state": provider.state, "code": "wrong"})
    assert wrong.json()["reason"] == "REFUSED"
    provider.groups = ["others"]
    client.get(BEGIN)
    unknown = client.get(RETURN, params={"state": provider.state, "code": "right"})
    assert unknown.json()["reason"] == "UNMAPPED"
    assert client.get("/api/v1/session").status_code == 401


def test_a_provider_that_does_not_answer_and_none_at_all_are_said(web: Web, provider: Provider) -> None:
    provider.failure = ProviderUnavailable("down")
    answer = web.client().get(BEGIN)
    assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")
    object.__setattr__(web.parts, "oidc", None)
    assert web.client().get(BEGIN).json()["code"] == "NO_IDENTITY_PROVIDER"


@pytest.mark.parametrize(
    ("ends", "failure", "said", "offered"),
    [
        ("https://idp.example.gov.cn/logout", None, "?ended=provider", True),
        (None, None, "?ended=alone", False),
        ("https://idp.example.gov.cn/logout", ProviderUnavailable("down"), "?ended=alone", False),
    ],
)
def test_the_page_after_a_logout_says_whether_the_session_at_the_provider_can_be_ended_too(
    control_database: ControlDatabase,
    provider: Provider,
    ends: str | None,
    failure: Exception | None,
    said: str,
    offered: bool,
) -> None:
    portal = Portal(control_database, oidc=logins_of(control_database, provider))
    reader = portal.stranger()
    reader.client.get(BEGIN)
    reader.client.get(RETURN, params={"state": provider.state, "code": "right"})
    page = reader.open("/account")
    provider.ends, provider.failure = ends, failure
    out = reader.send(page, "/logout")
    assert out.headers["location"] == f"/login{said}"
    after = reader.open(out.headers["location"])
    assert "At the identity provider you are still logged in" in after.text
    assert ("/logout/provider" in after.links, after.faults) == (offered, [])
    gone = reader.look("/logout/provider").headers["location"]
    assert gone.startswith("https://idp.example.gov.cn/logout?back=" if offered else "/login?ended=alone")


def test_who_logged_in_by_password_has_nothing_else_to_end(
    control_database: ControlDatabase, provider: Provider
) -> None:
    portal = Portal(control_database, oidc=logins_of(control_database, provider))
    provider.ends = "https://idp.example.gov.cn/logout"
    reader = portal.reader(Role.PROVIDER)
    out = reader.send(reader.open("/account"), "/logout")
    assert out.headers["location"] == "/login"
    assert "identity provider you are still" not in reader.open("/login").text
