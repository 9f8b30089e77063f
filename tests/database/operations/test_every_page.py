"""Every page of operation, in both languages, for every role: well-formed, complete, and never a defect."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from producers.connect_status import ConnectorStatus, Health, TaskStatus
from producers.snapshot import SnapshotState
from services.control.accounts.roles import Role
from services.control.catalogue.vocabulary import Language
from services.control.process.collecting.connectors import connector_documents
from services.control.provisioning.drift import Kind as DriftKind
from services.control.store.snapshots import Kind
from services.portal.navigation import MENU
from services.portal.words import said
from services.portal.words_of_operation import RAISED, alarm
from services.watch.judge import AlarmKind
from tests.support.alarms import drifted, retained, watched
from tests.support.operating import HEALTH_GRANT, PERSONS, RAW, Operated, grant_document
from tests.support.volumes import epoch, volume_document
from tests.unit.cli.called import PERSON, STOPPED
from topics.event import Step, StopReason

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
    "/receipts",
    f"/receipts?grant={HEALTH_GRANT}",
)
PEOPLE: Final = (
    (Role.AUTHORITY, "data_bureau"),
    (Role.PROVIDER, "police"),
    (Role.CONSUMER, "health"),
    (Role.OPERATOR, "data_bureau"),
    (Role.AUDITOR, "data_bureau"),
    (Role.OVERSEER, "data_bureau"),
)
_COMMANDS: Final = re.compile(r"govbus(?: [a-z-]+)+")
"""Commands are called the same in every language."""
_ENGLISH: Final = re.compile(r"\b(?:the|and|is|of|nothing|was)\b|\b(?-i:[A-Z]{2,}_[A-Z_]+)\b", re.IGNORECASE)
_LISTS: Final = {*Health.__members__, *StopReason, *Step, *SnapshotState, *AlarmKind} - {"none"}
_CODES: Final = re.compile(rf"(?<![\w.:/-])(?:{'|'.join(sorted(_LISTS))})(?![\w.:/-])")
"""What lists in records and snapshots say: on a page it has a word."""


@pytest.fixture
def filled(portal: Operated) -> Operated:
    """One of everything."""
    portal.see(Kind.GRANT, {HEALTH_GRANT: grant_document("health")})
    portal.see(Kind.TOPIC, {PERSONS: {"records": 1, "partitions": 1, "last_record_at": None}})
    portal.see(
        Kind.QUARANTINE,
        {"police": {"count": 3, "reasons": {"IDENTITY_MISSING": 3}}}
        | {f"d{number}": {"count": 1, "reasons": {each: 1}} for number, each in enumerate(StopReason)},
    )
    portal.memory.change("c", after={**PERSON, "id": 3, "id_number": "11010519491231002Y"})
    portal.memory.change("c", after={**PERSON, "id": 4, "sex": "x"})
    portal.memory.pump()
    portal.see(Kind.ALARM, watched())
    portal.see(Kind.DRIFT, drifted(portal.clock.now))
    portal.see(Kind.RETENTION, retained(portal.clock.now))
    portal.see(Kind.CONNECTOR, dict(_connectors()))
    portal.see(Kind.EPOCH, {"population.person.v1": volume_document(epochs=[epoch(1, "waiting")])})
    portal.see(
        Kind.RESOURCE,
        {"population.person.v1": {"provider": "police", "accepted": 9, "stopped": 1, "canonical_end": 9}},
    )
    return portal


def _connectors() -> Iterator[tuple[str, dict[str, Any]]]:
    """Connectors and tasks in every state that Connect knows, with full volumes in every state."""
    states = ("RUNNING", "PAUSED", "STOPPED", "UNASSIGNED", "RESTARTING", "FAILED", "DESTROYED")
    volumes = (None, *SnapshotState)
    for number, state in enumerate(states):
        volume = volumes[number % len(volumes)]
        status = ConnectorStatus(f"capture.d{number}", state, "w", (TaskStatus(0, state, "w"),))
        document = connector_documents([status], {})[status.name]
        if volume is not None:
            document["snapshot"] = {"state": volume.value, "rows": {"t": 1}, "failed": {"u": "NOT_SCANNED"}}
        yield (status.name if number else "capture.police"), document


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
    for path in PAGES:
        page = reader.open(path)
        # What watch and gate noted is their own text, as it was written, and is marked as English.
        text = _COMMANDS.sub("", page.own_text)
        found = [*_ENGLISH.findall(text), *_CODES.findall(text)]
        assert not found, (path, found, text)


def test_alarms_and_stopped_events_are_said_in_words_with_what_was_reported_beside_them(
    filled: Operated,
) -> None:
    reader = filled.reader(Role.OPERATOR, department="data_bureau", language="zh-CN")
    alarms = reader.open("/operations/alarms")
    for kind in {*AlarmKind, *(f"drift-{each}" for each in DriftKind), RAISED}:
        told = alarm(kind, Language.ZH)
        assert told is not None, kind
        assert told.title in alarms.own_text, kind
        assert told.remedy in alarms.own_text, kind
        assert kind in alarms.text, kind
    assert "SELECT pg_drop_replication_slot" in alarms.text
    assert {"已修复", "未消除"} <= set(alarms.own_text.split())
    stopped = reader.open("/quarantine/police")
    assert len({said(each, Language.ZH) for each in StopReason}) == len(StopReason)
    for words in ("身份标识为空", "身份标识无效", "识别身份"):
        assert words in stopped.own_text
    event = reader.open(f"/quarantine/police/event?at={STOPPED}")
    assert "在来源处补全该记录" in event.own_text


def test_a_kind_or_reason_that_is_new_is_shown_as_it_is(filled: Operated) -> None:
    filled.see(Kind.ALARM, {"x": {"kind": "slot-melted", "subject": "s", "detail": "d", "remedy": "r"}})
    filled.see(Kind.QUARANTINE, {"police": {"count": 1, "reasons": {"MOON_PHASE": 1}}})
    reader = filled.reader(Role.OPERATOR, department="data_bureau", language="zh-CN")
    for path, words in (
        ("/operations/alarms", ("其他告警", "slot-melted")),
        ("/quarantine", ("MOON_PHASE",)),
    ):
        page = reader.open(path)
        assert page.faults == []
        assert all(each in page.text for each in words)
