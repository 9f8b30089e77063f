"""Clocks, grants, contracts, receipts, notices, acts and snapshots over HTTP."""

import pytest

from services.control.accounts.roles import Role
from services.control.cases.words import Action, StopReason
from services.control.clocks.calendar_file import packaged_years
from services.control.clocks.pack_file import packaged_packs
from services.control.notices.event import Happened
from services.control.notices.words import Audience, Slot
from services.control.notices.words import Kind as NoticeKind
from services.control.provisioning.importing import Import
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id
from services.control.store.notices.happenings import tell
from services.control.store.prepare import prepare
from services.control.store.snapshots import Kind, note_trouble, put
from tests.support.desk import Office
from tests.support.official import asyncapi, odcs, problems
from tests.support.policy import sample_policy
from tests.support.provisioning import MemoryGrantBus
from tests.support.sharing_cases import BUREAU
from tests.support.web import NOW, Web, application

GRANT = "health-persons-gusu"
LARGEST = 2**63 - 1


@pytest.fixture
def web(control_database: ControlDatabase) -> Web:
    return Web(control_database)


def test_days_are_counted_by_the_calendar_of_the_database(web: Web) -> None:
    prepare(web.parts.database, NOW)
    browser = web.at(Role.CONSUMER)
    asked = {"start": "2026-09-18", "working_days": 10}
    found = browser.get("/clocks/due", params=asked).json()
    assert (found["due"], found["provisional"]) == ("2026-10-09", False)
    beyond = browser.get("/clocks/due", params={"start": "2027-09-18", "working_days": 10}).json()
    assert (beyond["provisional"], beyond["waits_for"]) == (True, 2027)
    assert browser.get("/clocks/due", params={"start": "x", "working_days": 10}).status_code == 422
    assert 2026 in browser.get("/clocks/calendar").json()["items"]
    assert browser.get("/clocks/calendar/2030").status_code == 404
    names = {each["name"] for each in browser.get("/clocks/calendar/2026").json()["days"]}
    assert "春节" in names


def test_the_authority_imports_years_and_packs_and_adopts_them_once(web: Web) -> None:
    authority = web.at(Role.AUTHORITY, department="data_bureau")
    year = {"content": (packaged_years() / "2026.csv").read_text(encoding="utf-8")}
    assert authority.put("/clocks/calendar/2026", year).json() == {"changed": True}
    assert authority.put("/clocks/calendar/2026", year).json() == {"changed": False}
    assert authority.put("/clocks/calendar/2025", year).status_code == 422
    wrong = authority.put("/clocks/calendar/2026", {"content": "date,kind\n"})
    assert (wrong.status_code, wrong.json()["problems"][0]["code"]) == (422, "LINE")
    pack = (packaged_packs() / "national-2025.yaml").read_text(encoding="utf-8")
    assert authority.post("/clocks/packs", {"content": pack}).json() == {"changed": True}
    assert authority.post("/clocks/packs", {"content": pack}).json() == {"changed": False}
    other = authority.post("/clocks/packs", {"content": f"{pack}\n# another text\n"})
    assert (other.status_code, other.json()["code"]) == (409, "VERSION_TAKEN")
    form = {"packs": ["national-2025"], "reason": "依国务院条例", "dispute_levels": ["data_bureau"]}
    first = authority.post("/clocks/policy", form, headers={"idempotency-key": "a1"})
    again = authority.post("/clocks/policy", form, headers={"idempotency-key": "a1"})
    assert (first.status_code, again.json()) == (201, first.json()), first.text
    assert authority.get("/clocks/policy").json()["digest"] == first.json()["digest"]
    assert authority.post("/clocks/policy", form | {"packs": ["nowhere"]}).status_code == 404
    assert web.all_acts().count("policy.adopt") == 1
    assert {each["id"] for each in authority.get("/clocks/packs").json()["items"]} == {"national-2025"}


def test_grants_are_listed_with_what_was_seen_of_them_and_walked(web: Web) -> None:
    consumer, provider = web.at(Role.CONSUMER, department="health"), web.at(Role.PROVIDER)
    for _ in range(3):
        number = consumer.post("/cases", application()).json()["number"]
        consumer.post(f"/cases/{number}/actions", {"action": "submit"}, headers={"if-match": "*"})
        provider.post(f"/cases/{number}/actions", {"action": "approve"}, headers={"if-match": "*"})
    document = {"lag_records": LARGEST, "records": -LARGEST, "state": "active"}
    with web.parts.database.begin() as connection:
        put(connection, Kind.GRANT, {GRANT: document}, NOW)
    shown = consumer.get(f"/grants/{GRANT}").json()
    assert (shown["provider"], shown["seen"]) == ("police", document)
    assert f'"lag_records":{LARGEST}' in consumer.get(f"/grants/{GRANT}").text
    walked, cursor = [], None
    while True:
        asked = {"limit": 1} | ({} if cursor is None else {"cursor": cursor})
        page = consumer.get("/grants", params=asked).json()
        walked += [(each["grant"], each["case"]) for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert [case for _, case in walked] == [None, 3, 2, 1]
    assert len(set(walked)) == 4


def test_a_grant_that_became_a_case_is_shown_by_its_case_and_listed_once(web: Web) -> None:
    office = Office(web.parts.database)
    bus = MemoryGrantBus(now=sample_policy())
    found = Import(office.database, office.desk, bus, new_id, "console:zhao", "cases begin", NOW).run()
    filed = next(each for each in found.cases if each.case.opening.grant == GRANT)
    office.done(filed, Action.SUSPEND, BUREAU, stop_reason=StopReason.RISK)
    consumer = web.at(Role.CONSUMER, department="health")
    shown = consumer.get(f"/grants/{GRANT}").json()
    assert (shown["state"], shown["case"]) == ("suspended", filed.number)
    assert [each["grant"] for each in consumer.get("/grants").json()["items"]] == [GRANT]
    office.done(filed, Action.TERMINATE, BUREAU, stop_reason=StopReason.RISK)
    assert consumer.get(f"/grants/{GRANT}").json()["state"] == "terminated"
    assert consumer.get("/grants").json()["items"] == []


@pytest.mark.parametrize(("standard", "validator"), [("asyncapi", asyncapi), ("odcs", odcs)])
def test_a_contract_is_what_its_standard_says(web: Web, standard: str, validator: object) -> None:
    consumer = web.at(Role.CONSUMER, department="health")
    answer = consumer.get(f"/grants/{GRANT}/contract", params={"format": standard})
    assert answer.status_code == 200, answer.text
    assert callable(validator)
    assert problems(validator(), answer.json()) == []
    assert consumer.get("/grants/nobody/contract", params={"format": standard}).status_code == 404
    web.bus.current = None
    assert consumer.get(f"/grants/{GRANT}/contract", params={"format": standard}).status_code == 404


def test_a_receipt_shows_each_party_its_own_grants(web: Web) -> None:
    grants = [
        {"grant": "a", "consumer": "health", "resource": "population.person.v1"},
        {"grant": "b", "consumer": "tax", "resource": "legal.enterprise.v1"},
    ]
    web.bus.receipts["s-1"] = {"id": "s-1", "grants": grants}
    seen = {
        department: [each["grant"] for each in browser.get("/receipts/s-1").json()["grants"]]
        for department, browser in (
            ("health", web.at(Role.CONSUMER, department="health")),
            ("police", web.at(Role.PROVIDER)),
            ("audit", web.at(Role.AUDITOR, department="data_bureau")),
        )
    }
    assert seen == {"health": ["a"], "police": ["a"], "audit": ["a", "b"]}
    stranger = web.at(Role.PROVIDER, department="health")
    assert stranger.get("/receipts/s-1").status_code == 403
    assert stranger.get("/receipts/s-2").status_code == 404


def test_a_department_reads_what_it_was_told(web: Web) -> None:
    for number in range(3):
        parties = {Audience.CONSUMER: ("health",), Audience.PROVIDER: ("police",)}
        facts = {Slot.CASE: str(number + 1), Slot.GRANT: "g1", Slot.RESOURCE: "population.person.v1"}
        happened = Happened(f"k{number}", NoticeKind.CASE_ACTIVE, NOW, parties, facts)
        with web.parts.database.begin() as connection:
            assert tell(connection, happened, new_id(NOW), NOW)
    browser = web.at(Role.CONSUMER, department="health")
    first = browser.get("/notices", params={"limit": 2}).json()
    second = browser.get("/notices", params={"limit": 2, "cursor": first["next"]}).json()
    ids = [each["id"] for each in [*first["items"], *second["items"]]]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 3
    assert second["next"] is None
    chinese = browser.get("/notices", headers={"accept-language": "zh"}).json()["items"][0]
    english = browser.get("/notices", headers={"accept-language": "en"}).json()["items"][0]
    assert chinese["subject"] != english["subject"]
    assert browser.post("/notices/read", {"ids": ids[:2]}).json() == {"read": 2}
    assert browser.post("/notices/read", {"ids": ids[:2]}).json() == {"read": 0}
    assert browser.get("/notices/unread").json() == {"unread": 1}
    assert len(browser.get("/notices", params={"unread": True}).json()["items"]) == 1
    assert web.at(Role.CONSUMER, department="tax").get("/notices").json()["items"] == []


def test_acts_are_walked_from_the_oldest_and_a_look_at_an_account_is_one_itself(web: Web) -> None:
    consumer = web.at(Role.CONSUMER, department="health")
    opened = consumer.post("/cases", application()).json()
    for _ in range(2):
        consumer.post(
            f"/cases/{opened['number']}/actions",
            {"action": "edit", "application": application()},
            headers={"if-match": "*"},
        )
    path = f"/acts/case/{opened['case']}"
    first = consumer.get(path, params={"limit": 2}).json()
    second = consumer.get(path, params={"limit": 2, "cursor": first["next"]}).json()
    walked = [each["what"] for each in [*first["items"], *second["items"]]]
    assert walked == ["case.open", "case.edit", "case.edit"]
    assert web.at(Role.CONSUMER, department="tax").get(path).status_code == 403
    person = web.hire(Role.CONSUMER, department="health")
    auditor = web.at(Role.AUDITOR, department="data_bureau")
    assert auditor.get(f"/acts/account/{person.id}").status_code == 200
    assert web.acts("audit", str(person.id)) == ["audit.look"]
    assert auditor.get("/acts/anything/at-all").json()["items"] == []
    assert consumer.get("/acts/anything/at-all").status_code == 403


def test_a_snapshot_says_as_of_when_what_keeps_it_back_and_numbers_of_64_bits_exactly(web: Web) -> None:
    operator = web.at(Role.OPERATOR, department="data_bureau")
    never = operator.get("/snapshots/topic").json()
    assert (never["as_of"], never["documents"]) == (None, {})
    documents: dict[str, dict[str, int | None]] = {
        "raw.police.public.person": {"records": LARGEST},
        "sub.health.population.person.v1.g1": {"records": LARGEST - 1},
        "resource.population.person.v1": {"records": 1},
        "policy": {"records": 2},
    }
    with web.parts.database.begin() as connection:
        put(connection, Kind.TOPIC, documents, NOW)
        note_trouble(connection, Kind.TOPIC, "Kafka does not answer", NOW)
    found = operator.get("/snapshots/topic")
    assert found.json()["documents"] == documents
    assert str(LARGEST) in found.text
    assert found.json()["trouble"]["what"] == "Kafka does not answer"
    seen = {
        (role, department): set(
            web.at(role, department=department).get("/snapshots/topic").json()["documents"]
        )
        for role, department in (
            (Role.PROVIDER, "police"),
            (Role.CONSUMER, "health"),
            (Role.CONSUMER, "tax"),
        )
    }
    assert seen[Role.PROVIDER, "police"] == {"raw.police.public.person", "resource.population.person.v1"}
    assert seen[Role.CONSUMER, "health"] == {"sub.health.population.person.v1.g1"}
    assert seen[Role.CONSUMER, "tax"] == set()


def test_numbers_beyond_64_bits_are_refused_and_the_largest_one_is_asked_for(web: Web) -> None:
    browser = web.at(Role.AUDITOR)
    assert browser.get(f"/tickets/{LARGEST}").status_code == 404
    assert browser.get(f"/tickets/{LARGEST + 1}").status_code == 422
