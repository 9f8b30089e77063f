"""Quarantine as pages: counted, looked at, worked on after a trial; only by who may."""

import pytest

from services.control.accounts.roles import Role
from services.control.store.snapshots import Kind
from services.portal.operations.working import Stage
from tests.support.operating import Operated
from tests.support.portal import Reader
from tests.support.switching import DEADLINE_S
from tests.unit.cli.called import ADDRESS, NAME, NUMBER, STOPPED

BROWSER = "/quarantine/police"
WORK = "/quarantine/police/work"


def worked(portal: Operated, reader: Reader, **fields: str) -> str:
    """Send the form of the browser; returns the page of the work, once it is over."""
    answer = reader.send(reader.open(BROWSER), WORK, **fields)
    assert answer.status_code == 303, answer.text
    path = str(answer.headers["location"])
    task = portal.operations.tasks.wait(path.rpartition("/")[2], DEADLINE_S)
    assert task is not None
    assert task.stage is Stage.DONE
    return path


@pytest.mark.parametrize(
    ("role", "department", "status"),
    [
        (Role.PROVIDER, "police", 200),
        (Role.PROVIDER, "tax", 403),
        (Role.OPERATOR, "data_bureau", 200),
        (Role.CONSUMER, "police", 403),
        (Role.AUTHORITY, "data_bureau", 403),
        (Role.AUDITOR, "data_bureau", 403),
    ],
)
def test_who_may_look_at_stopped_events(portal: Operated, role: Role, department: str, status: int) -> None:
    assert portal.reader(role, department=department).look(BROWSER).status_code == status


@pytest.mark.requirement("A11-13")
def test_events_are_counted_by_reason_and_show_no_values(portal: Operated) -> None:
    reader = portal.reader(Role.OPERATOR, department="data_bureau")
    page = reader.open(BROWSER)
    assert page.faults == []
    assert "identity is empty 1" in page.text
    event = reader.open(f"{BROWSER}/event?at={STOPPED}")
    assert event.faults == []
    assert "***" in event.text
    for secret in (NAME, ADDRESS, NUMBER):
        assert secret not in page.answer.text + event.answer.text


def test_a_trial_does_nothing_and_needs_no_reason(portal: Operated) -> None:
    reader = portal.reader(Role.PROVIDER, department="police")
    page = reader.open(worked(portal, reader, deed="discard", dry_run="yes"))
    assert page.faults == []
    assert "would be discarded" in page.text
    assert portal.memory.written == []
    assert portal.owed() == []


def test_a_release_goes_through_the_gate_again_and_says_what_became_of_it(portal: Operated) -> None:
    reader = portal.reader(Role.OPERATOR, department="data_bureau")
    page = reader.open(worked(portal, reader, deed="release", reason="rule mended", confirm="police"))
    assert "stopped again" in page.text
    assert "raw.police.public.person:0:2" in page.text
    assert portal.owed() == [("quarantine.release", "police", "rule mended")]
    again = reader.open(worked(portal, reader, deed="resubmit", dry_run="yes"))
    assert "would be released" in again.text
    assert "raw.police.public.person:0:2" in again.text
    nothing = reader.open(worked(portal, reader, deed="release", dry_run="yes"))
    assert "0 events were worked on" in nothing.text


def test_a_discard_is_the_providers_and_closes_the_event(portal: Operated) -> None:
    reader = portal.reader(Role.PROVIDER, department="police")
    worked(portal, reader, deed="discard", reason="a test row", confirm="police")
    assert [dict(note.headers)["govbus_disposition"] for note in portal.memory.written] == [b"discarded"]
    operator = portal.reader(Role.OPERATOR, department="data_bureau")
    form = operator.open(BROWSER)
    token = form.form("/logout").fields["csrf_token"]
    fields = {"csrf_token": token, "deed": "discard", "reason": "x", "confirm": "police"}
    assert operator.client.post(WORK, data=fields).status_code == 403


@pytest.mark.parametrize("fields", [{"confirm": "tax"}, {"reason": ""}, {"deed": "burn"}])
def test_without_reason_or_name_nothing_is_done(portal: Operated, fields: dict[str, str]) -> None:
    reader = portal.reader(Role.PROVIDER, department="police")
    wanted = {"deed": "discard", "reason": "a test row", "confirm": "police", **fields}
    assert reader.send(reader.open(BROWSER), WORK, **wanted).status_code == 422
    assert portal.memory.written == []


@pytest.mark.requirement("A11-02")
def test_an_event_is_revealed_to_its_provider_after_that_is_recorded(portal: Operated) -> None:
    reader = portal.reader(Role.PROVIDER, department="police")
    page = reader.open(f"{BROWSER}/event?at={STOPPED}")
    shown = reader.sent(page, f"{BROWSER}/event/reveal", reason="case 7")
    assert NAME in shown.text
    assert portal.owed() == [("quarantine.reveal", STOPPED, "case 7")]
    operator = portal.reader(Role.OPERATOR, department="data_bureau")
    assert NAME not in operator.open(f"{shown.path}?{shown.answer.url.query.decode()}").text


def test_what_cannot_be_read_is_said_and_what_was_read_stays(portal: Operated) -> None:
    reader = portal.reader(Role.PROVIDER, department="police")
    assert STOPPED in reader.open(BROWSER).text
    portal.down = True
    portal.operations.quarantine.forget("police")
    page = reader.open(BROWSER)
    while "cannot be read now" not in page.text:
        portal.operations.quarantine.look("police", 1.0)
        page = reader.open(BROWSER)
    assert STOPPED in page.text


def test_the_overview_reads_the_snapshot_of_ones_own(portal: Operated) -> None:
    portal.see(
        Kind.QUARANTINE,
        {
            "police": {"count": 3, "reasons": {"IDENTITY_MISSING": 3}},
            "market": {"count": 9, "reasons": {"UNKNOWN_SCHEMA": 9}},
        },
    )
    mine = portal.reader(Role.PROVIDER, department="police").open("/quarantine")
    assert mine.faults == []
    assert "identity is empty 3" in mine.text
    assert "schema is not registered" not in mine.text
    everything = portal.reader(Role.OPERATOR, department="data_bureau").open("/quarantine")
    assert "schema is not registered 9" in everything.text
    assert portal.opened == 0
