"""The end of a version on the page of its entry and of its cases: seen by all, decided by who may."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.control.accounts.roles import Role
from services.control.cases.words import Action
from services.control.desk.catalogued import PublishedEntries
from services.control.desk.desk import Desk
from services.control.docket.filed import Filed
from services.control.process.retirements import RetirementsTurn
from services.control.retirements.words import State as Ending
from services.control.store.cases.grant_requests import GrantOutbox
from services.control.store.database import ControlDatabase
from services.control.store.retirements.reading import listed
from tests.support.desk import Office
from tests.support.portal import Page, Portal, Reader
from tests.support.retiring import FIRST, NEW, OLD, morning, publish_entry, two_versions
from tests.support.sharing_cases import CONSUMER, DECIDER

LATER = "2026-05-20"


class Town(Portal):
    """A portal over two versions of persons under one published entry."""

    def __init__(self, database: ControlDatabase) -> None:
        super().__init__(database)
        definitions = two_versions()
        schema = dict(definitions.item_schemas[NEW])
        schema["fields"] = [each for each in schema["fields"] if each["name"] != "address"]
        definitions = replace(definitions, item_schemas={**definitions.item_schemas, NEW: schema})
        desk = Desk(PublishedEntries(definitions), self.city, GrantOutbox())
        self.app.state.parts = replace(self.parts, definitions=definitions, desk=desk)
        self.office = Office(database)
        self.office.desk = desk
        with database.begin() as connection:
            self.entry = f"/catalogue/entries/{publish_entry(connection)}"

    def case(self) -> Filed:
        """A case of the old version that delivers."""
        filed = self.office.done(self.office.opened(), Action.SUBMIT, CONSUMER)
        filed = self.office.done(filed, Action.APPROVE, DECIDER)
        return self.office.provisioned(filed, filed.version)

    def plan(self) -> tuple[str, Ending, str]:
        """Id, state and day of the newest retirement."""
        with self.parts.database.reading() as connection:
            found = listed(connection)[0]
        return str(found.id), found.state, found.retires_on.isoformat()

    def announced(self, provider: Reader, **changes: str) -> Page:
        said = {"new": NEW, "retires_on": FIRST.isoformat(), "why": "住址拆分", "confirm": OLD, **changes}
        return provider.sent(provider.open(self.entry), f"{self.entry}/retire", **said)


@pytest.fixture
def town(control_database: ControlDatabase) -> Town:
    return Town(control_database)


def test_a_provider_announces_postpones_and_keeps_a_version(town: Town) -> None:
    provider = town.reader(Role.PROVIDER)
    page = town.announced(provider)
    assert (page.status, page.path, page.faults) == (200, town.entry, [])
    assert f"Version {OLD} is retired on {FIRST}" in page.text
    id_, state, day = town.plan()
    assert (state, day) == (Ending.PLANNED, FIRST.isoformat())
    page = provider.sent(page, f"{town.entry}/retirements/{id_}/postpone", retires_on=LATER, why="迁移未完成")
    assert f"Version {OLD} is retired on {LATER}" in page.text
    page = provider.sent(page, f"{town.entry}/retirements/{id_}/cancel", why="不再变更")
    assert "is retired on" not in page.text
    assert town.plan()[1] is Ending.CANCELLED
    assert "retire" in page.actions


@pytest.mark.parametrize(
    ("language", "wrong", "said"),
    [
        ("en", {"retires_on": "2026-03-20"}, "let the old one end on 2026-04-15 or later"),
        ("zh-CN", {"retires_on": "2026-03-20"}, "请定于 2026-04-15 或以后"),
        ("en", {"confirm": "something else"}, "that is not the name of the version"),
        ("zh-CN", {"confirm": "something else"}, "这不是该版本的标识"),
        ("en", {"retires_on": "soon"}, "that is no day"),
    ],
)
def test_what_is_against_it_is_said_and_nothing_typed_is_lost(
    town: Town, language: str, wrong: dict[str, str], said: str
) -> None:
    page = town.announced(town.reader(Role.PROVIDER, language=language), **wrong)
    assert (page.status, page.faults) == (422, [])
    assert said in page.text
    assert page.form(f"{town.entry}/retire").fields["why"] == "住址拆分"
    with town.parts.database.reading() as connection:
        assert listed(connection) == []


@pytest.mark.parametrize(
    ("language", "apply"), [("en", "Apply for the new version"), ("zh-CN", "申请新版本")]
)
def test_consumers_see_the_day_what_breaks_and_where_to_apply(town: Town, language: str, apply: str) -> None:
    case = town.case()
    town.announced(town.reader(Role.PROVIDER))
    consumer = town.reader(Role.CONSUMER, department="health", language=language)
    for path in (town.entry, f"/resources/{OLD}", f"/cases/{case.case.opening.id}"):
        page = consumer.open(path)
        assert (page.status, page.faults) == (200, []), path
        assert FIRST.isoformat() in page.text
        assert apply in page.text
        assert f"/apply?resource={NEW}" in page.links
        assert not {"retire", "postpone", "cancel-retirement"} & page.actions
    assert "address" in consumer.open(town.entry).text
    inbox = consumer.open("/inbox")
    assert NEW in inbox.text
    assert consumer.open(f"/apply?resource={NEW}").status == 200


def test_the_provider_of_an_entry_and_its_authority_may_others_look(town: Town) -> None:
    town.announced(town.reader(Role.PROVIDER))
    id_, _, _ = town.plan()
    seats = {
        (Role.PROVIDER, "police"): True,
        (Role.AUTHORITY, "data_bureau"): True,
        (Role.PROVIDER, "tax"): False,
        (Role.CONSUMER, "health"): False,
        (Role.OPERATOR, "data_bureau"): False,
        (Role.AUDITOR, "data_bureau"): False,
        (Role.OVERSEER, "data_bureau"): False,
    }
    for (role, department), may in seats.items():
        reader = town.reader(role, department=department)
        page = reader.open(town.entry)
        assert (page.status, FIRST.isoformat() in page.text) == (200, True)
        assert ("postpone" in page.actions) is may, role
        form = {"csrf_token": reader.open("/account").forms[0].fields["csrf_token"], "seen": "1", "why": ""}
        sent = reader.client.post(f"{town.entry}/retirements/{id_}/cancel", data=form)
        assert sent.status_code == (422 if may else 403), (role, sent.status_code)
    assert town.plan()[1] is Ending.PLANNED


def test_after_the_day_the_page_says_so_and_nothing_is_applied_for_any_more(town: Town) -> None:
    case = town.case()
    provider = town.reader(Role.PROVIDER)
    town.announced(provider)
    RetirementsTurn(town.parts.database, town.office.desk, lambda: morning(FIRST)).turn()
    town.clock.now = morning(FIRST) + timedelta(hours=1)
    consumer = town.reader(Role.CONSUMER, department="health")
    page = consumer.open(town.entry)
    assert f"Version {OLD} was retired on {FIRST}" in page.text
    assert consumer.open(f"/apply?resource={OLD}").status == 404
    ended = consumer.open(f"/cases/{case.case.opening.id}")
    assert "the entry was withdrawn or its version retired" in ended.text
    assert town.reader(Role.PROVIDER).open(town.entry).actions & {"retire", "postpone"} == set()


def test_without_a_newer_version_nothing_is_offered(control_database: ControlDatabase) -> None:
    portal = Portal(control_database)
    with control_database.begin() as connection:
        entry = publish_entry(connection)
    page = portal.reader(Role.PROVIDER).open(f"/catalogue/entries/{entry}")
    assert (page.status, page.actions & {"retire"}) == (200, set())
