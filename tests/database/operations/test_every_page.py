"""Every page of operation, in both languages, for every role: well-formed, complete, and never a defect."""

import re
from typing import Final

import pytest

from services.control.accounts.roles import Role
from services.control.store.snapshots import Kind
from services.portal.navigation import MENU
from tests.support.operating import HEALTH_GRANT, PERSONS, RAW, Operated, grant_document
from tests.support.volumes import epoch, volume_document
from tests.unit.cli.called import STOPPED

PAGES: Final = (
    "/grants",
    f"/grants/{HEALTH_GRANT}",
    "/stop",
    f"/stop/order?verb=suspend&scope=grant&name={HEALTH_GRANT}",
    "/topics",
    f"/topics/{PERSONS}",
    f"/topics/{PERSONS}?words=nothing",
    f"/topics/{RAW}?offset=tomorrow",
    "/quarantine",
    "/quarantine/police",
    f"/quarantine/police/event?at={STOPPED}",
    "/tickets",
    "/tickets/new",
    "/refusals",
    "/conflicts",
    "/conflicts/social_security/population.person.v1/address",
    "/operations",
    "/operations/tables",
    "/operations/alarms",
    "/connectors",
    "/connectors/capture.police",
    "/volumes",
    "/volumes?words=nothing",
    "/volumes/population.person.v1",
    "/audit",
    "/ledger",
    "/ledger?topic=ledger.delivery",
    "/retention",
    "/replays",
    "/replays/new",
    "/trace",
)
PEOPLE: Final = (
    (Role.AUTHORITY, "data_bureau"),
    (Role.PROVIDER, "police"),
    (Role.CONSUMER, "health"),
    (Role.OPERATOR, "data_bureau"),
    (Role.AUDITOR, "data_bureau"),
    (Role.OVERSEER, "data_bureau"),
)
_ENGLISH: Final = re.compile(r"\b(?:the|and|is|of|nothing|was)\b", re.IGNORECASE)


@pytest.fixture
def filled(portal: Operated) -> Operated:
    """One of everything."""
    portal.see(Kind.GRANT, {HEALTH_GRANT: grant_document("health")})
    portal.see(Kind.TOPIC, {PERSONS: {"records": 1, "partitions": 1, "last_record_at": None}})
    portal.see(Kind.QUARANTINE, {"police": {"count": 3, "reasons": {"IDENTITY_MISSING": 3}}})
    portal.see(Kind.ALARM, {"a": {"kind": "slot-lag", "subject": "a", "detail": "", "remedy": "b"}})
    portal.see(Kind.DRIFT, {"d": {"kind": "drift-x", "subject": "b", "detail": "c", "remedy": "d"}})
    portal.see(
        Kind.CONNECTOR,
        {"capture.police": {"state": "RUNNING", "connector_state": "RUNNING", "tasks": [], "snapshot": None}},
    )
    portal.see(Kind.EPOCH, {"population.person.v1": volume_document(epochs=[epoch(1, "waiting")])})
    portal.see(
        Kind.RESOURCE,
        {"population.person.v1": {"provider": "police", "accepted": 9, "stopped": 1, "canonical_end": 9}},
    )
    return portal


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize(("role", "department"), PEOPLE)
def test_every_page_is_whole_or_refused(filled: Operated, role: Role, department: str, language: str) -> None:
    reader = filled.reader(role, department=department, language=language)
    for path in PAGES:
        page = reader.open(path)
        assert page.status in (200, 403, 404, 422), (path, page.text)
        assert page.faults == [], path
        if page.status == 200 and not path.endswith("/tables"):
            assert page.language == ("en" if language == "en" else "zh-CN")


@pytest.mark.parametrize(("role", "department"), PEOPLE)
def test_the_menu_leads_nowhere_where_one_may_not_go(filled: Operated, role: Role, department: str) -> None:
    reader = filled.reader(role, department=department)
    start = reader.open("/")
    for path in (place.path for section in MENU for place in section.places):
        if path in start.links:
            assert reader.open(path).status == 200, path
        else:
            assert reader.open(path).status == 403, path


def test_in_chinese_no_english_sentence_is_left(filled: Operated) -> None:
    reader = filled.reader(Role.OPERATOR, department="data_bureau", language="zh-CN")
    # What the gate noted of an event is its own text, as it stands in the topic.
    for path in (each for each in PAGES if not each.startswith("/quarantine/")):
        page = reader.open(path)
        found = _ENGLISH.findall(page.text)
        assert not found, (path, found, page.text)
