"""The person trace as a page: recorded first, the number nowhere, each answer with what it means."""

import logging
import re
from typing import Final

import pytest
from sqlalchemy import text

from services.control.accounts.actions import Action
from services.control.accounts.permissions import COLUMNS, PERMISSIONS, Reach
from services.control.accounts.roles import Role
from services.control.store.trace.acquired import Moved, note_moved
from services.control.store.trace.tables import TRACE_DELIVERIES
from tests.support.operating import HEALTH_GRANT, Operated
from tests.support.portal import Page, Reader
from tests.support.tracing import NOW, number, received, turn_of
from tests.unit.cli.called import NUMBER, PERSON
from topics.event import GrantId

REASON: Final = "complaint 7"
_ENGLISH: Final = re.compile(r"\b(?:the|and|is|of|nothing|was)\b", re.IGNORECASE)


@pytest.fixture
def auditor(portal: Operated) -> Reader:
    return portal.reader(Role.AUDITOR, department="data_bureau")


@pytest.fixture
def indexed(portal: Operated) -> Operated:
    """The city's topics, indexed."""
    turn_of(portal.parts.database, portal.memory).turn()
    return portal


def looked(reader: Reader, typed: str = NUMBER, **fields: str) -> Page:
    given = {"kind": "resident_id", "number": typed, "reason": REASON, **fields}
    return reader.sent(reader.open("/trace"), "/trace", **given)


@pytest.mark.requirement("A11-01", "A11-02")
def test_every_recipient_stands_in_the_table_and_the_look_in_the_ledger(
    indexed: Operated, auditor: Reader
) -> None:
    page = looked(auditor)
    assert (page.status, page.faults) == (200, [])
    wanted = received(indexed.memory, (NUMBER, "1"))
    assert wanted
    for grant, at, _ in wanted:
        entry = indexed.memory.policy.grants[GrantId(grant)].grant
        assert at in page.text
        assert entry.purpose in page.text
        assert entry.legal_basis in page.text
    assert "delivered, not yet acquired" in page.text
    ((what, subject, reason),) = indexed.owed()
    assert (what, reason) == (Action.AUDIT_TRACE.value, REASON)
    assert f"This look stands in the ledger as {subject}" in page.text


def test_what_a_department_has_acquired_is_told_from_what_was_only_delivered(
    indexed: Operated, auditor: Reader
) -> None:
    found = received(indexed.memory, (NUMBER, "1"))
    (at,) = [at for grant, at, _ in found if grant == HEALTH_GRANT]
    _, partition, offset = at.rsplit(":", 2)
    moved = Moved(HEALTH_GRANT, "g", int(partition), int(offset) + 1)
    with indexed.parts.database.begin() as connection:
        note_moved(connection, [moved], NOW)
    text_ = looked(auditor).text
    assert text_.count("delivered, not yet acquired") == len(found) - 1
    assert len(re.findall(r"(?<!yet )\bacquired\b", text_)) == 1


@pytest.mark.requirement("A11-02")
def test_a_corrected_number_is_followed_and_marked(portal: Operated, auditor: Reader) -> None:
    chen = number(3)
    row = {**PERSON, "id": 9, "id_number": chen}
    portal.memory.change("c", after=row)
    portal.memory.change("u", row, {**row, "id_number": number(1)})
    portal.memory.pump()
    turn_of(portal.parts.database, portal.memory).turn()
    page = looked(auditor, number(1))
    assert "by a corrected number" in page.text
    assert "withdrawn: deleted, or left by a correction" in page.text


@pytest.mark.requirement("A11-13")
def test_the_number_is_in_no_answer_no_log_and_no_table(
    indexed: Operated, auditor: Reader, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = NUMBER[:-1] + "0"
    for page in (looked(auditor), looked(auditor, wrong), looked(auditor, reason="")):
        assert NUMBER not in page.answer.text
        assert wrong not in page.answer.text
        assert page.form("/trace").fields["number"] == ""
        assert "?" not in str(page.answer.url)
        assert page.answer.headers["cache-control"] == "no-store"
    with indexed.parts.database.begin() as connection:
        owed = connection.execute(text("SELECT outbox::text FROM outbox")).scalars().all()
    assert not any(NUMBER in each or wrong in each for each in (*owed, caplog.text))


@pytest.mark.parametrize(
    ("typed", "fields", "said"),
    [
        (NUMBER[:-1] + "0", {}, "the check digit does not fit"),
        ("", {}, "nothing was given"),
        (NUMBER, {"reason": " "}, "it is not said why you look"),
        (NUMBER, {"reason": "x" * 501}, "it is not said why you look"),
        ("E12345678", {"kind": "passport", "country": "1"}, "the issuing state is missing or wrong"),
    ],
)
def test_a_wrong_number_or_no_reason_shows_and_records_nothing(
    indexed: Operated, auditor: Reader, typed: str, fields: dict[str, str], said: str
) -> None:
    page = looked(auditor, typed, **fields)
    assert (page.status, page.faults) == (422, [])
    assert said in page.text
    assert indexed.owed() == []


@pytest.mark.parametrize("role", COLUMNS)
def test_the_page_opens_to_whom_the_table_names(indexed: Operated, role: Role) -> None:
    reader = indexed.reader(role, department="police")
    allowed = PERMISSIONS[Action.AUDIT_TRACE].of(role) is not Reach.NONE
    assert reader.look("/trace").status_code == (200 if allowed else 403)
    token = reader.open("/").form("/logout").fields["csrf_token"]
    fields = {"csrf_token": token, "kind": "resident_id", "number": NUMBER, "reason": REASON}
    assert reader.client.post("/trace", data=fields).status_code == (200 if allowed else 403)
    assert len(indexed.owed()) == allowed


def test_a_form_without_the_sessions_token_shows_and_records_nothing(
    indexed: Operated, auditor: Reader
) -> None:
    fields = {"kind": "resident_id", "number": NUMBER, "reason": REASON}
    assert auditor.client.post("/trace", data=fields).status_code == 403
    assert indexed.owed() == []


def test_a_provider_sees_what_became_of_its_own_records_only(indexed: Operated) -> None:
    police = looked(indexed.reader(Role.PROVIDER, department="police"))
    assert "You see what became of records of your own department." in police.text
    assert HEALTH_GRANT in police.text
    tax = looked(indexed.reader(Role.PROVIDER, department="tax"))
    assert "Your department provided no record about this person" in tax.text
    assert HEALTH_GRANT not in tax.text


def test_an_empty_answer_says_what_it_means(portal: Operated, auditor: Reader) -> None:
    assert "Nothing is indexed yet" in looked(auditor).text
    turn_of(portal.parts.database, portal.memory).turn()
    assert "no record about this person came to the bus" in looked(auditor, number(9)).text
    with portal.parts.database.begin() as connection:
        connection.execute(TRACE_DELIVERIES.delete())
    assert "no department received one of them" in looked(auditor).text
    assert len(portal.owed()) == 3, "a look that found nothing is a look"


@pytest.mark.parametrize("found", [True, False])
def test_the_page_is_whole_in_chinese(indexed: Operated, found: bool) -> None:
    reader = indexed.reader(Role.AUDITOR, department="data_bureau", language="zh-CN")
    for page in (reader.open("/trace"), looked(reader, NUMBER if found else number(9))):
        assert (page.status, page.faults, page.language) == (200, [], "zh-CN")
        assert not _ENGLISH.findall(page.text), page.text


def test_without_the_master_secret_nothing_is_shown_or_recorded(indexed: Operated, auditor: Reader) -> None:
    page = auditor.open("/trace")
    indexed.app.state.operations = None
    fields = {**page.form("/trace").fields, "number": NUMBER, "reason": REASON}
    assert auditor.client.post("/trace", data=fields).status_code == 503
    assert indexed.owed() == []
