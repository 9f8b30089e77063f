"""No page is a way round a suspension: who receives data reads it while a grant lets it, and he still may."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from threading import Event
from typing import Any

import pytest

from services.control.accounts.roles import Role
from services.control.store.accounts.acts import Order
from services.control.store.accounts.departments import department_of, edit_department
from services.control.store.accounts.persons import disable
from services.control.store.accounts.roles import take_role
from tests.support.memory_bus import MemoryReader
from tests.support.operating import HEALTH_GRANT, PERSONS, Operated, cookies
from tests.support.portal import Reader
from tests.support.streaming import DEADLINE_S, EventSeen, Listening
from tests.unit.cli.called import NAME
from topics.event import GrantId, KafkaRecord
from topics.grants.declaration import GrantState
from topics.grants.hold import Hold, HoldScope

SUB = f"sub.health.population.person.v1.{HEALTH_GRANT}"
GRANT = GrantId(HEALTH_GRANT)
ALL = ",".join(f"{partition}:0" for partition in range(12))
"""A position that begins every partition anew."""


def change(portal: Operated, **values: Any) -> None:
    """Change the grant in the policy that is in force."""
    policy = portal.bus.current
    assert policy is not None
    entry = policy.grants[GRANT]
    grant = entry.grant.model_copy(update=values)
    grants = {**policy.grants, GRANT: entry.model_copy(update={"grant": grant})}
    portal.bus.current = policy.model_copy(update={"grants": grants})


def hold(portal: Operated, scope: HoldScope = HoldScope.GRANT, name: str = HEALTH_GRANT) -> None:
    policy = portal.bus.current
    assert policy is not None
    held = Hold(id="s-1", scope=scope, name=name, reason="leak", since_ms=1, since_version=1)
    portal.bus.current = policy.model_copy(update={"holds": {held.id: held}})


SHUT: Mapping[str, tuple[Callable[[Operated], None], str]] = {
    "held": (hold, "GRANT_SUSPENDED"),
    "consumer held": (lambda portal: hold(portal, HoldScope.CONSUMER, "health"), "GRANT_SUSPENDED"),
    "suspended": (lambda portal: change(portal, state=GrantState.SUSPENDED), "GRANT_SUSPENDED"),
    "revoked": (lambda portal: change(portal, state=GrantState.REVOKED), "GRANT_ENDED"),
    "over": (lambda portal: change(portal, valid_until=date(2026, 3, 1)), "GRANT_NOT_IN_FORCE"),
    "not begun": (lambda portal: change(portal, valid_from=date(2026, 3, 3)), "GRANT_NOT_IN_FORCE"),
    "never approved": (lambda portal: setattr(portal.bus, "current", None), "GRANT_MISSING"),
}


def consumer(portal: Operated) -> Reader:
    return portal.reader(Role.CONSUMER, department="health")


def address_of_values(portal: Operated, reader: Reader) -> str:
    """Where a look that was recorded shows values."""
    page = reader.open(f"/topics/{SUB}?offset=beginning")
    location: str = reader.send(page, f"/topics/{SUB}/reveal", reason="case 7").headers["location"]
    assert NAME in reader.open(location).text
    return location


@pytest.mark.requirement("A8-05")
@pytest.mark.parametrize("why", SHUT)
async def test_who_receives_data_reads_nothing_without_a_grant_that_lets_it(
    portal: Operated, why: str
) -> None:
    reader = consumer(portal)
    page = reader.open(f"/topics/{SUB}?offset=beginning")
    address = address_of_values(portal, reader)
    shut, code = SHUT[why]
    shut(portal)
    for path in (f"/topics/{SUB}?offset=beginning", address):
        answer = reader.look(path)
        assert (answer.status_code, NAME in answer.text) == (403, False)
    told = reader.client.get(f"/topics/{SUB}", headers={"accept": "application/json"}).json()
    assert [each["code"] for each in told["problems"]] == [code]
    assert reader.send(page, f"/topics/{SUB}/reveal", reason="case 8").status_code == 403
    assert [reason for _, _, reason in portal.owed()] == ["case 7"]
    async with Listening(portal.app, f"/topics/{SUB}/live", cookies(reader)) as stream:
        assert stream.status == 403


@pytest.mark.parametrize(("language", "words"), [("en", "the grant is suspended"), ("zh", "授权已被暂停")])
def test_the_page_says_why_nothing_is_shown(portal: Operated, language: str, words: str) -> None:
    hold(portal)
    page = portal.reader(Role.CONSUMER, department="health", language=language).open(f"/topics/{SUB}")
    assert (page.status, page.faults) == (403, [])
    assert words in page.text


def test_where_the_bus_does_not_answer_nothing_is_shown(portal: Operated) -> None:
    reader = consumer(portal)
    address = address_of_values(portal, reader)
    portal.bus.silent = True
    answer = reader.look(address)
    assert (answer.status_code, NAME in answer.text) == (503, False)


def test_a_suspension_leaves_who_provides_and_who_runs_the_bus_what_they_may_see(portal: Operated) -> None:
    hold(portal)
    assert portal.reader(Role.PROVIDER, department="police").look(f"/topics/{SUB}").status_code == 200
    assert portal.reader(Role.OPERATOR, department="data_bureau").look(f"/topics/{SUB}").status_code == 200


def test_a_suspension_of_one_grant_shuts_what_the_department_parked(portal: Operated) -> None:
    portal.memory.memory.add("parked.health", 0, b"k", b"parked")
    reader = consumer(portal)
    assert reader.look("/topics/parked.health").status_code == 200
    hold(portal)
    assert reader.look("/topics/parked.health").status_code == 403


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Topics that are followed until the reader goes, and a question before each sign of life."""

    def follow(_self: Any, _places: Any, stop: Callable[[], bool]) -> Iterator[KafkaRecord]:
        idle = Event()
        while not stop():
            idle.wait(0.01)
        yield from ()

    monkeypatch.setattr(MemoryReader, "follow", follow)
    monkeypatch.setattr("services.portal.operations.streams.RECHECK_S", 0.0)
    monkeypatch.setattr("services.portal.pages.topics.HEARTBEAT_S", 0.02)


def _log_out(portal: Operated, reader: Reader) -> None:
    reader.send(reader.open("/topics"), "/logout")


def _disable(portal: Operated, reader: Reader) -> None:
    assert reader.person is not None
    with portal.parts.database.begin() as connection:
        disable(connection, reader.person.id, Order("console:test", portal.clock.now))


def _take_role(portal: Operated, reader: Reader) -> None:
    assert reader.person is not None
    with portal.parts.database.begin() as connection:
        take_role(connection, reader.person.id, Role.CONSUMER, Order("console:test", portal.clock.now))


def switch_off(portal: Operated, department: str) -> None:
    with portal.parts.database.begin() as connection:
        found = department_of(connection, department)
        assert found is not None
        edit_department(connection, replace(found, active=False), Order("console:test", portal.clock.now))


CHANGES: Mapping[str, Callable[[Operated, Reader], None]] = {
    "logout": _log_out,
    "account off": _disable,
    "role taken": _take_role,
    "department off": lambda portal, _reader: switch_off(portal, "health"),
    "grant held": lambda portal, _reader: hold(portal),
    "bus silent": lambda portal, _reader: setattr(portal.bus, "silent", True),
    "look is over": lambda portal, _reader: portal.clock.pass_by(timedelta(minutes=16)),
}


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.usefixtures("endless")
async def test_a_stream_ends_when_its_reader_may_not_look_any_more(portal: Operated, what: str) -> None:
    reader = consumer(portal)
    address = address_of_values(portal, reader)
    look = address.partition("look=")[2].partition("&")[0]
    headers = cookies(reader)
    query = f"look={look}&position={ALL}"
    async with Listening(portal.app, f"/topics/{SUB}/live", headers, query) as stream:
        assert NAME in (await heard(stream, "record")).data
        CHANGES[what](portal, reader)
        assert (await heard(stream, "over")).data == "refused"
        assert await stream.event() is None


@pytest.mark.usefixtures("endless")
async def test_a_stream_goes_on_while_its_reader_may_look(portal: Operated) -> None:
    headers = cookies(portal.reader(Role.PROVIDER, department="police"))
    async with Listening(portal.app, f"/topics/{PERSONS}/live", headers, f"position={ALL}") as stream:
        hold(portal)
        await heard(stream, "record")
        await heard(stream, "scanned")


async def heard(stream: Listening, name: str) -> EventSeen:
    """The next event of that name."""
    async with asyncio.timeout(DEADLINE_S):
        while (event := await stream.event()) is not None:
            if event.name == name:
                return event
    raise AssertionError(f"the stream ended without {name}")
