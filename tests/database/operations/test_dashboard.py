"""The dashboard and what stands beside it: figures of one's own, live for many at the price of one."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from services.control.accounts.roles import Role
from services.control.cases.words import Action
from services.control.store.snapshots import Kind
from services.portal.pages import operations as dashboard_pages
from tests.support.desk import COUNTY, Office, policy
from tests.support.operating import HEALTH_GRANT, Operated, cookies, grant_document
from tests.support.sharing_cases import CONSUMER
from tests.support.streaming import EventSeen, Listening

STATIC: Final = Path(dashboard_pages.__file__).parents[1] / "static"


def see(portal: Operated, end: int = 100, after_s: float = 0.0) -> None:
    """One round of the collector."""
    document = {
        "provider": "police",
        "records": 90,
        "accepted": 90,
        "stopped": 10,
        "canonical_end": end,
        "freshness_s": 30.0,
        "last_event_at": "2026-03-02T00:59:30+00:00",
        "stale": False,
    }
    portal.see(
        Kind.RESOURCE,
        {
            "population.person.v1": document,
            "permit.shop.v1": {**document, "provider": "market", "stopped": 0},
        },
        after_s,
    )
    portal.see(Kind.GRANT, {HEALTH_GRANT: grant_document("health")}, after_s)
    portal.see(
        Kind.ALARM,
        {"slot-lag:x": {"kind": "slot-lag", "subject": "x", "detail": "d", "remedy": "r"}},
        after_s,
    )


async def heard(stream: Listening) -> EventSeen:
    event = await stream.event()
    assert event is not None
    return event


def test_the_tables_say_everything_without_a_script(portal: Operated) -> None:
    see(portal)
    page = portal.reader(Role.OPERATOR, department="data_bureau").open("/operations")
    assert page.status == 200, page.text
    assert page.faults == []
    assert "90.0" in page.text
    assert "market" in page.text
    assert portal.opened == 0


def test_a_department_sees_its_own_figures(portal: Operated) -> None:
    see(portal)
    mine = portal.reader(Role.PROVIDER, department="police").open("/operations")
    assert "90.0" in mine.text
    assert "market" not in mine.text
    other = portal.reader(Role.CONSUMER, department="tax").open("/operations")
    assert other.status == 200
    assert "90.0" not in other.text
    assert "There is no grant that you may see." in other.text


@pytest.mark.requirement("A12-08")
def test_the_tile_of_overdue_cases_leads_to_them_and_says_whose_they_are(portal: Operated) -> None:
    for adopted in (COUNTY, policy("national-2025", "jiyuan-2022")):
        office = Office(portal.parts.database, adopted)
        filed = office.done(office.opened(), Action.SUBMIT, CONSUMER)
    portal.clock.pass_by(timedelta(days=30))
    reader = portal.reader(Role.AUTHORITY, department="data_bureau")
    office = Office(portal.parts.database)
    today = office.done(office.opened(now=portal.clock.now), Action.SUBMIT, CONSUMER, portal.clock.now)
    see(portal)
    page = reader.open("/operations")
    assert "2 cases overdue" in page.text
    assert "the authority 1 0 Police 1 0" in page.text
    (link,) = (each for each in page.links if each.startswith("/cases?"))
    listed = reader.open(link)
    assert f"/cases/{filed.case.opening.id}" in listed.links
    assert f"/cases/{today.case.opening.id}" not in listed.links
    assert f"/cases/{today.case.opening.id}" in reader.open("/cases").links
    assert f"/cases/{today.case.opening.id}" not in reader.open("/cases?overdue=yes&sort=due").links


async def test_figures_are_heard_in_order_by_many_at_the_price_of_one(portal: Operated) -> None:
    see(portal)
    hub = portal.operations.hub
    readers = [portal.reader(Role.OPERATOR, department="data_bureau") for _ in range(3)]
    streams = [Listening(portal.app, "/operations/live", cookies(each)) for each in readers]
    for stream in streams:
        await stream.__aenter__()
    first = [await heard(stream) for stream in streams]
    see(portal, end=200, after_s=10.0)
    second = [await heard(stream) for stream in streams]
    asked = hub.asked
    assert {event.id for event in first} == {"e1-1"}
    assert {event.id for event in second} == {"e1-2"}
    assert json.loads(second[0].data)["flow"][-1]["rate"] == pytest.approx(20.0)
    for stream in streams:
        await stream.__aexit__(None, None, None)
    again = {**cookies(readers[0]), "last-event-id": "e1-1"}
    async with Listening(portal.app, "/operations/live", again) as back:
        assert (await heard(back)).id == "e1-2"
    await hub.close()
    assert asked < 60, "many viewers must not ask more often than the poller's pace"


async def test_a_department_hears_its_own_figures_only(portal: Operated) -> None:
    see(portal)
    headers = cookies(portal.reader(Role.PROVIDER, department="police"))
    async with Listening(portal.app, "/operations/live", headers) as stream:
        figures = json.loads((await heard(stream)).data)
    await portal.operations.hub.close()
    assert [row["provider"] for row in figures["providers"]] == ["police"]
    assert figures["alarms"] == []


@pytest.mark.parametrize(
    ("language", "names"), [("en", ["market", "Police"]), ("zh-CN", ["market", "公安局"])]
)
async def test_the_chart_is_told_departments_by_their_names(
    portal: Operated, language: str, names: list[str]
) -> None:
    see(portal)
    headers = {
        **cookies(portal.reader(Role.OPERATOR, department="data_bureau")),
        "accept-language": language,
    }
    async with Listening(portal.app, "/operations/live", headers) as stream:
        figures = json.loads((await heard(stream)).data)
    await portal.operations.hub.close()
    # Nobody has entered a name for the market regulation.
    assert [row["name"] for row in figures["providers"]] == names
    assert "row.name" in (STATIC / "dashboard.js").read_text(encoding="utf-8")


def test_who_is_not_logged_in_hears_nothing(portal: Operated) -> None:
    assert portal.stranger().client.get("/operations/live").status_code == 303


def test_alarms_say_what_to_do(portal: Operated) -> None:
    see(portal)
    drift = {"kind": "drift-strange_right", "subject": "mallory", "detail": "taken away", "remedy": "look"}
    portal.see(Kind.DRIFT, {"drift:strange_right::x": drift})
    page = portal.reader(Role.OPERATOR, department="data_bureau").open("/operations/alarms")
    assert page.faults == []
    assert "slot-lag" in page.text
    assert "A right to read that no case stands behind" in page.text
    assert "drift-strange_right mallory find out who changed the bus" in page.text
    assert "taken away look" in page.text
    assert (
        "No alarm stands."
        in portal.reader(Role.PROVIDER, department="police").open("/operations/alarms").text
    )


def test_connectors_are_as_bad_as_their_worst_task_and_show_its_trace(portal: Operated) -> None:
    failed = {
        "state": "FAILED",
        "connector_state": "RUNNING",
        "trace": None,
        "tasks": [{"id": 0, "state": "FAILED", "trace": "org.postgresql.util.PSQLException"}],
        "snapshot": {"state": "COMPLETED", "rows": {"public.person": 1_000_000}, "failed": {}},
    }
    fine: dict[str, Any] = {
        "state": "RUNNING",
        "connector_state": "RUNNING",
        "trace": None,
        "tasks": [],
        "snapshot": None,
    }
    portal.see(
        Kind.CONNECTOR,
        {
            "capture.market": fine,
            "capture.police": failed,
            f"sink.{HEALTH_GRANT}": fine,
            "odd": {"state": "?"},
        },
    )
    portal.see(Kind.GRANT, {HEALTH_GRANT: grant_document("health")})

    def listed(role: Role, department: str) -> list[str]:
        page = portal.reader(role, department=department).open("/connectors")
        assert page.faults == []
        return [link.removeprefix("/connectors/") for link in page.links if link.startswith("/connectors/")]

    operator = portal.reader(Role.OPERATOR, department="data_bureau")
    assert listed(Role.OPERATOR, "data_bureau")[:2] == ["odd", "capture.police"]
    assert listed(Role.PROVIDER, "police") == ["capture.police", f"sink.{HEALTH_GRANT}"]
    assert listed(Role.CONSUMER, "health") == [f"sink.{HEALTH_GRANT}"]
    page = operator.open("/connectors/capture.police")
    assert page.faults == []
    for said in ("PSQLException", "1,000,000", "what counts is the worst part"):
        assert said in page.text
    assert (
        portal.reader(Role.PROVIDER, department="tax").look("/connectors/capture.police").status_code == 403
    )
