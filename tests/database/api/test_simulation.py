"""Past cases replayed under another pack over HTTP: who would be late, page by page; nothing is written."""

from datetime import timedelta

import pytest
from httpx2 import Response

from services.control.accounts.roles import Role
from services.control.store.database import ControlDatabase
from services.control.store.prepare import prepare
from tests.support.web import NOW, Web, application

SEEN = {"if-match": "*"}


@pytest.fixture
def web(control_database: ControlDatabase) -> Web:
    """Two cases that wait for their decision since eight working days, ten of which the policy gives."""
    web = Web(control_database)
    prepare(control_database, NOW)
    authority = web.at(Role.AUTHORITY, department="data_bureau")
    packs = {"packs": ["national-2025", "county-template-2021"], "reason": "十个工作日"}
    assert authority.post("/clocks/policy", packs).status_code == 201
    consumer = web.at(Role.CONSUMER, department="health")
    for _ in range(2):
        case = consumer.post("/cases", application()).json()["number"]
        assert consumer.post(f"/cases/{case}/actions", {"action": "submit"}, headers=SEEN).is_success
    web.clock.pass_by(timedelta(days=10))
    return web


def simulated(web: Web, *packs: str, **more: object) -> Response:
    browser = web.at(Role.AUTHORITY, department="data_bureau")
    return browser.get("/clocks/simulation", params={"pack": list(packs), **more})


def test_who_would_be_late_under_a_stricter_pack_is_listed_and_no_case_changes(web: Web) -> None:
    before = web.at(Role.AUTHORITY, department="data_bureau").get("/cases/1/clocks").json()
    told = simulated(web, "yanjin-2019").json()
    assert (told["packs"], told["cases"], told["late_only_then"], told["next"]) == (
        ["yanjin-2019"],
        2,
        2,
        None,
    )
    assert [(each["case"], each["stage"], each["provider"]) for each in told["late"]] == [
        (1, "reply", "police"),
        (2, "reply", "police"),
    ]
    assert [(each["due_on"], each["was_due_on"], each["was_late"]) for each in told["late"]] == [
        ("2026-03-09", "2026-03-16", False)
    ] * 2
    after = web.at(Role.AUTHORITY, department="data_bureau").get("/cases/1/clocks").json()
    assert after["clocks"] == before["clocks"]
    assert simulated(web, "county-template-2021").json()["late"] == []


def test_cases_are_replayed_page_by_page(web: Web) -> None:
    first = simulated(web, "yanjin-2019", limit=1).json()
    assert (first["cases"], [each["case"] for each in first["late"]]) == (1, [1])
    second = simulated(web, "yanjin-2019", limit=1, cursor=first["next"]).json()
    assert [each["case"] for each in second["late"]] == [2]
    last = simulated(web, "yanjin-2019", limit=1, cursor=second["next"]).json()
    assert (last["cases"], last["next"]) == (0, None)
    other = simulated(web, "county-template-2021", cursor=first["next"])
    assert other.json()["code"] == "CURSOR"


def test_an_unknown_pack_and_none_at_all_are_said(web: Web) -> None:
    unknown = simulated(web, "yanjin-2019", "atlantis-1")
    assert (unknown.status_code, unknown.json()["missing"]) == (404, ["atlantis-1"])
    assert simulated(web).status_code == 422


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.AUTHORITY, True),
        (Role.AUDITOR, True),
        (Role.OPERATOR, False),
        (Role.PROVIDER, False),
        (Role.CONSUMER, False),
        (Role.OVERSEER, False),
    ],
)
def test_who_may_simulate(web: Web, role: Role, allowed: bool) -> None:
    browser = web.at(role, department="data_bureau")
    answer = browser.get("/clocks/simulation", params={"pack": "yanjin-2019"})
    assert answer.status_code == (200 if allowed else 403)
