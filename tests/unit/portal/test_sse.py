"""One source for all who look: events in order, from where each was, and few questions."""

import asyncio
from collections.abc import Mapping
from typing import Any

from services.portal.operations.sse import Event, Hub

DEADLINE_S = 20.0


class Source:
    """Gives what is put into it; fails where told to."""

    def __init__(self) -> None:
        self.coming: list[Mapping[str, Any] | None] = []
        self.fails = False

    async def read(self, _before: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        if self.fails:
            raise TimeoutError
        return self.coming.pop(0) if self.coming else None


def hub_of(source: Source, errors: list[Exception] | None = None) -> Hub:
    told = errors if errors is not None else []
    return Hub(source.read, 0.01, "e1", told.append)


async def heard(hub: Hub, last: str | None, count: int) -> list[tuple[str, Mapping[str, Any]]]:
    found: list[tuple[str, Mapping[str, Any]]] = []
    async with asyncio.timeout(DEADLINE_S):
        async for each in hub.listen(last, 0.05):
            if each is not None:
                found.append(each)
            if len(found) == count:
                return found
    return found


async def turned(hub: Hub, source: Source, *states: int) -> None:
    for state in states:
        source.coming.append({"n": state})
        await hub.turn()


async def test_who_comes_new_gets_the_newest_state_and_then_each_one_in_order() -> None:
    source = Source()
    hub = hub_of(source)
    await turned(hub, source, 1, 2)
    listening = asyncio.create_task(heard(hub, None, 3))
    await asyncio.sleep(0)
    await turned(hub, source, 3, 4)
    assert [(id_, state["n"]) for id_, state in await listening] == [("e1-2", 2), ("e1-3", 3), ("e1-4", 4)]


async def test_who_comes_back_goes_on_after_the_last_event_that_came() -> None:
    source = Source()
    hub = hub_of(source)
    await turned(hub, source, 1, 2, 3)
    assert [id_ for id_, _ in await heard(hub, "e1-1", 2)] == ["e1-2", "e1-3"]


async def test_who_names_an_event_that_is_gone_or_of_another_process_gets_the_newest() -> None:
    source = Source()
    hub = hub_of(source)
    await turned(hub, source, *range(40))
    for last in ("e1-2", "e0-39", "e1-99", "nonsense", ""):
        assert [state["n"] for _, state in await heard(hub, last, 1)] == [39]


async def test_where_nothing_happens_there_is_a_sign_of_life() -> None:
    hub = hub_of(Source())
    async with asyncio.timeout(DEADLINE_S):
        async for each in hub.listen(None, 0.01):
            assert each is None
            return


async def test_many_who_look_ask_the_source_no_more_often_than_one() -> None:
    source = Source()
    source.coming = [{"n": 1}, None, {"n": 2}]
    hub = hub_of(source)
    many = [asyncio.create_task(heard(hub, None, 2)) for _ in range(20)]
    await asyncio.sleep(0)
    for _ in range(3):
        await hub.turn()
    assert {tuple(state["n"] for _, state in found) for found in await asyncio.gather(*many)} == {(1, 2)}
    assert hub.asked == 3


async def test_a_source_that_fails_is_asked_again_and_viewers_keep_what_they_have() -> None:
    source, errors = Source(), list[Exception]()
    hub = hub_of(source, errors)
    await turned(hub, source, 1)
    source.fails = True
    await hub.turn()
    assert (hub.state, len(errors)) == ({"n": 1}, 1)
    source.fails = False
    await turned(hub, source, 2)
    assert hub.state == {"n": 2}


async def test_the_poller_runs_once_and_ends_when_it_is_told() -> None:
    source = Source()
    source.coming = [{"n": 1}]
    hub = hub_of(source)
    hub.start()
    hub.start()
    await heard(hub, None, 1)
    await hub.close()
    asked = hub.asked
    await asyncio.sleep(0)
    assert hub.asked == asked


def test_each_line_of_the_data_travels_by_itself() -> None:
    event = Event("e1-7", "record", "<li>\n a</li>")
    assert event.encoded() == b"id: e1-7\nevent: record\ndata: <li>\ndata:  a</li>\n\n"


def test_no_end_of_a_line_in_a_text_ends_a_line_of_the_event() -> None:
    event = Event("7", "record", "a\rid: 9\r\nevent: over\ndata: b")
    assert event.encoded() == (
        b"id: 7\nevent: record\ndata: a\ndata: id: 9\ndata: event: over\ndata: data: b\n\n"
    )
