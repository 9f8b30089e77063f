"""Problem data as pages: reported with evidence, dispatched, decided; texts for the parties only."""

import hashlib
from datetime import timedelta

import pytest

from services.control.accounts.roles import Role
from services.control.store.tickets import files
from services.control.tickets.evidence import LARGEST_FILE
from tests.support.operating import Operated
from tests.support.portal import Reader

AT = "resource.population.person.v1:0:17"
STATEMENT = "住址门牌号有误，应为2号"
EVIDENCE = b"%PDF-1.7 a page of the household register"


def reported(portal: Operated, reader: Reader | None = None) -> str:
    """A ticket as its reporter files it; returns its page."""
    reader = reader or portal.reader(Role.CONSUMER, department="health")
    page = reader.open("/tickets/new")
    assert page.faults == []
    fields = {**page.form("/tickets/new").fields, "at": AT, "items": "address", "statement": STATEMENT}
    files = {"evidence_0": ("户口簿.pdf", EVIDENCE, "application/pdf")}
    answer = reader.client.post("/tickets/new", data=fields, files=files)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"]).partition("?")[0]


def act(reader: Reader, path: str, action: str, **fields: str) -> str:
    """Take an action on its page; returns what the page says then."""
    page = reader.open(path)
    assert page.faults == []
    after = reader.sent(page, f"{path}/{action}", **fields)
    assert after.status == 200, after.text
    return after.text


@pytest.mark.requirement("A9-01", "A9-03", "A9-04")
def test_a_report_goes_from_the_reporter_over_the_authority_to_the_provider(portal: Operated) -> None:
    reporter = portal.reader(Role.CONSUMER, department="health")
    path = reported(portal, reporter)
    page = reporter.open(path)
    assert page.faults == []
    assert STATEMENT in page.text
    assert hashlib.sha256(EVIDENCE).hexdigest() in page.text
    authority = portal.reader(Role.AUTHORITY, department="data_bureau")
    dispatched = act(authority, path, "dispatch")
    assert "being verified" in dispatched
    assert "working day" in dispatched
    provider = portal.reader(Role.PROVIDER, department="police")
    refused = act(
        provider,
        path,
        "refuse",
        refusal_reason="RECORD_IS_RIGHT",
        text="经核实无误",
        acceptable_if="提供新的证明",
    )
    assert "提供新的证明" in refused
    assert "closed" in act(reporter, path, "confirm")
    assert portal.all_acts().count("ticket.refuse") == 1


@pytest.mark.requirement("A9-01")
def test_who_decides_reads_the_evidence_and_nobody_else_and_each_look_is_recorded(portal: Operated) -> None:
    reporter = portal.reader(Role.CONSUMER, department="health")
    path = reported(portal, reporter)
    address = f"{path}/evidence/{hashlib.sha256(EVIDENCE).hexdigest()}"
    authority = portal.reader(Role.AUTHORITY, department="data_bureau")
    assert address in authority.open(path).links
    before = portal.all_acts().count("ticket.look_texts")
    answer = authority.look(address)
    assert (answer.status_code, answer.content) == (200, EVIDENCE)
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert portal.all_acts().count("ticket.look_texts") == before + 1
    assert portal.reader(Role.PROVIDER, department="police").look(address).status_code == 200
    auditor = portal.reader(Role.AUDITOR, department="data_bureau")
    assert address not in auditor.open(path).links
    assert auditor.look(address).status_code == 403
    assert portal.reader(Role.PROVIDER, department="tax").look(address).status_code == 404
    assert reporter.look(f"{path}/evidence/{'0' * 64}").status_code == 404


def test_of_a_file_that_is_too_large_the_digest_alone_is_kept(portal: Operated) -> None:
    reader = portal.reader(Role.CONSUMER, department="health")
    page = reader.open("/tickets/new")
    fields = {**page.form("/tickets/new").fields, "at": AT, "items": "address", "statement": STATEMENT}
    large = b"x" * (LARGEST_FILE + 1)
    answer = reader.client.post("/tickets/new", data=fields, files={"evidence_0": ("scan.tif", large)})
    path = str(answer.headers["location"]).partition("?")[0]
    shown = reader.open(path)
    digest = hashlib.sha256(large).hexdigest()
    assert digest in shown.text
    assert "only the digest is kept" in shown.text
    assert reader.look(f"{path}/evidence/{digest}").status_code == 404


def test_evidence_is_removed_half_a_year_after_its_ticket_is_over(portal: Operated) -> None:
    reporter = portal.reader(Role.CONSUMER, department="health")
    path = reported(portal, reporter)
    address = f"{path}/evidence/{hashlib.sha256(EVIDENCE).hexdigest()}"

    def removed(after: timedelta) -> int:
        with portal.parts.database.begin() as connection:
            return files.forget(connection, portal.clock.now + after)

    assert removed(timedelta(days=400)) == 0
    act(reporter, path, "withdraw", confirm=path.rpartition("/")[2])
    assert removed(timedelta(days=-1)) == 0
    assert removed(timedelta(days=1)) == 1
    assert reporter.look(address).status_code == 404
    assert hashlib.sha256(EVIDENCE).hexdigest() in reporter.open(path).text


def test_a_report_without_statement_or_evidence_says_everything_at_once(portal: Operated) -> None:
    reader = portal.reader(Role.CONSUMER, department="health")
    page = reader.open("/tickets/new")
    answer = reader.sent(page, "/tickets/new", at=AT)
    assert answer.status == 422
    assert answer.faults == []
    assert AT in str(answer.form("/tickets/new").fields["at"])
    for said in ("it is not said what is wrong", "nothing proves the report"):
        assert said in answer.text


def test_a_record_that_is_none_is_said_beside_the_form(portal: Operated) -> None:
    reader = portal.reader(Role.CONSUMER, department="health")
    answer = reader.sent(reader.open("/tickets/new"), "/tickets/new", at="nothing:0:1", statement=STATEMENT)
    assert answer.status == 422
    assert "no version of a record stands there" in answer.text


@pytest.mark.parametrize("role", [Role.PROVIDER, Role.AUTHORITY, Role.OPERATOR, Role.AUDITOR])
def test_only_who_uses_data_reports(portal: Operated, role: Role) -> None:
    assert portal.reader(role, department="police").look("/tickets/new").status_code == 403


def test_texts_are_for_the_parties_and_a_ticket_for_whom_it_concerns(portal: Operated) -> None:
    path = reported(portal)
    auditor = portal.reader(Role.AUDITOR, department="data_bureau").open(path)
    assert auditor.status == 200
    assert STATEMENT not in auditor.text
    assert STATEMENT in portal.reader(Role.PROVIDER, department="police").open(path).text
    assert portal.reader(Role.CONSUMER, department="tax").look(path).status_code == 404
    assert path not in portal.reader(Role.CONSUMER, department="tax").open("/tickets").links
    assert path in portal.reader(Role.CONSUMER, department="health").open("/tickets").links


def test_who_decides_on_what_he_has_not_seen_is_told(portal: Operated) -> None:
    path = reported(portal)
    authority = portal.reader(Role.AUTHORITY, department="data_bureau")
    stale = authority.open(path)
    act(authority, path, "dispatch")
    answer = authority.send(stale, f"{path}/return", text="缺少证明")
    assert answer.status_code == 412


def test_a_form_that_is_sent_twice_acts_once(portal: Operated) -> None:
    path = reported(portal)
    authority = portal.reader(Role.AUTHORITY, department="data_bureau")
    page = authority.open(path)
    assert authority.send(page, f"{path}/dispatch").status_code == 303
    assert authority.send(page, f"{path}/dispatch").status_code == 303
    assert portal.all_acts().count("ticket.dispatch") == 1


def test_filters_and_empty_lists_say_what_there_is(portal: Operated) -> None:
    reader = portal.reader(Role.CONSUMER, department="health")
    assert "Report a wrong record" in reader.open("/tickets").text
    path = reported(portal, reader)
    assert path in reader.open("/tickets?state=reported").links
    assert path not in reader.open("/tickets?state=closed").links
    assert path not in reader.open("/tickets?overdue=yes").links
