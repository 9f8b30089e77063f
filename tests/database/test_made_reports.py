"""Reports on a database with something in it: every figure is the number behind it, then and later."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.control.accounts.roles import Role
from services.control.process.loops import NotYet
from services.control.process.retention import RAISED, RetentionTurn
from services.control.reports.report import Fulfilled, Scope, behind, differences
from services.control.reports.words import Kind, Measure
from services.control.state import Topic
from services.control.store.cases.policies import adopt
from services.control.store.clocks.calendars import read_calendar
from services.control.store.database import ControlDatabase
from services.control.store.reports.made import kept
from services.control.store.reports.making import make
from services.control.store.snapshots import Kind as Seen
from services.control.store.snapshots import alarms, all_of, put
from tests.support.desk import policy
from tests.support.mounting import MOUNTING
from tests.support.portal import Portal, Reader
from tests.support.stored_catalogue import brought, numbered, opened
from tests.support.web import NOW, application

YEAR = NOW.year
RAW = "raw.police.public.person"
IN_YEARS = {str(YEAR): {"accepted": 70, "stopped": 7}, "1999": {"accepted": 9}}
SUMS = {
    "ledger.intake": {"sums": {RAW: {"years": IN_YEARS}}},
    "ledger.delivery": {"sums": {"some-grant": {"years": {str(YEAR): {"delivered": 30, "tombstoned": 1}}}}},
}
GRANT = {"some-grant": {"consumer": "health", "provider": "police"}}


@pytest.fixture
def portal(control_database: ControlDatabase) -> Portal:
    """An entry that is published, an application, sums of the ledger, and a count of one resource."""
    found = Portal(control_database)
    applied = found.at(Role.CONSUMER, department="health").post("/cases", application())
    assert applied.status_code == 201, applied.text
    with control_database.begin() as connection:
        entry = brought(connection, opened(connection, numbered(1)))
        code = connection.execute(text("SELECT code FROM catalogue_entries WHERE id = :id"), {"id": entry.id})
        census = {"code": code.scalar_one(), "provider": "police", "records": 12, "bytes": 3_400}
        put(connection, Seen.MOUNTING, MOUNTING, NOW)
        put(connection, Seen.LEDGER, SUMS, NOW)
        put(connection, Seen.GRANT, GRANT, NOW)
        put(connection, Seen.CENSUS, {"population.person.v1": census}, NOW)
    return found


def asked(reader: Reader, kind: str, department: str = "") -> Response:
    """What the form that makes a report answers."""
    fields = {"kind": kind, "year": str(YEAR), "department": department}
    return reader.send(reader.open("/reports/made"), "/reports/made", **fields)


@pytest.mark.requirement("A12-02", "A12-03", "A12-04")
def test_every_figure_is_the_number_behind_its_link(portal: Portal) -> None:
    reader = portal.reader(Role.AUTHORITY, department="data_bureau")
    sent = asked(reader, "authority")
    assert sent.status_code == 303, sent.text
    page = reader.open(sent.headers["location"])
    assert (page.status, page.faults) == (200, [])
    with portal.parts.database.reading() as connection:
        report = kept(connection, 1)
    assert report is not None
    values = {each.measure: each.value for each in report.report.figures}
    assert values[Measure.ACCEPTED] == 70
    assert values[Measure.SUPPLIED] == 30
    assert values[Measure.TOTAL_RECORDS] == 12
    assert values[Measure.ENTRIES] == 1
    for each in report.report.figures:
        shown = reader.look(behind(each.measure, YEAR))
        assert shown.status_code == 200, each.measure
        found = re.search(r'<data id="figure" value="(\d+)"', shown.text)
        assert found is not None
        assert int(found[1]) == each.value, each.measure
        for department, value in each.by_department.items():
            if department:
                part = reader.look(behind(each.measure, YEAR, department))
                assert f'<data id="figure" value="{value}"' in part.text, (each.measure, department)


@pytest.mark.requirement("A12-01")
def test_a_department_makes_and_sees_its_own_report_and_no_other(portal: Portal) -> None:
    provider = portal.reader(Role.PROVIDER, department="police")
    made = asked(provider, "department", "police")
    assert made.status_code == 303, made.text
    assert provider.open(made.headers["location"]).faults == []
    for shape in ("html", "xlsx"):
        assert provider.look(f"{made.headers['location']}/report.{shape}").status_code == 200
    other = portal.reader(Role.PROVIDER, department="tax")
    assert other.look(made.headers["location"]).status_code == 404
    assert other.look(behind(Measure.ACCEPTED, YEAR, "police")).status_code == 403
    assert other.look(behind(Measure.ACCEPTED, YEAR)).status_code == 403
    assert portal.acts("made-report", "1") == ["report.make"]


def test_a_report_is_never_changed_and_the_same_when_it_is_made_again(portal: Portal) -> None:
    reader = portal.reader(Role.AUTHORITY, department="data_bureau")
    asked(reader, "evaluation")
    database = portal.parts.database
    with database.reading() as connection:
        then = kept(connection, 1)
        assert then is not None
        assert then.is_whole
        again = make(connection, read_calendar(connection), portal.clock.now, Scope(Kind.EVALUATION, YEAR))
        assert differences(then.report, again) == []
    with pytest.raises(DBAPIError, match="never changed"), database.begin() as connection:
        connection.execute(text("UPDATE made_reports SET digest = 'x'"))


@pytest.mark.requirement("A2-08", "A12-08")
@pytest.mark.parametrize("kind", [Kind.OVERDUE, Kind.DUTIES])
@pytest.mark.parametrize("department", ["", "police"])
def test_a_list_names_every_row_behind_its_figure(portal: Portal, kind: Kind, department: str) -> None:
    # A yearly report is owed by then, and nobody has handed it in.
    later = NOW + timedelta(days=500)
    with portal.parts.database.begin() as connection:
        packs = policy("national-2025", "jiyuan-2022", "department-sample")
        adopt(connection, packs, "operator:test", NOW, "their deadlines")
    with portal.parts.database.reading() as connection:
        report = make(connection, read_calendar(connection), later, Scope(kind, YEAR, department))
    assert report.appendix is not None
    [value] = {each.value for each in report.figures if each.measure is report.appendix.measure}
    assert len(report.appendix.lines) == value
    assert value or department
    assert not department or {each.department for each in report.appendix.lines} <= {department}
    if kind is Kind.DUTIES:
        fulfilled = next(each.value for each in report.figures if each.measure is Measure.FULFILLED)
        assert [each.state for each in report.appendix.lines].count(Fulfilled.YES) == fulfilled


class Broker:
    """A broker whose settings somebody changes."""

    def __init__(self, *topics: Topic) -> None:
        self.found = {each.name: each for each in topics}

    def topics(self) -> dict[str, Topic]:
        return dict(self.found)

    def alter(self, changes: Any) -> None:
        for name, configs in changes.items():
            self.found[name] = Topic(name, 1, {**self.found[name].configs, **configs})


@pytest.mark.requirement("A11-01", "C12")
def test_what_somebody_shortened_is_raised_is_an_act_and_stands_on_the_page(portal: Portal) -> None:
    database, now = portal.parts.database, datetime(2026, 5, 1, tzinfo=UTC)
    with database.begin() as connection:
        packs = policy("national-2025", "jiyuan-2022", "department-sample")
        adopt(connection, packs, "operator:test", now, "logs for 400 days")
    short = Topic(RAW, 1, {"retention.ms": "86400000", "cleanup.policy": "delete"})
    broker = Broker(short, Topic("resource.a.b.v1", 1, {"retention.ms": "1"}))
    turn = RetentionTurn(database, broker, lambda: now)
    assert turn.turn() is True
    assert broker.found[RAW].configs["retention.ms"] == str(400 * 86_400_000)
    assert broker.found["resource.a.b.v1"].configs["retention.ms"] == "1"
    assert turn.turn() is False
    assert portal.acts("topic", RAW) == [RAISED]
    with database.reading() as connection:
        assert all_of(connection, Seen.RETENTION).documents["floor"]["days"] == 400
        assert f"retention:{RAW}" in alarms(connection).documents
    auditor = portal.reader(Role.AUDITOR, department="data_bureau").open("/retention")
    assert (auditor.status, auditor.faults) == (200, [])
    assert "第五条" in auditor.text
    assert RAW in auditor.text
    assert RAW not in portal.reader(Role.CONSUMER, department="health").open("/retention").text


def test_before_the_first_apply_there_is_nothing_to_keep(portal: Portal) -> None:
    with pytest.raises(NotYet, match="govbus apply"):
        RetentionTurn(portal.parts.database, Broker(), portal.clock).turn()


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_pages_say_why_they_are_empty(control_database: ControlDatabase, language: str) -> None:
    portal = Portal(control_database)
    reader = portal.reader(Role.AUDITOR, department="data_bureau", language=language)
    for path in ("/reports/made", "/retention", behind(Measure.NEEDS, YEAR)):
        page = reader.open(path)
        assert (page.status, page.faults) == (200, []), path
