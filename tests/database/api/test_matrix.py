"""The one table of permissions through HTTP: every action × role × own or other, on real objects."""

from collections.abc import Mapping
from typing import Any, Final

import pytest
from httpx2 import Response

from services.control.accounts.actions import Action, Area
from services.control.accounts.permissions import COLUMNS, PERMISSIONS, Reach
from services.control.accounts.roles import Role
from services.control.cases.words import Action as CaseAction
from services.control.demand.words import Action as NeedAction
from services.control.objections.words import Action as ObjectionAction
from services.control.store.database import ControlDatabase
from services.control.store.snapshots import Kind, put
from services.control.tickets.words import Action as TicketAction
from tests.support.asking import (
    SEEN,
    Ask,
    Objects,
    on_case,
    on_delivery,
    on_entry,
    on_need,
    on_objection,
    on_person,
    on_ticket,
)
from tests.support.volumes import volume_document
from tests.support.web import NOW, Browser, Web, application, entry, report, statement

PROVIDER, CONSUMER, STRANGER = "police", "health", "tax"
OWN, OTHER = "own", "other"


def department_form() -> dict[str, Any]:
    contact = {"name": "甲", "phone": "1"}
    return {
        "zh": "新",
        "en": "New",
        "credit_code": "11320500014083564F",
        "head": contact,
        "deputy": contact,
        "clerk": contact,
    }


def report_of(duty: str) -> dict[str, Any]:
    return {"duty": duty, "year": 2025, "reference": "数函〔2026〕1号"}


def import_file(browser: Browser, _objects: Objects, _department: str) -> Response:
    return browser.ask("POST", "/catalogue/import", files={"file": ("c.csv", b"x")})


_CASES: Final = {Action(f"case.{each.value}"): on_case(each) for each in CaseAction}
_TICKETS: Final = {Action(f"ticket.{each.value}"): on_ticket(each) for each in TicketAction}
_NEEDS: Final = {Action(f"demand.{each.value}"): on_need(each) for each in NeedAction}
_OBJECTIONS: Final = {Action(f"objection.{each.value}"): on_objection(each) for each in ObjectionAction}
_STEPS: Final = (
    Action.CATALOGUE_SUBMIT,
    Action.CATALOGUE_REGISTER,
    Action.CATALOGUE_REFUSE_REGISTRATION,
    Action.CATALOGUE_REQUEST_PUBLICATION,
    Action.CATALOGUE_PUBLISH,
    Action.CATALOGUE_REFUSE_PUBLICATION,
    Action.CATALOGUE_REVISE,
    Action.CATALOGUE_WITHDRAW,
    Action.CATALOGUE_SUPERSEDE,
)
_PEOPLE: Final[Mapping[Action, Mapping[str, Any]]] = {
    Action.ACCOUNT_DISABLE: {"action": "disable"},
    Action.ACCOUNT_ENABLE: {"action": "enable"},
    Action.ACCOUNT_RESET_PASSWORD: {"action": "reset_password"},
    Action.ACCOUNT_UNLOCK: {"action": "unlock"},
    Action.ACCOUNT_REVOKE_SESSIONS: {"action": "revoke_sessions"},
    Action.ACCOUNT_GIVE_ROLE: {"action": "give_role", "role": "consumer"},
    Action.ACCOUNT_TAKE_ROLE: {"action": "take_role", "role": "consumer"},
    Action.ACCOUNT_SET_OVERSIGHT: {"action": "set_oversight", "departments": []},
}
RETIREMENT: Final = {
    "old": "population.person.v1",
    "new": "population.person.v2",
    "retires_on": "2027-01-04",
    "why": "理由",
}
ASKS: Final[Mapping[Action, Ask]] = {
    **{each: on_entry(each.value.partition(".")[2]) for each in _STEPS},
    **_CASES,
    **_TICKETS,
    **_NEEDS,
    **_OBJECTIONS,
    **{action: on_person(form) for action, form in _PEOPLE.items()},
    Action.CATALOGUE_LOOK: lambda browser, objects, _: browser.get(f"/catalogue/entries/{objects.entry}"),
    Action.CATALOGUE_LOOK_UNPUBLISHED: lambda browser, objects, _: browser.get(
        f"/catalogue/entries/{objects.draft}"
    ),
    Action.CATALOGUE_EXPORT: lambda browser, *_: browser.get("/catalogue/export"),
    Action.CATALOGUE_IMPORT: import_file,
    Action.CATALOGUE_OPEN: lambda browser, *_: browser.post("/catalogue/entries", {"name": "草稿"}),
    Action.CATALOGUE_EDIT: lambda browser, objects, _: browser.put(
        f"/catalogue/entries/{objects.draft}", entry(code=None), headers=SEEN
    ),
    Action.CATALOGUE_RETIRE: lambda browser, *_: browser.post("/retirements", RETIREMENT),
    Action.DEMAND_LOOK: lambda browser, objects, _: browser.get(f"/demand/needs/{objects.need}"),
    Action.DEMAND_STATE: lambda browser, *_: browser.post("/demand/needs", statement()),
    Action.OBJECTION_LOOK: lambda browser, objects, _: browser.get(f"/objections/{objects.objection}"),
    Action.OBJECTION_OBJECT: lambda browser, objects, _: browser.post(
        "/objections", {"entry": objects.entry, "text": "说明", "reference": "函1号"}
    ),
    Action.CASE_LOOK: lambda browser, objects, _: browser.get(f"/cases/{objects.case}"),
    Action.CASE_LOOK_CONTEXT: lambda browser, objects, _: browser.get(f"/cases/{objects.case}/context"),
    Action.CASE_OPEN: lambda browser, *_: browser.post("/cases", application()),
    Action.GRANT_LOOK: lambda browser, *_: browser.get("/grants/health-persons-gusu"),
    Action.GRANT_CONTRACT: lambda browser, *_: browser.get(
        "/grants/health-persons-gusu/contract", params={"format": "odcs"}
    ),
    Action.GRANT_RECEIPT: lambda browser, *_: browser.get("/receipts/s-1"),
    Action.TICKET_LOOK: lambda browser, objects, _: browser.get(f"/tickets/{objects.ticket}"),
    Action.TICKET_REPORT: lambda browser, *_: browser.post("/tickets", report()),
    Action.CLAIM_LOOK: lambda browser, *_: browser.get("/claims"),
    Action.POLICY_LOOK: lambda browser, *_: browser.get("/clocks/policy"),
    Action.POLICY_CHANGE_PACKS: lambda browser, *_: browser.post("/clocks/packs", {"content": "x"}),
    Action.POLICY_IMPORT_CALENDAR: lambda browser, *_: browser.put("/clocks/calendar/2027", {"content": "x"}),
    Action.NOTICE_ANNOUNCE: lambda browser, *_: browser.post(
        "/maintenance", {"begin": "2026-03-03T00:00:00Z", "end": "2026-03-03T01:00:00Z", "why": "w"}
    ),
    Action.KILL_GRANT: on_delivery("suspend", "grant", "health-persons-gusu"),
    Action.KILL_CONSUMER: on_delivery("suspend", "consumer", CONSUMER),
    Action.KILL_RESOURCE: on_delivery("suspend", "resource", "population.person.v1"),
    Action.KILL_ALL: on_delivery("suspend", "all", ""),
    Action.KILL_RESUME: on_delivery("resume", "grant", "health-persons-gusu"),
    Action.OPERATION_LOOK: lambda browser, *_: browser.get("/snapshots/resource"),
    Action.OPERATION_LOOK_VOLUMES: lambda browser, *_: browser.get("/volumes/population.person.v1"),
    Action.QUARANTINE_LOOK: lambda browser, *_: browser.get("/snapshots/quarantine"),
    Action.REPORT_LOOK: lambda browser, *_: browser.get("/reports"),
    Action.REPORT_FILE: lambda browser, *_: browser.post("/reports", report_of("department")),
    Action.REPORT_FILE_FOR_AUTHORITY: lambda browser, *_: browser.post("/reports", report_of("authority")),
    Action.AUDIT_LOOK: lambda browser, objects, _: browser.get(
        f"/acts/case/{browser.get(f'/cases/{objects.case}').json().get('case', 'x')}"
    ),
    Action.ACCOUNT_LOOK: lambda browser, objects, _: browser.get(f"/people/{objects.victim}"),
    Action.ACCOUNT_ADD_DEPARTMENT: lambda browser, *_: browser.put("/departments/new", department_form()),
    Action.ACCOUNT_EDIT_DEPARTMENT: lambda browser, *_: browser.put(
        "/departments/health", department_form(), headers=SEEN
    ),
    Action.ACCOUNT_ADD: lambda browser, *_: browser.post(
        "/people", {"login": "somebody", "name": "某人", "department": "health"}
    ),
    Action.ACCOUNT_REVOKE_TOKEN: lambda browser, objects, _: browser.delete(
        f"/people/{objects.victim}/tokens/{browser.client.headers['x-victims-token']}"
    ),
    Action.ACCOUNT_CHANGE_OWN_PASSWORD: lambda browser, *_: browser.post(
        "/session/password", {"old": "x", "new": "y"}
    ),
    Action.ACCOUNT_CREATE_OWN_TOKEN: lambda browser, *_: browser.post(
        "/tokens", {"name": "x", "scopes": ["case:look"], "expires_at": "2026-04-01T00:00:00Z"}
    ),
    Action.ACCOUNT_REVOKE_OWN: lambda browser, *_: browser.get("/tokens"),
}
"""How each action is asked for."""

ELSEWHERE: Final = {each for each in Action if each.area in (Area.DATA, Area.REPLAY)} | {
    Action.CATALOGUE_MOUNT,
    # About two departments that no other object has: its own test is in test_rulings.py.
    Action.CLAIM_DECIDE,
    Action.GRANT_SHOW_CREDENTIAL,
    Action.GRANT_ROTATE_CREDENTIAL,
    Action.QUARANTINE_REVEAL,
    Action.QUARANTINE_RELEASE,
    Action.QUARANTINE_RESUBMIT,
    Action.QUARANTINE_DISCARD,
    # About a department's mailboxes and endpoints: their own test is in test_notice_addresses.py.
    Action.NOTICE_LOOK_ADDRESSES,
    Action.NOTICE_SET_ADDRESS,
    Action.NOTICE_MEND_DELIVERY,
    # Needs the packs of the database: its own test is in test_simulation.py.
    Action.POLICY_SIMULATE,
    Action.POLICY_APPLY,
    Action.POLICY_ACCEPT_SCHEMA,
    Action.OPERATION_TAKE_VOLUME,
    Action.OPERATION_RESTART,
    # Pages only: its own test is in test_made_reports.py.
    Action.REPORT_MAKE,
    Action.AUDIT_EXPORT,
    Action.AUDIT_BALANCE,
    Action.AUDIT_TRACE,
    # Asked for together with the ticket: its own test is in test_tickets.py.
    Action.TICKET_LOOK_TEXTS,
}
"""What this API does not offer."""

NOBODYS_OBJECT: Final = {
    Action.CATALOGUE_EXPORT,
    Action.CATALOGUE_IMPORT,
    Action.CATALOGUE_OPEN,
    Action.DEMAND_STATE,
    Action.OBJECTION_OBJECT,
    Action.CLAIM_LOOK,
    Action.KILL_ALL,
    Action.NOTICE_ANNOUNCE,
    Action.TICKET_REPORT,
    Action.REPORT_LOOK,
    Action.REPORT_FILE,
    Action.REPORT_FILE_FOR_AUTHORITY,
    Action.POLICY_LOOK,
    Action.POLICY_CHANGE_PACKS,
    Action.POLICY_IMPORT_CALENDAR,
    Action.OPERATION_LOOK,
    Action.QUARANTINE_LOOK,
    Action.ACCOUNT_CHANGE_OWN_PASSWORD,
    Action.ACCOUNT_CREATE_OWN_TOKEN,
    Action.ACCOUNT_REVOKE_OWN,
}
"""What is asked about one's own department only: lists are cut to what somebody sees, and tested as such."""
OF_CONSUMER: Final = {
    Action.ACCOUNT_LOOK,
    Action.ACCOUNT_ADD,
    Action.ACCOUNT_EDIT_DEPARTMENT,
    Action.ACCOUNT_REVOKE_TOKEN,
    *_PEOPLE,
}
"""On accounts of the consumer's department, whatever the role."""
OF_PROVIDER_ALONE: Final = {
    Action.CATALOGUE_LOOK,
    Action.CATALOGUE_LOOK_UNPUBLISHED,
    Action.CATALOGUE_EDIT,
    Action.CATALOGUE_RETIRE,
    *_STEPS,
}


def test_each_action_is_either_asked_for_here_or_not_offered() -> None:
    assert set(ASKS) | ELSEWHERE == set(Action)
    assert set(ASKS) & ELSEWHERE == set()


@pytest.fixture
def web(control_database: ControlDatabase) -> Web:
    web = Web(control_database)
    receipt = {"id": "s-1", "grants": [{"consumer": "health", "resource": "population.person.v1"}]}
    web.bus.receipts["s-1"] = receipt
    with control_database.begin() as connection:
        put(connection, Kind.RESOURCE, {"population.person.v1": {"records": 1}}, NOW)
        put(connection, Kind.EPOCH, {"population.person.v1": volume_document()}, NOW)
        put(connection, Kind.QUARANTINE, {"quarantine.police": {"count": 1}}, NOW)
    return web


def objects_of(web: Web) -> tuple[Objects, str]:
    """A case before its decider, a ticket before the authority, entries, and an account with a token."""
    consumer, provider = (
        web.at(Role.CONSUMER, department=CONSUMER),
        web.at(Role.PROVIDER, department=PROVIDER),
    )
    case = consumer.post("/cases", application()).json()["number"]
    consumer.post(f"/cases/{case}/actions", {"action": "submit"}, headers=SEEN)
    ticket = consumer.post("/tickets", report()).json()["number"]
    need = consumer.post("/demand/needs", statement()).json()["number"]
    published = provider.post("/catalogue/entries", entry()).json()["id"]
    authority = web.at(Role.AUTHORITY, department="data_bureau")
    for browser, action in (
        (provider, "submit"),
        (authority, "register"),
        (provider, "request_publication"),
        (authority, "publish"),
    ):
        browser.post(f"/catalogue/entries/{published}/steps", {"action": action}, headers=SEEN)
    said = {"entry": published, "text": "应当开放"}
    objection = consumer.post("/objections", said).json()["number"]
    to_police = {"action": "assign", "department": PROVIDER}
    authority.post(f"/demand/needs/{need}/actions", to_police, headers=SEEN)
    draft = provider.post("/catalogue/entries", {"name": "草稿"}).json()["id"]
    victim = web.hire(department=CONSUMER)
    prefix = web.token_of(victim)["authorization"][7:19]
    return Objects(case, ticket, need, objection, published, draft, victim.id), prefix


def department_for(action: Action, role: Role, where: str) -> str:
    """The department of who asks, so that the object is its own or another's."""
    if where == OTHER:
        return STRANGER
    if action in OF_CONSUMER:
        return CONSUMER
    if role is Role.PROVIDER or action in OF_PROVIDER_ALONE:
        return PROVIDER
    return CONSUMER


def is_allowed(action: Action, role: Role, where: str) -> bool:
    """What the table says of one cell."""
    match PERMISSIONS[action].of(role):
        case Reach.ALL:
            return True
        case Reach.OWN:
            return where == OWN
        case Reach.OTHER:
            return where == OTHER
        case Reach.NONE:
            return False


@pytest.mark.requirement("A1-02", "A1-03", "A1-04", "A1-05", "A1-06")
@pytest.mark.parametrize("action", sorted(ASKS))
def test_each_cell_of_the_table_holds_over_http(web: Web, action: Action) -> None:
    found, prefix = objects_of(web)
    wheres = (OWN,) if action in NOBODYS_OBJECT else (OWN, OTHER)
    for role in COLUMNS:
        for where in wheres:
            department = department_for(action, role, where)
            browser = web.at(role, department=department)
            browser.client.headers["x-victims-token"] = prefix
            answer = ASKS[action](browser, found, department)
            cell = f"{action.value} as {role.value} of {where}: {answer.status_code} {answer.text[:300]}"
            assert answer.status_code not in (401, 405, 500), cell
            if answer.status_code == 404:
                assert is_hidden(action, role, where), cell
                assert not is_allowed(action, role, where), cell
                continue
            if answer.status_code == 422 and not offered(action):
                # The system's own actions have no form at all.
                assert not is_allowed(action, role, where), cell
                continue
            refused = answer.status_code == 403 and "reason" in answer.json()
            assert refused is not is_allowed(action, role, where), cell


def is_hidden(action: Action, role: Role, where: str) -> bool:
    """Whether somebody finds no such thing, because he may not look at it."""
    look = {"case": Action.CASE_LOOK, "ticket": Action.TICKET_LOOK, "grant": Action.GRANT_LOOK}
    found = look.get(action.value.partition(".")[0])
    return found is not None and not is_allowed(found, role, where)


def offered(action: Action) -> bool:
    """Whether anybody may do it."""
    return any(PERMISSIONS[action].of(role) is not Reach.NONE for role in Role)


def test_a_list_holds_exactly_what_its_reader_may_look_at(web: Web) -> None:
    """Cases, tickets and grants, for each role of the parties and of another department."""
    found, _ = objects_of(web)
    for role in COLUMNS:
        for department in (PROVIDER, CONSUMER, STRANGER):
            browser = web.at(role, department=department)
            for path, item, name, known in (
                ("/cases", f"/cases/{found.case}", "number", found.case),
                ("/tickets", f"/tickets/{found.ticket}", "number", found.ticket),
                ("/grants", "/grants/health-persons-gusu", "grant", "health-persons-gusu"),
            ):
                listed, shown = browser.get(path), browser.get(item)
                seen = listed.status_code == 200 and known in {each[name] for each in listed.json()["items"]}
                assert seen is (shown.status_code == 200), f"{path} as {role} of {department}"
