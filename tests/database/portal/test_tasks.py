"""Whoever has a task finds it from the start page in two clicks, and can do it there; nobody else sees it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from services.api.uses.task import Kind
from services.control.accounts.roles import Role
from services.control.cases.provisioning import Fault, Step
from services.control.cases.words import Action
from services.control.credential_life import expiry
from services.control.replays.life import Order
from services.control.store import snapshots
from services.control.store.database import ControlDatabase
from services.control.store.demand.writing import add
from services.control.store.provisioning import credentials
from services.control.store.replays import work
from services.control.tickets.words import Action as TicketAction
from services.ledger.replay.scope import Scope
from services.ledger.replay.words import Purpose
from tests.database.api.test_catalogue import published
from tests.database.tickets.filing import file, taken
from tests.support import needs, tickets
from tests.support.desk import Office
from tests.support.operating import HEALTH_GRANT, Operated, grant_document
from tests.support.portal import Reader
from tests.support.sharing_cases import APPLICANT, CONSUMER, DECIDER, PROVIDER, SYSTEM, application
from tests.support.stored_catalogue import brought, numbered, opened
from tests.support.volumes import epoch, volume_document
from tests.support.web import NOW
from topics.event import ConsumerId, GrantId, ResourceId

SEATS: Final = {
    Role.AUTHORITY: "data_bureau",
    Role.PROVIDER: PROVIDER,
    Role.CONSUMER: APPLICANT,
    Role.OPERATOR: "data_bureau",
    Role.AUDITOR: "data_bureau",
    Role.OVERSEER: "data_bureau",
}
WAITS_FOR: Final[Mapping[Kind, set[Role]]] = {
    Kind.CASE: {Role.AUTHORITY, Role.PROVIDER, Role.CONSUMER, Role.OPERATOR},
    Kind.TICKET: {Role.AUTHORITY, Role.PROVIDER, Role.CONSUMER},
    Kind.ENTRY: {Role.AUTHORITY, Role.PROVIDER},
    Kind.NEED: {Role.AUTHORITY, Role.PROVIDER},
    Kind.OBJECTION: {Role.PROVIDER},
    Kind.REPORT: {Role.AUTHORITY, Role.PROVIDER, Role.CONSUMER},
    Kind.CONFLICT: {Role.AUTHORITY},
    Kind.REPLAY: {Role.AUTHORITY, Role.OPERATOR, Role.AUDITOR},
    Kind.QUARANTINE: {Role.PROVIDER, Role.OPERATOR},
    Kind.CREDENTIAL: {Role.CONSUMER},
    Kind.VOLUME: {Role.OPERATOR},
}
"""Written down by hand, so that the list of tasks cannot confirm itself."""
FOLDERS: Final[Mapping[Kind, str]] = {
    Kind.CASE: "/cases/",
    Kind.TICKET: "/tickets/",
    Kind.ENTRY: "/catalogue/entries/",
    Kind.NEED: "/demand/",
    Kind.OBJECTION: "/objections/",
    Kind.REPORT: "/reports",
    Kind.CONFLICT: "/conflicts/",
    Kind.REPLAY: "/replays/",
    Kind.QUARANTINE: "/quarantine/",
    Kind.CREDENTIAL: "/credentials",
    Kind.VOLUME: "/volumes/",
}
JANUARY: Final = datetime(2027, 1, 4, 1, 0, tzinfo=UTC)
"""A Monday morning in Beijing, on which reports of the year before are due."""
RESOURCE: Final = "population.person.v1"
SCOPE: Final = Scope(resource=ResourceId(RESOURCE), grant=GrantId(HEALTH_GRANT))


def submitted(office: Office) -> str:
    filed = office.done(office.opened(replace(application(), committed=True)), Action.SUBMIT, CONSUMER)
    return filed.case.opening.id


@pytest.fixture
def town(control_database: ControlDatabase) -> Operated:
    """A portal in which something of each kind waits for each role that it can wait for."""
    portal = Operated(control_database)
    office = Office(control_database)
    office.opened()
    decided = office.done(office.opened(replace(application(), committed=True)), Action.SUBMIT, CONSUMER)
    complained = office.done(decided, Action.COMPLAIN, DECIDER)
    approved = office.done(complained, Action.APPROVE, DECIDER)
    round_, fault = approved.version, Fault.BUS_SILENT
    office.done(approved, Action.STEP_FAILED, SYSTEM, round_=round_, step=Step.TOPIC, fault=fault)
    submitted(office)
    for id_, steps in (
        ("018f5d3a-0000-7000-8000-000000000001", ()),
        ("018f5d3a-0000-7000-8000-000000000002", ((TicketAction.RETURN, tickets.BUREAU),)),
        ("018f5d3a-0000-7000-8000-000000000003", ((TicketAction.DISPATCH, tickets.BUREAU),)),
    ):
        filed = file(control_database, id_)
        if steps:
            taken(control_database, filed.id, *steps)
    entry = published(portal, portal.at(Role.PROVIDER))
    with control_database.begin() as connection:
        brought(connection, opened(connection, numbered(11)), steps=1)
        opened(connection, numbered(12))
        add(connection, needs.after())
        add(connection, needs.after(id=needs.ENTRY, subject="another"))
        credentials.enter(connection, ConsumerId(APPLICANT), NOW, expiry(JANUARY, 20))
        for purpose in (Purpose.AUDIT, Purpose.REDELIVER):
            order = Order(purpose, SCOPE, "yearly audit", "Audit Law, article 3", {})
            work.request(connection, order, "somebody", portal.clock.now)
    authority = portal.reader(Role.AUTHORITY, department="data_bureau")
    authority.sent(authority.open("/demand/2"), "/demand/2/assign", department=PROVIDER)
    reader = portal.reader(Role.CONSUMER, department=APPLICANT)
    page = reader.open(f"/objections/new?entry={entry}")
    reader.sent(page, f"/objections/new?entry={entry}", text="应当无条件开放")
    portal.clock.now = JANUARY
    portal.see(snapshots.Kind.GRANT, {HEALTH_GRANT: grant_document("health")})
    portal.see(snapshots.Kind.QUARANTINE, {"police": {"count": 1}, "market": {"count": 0}})
    waiting = {RESOURCE: volume_document(epochs=[epoch(2, "waiting"), epoch(1, "ended")])}
    whole = {"permit.shop.v1": volume_document("market", epochs=[epoch(2, "ended"), epoch(1, "waiting")])}
    portal.see(snapshots.Kind.EPOCH, {**waiting, **whole, "legal.enterprise.v1": volume_document()})
    portal.operations.quarantine.look("police", 20.0)
    portal.operations.claims.look("claims.", 20.0)
    return portal


def offered(reader: Reader, kind: Kind) -> list[str]:
    """The pages of the tasks of a kind, as a reader's list of tasks names them."""
    page = reader.open(f"/tasks?kind={kind.value}")
    assert (page.status, page.faults) == (200, []), page.text
    menu = Counter(reader.open("/account").links)
    more = Counter(page.links) - menu
    return [link for link in more if link.startswith(FOLDERS[kind])]


@pytest.mark.parametrize("role", list(Role))
def test_who_has_a_task_finds_it_in_two_clicks_and_can_do_it_there(town: Operated, role: Role) -> None:
    reader = town.reader(role, department=SEATS[role])
    start = reader.open("/")
    assert "/tasks" in start.links
    for kind in Kind:
        paths = offered(reader, kind)
        assert bool(paths) is (role in WAITS_FOR[kind]), (role, kind, paths)
        for path in paths:
            page = reader.open(path)
            assert page.status == 200, (path, page.text)
            forms = {form.action for form in page.forms if form.method == "post"} - {"/logout"}
            by_command = kind is Kind.VOLUME or (kind is Kind.CASE and role is Role.OPERATOR)
            assert forms or page.actions or (by_command and "govbus" in page.text), (role, path)


def test_a_task_is_gone_once_it_is_done(town: Operated) -> None:
    authority = town.reader(Role.AUTHORITY, department="data_bureau")
    [conflict] = [path for path in offered(authority, Kind.CONFLICT) if path.endswith("/address")]
    wanted = {"basis": "《条例》第二十条", "text": "户籍住址以公安为准", "confirm": "address"}
    authority.sent(authority.open(conflict), f"{conflict}/decide", decision="confirm", **wanted)
    assert conflict not in offered(authority, Kind.CONFLICT)
    [replay, *_] = offered(authority, Kind.REPLAY)
    authority.sent(authority.open(replay), f"{replay}/approve")
    assert replay not in offered(authority, Kind.REPLAY)


def test_who_asked_for_a_replay_does_not_approve_it_himself(town: Operated) -> None:
    authority = town.reader(Role.OPERATOR, department="data_bureau")
    assert authority.person is not None
    with town.parts.database.begin() as connection:
        order = Order(Purpose.AUDIT, SCOPE, "yearly audit", "Audit Law, article 3", {})
        mine = work.request(connection, order, str(authority.person.id), town.clock.now)
    assert f"/replays/{mine.number}" not in offered(authority, Kind.REPLAY)
    other = town.reader(Role.OPERATOR, department="data_bureau")
    assert f"/replays/{mine.number}" in offered(other, Kind.REPLAY)


@pytest.mark.parametrize(
    ("days", "delivers", "waits"),
    [(31, True, False), (30, True, True), (0, True, True), (-1, True, True), (-1, False, False)],
)
def test_a_login_waits_to_be_renewed_before_it_ends_and_afterwards_while_something_is_delivered(
    town: Operated, days: int, delivers: bool, waits: bool
) -> None:
    consumer = ConsumerId("tax")
    with town.parts.database.begin() as connection:
        credentials.enter(connection, consumer, NOW, expiry(JANUARY, days))
    if delivers:
        town.see(snapshots.Kind.GRANT, {"tax-persons": grant_document("tax")})
    reader = town.reader(Role.CONSUMER, department="tax")
    assert offered(reader, Kind.CREDENTIAL) == (["/credentials"] if waits else [])


def test_a_list_of_tasks_asks_the_bus_for_nothing_that_was_read_a_moment_ago(town: Operated) -> None:
    opened_before = town.opened
    reader = town.reader(Role.OPERATOR, department="data_bureau")
    authority = town.reader(Role.AUTHORITY, department="data_bureau")
    for _ in range(3):
        reader.open("/")
        authority.open("/tasks")
    assert town.opened == opened_before
    town.clock.pass_by(timedelta(minutes=11))
    town.down = True
    assert offered(town.reader(Role.OPERATOR, department="data_bureau"), Kind.QUARANTINE) == [
        "/quarantine/police"
    ]


def test_in_chinese_each_task_is_called_in_chinese(town: Operated) -> None:
    for role in (Role.AUTHORITY, Role.CONSUMER, Role.OPERATOR):
        page = town.reader(role, department=SEATS[role], language="zh-CN").open("/tasks")
        for english in ("Stopped", "Quarantine", "Credential", "Replay", "Conflict", "volume", "login"):
            assert english not in page.text, (role, english)


def test_the_api_lists_the_same_tasks(town: Operated) -> None:
    found = town.at(Role.OPERATOR, department="data_bureau").get("/tasks").json()["items"]
    kinds = {each["kind"] for each in found}
    assert kinds == {kind.value for kind, roles in WAITS_FOR.items() if Role.OPERATOR in roles}
    [stopped] = [each for each in found if each["kind"] == "quarantine"]
    assert (stopped["id"], stopped["name"], stopped["count"], stopped["department"]) == (
        None,
        "police",
        1,
        "police",
    )
