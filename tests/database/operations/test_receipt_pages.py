"""The pages of receipts: asked for in a form, looked at while one is made, fetched."""

import re
from typing import Final

import pytest

from services.control.accounts.roles import Role
from services.control.evidence.ordering import Obstacle
from services.control.store.receipts import orders
from services.evidence.trust import trust_text
from tests.support.evidence import log_of, trust_in
from tests.support.operating import HEALTH_GRANT, RAW, Operated
from tests.support.portal import Page, Reader
from tests.support.web import NOW

CONTENT: Final = b"receipt.json"


@pytest.fixture
def consumer(portal: Operated) -> Reader:
    return portal.reader(Role.CONSUMER, department="health")


@pytest.fixture
def provider(portal: Operated) -> Reader:
    return portal.reader(Role.PROVIDER)


def asked(reader: Reader, **fields: str) -> Page:
    return reader.sent(reader.open("/receipts"), "/receipts", **fields)


def number_on(page: Page) -> int:
    found = re.search(r"Receipt (\d+)", page.text)
    assert found is not None, page.text
    return int(found[1])


@pytest.mark.requirement("A11-01")
def test_a_department_asks_waits_and_fetches_the_receipt_of_a_delivery(
    portal: Operated, consumer: Reader
) -> None:
    page = asked(consumer, grant=HEALTH_GRANT, partition="2", offset="41")
    assert (page.status, page.faults) == (200, [])
    assert "It is being made" in page.text
    number = number_on(page)
    with portal.parts.database.begin() as connection:
        orders.waits(connection, number, Obstacle.NOT_SEALED, "not yet", NOW)
    assert "what it rests on is not sealed yet" in consumer.open(f"/receipts/{number}").text
    with portal.parts.database.begin() as connection:
        order = orders.load(connection, number)
        assert order is not None
        orders.made(connection, order, CONTENT, NOW)
    page = consumer.open(f"/receipts/{number}")
    assert page.faults == []
    assert f"govbus verify receipt-{number}.tar" in page.text
    assert "Decisions and terms that concern others" in page.text
    answer = consumer.look(f"/receipts/{number}/receipt.tar")
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert f"receipt-{number}.tar" in answer.headers["content-disposition"]


def test_the_grants_page_leads_to_the_form_with_its_name(portal: Operated, consumer: Reader) -> None:
    page = consumer.open(f"/receipts?grant={HEALTH_GRANT}&offset=41")
    form = page.form("/receipts")
    assert (form.fields["grant"], form.fields["offset"]) == (HEALTH_GRANT, "41")


def test_a_provider_asks_by_the_raw_record_and_is_told_why_there_is_none(
    portal: Operated, provider: Reader
) -> None:
    page = asked(provider, record=f"{RAW}:0:17", withdrawn="yes")
    number = number_on(page)
    with portal.parts.database.begin() as connection:
        orders.refused(connection, number, Obstacle.NOTHING_TO_PROVE, "no block decided that record", NOW)
    page = provider.open(f"/receipts/{number}")
    assert page.faults == []
    assert "no sealed decision speaks of that record" in page.text
    assert "Ask once more" in page.text
    assert "what a correction withdrew" in page.text


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"grant": HEALTH_GRANT, "partition": "0", "offset": ""},
        {"grant": HEALTH_GRANT, "partition": "99999999999", "offset": "1"},
        {"record": "raw.police.public.person"},
        {"record": "resource.population.person.v1:0:1"},
        {"grant": HEALTH_GRANT, "offset": "1", "record": f"{RAW}:0:17"},
    ],
)
def test_what_names_no_record_is_corrected_beside_its_field_and_stays_typed(
    consumer: Reader, fields: dict[str, str]
) -> None:
    page = asked(consumer, **fields)
    assert (page.status, page.faults) == (422, [])
    assert "this is no place of a record" in page.text
    assert page.form("/receipts").fields["record"] == fields.get("record", "")


def test_a_trust_file_can_be_sent_along_and_what_is_none_is_said(portal: Operated, consumer: Reader) -> None:
    trust = trust_text(trust_in(log_of(), 2))
    for content, status in ((trust, 303), (b"\xff\xfe", 422), (b"x" * 70_000, 422)):
        form = consumer.open("/receipts").form("/receipts")
        answer = consumer.client.post(
            "/receipts",
            data={**form.fields, "grant": HEALTH_GRANT, "partition": "0", "offset": "1"},
            files={"trust": ("trust.json", content)},
        )
        assert answer.status_code == status, answer.text
        assert status == 303 or "this is no trust file" in answer.text


def test_others_receipts_are_as_if_they_were_not_there(portal: Operated, consumer: Reader) -> None:
    number = number_on(asked(consumer, grant=HEALTH_GRANT, partition="0", offset="1"))
    stranger = portal.reader(Role.CONSUMER, department="tax")
    assert stranger.open(f"/receipts/{number}").status == 404
    assert "No receipt is kept." in stranger.open("/receipts").text
    assert stranger.look(f"/receipts/{number}/receipt.tar").status_code == 404
    assert asked(stranger, grant=HEALTH_GRANT, partition="0", offset="1").status == 404
    auditor = portal.reader(Role.AUDITOR, department="data_bureau")
    assert f'href="/receipts/{number}"' in auditor.open("/receipts").answer.text


@pytest.mark.parametrize("typed", ["0", "x", "99999999999999999999", "1.5"])
def test_what_is_no_number_is_not_found(consumer: Reader, typed: str) -> None:
    assert consumer.open(f"/receipts/{typed}").status == 404


def test_in_chinese_every_state_has_its_words(portal: Operated) -> None:
    reader = portal.reader(Role.CONSUMER, department="health", language="zh-CN")
    page = asked(reader, grant=HEALTH_GRANT, partition="0", offset="1")
    assert page.faults == []
    assert "制作中" in page.text
