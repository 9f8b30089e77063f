"""Disputes over HTTP: claimant and owner see them, nobody sees a value, and without a bus that is said."""

from dataclasses import replace

import pytest

from services.control.accounts.roles import Role
from services.control.store.database import ControlDatabase
from services.ledger.claims import ClaimView, Then
from services.ledger.conflicts import Conflict, ConflictingRecord
from tests.support.no_bus import NoBus
from tests.support.web import Web
from topics.event import ProviderId, ResourceId

SECRET = "11010519491231002X"
CLAIM = ClaimView(
    at="claims.market:0:1",
    raw="raw.market.public.enterprise:0:7",
    claimant="market",
    owner="police",
    resource="population.person.v1",
    item="name",
    subject=f"resident_id:{SECRET}",
    claimed="王小明",
    then="王晓明",
    then_state=Then.KNOWN,
    agrees=False,
    current=None,
    owner_has_record=True,
    timestamp_ms=1_790_000_000_000,
    policy_version=3,
)
CONFLICT = Conflict(
    ResourceId("population.person.v1"),
    ProviderId("police"),
    f"resident_id:{SECRET}",
    1_790_000_000_000,
    (ConflictingRecord(SECRET, "resource.population.person.v1:0:1", "raw.police.public.person:0:1", 1),),
    record_ids_name_persons=True,
)


@pytest.fixture
def web(control_database: ControlDatabase) -> Web:
    web = Web(control_database)
    older = replace(CLAIM, at="claims.market:0:0", timestamp_ms=1, agrees=True)
    web.bus.claimed, web.bus.conflicting = [CLAIM, older], [CONFLICT]
    return web


def test_a_claim_is_seen_by_both_sides_and_never_its_values(web: Web) -> None:
    for browser in (web.at(Role.PROVIDER), web.at(Role.AUTHORITY, department="data_bureau")):
        found = browser.get("/claims")
        assert found.json()["total"] == 2
        assert [each["agrees"] for each in found.json()["items"]] == [True, False]
        assert found.json()["items"][1]["current"] is None
        for secret in (SECRET, "王小明", "王晓明"):
            assert secret not in found.text
        assert browser.get("/claims", params={"differing": True}).json()["total"] == 1
    assert web.at(Role.PROVIDER, department="tax").get("/claims").json()["total"] == 0
    assert web.at(Role.CONSUMER, department="health").get("/claims").status_code == 403


def test_conflicting_rows_are_for_their_provider_and_name_nobody(web: Web) -> None:
    found = web.at(Role.PROVIDER).get("/conflicts")
    assert len(found.json()["items"]) == 1
    assert SECRET not in found.text
    assert web.at(Role.PROVIDER, department="tax").get("/conflicts").json()["items"] == []


def test_without_a_bus_it_is_said_that_it_does_not_answer(control_database: ControlDatabase) -> None:
    web = Web(control_database)
    object.__setattr__(web.parts, "bus", NoBus())
    browser = web.at(Role.PROVIDER)
    for path in ("/claims", "/conflicts", "/grants/health-persons-gusu/contract?format=odcs"):
        answer = browser.get(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "BUS_UNAVAILABLE")
        assert answer.headers["retry-after"]
