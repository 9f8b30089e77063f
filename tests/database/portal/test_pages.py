"""Every page for every role: who sees it, in both languages, well-formed, and nothing runs by itself."""

from dataclasses import replace
from typing import Any, Final

import pytest

from services.api.uses import cases
from services.control.accounts import actions as of_accounts
from services.control.accounts.decision import Principal, permitted
from services.control.accounts.roles import Role
from services.control.cases.life import allowed
from services.control.cases.words import Action, Actor, RefusalReason, State, StopReason
from services.control.cases.words import Role as CaseRole
from services.control.docket.filed import Filed
from services.control.store.database import ControlDatabase
from services.control.store.demand import work
from services.control.store.demand.reading import Filed as FiledNeed
from services.control.store.ids import new_id
from services.portal.languages import CHINESE, texts_of
from tests.support.desk import Office
from tests.support.needs import opening as need_opening
from tests.support.portal import Page, Portal, Reader
from tests.support.sharing_cases import APPLICANT, BUREAU, CONSUMER, DECIDER, NOW, PROVIDER, application
from tests.support.stored_catalogue import brought, numbered, opened
from tests.support.translations import said

ALL: Final = frozenset(Role)
SEATS: Final = {
    Role.AUTHORITY: "data_bureau",
    Role.PROVIDER: PROVIDER,
    Role.CONSUMER: APPLICANT,
    Role.OPERATOR: "data_bureau",
    Role.AUDITOR: "data_bureau",
    Role.OVERSEER: "data_bureau",
}
"""The department of each reader: that of the case's parties for the parties."""
SEEN_BY: Final = {
    "/": ALL,
    "/tasks": ALL,
    "/tasks?late=yes&sort=-due": ALL,
    "/inbox": ALL,
    "/catalogue": ALL,
    "/catalogue?q=居住证&share_type=unconditional": ALL,
    "/catalogue/entries/{published}": ALL,
    "/catalogue/entries/{draft}": ALL - {Role.CONSUMER, Role.OPERATOR},
    "/catalogue/entries/{draft}/edit": {Role.PROVIDER},
    "/catalogue/mounting": ALL,
    "/catalogue/mounting?state=no_entry&state=stale": ALL,
    "/maintenance": ALL,
    "/catalogue/new": {Role.PROVIDER},
    "/catalogue/import": {Role.PROVIDER},
    "/apply": {Role.CONSUMER},
    "/apply?resource=population.person.v1": {Role.CONSUMER},
    "/catalogue/directories/share": ALL,
    "/catalogue/directories/open": ALL,
    "/catalogue/directories/not_shared": ALL,
    "/catalogue/duties": ALL,
    "/demand": ALL,
    "/demand/new": {Role.CONSUMER},
    "/demand/{need}": ALL,
    "/objections": ALL - {Role.OPERATOR},
    "/objections/new?entry={published}": {Role.CONSUMER, Role.AUTHORITY},
    "/reports": ALL - {Role.OPERATOR},
    "/breaches": ALL,
    "/breaches?kind=case&done=yes": ALL,
    "/cases": ALL,
    "/cases?sort=due&state=deciding": ALL,
    "/cases/{case}": ALL,
    "/cases/{case}/documents/commitment": ALL,
    "/cases/{unsent}/apply?step=check": {Role.CONSUMER},
    "/policy": ALL,
    "/policy?days=10&start=2026-09-18": ALL,
    "/account": ALL,
    "/credentials": {Role.CONSUMER, Role.OPERATOR},
    "/admin/people": ALL - {Role.OVERSEER},
    "/admin/people/{clerk}": ALL - {Role.OVERSEER, Role.CONSUMER},
    "/admin/departments": ALL - {Role.OVERSEER},
    "/admin/departments/police": ALL - {Role.OVERSEER, Role.CONSUMER},
    "/admin/departments/new": {Role.AUTHORITY},
}
"""Written down by hand, so that the table of permissions cannot confirm itself."""


class Town:
    """A portal with a case, entries and a clerk to look at."""

    def __init__(self, database: ControlDatabase) -> None:
        self.portal = Portal(database)
        office = Office(database)
        self.office = office
        self.unsent = office.opened(replace(application(), committed=True))
        sent = office.opened(replace(application(), committed=True))
        self.case = office.done(sent, Action.SUBMIT, CONSUMER)
        with database.begin() as connection:
            draft = opened(connection, numbered(1))
            published = brought(connection, opened(connection, numbered(2)))
            need = work.state(connection, need_opening(), lambda: new_id(NOW))
        assert isinstance(need, FiledNeed)
        clerk = self.portal.hire(Role.PROVIDER, department=PROVIDER)
        self.names = {
            "case": self.case.case.opening.id,
            "unsent": self.unsent.case.opening.id,
            "draft": str(draft.id),
            "published": str(published.id),
            "clerk": str(clerk.id),
            "need": str(need.number),
        }

    def reader(self, role: Role, language: str = "en") -> Reader:
        return self.portal.reader(role, department=SEATS[role], language=language)


@pytest.fixture
def town(control_database: ControlDatabase) -> Town:
    return Town(control_database)


def sound(page: Page, path: str) -> None:
    """A page is well-formed, neither styles nor runs anything itself, and its forms carry the token."""
    assert page.faults == [], (path, page.faults[:5])
    for form in page.forms:
        if form.method == "post":
            assert "csrf_token" in form.fields, (path, form.action)
    policy = page.answer.headers["content-security-policy"]
    assert "unsafe-inline" not in policy
    assert "unsafe-eval" not in policy
    # Else browsers send forms with an origin of null, and every one of them is refused.
    assert page.answer.headers["referrer-policy"] == "same-origin"


@pytest.mark.requirement("A1-05", "A1-06")
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_each_page_shows_itself_to_whoever_may_see_it_and_refuses_the_others(
    town: Town, role: Role, language: str
) -> None:
    reader = town.reader(role, language)
    for pattern, roles in SEEN_BY.items():
        path = pattern.format(**town.names)
        page = reader.open(path)
        assert page.status == (200 if role in roles else 403), (role, path, page.status, page.text[:400])
        assert page.language == language, path
        if "/documents/" not in path:
            sound(page, path)


def test_a_page_in_chinese_says_nothing_in_english(town: Town) -> None:
    english = {each if isinstance(each, str) else each[0] for each in said()}
    long = {text for text in english if len(text) > 12 and "%" not in text}
    translated = {texts_of(CHINESE).gettext(text) for text in long}
    reader = town.reader(Role.PROVIDER, "zh-CN")
    for pattern, roles in SEEN_BY.items():
        if Role.PROVIDER in roles and "/documents/" not in pattern:
            page = reader.open(pattern.format(**town.names))
            left = [text for text in long - translated if text in page.text]
            assert left == [], (pattern, left)


def test_whoever_is_not_logged_in_is_asked_to_and_comes_back_afterwards(town: Town) -> None:
    stranger = town.portal.stranger()
    answer = stranger.look(f"/cases/{town.names['case']}?done=yes")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/login?back=%2Fcases%2F{town.names['case']}%3Fdone%3Dyes"
    page = stranger.open(answer.headers["location"])
    sound(page, "/login")
    assert page.form("/login").fields["back"] == f"/cases/{town.names['case']}?done=yes"


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:1"]
)
def test_the_way_back_never_leaves_the_portal(town: Town, back: str) -> None:
    page = town.portal.stranger().open("/login", params={"back": back})
    assert page.form("/login").fields["back"] == "/"


def test_the_language_of_the_address_is_kept_and_counts_before_that_of_the_browser(town: Town) -> None:
    reader = town.reader(Role.CONSUMER, "en")
    assert reader.open("/catalogue").language == "en"
    assert reader.open("/catalogue?lang=zh-CN").language == "zh-CN"
    kept = reader.open("/cases")
    assert kept.language == "zh-CN"
    assert "共享申请" in kept.text
    problem = reader.open("/nothing/there")
    assert (problem.status, problem.language) == (404, "zh-CN")
    assert "没有找到" in problem.text


def test_the_appearance_is_kept_and_the_way_goes_back(town: Town) -> None:
    reader = town.reader(Role.CONSUMER)
    answer = reader.look("/theme/dark?back=/cases%3Fstate%3Ddraft")
    assert answer.headers["location"] == "/cases?state=draft"
    assert 'data-theme="dark"' in reader.open("/cases").answer.text


def test_a_task_is_two_clicks_from_the_start_page(town: Town) -> None:
    provider = town.reader(Role.PROVIDER)
    start = provider.open("/")
    path = f"/cases/{town.names['case']}"
    assert path in start.links
    page = provider.open(path)
    assert "approve" in page.actions
    assert f"{path}/actions/approve" in {form.action for form in page.forms}


def expected_buttons(principal: Principal, filed: Filed) -> set[str]:
    """What the table of permissions and the life cycle allow together, asked without the portal."""
    every = [of_accounts.Action(f"case.{each.value}") for each in Action]
    may = {each.value for each in permitted(principal, every, cases.whose(filed))}
    found = set()
    for role in principal.roles:
        actor = Actor(principal.person, CaseRole(role.value), principal.department)
        found |= {each.value for each in allowed(filed.case, actor) if f"case.{each.value}" in may}
    # The packs of this town give no duty more time, and then none is offered.
    return found - {Action.EXTEND.value}


@pytest.mark.parametrize("role", list(Role))
def test_the_buttons_of_a_case_are_what_is_permitted_in_each_state(town: Town, role: Role) -> None:
    reader = town.reader(role)
    assert reader.person is not None
    principal = replace(reader.person, roles=frozenset({role})).principal()
    if role is Role.OVERSEER:
        principal = replace(principal, oversees=frozenset({"*"}))
    refused = town.office.done(
        town.office.opened(replace(application(), committed=True)), Action.SUBMIT, CONSUMER
    )
    refused = town.office.done(refused, Action.REFUSE, DECIDER, **REFUSAL)
    approved = town.office.done(
        town.office.opened(replace(application(), committed=True)), Action.SUBMIT, CONSUMER
    )
    approved = town.office.done(approved, Action.APPROVE, DECIDER)
    suspended = town.office.provisioned(approved, approved.version)
    suspended = town.office.done(suspended, Action.SUSPEND, BUREAU, stop_reason=StopReason.RISK)
    shown = set()
    for filed in (town.unsent, town.case, refused, approved, suspended):
        current = cases.shown(town.portal.parts, principal, filed.case.opening.id)
        page = reader.open(f"/cases/{filed.case.opening.id}")
        assert page.actions == expected_buttons(principal, current), (role, current.case.state)
        shown.add(current.case.state)
    assert State.SUSPENDED in shown
    assert State.REFUSED in shown


REFUSAL: Final[dict[str, Any]] = {
    "refusal_reason": RefusalReason.BASIS_INSUFFICIENT,
    "acceptable_if": "name the article",
}


def test_static_files_are_kept_for_ever_by_their_digest_and_asked_for_without_it(town: Town) -> None:
    page = town.portal.stranger().open("/login")
    client = town.portal.client()
    addresses = [part.split('"')[0] for part in page.answer.text.split('"/static/')[1:]]
    assert len(addresses) >= 3
    for address in addresses:
        answer = client.get(f"/static/{address}")
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["cache-control"]
        again = client.get(f"/static/{address}", headers={"if-none-match": answer.headers["etag"]})
        assert again.status_code == 304
    assert client.get("/static/portal.css").headers["cache-control"] == "no-cache"
    assert client.get("/static/../app.py").status_code == 404
