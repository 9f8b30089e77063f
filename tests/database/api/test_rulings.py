"""Rulings on one-source conflicts over HTTP: who rules on what basis, tried first, and how it stands."""

from datetime import timedelta
from typing import Any

import pytest

from schemas.registry import RegistryUnavailable
from services.control.accounts.people import Department
from services.control.accounts.roles import Role
from services.control.rulings.worker import RulingWorker
from services.control.store.accounts.departments import add_department
from services.control.store.database import ControlDatabase
from tests.support.ruling import RulingMemory
from tests.support.web import CONSOLE, CONTACTS, Web, credit_code

PATH = "/claims/social_security/population.person.v1/address/rulings"
COLUMN = "social.enrolment.v1/address"
CLAIMANT = Department("social_security", "人社局", "Social Security", credit_code("01409002"), CONTACTS)


@pytest.fixture
def web(control_database: ControlDatabase) -> Web:
    web = Web(control_database)
    with control_database.begin() as connection:
        add_department(connection, CLAIMANT, CONSOLE)
    return web


def ruling(**changes: Any) -> dict[str, Any]:
    return {"decision": "confirm", "basis": "《条例》第二十条", "text": "户籍住址以公安为准"} | changes


@pytest.mark.requirement("A5-04")
def test_a_ruling_is_recorded_with_its_basis_and_says_how_it_stands(web: Web) -> None:
    browser = web.at(Role.AUTHORITY, department="data_bureau")
    confirmed = browser.post(PATH, ruling())
    first = confirmed.json()
    assert (confirmed.status_code, first) == (
        201,
        {"recorded": True, "id": first["id"], "decision": "confirm", "resources": [], "losing": []},
    )
    moved = browser.post(PATH, ruling(decision="transfer"))
    assert "social.enrolment.v1" in moved.json()["resources"]
    newest, oldest = browser.get(PATH).json()["items"]
    assert (newest["id"], newest["decision"], newest["stage"]) == (moved.json()["id"], "transfer", "decided")
    assert (newest["policy_version"], newest["in_force_at"], newest["attempts"]) == (None, None, 0)
    assert (oldest["id"], oldest["decision"], oldest["stage"]) == (first["id"], "confirm", "overtaken")
    assert (oldest["basis"], oldest["department"]) == ("《条例》第二十条", "data_bureau")
    assert web.acts("claim", COLUMN) == ["claim.decide", "claim.decide"]


@pytest.mark.requirement("A5-01")
def test_what_became_of_a_ruling_is_read_step_by_step(web: Web) -> None:
    browser = web.at(Role.AUTHORITY, department="data_bureau")
    browser.post(PATH, ruling(decision="transfer"))
    bus = RulingMemory(fails={"write": RegistryUnavailable("nobody answers")})
    worker = RulingWorker(web.parts.database, bus.order(), web.clock, lambda _text: None)
    assert worker.turn()
    (found,) = browser.get(PATH).json()["items"]
    assert (found["stage"], found["attempts"]) == ("decided", 1)
    assert found["waits_for"].startswith("nobody answers; `govbus status`")
    assert found["next_try_at"] is not None
    bus.fails.clear()
    web.clock.pass_by(timedelta(minutes=1))
    assert worker.turn()
    (found,) = browser.get(PATH).json()["items"]
    assert (found["stage"], found["policy_version"], found["instances"]) == ("in_force", 4, ["gate.0"])
    assert found["in_force_at"] is not None
    assert (found["providers"], found["losing"]) == (["police", "social_security"], ["health-persons-gusu"])


def test_a_ruling_is_taken_though_the_bus_is_silent(web: Web) -> None:
    web.bus.silent = True
    browser = web.at(Role.AUTHORITY, department="data_bureau")
    assert browser.post(PATH, ruling(decision="transfer")).status_code == 201
    (found,) = browser.get(PATH).json()["items"]
    assert found["stage"] == "decided"


def test_a_trial_says_what_would_change_and_records_nothing(web: Web) -> None:
    browser = web.at(Role.AUTHORITY, department="data_bureau")
    tried = browser.post(PATH, ruling(decision="transfer"), params={"dry_run": True})
    assert (tried.status_code, tried.json()["recorded"], tried.json()["id"]) == (200, False, None)
    assert "population.person.v1" in tried.json()["resources"]
    assert web.acts("claim", COLUMN) == []


def test_a_key_rules_once(web: Web) -> None:
    browser = web.at(Role.AUTHORITY, department="data_bureau")
    for _ in range(2):
        assert browser.post(PATH, ruling(), headers={"idempotency-key": "r-1"}).status_code == 201
    assert web.acts("claim", COLUMN) == ["claim.decide"]


@pytest.mark.parametrize("wrong", [{"basis": " "}, {"text": ""}, {"decision": "toss a coin"}])
def test_a_ruling_without_basis_reason_or_sense_is_none(web: Web, wrong: dict[str, str]) -> None:
    browser = web.at(Role.AUTHORITY, department="data_bureau")
    assert browser.post(PATH, ruling(**wrong)).json()["code"] == "INVALID"
    assert web.acts("claim", COLUMN) == []


def test_nobody_rules_in_his_own_matter_and_only_the_authority_rules(web: Web) -> None:
    for role in Role:
        for department in ("data_bureau", "social_security"):
            answer = web.at(role, department=department).post(PATH, ruling())
            allowed = role is Role.AUTHORITY and department == "data_bureau"
            assert answer.status_code == (201 if allowed else 403), (role, department)
    owner = web.at(Role.AUTHORITY, department="police").post(PATH, ruling())
    assert [each["code"] for each in owner.json()["problems"]] == ["OWN_CONFLICT"]
    assert web.acts("claim", COLUMN) == ["claim.decide"]


def test_rulings_are_seen_by_claimant_owner_and_who_sees_everything(web: Web) -> None:
    for role, department, sees in (
        (Role.PROVIDER, "social_security", True),
        (Role.PROVIDER, "police", True),
        (Role.PROVIDER, "tax", False),
        (Role.CONSUMER, "police", False),
        (Role.AUDITOR, "data_bureau", True),
    ):
        answer = web.at(role, department=department).get(PATH)
        assert answer.status_code == (200 if sees else 403), (role, department)


def test_what_nobody_claims_is_not_there(web: Web) -> None:
    browser = web.at(Role.AUTHORITY, department="data_bureau")
    other = PATH.replace("address", "sex")
    assert browser.get(other).status_code == 404
    assert browser.post(other, ruling()).status_code == 404
