"""What takes long is read once for all who look, in the background, and what was read stays."""

import threading
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from services.portal.operations.bridge import Bridge, Failed
from services.portal.operations.kept import Kept

DEADLINE_S = 20.0


@dataclass
class Source:
    """Counts how often it is read, and waits where a test holds it."""

    goes_on: threading.Event = field(default_factory=threading.Event)
    read: int = 0
    fails: bool = False
    now: datetime = datetime(2026, 3, 2, tzinfo=UTC)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.goes_on.set()

    def __call__(self, key: str) -> str:
        assert self.goes_on.wait(DEADLINE_S)
        self.read += 1
        if self.fails:
            raise TimeoutError
        return f"{key} {self.read}"

    def kept(self) -> Kept[str]:
        return Kept(self, lambda: self.now, 60.0, lambda key, _error: self.errors.append(key))


def settled(kept: Kept[Any], key: str = "a") -> None:
    """Wait until nothing is being read any more."""
    with kept._moved:
        assert kept._moved.wait_for(lambda: not kept._looks[key].reading, DEADLINE_S)


def test_a_first_look_does_not_wait_and_says_that_it_is_being_read() -> None:
    source = Source()
    source.goes_on.clear()
    kept = source.kept()
    assert (kept.look("a").value, kept.look("a").reading) == (None, True)
    source.goes_on.set()
    settled(kept)
    assert (kept.look("a").value, source.read) == ("a 1", 1)


def test_many_looks_are_one_reading_until_it_is_old() -> None:
    source = Source()
    kept = source.kept()
    assert kept.look("a", DEADLINE_S).value == "a 1"
    assert kept.look("a", DEADLINE_S).value == "a 1"
    source.now += timedelta(seconds=61)
    source.goes_on.clear()
    old = kept.look("a")
    assert (old.value, old.reading, old.as_of) == ("a 1", True, source.now - timedelta(seconds=61))
    source.goes_on.set()
    settled(kept)
    assert kept.look("a").value == "a 2"


def test_what_failed_is_said_and_what_was_read_stays() -> None:
    source = Source()
    kept = source.kept()
    kept.look("a", DEADLINE_S)
    source.fails = True
    kept.forget("a")
    kept.look("a")
    settled(kept)
    look = kept.look("a")
    assert (look.value, look.failure, source.errors) == ("a 1", "TimeoutError", ["a"])


def test_what_failed_when_it_was_read_anew_is_left_alone_until_it_is_due_again() -> None:
    source = Source()
    kept = source.kept()
    first = kept.look("a", DEADLINE_S).as_of
    source.fails = True
    source.now += timedelta(seconds=61)
    for _ in range(5):
        kept.look("a")
        settled(kept)
    assert (source.read, kept.look("a").as_of) == (2, first)
    source.fails = False
    source.now += timedelta(seconds=59)
    assert (kept.look("a").reading, kept.look("a").failure) == (False, "TimeoutError")
    source.now += timedelta(seconds=1)
    kept.look("a")
    settled(kept)
    assert (kept.look("a").value, kept.look("a").failure, source.read) == ("a 3", None, 3)


def test_a_clock_that_was_set_back_keeps_nothing_longer() -> None:
    source = Source()
    kept = source.kept()
    kept.look("a", DEADLINE_S)
    source.now -= timedelta(days=1)
    kept.look("a")
    settled(kept)
    assert kept.look("a").value == "a 2"


async def test_pieces_of_a_thread_come_in_order_and_it_is_told_when_nobody_reads() -> None:
    ended = threading.Event()

    def produce(stopped: object) -> Iterator[int]:
        try:
            yield from range(10_000)
        finally:
            ended.set()

    found = []
    async with aclosing(Bridge(produce, "test").pieces(DEADLINE_S)) as pieces:
        async for piece in pieces:
            found.append(piece)
            if len(found) == 300:
                break
    assert found == list(range(300))
    assert ended.wait(DEADLINE_S)


async def test_an_error_of_the_thread_is_a_piece() -> None:
    def produce(_stopped: object) -> Iterator[int]:
        yield 1
        raise TimeoutError

    found = [piece async for piece in Bridge(produce, "test").pieces(DEADLINE_S)]
    assert found[0] == 1
    assert isinstance(found[1], Failed)
