"""Who owns an item: both sides see that they differ, nobody what the other said, the authority decides."""

from datetime import timedelta

import pytest

from schemas.registry import RegistryUnavailable
from services.control.accounts.roles import Role
from services.control.rulings.worker import RulingWorker
from tests.support.operating import Operated
from tests.support.ruling import RulingMemory
from tests.unit.cli.called import ADDRESS, NAME, NUMBER

PATH = "/conflicts/social_security/population.person.v1/address"
CLAIMED = "别处"


@pytest.mark.requirement("A5-04")
def test_a_conflict_names_both_departments_and_how_many_values_differ(portal: Operated) -> None:
    reader = portal.reader(Role.AUTHORITY, department="data_bureau")
    page = reader.open("/conflicts")
    assert page.faults == []
    assert PATH in page.links
    detail = reader.open(PATH)
    assert detail.faults == []
    for secret in (CLAIMED, ADDRESS, NUMBER, NAME):
        assert secret not in detail.answer.text
    assert "***" in detail.text


def test_only_parties_and_who_sees_everything_look(portal: Operated) -> None:
    assert portal.reader(Role.PROVIDER, department="police").look(PATH).status_code == 200
    assert portal.reader(Role.PROVIDER, department="tax").look(PATH).status_code == 403
    assert portal.reader(Role.CONSUMER, department="police").look("/conflicts").status_code == 403
    assert PATH not in portal.reader(Role.PROVIDER, department="tax").open("/conflicts").links
    assert portal.reader(Role.AUDITOR, department="tax").look(PATH).status_code == 200


@pytest.mark.requirement("A11-02")
def test_a_side_looks_at_its_own_values_after_that_is_recorded_and_never_at_the_others(
    portal: Operated,
) -> None:
    reader = portal.reader(Role.PROVIDER, department="police")
    page = reader.open(PATH)
    shown = reader.sent(page, f"{PATH}/reveal", reason="case 7")
    assert ADDRESS in shown.text
    assert CLAIMED not in shown.text
    assert [what for what, _, _ in portal.owed()] == ["data.reveal"]
    [note] = portal.memory.written
    assert dict(note.headers)["govbus_disposition"] == b"revealed"
    authority = portal.reader(Role.AUTHORITY, department="data_bureau").open(PATH)
    assert f"{PATH}/reveal" not in [form.action for form in authority.forms]


def test_a_trial_says_what_a_decision_would_change_and_decides_nothing(portal: Operated) -> None:
    reader = portal.reader(Role.AUTHORITY, department="data_bureau")
    wanted = {"decision": "transfer", "basis": "《条例》第二十条", "text": "参保登记时核验住址"}
    page = reader.sent(reader.open(PATH), f"{PATH}/decide", dry_run="yes", **wanted)
    assert page.status == 200, page.text
    assert page.faults == []
    assert "social.enrolment.v1" in page.text
    assert portal.owed() == []


def test_a_decision_is_recorded_with_its_basis_and_says_how_it_stands(portal: Operated) -> None:
    reader = portal.reader(Role.AUTHORITY, department="data_bureau")
    wanted = {"basis": "《条例》第二十条", "text": "户籍住址以公安为准", "confirm": "address"}
    page = reader.sent(reader.open(PATH), f"{PATH}/decide", decision="confirm", **wanted)
    assert "being carried out" in page.text
    page = reader.sent(page, f"{PATH}/decide", decision="transfer", **wanted)
    assert "overtaken by a later decision" in page.text
    assert page.faults == []
    assert portal.owed() == [
        ("claim.decide", "social.enrolment.v1/address", "户籍住址以公安为准"),
        ("claim.decide", "social.enrolment.v1/address", "户籍住址以公安为准"),
    ]


@pytest.mark.parametrize(
    "wrong", [{"confirm": "name"}, {"basis": ""}, {"decision": "toss a coin"}, {"text": " "}]
)
def test_a_decision_without_basis_reason_or_name_is_none(portal: Operated, wrong: dict[str, str]) -> None:
    reader = portal.reader(Role.AUTHORITY, department="data_bureau")
    wanted = {"decision": "confirm", "basis": "《条例》", "text": "以公安为准", "confirm": "address", **wrong}
    assert reader.send(reader.open(PATH), f"{PATH}/decide", **wanted).status_code == 422
    assert portal.owed() == []


def test_only_the_authority_of_another_department_decides(portal: Operated) -> None:
    for role, department in ((Role.PROVIDER, "police"), (Role.OPERATOR, "data_bureau")):
        reader = portal.reader(role, department=department)
        token = reader.open(PATH).form("/logout").fields["csrf_token"]
        fields = {"csrf_token": token, "decision": "confirm", "basis": "b", "text": "t", "confirm": "address"}
        assert reader.client.post(f"{PATH}/decide", data=fields).status_code == 403
    party = portal.reader(Role.AUTHORITY, department="police")
    wanted = {"decision": "confirm", "basis": "《条例》", "text": "以公安为准", "confirm": "address"}
    assert party.send(party.open(PATH), f"{PATH}/decide", **wanted).status_code == 422
    assert portal.owed() == []


def test_what_nobody_claims_is_not_there(portal: Operated) -> None:
    reader = portal.reader(Role.AUTHORITY, department="data_bureau")
    assert reader.look(PATH.replace("address", "sex")).status_code == 404


@pytest.mark.requirement("A5-01")
def test_the_page_follows_a_decision_until_the_gate_decides_by_it(portal: Operated) -> None:
    reader = portal.reader(Role.AUTHORITY, department="data_bureau")
    wanted = {"basis": "《条例》第二十条", "text": "参保登记时核验住址", "confirm": "address"}
    page = reader.sent(reader.open(PATH), f"{PATH}/decide", decision="transfer", **wanted)
    assert 'http-equiv="refresh"' in page.answer.text
    bus = RulingMemory(fails={"write": RegistryUnavailable("nobody answers")})
    worker = RulingWorker(portal.parts.database, bus.order(), portal.clock, lambda _text: None)
    worker.turn()
    page = reader.open(PATH)
    assert "not carried out yet" in page.text
    assert "nobody answers; `govbus status` shows what is down" in page.text
    assert 'http-equiv="refresh"' not in page.answer.text, "what is typed meanwhile stays"
    bus.fails.clear()
    portal.clock.pass_by(timedelta(minutes=1))
    worker.turn()
    page = reader.open(PATH)
    assert "version 4 of the policy" in page.text
    assert "Every instance of the gate decides by it" in page.text
    assert "gate.0" in page.text
    assert page.faults == []
