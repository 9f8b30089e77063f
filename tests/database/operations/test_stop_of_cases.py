"""The kill switch's pages and the case of a grant: one follows the other, and each leads to the other."""

from datetime import UTC, datetime, timedelta

import pytest

from services.control.accounts.roles import Role
from services.control.cases import words
from services.control.cases.case import Case
from services.control.cases.words import State, StopReason
from services.control.desk.following import SYSTEM
from services.control.desk.importing import import_case
from services.control.desk.orders import Order
from services.control.store.cases.policies import adopted
from services.control.store.ids import new_id
from services.control.store.provisioning.entitled import case_of_grant
from services.control.store.snapshots import Kind
from tests.support.operating import EDUCATION_GRANT, HEALTH_GRANT, Operated, grant_document
from tests.support.policy import sample_policy
from tests.support.portal import Reader
from tests.support.waiting import eventually
from topics.event import GrantId

SUSPEND = f"/stop/order?verb=suspend&scope=grant&name={HEALTH_GRANT}"
RESUME = f"/stop/order?verb=resume&scope=grant&name={HEALTH_GRANT}"
REASON = "data found on a market"
AFTER_THE_SWITCH = datetime.fromtimestamp(1_790_000_100, UTC)
"""Later than anything that the switch of these tests does."""


@pytest.fixture
def case(portal: Operated) -> int:
    """The number of the case of a grant that delivers."""
    portal.clock.now = AFTER_THE_SWITCH
    policy = sample_policy()
    grant = policy.grants[GrantId(HEALTH_GRANT)].grant
    opened = AFTER_THE_SWITCH - timedelta(days=100)
    with portal.parts.database.begin() as connection:
        wanted = adopted(connection)
        assert wanted is not None
        filed = import_case(
            connection,
            portal.parts.desk,
            grant,
            policy.resources[grant.resource].resource,
            wanted,
            Order(key="", actor=SYSTEM, now=opened),
            new_id(opened),
            "imported",
        )
    return filed.number


def test_a_grant_is_shown_and_may_be_stopped_before_the_bus_was_looked_at(
    portal: Operated, case: int
) -> None:
    page = portal.reader(Role.PROVIDER, department="police").open(f"/grants/{HEALTH_GRANT}")
    assert "after the next look" in page.text
    assert {SUSPEND, f"/cases/{case}"} <= set(page.links)
    assert portal.reader(Role.PROVIDER, department="tax").look(f"/grants/{HEALTH_GRANT}").status_code == 404
    portal.see(Kind.GRANT, {HEALTH_GRANT: grant_document("health")})
    seen = portal.reader(Role.PROVIDER, department="police").open(f"/grants/{HEALTH_GRANT}")
    assert "after the next look" not in seen.text


def now_of(portal: Operated) -> Case:
    with portal.parts.database.reading() as connection:
        found = case_of_grant(connection, GrantId(HEALTH_GRANT))
    assert found is not None
    return found.case


def suspended(portal: Operated, reader: Reader, **fields: str) -> str:
    """Suspend the grant on the page; returns the order's path once the case has followed."""
    page = reader.open(SUSPEND)
    assert page.faults == []
    answer = reader.send(page, "/stop/order", reason=REASON, confirm=HEALTH_GRANT, **fields)
    assert answer.status_code == 303, answer.text
    path = answer.headers["location"]
    portal.over(path.removeprefix("/stop/"))
    eventually(lambda: now_of(portal).state is State.SUSPENDED, 20)
    return path


@pytest.mark.requirement("A8-05")
def test_an_order_on_the_page_suspends_the_case_in_the_name_of_who_gave_it(
    portal: Operated, case: int
) -> None:
    reader = portal.reader(Role.PROVIDER, department="police")
    path = suspended(portal, reader, stop="UNLAWFUL_USE")
    event = now_of(portal).events[-1]
    assert reader.person is not None
    assert (event.who.person, event.who.role) == (str(reader.person.id), words.Role.PROVIDER)
    assert (event.stop_reason, event.text) == (StopReason.UNLAWFUL_USE, REASON)
    assert f"/stop/{event.order}" == path
    page = reader.open(f"/cases/{case}")
    assert page.faults == []
    assert path in page.links
    assert f"/cases/{case}" in reader.open(path).links


def test_resuming_on_the_page_goes_through_the_case_and_sends_the_bus_no_order(
    portal: Operated, case: int
) -> None:
    suspended(portal, portal.reader(Role.AUTHORITY, department="data_bureau"))
    reader = portal.reader(Role.AUTHORITY, department="data_bureau")
    page = reader.open(RESUME)
    assert f"/cases/{case}" in page.links
    answer = reader.send(page, "/stop/order", reason="it is mended", confirm=HEALTH_GRANT)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith("/cases/")
    found = now_of(portal)
    assert (found.state, found.events[-1].text) == (State.PROVISIONING, "it is mended")
    assert portal.stops.resumptions.documents == {}


def test_what_the_case_may_not_do_the_switch_does_not_do_for_it(portal: Operated, case: int) -> None:
    reader = portal.reader(Role.AUTHORITY, department="data_bureau")
    page = reader.open(RESUME)
    answer = reader.send(page, "/stop/order", reason="it is mended", confirm=HEALTH_GRANT)
    assert answer.status_code in (409, 422), "a case that is active is not resumed"
    assert now_of(portal).state is State.ACTIVE
    assert portal.stops.resumptions.documents == {}
    assert case


def test_a_case_that_cannot_follow_now_undoes_nothing_of_the_order(portal: Operated, case: int) -> None:
    with portal.parts.database.begin() as connection:
        connection.exec_driver_sql("UPDATE cases SET version = 99")
    reader = portal.reader(Role.PROVIDER, department="police")
    page = reader.open(SUSPEND)
    answer = reader.send(page, "/stop/order", reason=REASON, confirm=HEALTH_GRANT)
    work = portal.over(answer.headers["location"].removeprefix("/stop/"))
    assert work.progress.value == "done"
    assert HEALTH_GRANT in portal.switched.denied
    assert case


def test_a_wider_order_is_told_on_the_case_and_in_the_list_of_grants(portal: Operated, case: int) -> None:
    reader = portal.reader(Role.AUTHORITY, department="data_bureau")
    page = reader.open("/stop/order?verb=suspend&scope=consumer&name=health")
    answer = reader.send(page, "/stop/order", reason="contract ended", confirm="health")
    path = answer.headers["location"]
    portal.over(path.removeprefix("/stop/"))
    [hold] = portal.switched.now.holds.values()
    stop = {"id": hold.id, "scope": "consumer", "name": "health", "reason": hold.reason}
    stop["since"] = datetime.fromtimestamp(hold.since_ms / 1000, UTC).isoformat()
    held = grant_document("health", state="suspended", stops=[stop])
    portal.see(Kind.GRANT, {HEALTH_GRANT: held, EDUCATION_GRANT: grant_document("education")})
    assert now_of(portal).state is State.ACTIVE
    assert reader.person is not None
    for address in (f"/cases/{case}", "/grants", f"/grants/{HEALTH_GRANT}"):
        shown = reader.open(address)
        assert shown.faults == [], address
        assert path in shown.links, address
        assert "Delivery is stopped" in shown.text
        assert (reader.person.login in shown.text, "contract ended" in shown.text) == (True, True), address


def test_a_withdrawal_is_shown_as_the_ledger_keeps_it(portal: Operated) -> None:
    portal.bus.receipts["case-1.2"] = {
        "id": "w-case-1-2",
        "name": "case-1",
        "by": "console:root",
        "reason": "case 7: BASIS_GONE",
        "requested_ms": 1_790_000_000_000,
        "policy_version": 7,
        "fenced": [],
        "grants": [
            {"grant": "case-1", "consumer": "health", "resource": "population.person.v1", "cut": {"0": 4711}}
        ],
    }
    page = portal.reader(Role.CONSUMER, department="health").open("/stop/case-1.2")
    assert (page.status, page.faults) == (200, [])
    assert ("4711" in page.text, "console:root" in page.text) == (True, True)
    assert portal.reader(Role.CONSUMER, department="tax").look("/stop/case-1.2").status_code == 403


@pytest.mark.parametrize(
    ("role", "department", "offered"),
    [
        (Role.AUTHORITY, "data_bureau", True),
        (Role.PROVIDER, "police", True),
        (Role.OPERATOR, "data_bureau", True),
        (Role.CONSUMER, "health", False),
        (Role.AUDITOR, "data_bureau", False),
    ],
)
def test_the_switch_is_offered_to_those_who_may_use_it(
    portal: Operated, role: Role, department: str, offered: bool
) -> None:
    page = portal.reader(role, department=department).open("/stop")
    assert page.status == 200
    assert ("What is meant" in page.text) is offered


def test_who_may_not_resume_moves_no_case(portal: Operated, case: int) -> None:
    suspended(portal, portal.reader(Role.AUTHORITY, department="data_bureau"))
    before = now_of(portal)
    stranger = portal.reader(Role.CONSUMER, department="tax")
    fields = {"verb": "resume", "scope": "grant", "name": HEALTH_GRANT, "confirm": HEALTH_GRANT}
    token = stranger.open("/account").form("/logout").fields
    answer = stranger.client.post("/stop/order", data={**token, **fields, "reason": "let us"})
    assert answer.status_code == 403
    assert now_of(portal) == before
    assert case
