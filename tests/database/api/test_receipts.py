"""Receipts over HTTP: each party asks for its own, sees its own, and fetches what it may see."""

from typing import Any

import pytest

from services.control.accounts.roles import Role
from services.control.evidence.ordering import Obstacle
from services.control.store.database import ControlDatabase
from services.control.store.receipts import orders
from services.evidence.entries import ACTS, DELIVERY
from services.evidence.receipt_making import EVERYTHING
from services.evidence.trust import trust_text
from tests.support.evidence import log_of, trust_in
from tests.support.web import NOW, Browser, Web

GRANT = {"grant": "health-persons-gusu", "partition": 2, "offset": 41}
RECORD = {"topic": "raw.police.public.person", "partition": 0, "offset": 17}
PATH = "/evidence/receipts"
CONTENT = b"receipt.json"


@pytest.fixture
def web(control_database: ControlDatabase) -> Web:
    return Web(control_database)


def made(web: Web, number: int) -> None:
    """The control process has made it."""
    with web.parts.database.begin() as connection:
        order = orders.load(connection, number)
        assert order is not None
        orders.made(connection, order, CONTENT, NOW)


def people(web: Web) -> dict[str, Browser]:
    return {
        "consumer": web.at(Role.CONSUMER, department="health"),
        "provider": web.at(Role.PROVIDER, department="police"),
        "auditor": web.at(Role.AUDITOR, department="data_bureau"),
        "stranger": web.at(Role.CONSUMER, department="tax"),
        "overseer of police": web.at(Role.OVERSEER, department="data_bureau", oversees={"police"}),
        "overseer of health": web.at(Role.OVERSEER, department="data_bureau", oversees={"health"}),
    }


@pytest.mark.requirement("A11-01")
@pytest.mark.parametrize(
    ("form", "who", "status"),
    [
        (GRANT, "consumer", 201),
        (GRANT, "provider", 201),
        (GRANT, "auditor", 201),
        (GRANT, "stranger", 404),
        (RECORD, "provider", 201),
        (RECORD, "auditor", 201),
        (RECORD, "consumer", 404),
        (RECORD, "stranger", 404),
        (RECORD, "overseer of police", 404),
        (GRANT, "overseer of health", 201),
        (GRANT, "overseer of police", 404),
        ({**GRANT, "grant": "no-such-grant"}, "consumer", 404),
    ],
)
def test_parties_and_auditors_ask_and_nobody_learns_what_others_have(
    web: Web, form: dict[str, Any], who: str, status: int
) -> None:
    assert people(web)[who].post(PATH, form).status_code == status


def test_a_receipt_shows_what_its_reader_may_see_of_the_ledger(web: Web) -> None:
    shown = {}
    for who, browser in people(web).items():
        if who in ("consumer", "provider", "auditor"):
            number = browser.post(PATH, GRANT).json()["number"]
            with web.parts.database.reading() as connection:
                order = orders.load(connection, number)
            assert order is not None
            shown[who] = order.wish.shown
    assert shown == {"consumer": {ACTS}, "provider": {DELIVERY}, "auditor": EVERYTHING}


def test_a_department_sees_and_fetches_its_own_and_auditors_everybodys(web: Web) -> None:
    browsers = people(web)
    numbers = {
        who: browsers[who].post(PATH, GRANT).json()["number"] for who in ("consumer", "provider", "auditor")
    }
    assert browsers["consumer"].get(f"{PATH}/{numbers['consumer']}/receipt.tar").status_code == 409
    for number in numbers.values():
        made(web, number)
    for who in ("consumer", "provider", "auditor", "stranger"):
        browser = browsers[who]
        listed = {each["number"] for each in browser.get(PATH).json()["items"]}
        assert listed == (set(numbers.values()) if who == "auditor" else {numbers.get(who)} - {None})
        for owner, number in numbers.items():
            allowed = who in ("auditor", owner)
            answer = browser.get(f"{PATH}/{number}/receipt.tar")
            assert answer.status_code == (200 if allowed else 404)
            assert not allowed or answer.content == CONTENT


@pytest.mark.parametrize("who", ["auditor", "overseer of health"])
def test_nobody_else_of_the_askers_department_sees_what_is_not_that_persons(web: Web, who: str) -> None:
    browsers = people(web)
    number = browsers[who].post(PATH, GRANT).json()["number"]
    made(web, number)
    for colleague in (web.at(Role.CONSUMER, department="data_bureau"), browsers["overseer of police"]):
        assert colleague.get(PATH).json()["items"] == []
        assert colleague.get(f"{PATH}/{number}").status_code == 404
        assert colleague.get(f"{PATH}/{number}/receipt.tar").status_code == 404


def test_an_open_receipt_is_fetched_by_auditors_alone_though_others_see_its_order(web: Web) -> None:
    number = people(web)["auditor"].post(PATH, GRANT).json()["number"]
    made(web, number)
    overseer = web.at(Role.OVERSEER, department="data_bureau", oversees={"*"})
    assert overseer.get(f"{PATH}/{number}").json()["open"]
    assert overseer.get(f"{PATH}/{number}/receipt.tar").status_code == 403


def test_what_names_others_grants_is_told_to_auditors_alone(web: Web) -> None:
    browsers = people(web)
    number = browsers["consumer"].post(PATH, GRANT).json()["number"]
    with web.parts.database.begin() as connection:
        orders.waits(connection, number, Obstacle.INDEX_BEHIND, "grant tax-persons", NOW)
    told = {who: browsers[who].get(f"{PATH}/{number}").json()["detail"] for who in ("consumer", "auditor")}
    assert told == {"consumer": "", "auditor": "grant tax-persons"}


def test_an_order_says_what_it_waits_for_and_what_became_of_it(web: Web) -> None:
    browser = people(web)["consumer"]
    asked = browser.post(PATH, GRANT).json()
    assert (asked["state"], asked["obstacle"], asked["digest"], asked["open"]) == ("asked", None, None, False)
    with web.parts.database.begin() as connection:
        orders.waits(connection, asked["number"], Obstacle.NOT_SEALED, "not yet", NOW)
    assert browser.get(f"{PATH}/{asked['number']}").json()["obstacle"] == "NOT_SEALED"
    made(web, asked["number"])
    found = browser.get(f"{PATH}/{asked['number']}").json()
    assert (found["state"], found["obstacle"], found["size"]) == ("made", None, len(CONTENT))
    assert browser.get(f"{PATH}/999").status_code == 404


def test_the_same_request_under_a_key_asks_once(web: Web) -> None:
    browser = people(web)["consumer"]
    numbers = {
        browser.ask("POST", PATH, json=GRANT, headers={"idempotency-key": "k"}).json()["number"]
        for _ in range(3)
    }
    assert len(numbers) == 1


@pytest.mark.parametrize(
    "form",
    [
        {**GRANT, "topic": "raw.police.public.person"},
        {"partition": 0, "offset": 0},
        {**RECORD, "topic": "resource.population.person.v1"},
        {**GRANT, "partition": -1},
        {**GRANT, "offset": 2**63},
        {**GRANT, "trust": "{}"},
        {**GRANT, "trust": "[" * 60_000},
        {**GRANT, "trust": "x" * 70_000},
    ],
)
def test_what_is_no_order_is_refused_with_its_field(web: Web, form: dict[str, Any]) -> None:
    answer = people(web)["consumer"].post(PATH, form)
    assert answer.status_code == 422
    assert answer.json()["problems"]


def test_the_checkpoint_of_a_trust_file_is_kept_with_the_order(web: Web) -> None:
    trust = trust_in(log_of(), 2)
    number = (
        people(web)["consumer"].post(PATH, {**GRANT, "trust": trust_text(trust).decode()}).json()["number"]
    )
    with web.parts.database.reading() as connection:
        order = orders.load(connection, number)
    assert order is not None
    assert order.wish.witness == trust.witness.text()


def test_no_department_floods_the_process_that_makes_them(web: Web) -> None:
    browsers = people(web)
    for _ in range(50):
        assert browsers["consumer"].post(PATH, GRANT).status_code == 201
    refused = browsers["consumer"].post(PATH, GRANT)
    assert (refused.status_code, refused.json()["problems"][0]["code"]) == (409, "RECEIPTS_WAITING")
    assert browsers["provider"].post(PATH, GRANT).status_code == 201
