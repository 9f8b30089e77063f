"""Logging in at a real identity provider, walked over HTTP through the portal as it is wired for a stack.

The provider is Django OAuth Toolkit in a process of its own (``tests/support/identity_provider.py``): its own
discovery, login and consent pages, codes that count once and with their verifier only, signed id tokens.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

import pytest
import uvicorn
from httpx2 import Client, Response

from services.api.parts import Parts
from services.api.routes.session import return_address
from services.api.settings import ApiSettings
from services.api.uses.signing_in import after_logout
from services.api.wiring import parts as wired
from services.control.store.accounts import persons
from services.control.store.accounts.acts import Order
from services.control.store.accounts.departments import add_department
from services.control.store.database import ControlDatabase
from services.control.store.outbox import OUTBOX
from services.portal.app import create_app
from services.portal.operations.on_stack import connect_stack
from tests.database_fixture import DatabaseOnly
from tests.support import identity_provider
from tests.support.identity_provider import CLIENT, OTHER_CLIENT, PASSWORD, SECRET, IdentityProvider
from tests.support.portal import Page
from tests.support.ports import free_ports
from tests.support.waiting import eventually
from tests.support.web import CONSOLE, DEPARTMENTS

GROUPS = """
claim: groups
groups:
  - {group: gb-police, department: police}
  - {group: gb-give, roles: [provider]}
  - {group: gb-take, roles: [consumer]}
"""
WANG: dict[str, Any] = {
    "name": "王丽",
    "preferred_username": "wang.li",
    "email": "wang.li@example.gov.cn",
    "groups": ["gb-police", "gb-give", "canteen"],
}
ACCEPT = {"accept": "text/html", "accept-language": "en"}


@dataclass(frozen=True)
class Place:
    """The portal's address, the provider, and the parts of the portal."""

    origin: str
    provider: IdentityProvider
    parts: Parts


@pytest.fixture(scope="module")
def running(
    database_server: DatabaseOnly,
    migrated_database: ControlDatabase,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Place]:
    """Both servers; the portal's database is the one of the tests."""
    folder, [port] = tmp_path_factory.mktemp("provider"), free_ports(1)
    origin = f"http://127.0.0.1:{port}"
    (folder / "secret").write_text(SECRET, encoding="utf-8")
    (folder / "groups.yaml").write_text(GROUPS, encoding="utf-8")
    addresses = return_address(origin), after_logout(origin)
    with identity_provider.running(folder, ("wang.li",), *addresses) as provider:
        settings = ApiSettings(
            origin=origin,
            port=port,
            oidc_issuer=provider.issuer,
            oidc_client_id=CLIENT,
            oidc_secret_file=folder / "secret",
            oidc_groups_file=folder / "groups.yaml",
        )
        parts = wired(settings, database_server)
        with served(parts, database_server, port):
            yield Place(origin, provider, parts)
        parts.database.close()


@contextmanager
def served(parts: Parts, stack: DatabaseOnly, port: int) -> Iterator[None]:
    """The portal's process, as ``services/portal/__main__.py`` starts it, in a thread."""
    app = create_app(parts)
    connect_stack(app, parts, stack)
    server = uvicorn.Server(
        uvicorn.Config(app, "127.0.0.1", port, log_config=None, access_log=False, ws="none")
    )
    thread = Thread(target=server.run, name="portal")
    thread.start()
    try:
        eventually(lambda: server.started, 30)
        yield
    finally:
        server.should_exit = True
        thread.join(30)


@pytest.fixture
def place(running: Place, control_database: ControlDatabase) -> Place:
    with control_database.begin() as connection:
        for department in DEPARTMENTS:
            add_department(connection, department, CONSOLE)
    running.provider.says({"wang.li": WANG})
    return running


@pytest.fixture
def browser(place: Place) -> Iterator["Walker"]:
    with Client(headers=ACCEPT, timeout=30) as client:
        yield Walker(place, client)


@dataclass
class Walker:
    """Somebody at a browser who does what pages offer."""

    place: Place
    client: Client

    def begin(self, back: str = "/cases") -> str:
        """Press the button of the login page; returns where the portal sends the browser."""
        page = Page(self.client.get(f"{self.place.origin}/login", params={"back": back}))
        [button] = [link for link in page.links if "/session/oidc" in link]
        answer = self.client.get(self.place.origin + button)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def at_provider(self, address: str, *, consent: bool = True) -> str:
        """Log in at the provider and answer its question; returns where it sends the browser."""
        answer = self.client.get(address, follow_redirects=True)
        if "password" in Page(answer).form("").fields:
            answer = self._sent(answer, username="wang.li", password=PASSWORD)
            answer = self.client.get(self._absolute(answer), follow_redirects=True)
        fields = dict(Page(answer).form("").fields)
        if not consent:
            del fields["allow"]
        sent = self.client.post(str(answer.url), data=fields)
        assert sent.status_code == 302, sent.text
        return sent.headers["location"]

    def log_in(self, back: str = "/cases") -> Page:
        """The whole way; returns the page at its end."""
        return self.come_back(self.at_provider(self.begin(back)))

    def come_back(self, address: str) -> Page:
        return Page(self.client.get(address, follow_redirects=True))

    def log_out(self, page: Page) -> Response:
        """Press the button that every page has."""
        return self.client.post(f"{self.place.origin}/logout", data=page.form("/logout").fields)

    def leave(self, page: Page) -> Page:
        """Log out here; returns the page that follows."""
        return self.come_back(self.place.origin + self.log_out(page).headers["location"])

    def is_asked_for_a_password(self) -> bool:
        """Whether the provider would ask who begins to log in now."""
        address = f"{self.place.origin}/api/v1/session/oidc"
        answer = self.client.get(address, follow_redirects=True)
        return "password" in Page(answer).form("").fields

    def session(self) -> Response:
        return self.client.get(f"{self.place.origin}/api/v1/session", headers={"accept": "application/json"})

    def roles(self) -> set[str]:
        return {each["role"] for each in self.session().json()["roles"]}

    def is_out(self, page: Page) -> bool:
        """Whether a page says that nobody is let in, and nobody is."""
        told = (page.status, "lets nobody in" in page.text, page.faults) == (403, True, [])
        return told and "/login" in page.links and self.session().status_code == 401

    def _sent(self, answer: Response, **fields: str) -> Response:
        sent = self.client.post(str(answer.url), data={**Page(answer).form("").fields, **fields})
        assert sent.status_code == 302, sent.text
        return sent

    def _absolute(self, answer: Response) -> str:
        return str(answer.url.join(answer.headers["location"]))


def changed(address: str, **parameters: str | None) -> str:
    """An address with some parameters changed, or left out, by somebody on the way."""
    parts = urlsplit(address)
    given: dict[str, str | None] = {name: values[0] for name, values in parse_qs(parts.query).items()}
    kept = {name: value for name, value in (given | parameters).items() if value is not None}
    return parts._replace(query=urlencode(kept)).geturl()


def test_who_logs_in_at_the_provider_is_in_with_the_department_and_roles_of_his_groups(
    place: Place, browser: Walker
) -> None:
    asked = parse_qs(urlsplit(address := browser.begin("/cases?state=active")).query)
    assert (asked["response_type"], asked["code_challenge_method"]) == (["code"], ["S256"])
    assert all(asked[name][0] for name in ("state", "nonce", "code_challenge"))
    assert SECRET not in address
    page = browser.come_back(browser.at_provider(address))
    assert (page.status, page.path, page.faults) == (200, "/cases", [])
    assert "state=active" in str(page.answer.url)
    told = browser.session().json()
    assert (told["name"], told["department"]) == ("王丽", "police")
    assert browser.roles() == {"provider"}
    [session] = browser.client.get(f"{place.origin}/api/v1/sessions").json()["items"]
    assert session["method"] == "oidc"
    with place.parts.database.begin() as connection:
        acts = {(row.who, row.what) for row in connection.execute(OUTBOX.select())}
    assert (f"oidc:{place.provider.issuer}", "account.give_role") in acts


def test_groups_decide_anew_at_each_login_and_the_person_stays_the_same(
    place: Place, browser: Walker
) -> None:
    page = browser.log_in()
    assert browser.roles() == {"provider"}
    first = browser.session().json()["person"]
    place.provider.says({"wang.li": {**WANG, "groups": ["gb-police", "gb-take"]}})
    browser.log_out(page)
    browser.log_in()
    assert browser.roles() == {"consumer"}
    assert browser.session().json()["person"] == first


def test_logging_out_ends_the_session_here_for_whoever_has_its_cookie(place: Place, browser: Walker) -> None:
    page = browser.log_in()
    kept = browser.client.cookies["govbus"]
    out = browser.log_out(page)
    assert (out.status_code, out.headers["location"]) == (303, "/login?ended=provider")
    assert browser.session().status_code == 401
    with Client(cookies={"govbus": kept}) as thief:
        assert thief.get(f"{place.origin}/api/v1/session").status_code == 401
    assert browser.come_back(f"{place.origin}/cases").path == "/login"


def test_who_logs_out_at_the_provider_too_is_asked_for_the_password_at_the_next_login(
    place: Place, browser: Walker
) -> None:
    browser.leave(browser.log_in())
    assert not browser.is_asked_for_a_password(), "logged out here only, the provider knows the browser still"
    page = browser.leave(browser.log_in())
    assert (page.status, page.faults) == (200, [])
    assert "At the identity provider you are still logged in" in page.text
    assert "/logout/provider" in page.links
    answer = browser.client.get(f"{place.origin}/logout/provider")
    assert answer.headers["location"].startswith(f"{place.provider.issuer}/logout/")
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    assert asked["post_logout_redirect_uri"] == [f"{place.origin}/login"]
    assert len(asked["id_token_hint"][0].split(".")) == 3
    assert "govbus-hint" not in browser.client.cookies
    back = browser.come_back(answer.headers["location"])
    assert (back.status, str(back.answer.url)) == (200, f"{place.origin}/login")
    assert "you are still logged in" not in back.text
    assert browser.is_asked_for_a_password()


def test_without_the_hint_the_provider_asks_before_it_ends_a_session(place: Place, browser: Walker) -> None:
    browser.leave(browser.log_in())
    del browser.client.cookies["govbus-hint"]
    asked = browser.come_back(f"{place.origin}/logout/provider")
    assert (asked.status, asked.path) == (200, "/o/logout/")
    assert "Confirm Logout requested by govbus" in asked.text
    assert not browser.is_asked_for_a_password()


def test_a_link_of_another_site_ends_no_session_here_or_there(place: Place, browser: Walker) -> None:
    browser.log_in()
    answer = browser.client.get(f"{place.origin}/logout/provider", follow_redirects=True)
    assert Page(answer).path == "/"
    assert browser.session().status_code == 200
    assert not browser.is_asked_for_a_password()


def test_the_hint_travels_with_the_logout_only(place: Place, browser: Walker) -> None:
    browser.log_in()
    [hint] = [each for each in browser.client.cookies.jar if each.name == "govbus-hint"]
    assert (hint.path, hint.has_nonstandard_attr("HttpOnly"), hint.expires) == ("/logout", True, None)


@pytest.mark.parametrize(
    "mistake", [{"aud": OTHER_CLIENT}, {"aud": OTHER_CLIENT, "azp": CLIENT}, {"nonce": "another"}]
)
def test_an_id_token_for_another_application_or_another_login_lets_nobody_in(
    place: Place, browser: Walker, mistake: dict[str, str]
) -> None:
    place.provider.says({"wang.li": WANG | mistake})
    assert browser.is_out(browser.log_in())


def test_a_nonce_that_was_changed_on_the_way_lets_nobody_in(browser: Walker) -> None:
    address = changed(browser.begin(), nonce="of-somebody-else")
    assert browser.is_out(browser.come_back(browser.at_provider(address)))


def test_a_code_counts_with_the_verifier_of_its_login_only(browser: Walker) -> None:
    other = parse_qs(urlsplit(browser.begin()).query)["code_challenge"][0]
    address = changed(browser.begin(), code_challenge=other)
    assert browser.is_out(browser.come_back(browser.at_provider(address)))


def test_the_provider_asks_for_a_challenge_and_its_refusal_is_said(browser: Walker) -> None:
    browser.log_in()
    del browser.client.cookies["govbus"]
    address = changed(browser.begin(), code_challenge=None, code_challenge_method=None)
    answer = browser.client.get(address)
    assert "error=invalid_request" in answer.headers["location"]
    assert browser.is_out(browser.come_back(answer.headers["location"]))


def test_a_login_ends_once_and_in_the_browser_that_began_it(place: Place, browser: Walker) -> None:
    back = browser.at_provider(browser.begin())
    with Client(headers=ACCEPT, timeout=30) as client:
        thief = Walker(place, client)
        thief.begin()
        assert thief.is_out(thief.come_back(back))
    assert browser.is_out(browser.come_back(changed(back, state="of-somebody-else")))


def test_a_code_that_was_made_for_another_application_lets_nobody_in(browser: Walker) -> None:
    address = changed(browser.begin(), client_id=OTHER_CLIENT)
    assert browser.is_out(browser.come_back(browser.at_provider(address)))


def test_who_says_no_at_the_provider_reads_a_page_that_leads_to_the_login(browser: Walker) -> None:
    back = browser.at_provider(browser.begin(), consent=False)
    assert "error=access_denied" in back
    assert browser.is_out(browser.come_back(back))
    assert browser.log_in().path == "/cases"


@pytest.mark.parametrize("groups", [["canteen"], [], ["gb-police"], ["gb-give"]])
def test_groups_that_make_nobody_of_us_let_nobody_in(
    place: Place, browser: Walker, groups: list[str]
) -> None:
    place.provider.says({"wang.li": {**WANG, "groups": groups}})
    page = browser.log_in()
    assert browser.is_out(page)


def test_whose_groups_are_gone_loses_the_sessions_that_he_has(place: Place, browser: Walker) -> None:
    browser.log_in()
    place.provider.says({"wang.li": {**WANG, "groups": ["canteen"]}})
    with Client(headers=ACCEPT, timeout=30) as client:
        elsewhere = Walker(place, client)
        assert elsewhere.is_out(elsewhere.log_in())
    assert browser.session().status_code == 401


def test_who_was_switched_off_here_stays_out_whatever_the_provider_says(
    place: Place, browser: Walker
) -> None:
    browser.log_in()
    person = browser.session().json()["person"]
    with place.parts.database.begin() as connection:
        persons.disable(connection, UUID(person), Order("console:test", datetime.now(UTC)))
    assert browser.session().status_code == 401
    assert browser.is_out(browser.log_in())
