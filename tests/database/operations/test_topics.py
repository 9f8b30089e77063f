"""Looking into a topic: who may, masked by default, revealed only after it is recorded, heard as it comes."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from services.control.accounts.roles import Role
from services.control.store.snapshots import Kind
from services.ledger.reader import KafkaUnavailable
from tests.support.operating import HEALTH_GRANT, PERSONS, RAW, Operated, cookies
from tests.support.streaming import Listening
from tests.unit.cli.called import ADDRESS, NAME, NUMBER, PERSON
from topics.event import OutputRecord, TopicName

SUB = f"sub.health.population.person.v1.{HEALTH_GRANT}"
BIG = 9_007_199_254_740_993


@pytest.mark.parametrize(
    ("role", "department", "topic", "status"),
    [
        (Role.PROVIDER, "police", RAW, 200),
        (Role.PROVIDER, "police", PERSONS, 200),
        (Role.PROVIDER, "tax", PERSONS, 403),
        (Role.CONSUMER, "health", SUB, 200),
        (Role.CONSUMER, "tax", SUB, 403),
        (Role.CONSUMER, "health", PERSONS, 403),
        (Role.CONSUMER, "police", PERSONS, 403),
        (Role.OPERATOR, "data_bureau", PERSONS, 200),
        (Role.OPERATOR, "data_bureau", "ledger.intake", 200),
        (Role.CONSUMER, "health", "ledger.intake", 403),
        (Role.AUTHORITY, "data_bureau", PERSONS, 403),
        (Role.AUDITOR, "data_bureau", PERSONS, 403),
        (Role.OPERATOR, "data_bureau", "nothing.there", 404),
    ],
)
def test_who_may_look_into_which_topic(
    portal: Operated, role: Role, department: str, topic: str, status: int
) -> None:
    assert portal.reader(role, department=department).look(f"/topics/{topic}").status_code == status


@pytest.mark.requirement("A11-13")
@pytest.mark.parametrize("topic", [RAW, PERSONS, SUB])
def test_values_are_masked(portal: Operated, topic: str) -> None:
    page = portal.reader(Role.OPERATOR, department="data_bureau").open(f"/topics/{topic}?offset=beginning")
    assert page.faults == []
    assert "***" in page.text
    for secret in (NAME, ADDRESS, NUMBER):
        assert secret not in page.answer.text
    assert f"/topics/{topic}/reveal" not in [form.action for form in page.forms]


@pytest.mark.requirement("A11-02")
def test_a_look_is_recorded_for_the_provider_and_in_the_ledger_before_anything_is_shown(
    portal: Operated,
) -> None:
    reader = portal.reader(Role.PROVIDER, department="police")
    page = reader.open(f"/topics/{PERSONS}?offset=beginning")
    shown = reader.sent(page, f"/topics/{PERSONS}/reveal", reason="case 7")
    assert shown.status == 200
    assert NAME in shown.text
    assert portal.owed() == [("data.reveal", PERSONS, "case 7")]
    [note] = portal.memory.written
    assert dict(note.headers)["govbus_of"] == PERSONS.encode()
    assert dict(note.headers)["govbus_reason"] == b"case 7"


def test_where_the_look_cannot_be_recorded_nothing_is_shown_and_nothing_is_owed(
    portal: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = portal.reader(Role.PROVIDER, department="police")
    page = reader.open(f"/topics/{PERSONS}?offset=beginning")

    def refuse(_records: Sequence[OutputRecord]) -> list[int]:
        raise KafkaUnavailable("nobody answers")

    monkeypatch.setattr(portal.memory, "write", refuse)
    answer = reader.sent(page, f"/topics/{PERSONS}/reveal", reason="case 7")
    assert answer.status == 503
    assert NAME not in answer.text
    assert portal.owed() == []


@pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
def test_a_look_without_a_reason_is_none(portal: Operated, reason: str) -> None:
    reader = portal.reader(Role.PROVIDER, department="police")
    page = reader.open(f"/topics/{PERSONS}")
    answer = reader.sent(page, f"/topics/{PERSONS}/reveal", reason=reason)
    assert answer.status == 422
    assert portal.memory.written == []


def test_a_look_is_for_who_recorded_it_for_that_topic_and_for_a_while(portal: Operated) -> None:
    reader = portal.reader(Role.PROVIDER, department="police")
    page = reader.open(f"/topics/{PERSONS}?offset=beginning")
    address = reader.send(page, f"/topics/{PERSONS}/reveal", reason="case 7").headers["location"]
    assert NAME in reader.open(address).text
    assert NAME not in portal.reader(Role.PROVIDER, department="police").open(address).text
    assert NAME not in portal.reader(Role.OPERATOR, department="police").open(address).text
    assert NAME not in reader.open(address.replace(PERSONS, RAW)).text
    portal.clock.pass_by(timedelta(minutes=16))
    later = reader.open(address)
    assert NAME not in later.text
    assert "That look is over" in later.text


def test_numbers_stand_there_with_every_digit(portal: Operated) -> None:
    portal.memory.change("c", after={**PERSON, "id": BIG})
    portal.memory.pump()
    reader = portal.reader(Role.PROVIDER, department="police")
    page = reader.open(f"/topics/{RAW}?offset=beginning")
    shown = reader.sent(page, f"/topics/{RAW}/reveal", reason="case 7")
    assert str(BIG) in shown.text


async def test_records_are_heard_in_order_and_who_comes_back_misses_none(portal: Operated) -> None:
    reader = portal.reader(Role.OPERATOR, department="data_bureau")
    for number in range(3):
        portal.memory.memory.add("ledger.acts", 0, b"k", f"act-{number}".encode())
    headers = cookies(reader)
    async with Listening(portal.app, "/topics/ledger.acts/live", headers, "position=0:0") as stream:
        assert stream.status == 200
        first = [await stream.event() for _ in range(3)]
    records = [event for event in first if event is not None and event.name == "record"]
    assert [f"act-{number}" in record.data for number, record in enumerate(records)] == [True] * len(records)
    last = records[-1].id
    async with Listening(
        portal.app, "/topics/ledger.acts/live", {**headers, "last-event-id": last}
    ) as stream:
        rest = []
        while (event := await stream.event()) is not None:
            rest.append(event)
    heard = [event.data for event in rest if event.name == "record"]
    assert len(records) + len(heard) == 3
    assert "act-2" in heard[-1]


@pytest.mark.parametrize(
    ("role", "department", "topic", "offered"),
    [
        (Role.CONSUMER, "health", SUB, True),
        (Role.PROVIDER, "police", SUB, False),
        (Role.PROVIDER, "police", PERSONS, False),
        (Role.OPERATOR, "data_bureau", SUB, False),
    ],
)
def test_who_received_a_record_can_report_it_from_its_line(
    portal: Operated, role: Role, department: str, topic: str, offered: bool
) -> None:
    reader = portal.reader(role, department=department)
    page = reader.open(f"/topics/{topic}?offset=beginning")
    links = [link for link in page.links if link.startswith("/tickets/new?at=")]
    assert bool(links) is offered
    if offered:
        form = reader.open(links[0]).form("/tickets/new")
        assert form.fields["at"].startswith(f"{SUB}:")


async def test_a_line_that_comes_later_can_be_reported_too(portal: Operated) -> None:
    headers = cookies(portal.reader(Role.CONSUMER, department="health"))
    places = portal.memory.memory.places(TopicName(SUB))
    beginning = "position=" + ",".join(f"{each.partition}:0" for each in places)
    async with Listening(portal.app, f"/topics/{SUB}/live", headers, beginning) as stream:
        event = await stream.event()
        while event is not None and event.name != "record":
            event = await stream.event()
    assert event is not None
    assert 'href="/tickets/new?at=sub.health.' in event.data


async def test_who_may_not_look_hears_nothing(portal: Operated) -> None:
    headers = cookies(portal.reader(Role.CONSUMER, department="tax"))
    async with Listening(portal.app, f"/topics/{SUB}/live", headers) as stream:
        assert stream.status == 403


async def test_more_than_there_are_places_for_are_told_to_wait(portal: Operated) -> None:
    for _ in range(portal.operations.places.most):
        portal.operations.places.take()
    headers = cookies(portal.reader(Role.OPERATOR, department="data_bureau"))
    async with Listening(portal.app, "/topics/ledger.intake/live", headers) as stream:
        assert stream.status == 503


def test_the_list_names_what_one_may_look_into_and_asks_nobody(portal: Operated) -> None:
    document = {"records": 5, "partitions": 2, "last_record_at": None}
    portal.see(Kind.TOPIC, {RAW: document, SUB: document, PERSONS: document, "ledger.intake": document})
    portal.down = True

    def listed(role: Role, department: str) -> set[str]:
        page = portal.reader(role, department=department).open("/topics")
        assert page.faults == []
        return {link.removeprefix("/topics/") for link in page.links if link.startswith("/topics/")}

    assert listed(Role.OPERATOR, "data_bureau") == {RAW, SUB, PERSONS, "ledger.intake"}
    assert listed(Role.PROVIDER, "police") == {RAW, SUB, PERSONS}
    assert listed(Role.CONSUMER, "health") == {SUB}
    assert listed(Role.CONSUMER, "tax") == set()
    assert portal.opened == 0
