"""Server-sent events: how one is written, and one source that many read, each from where it was."""

import asyncio
import json
import re
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

HEARTBEAT: Final = b": \n\n"
"""Keeps proxies from closing a connection on which nothing happens."""
KEPT: Final = 32
_LINE_END: Final = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Event:
    """One event; its id is what a browser names when it comes back."""

    id: str
    name: str
    data: str

    def encoded(self) -> bytes:
        """As it travels: each line of the data by itself, by every end of a line that the standard knows.

        A record may hold any of them, and must not end a line of ours.
        """
        lines = "".join(f"data: {line}\n" for line in _LINE_END.split(self.data))
        head = f"id: {self.id}\n" if self.id else ""
        return f"{head}event: {self.name}\n{lines}\n".encode()


def as_event(id_: str, name: str, document: Mapping[str, Any]) -> Event:
    """An event with a document."""
    return Event(id_, name, json.dumps(document, ensure_ascii=False, separators=(",", ":")))


@dataclass(slots=True)
class Hub:
    """Asks one source and tells all who listen, whoever many they are.

    Each event holds the whole state, so whoever was away too long misses steps on the way and nothing else.
    """

    read: Callable[[Mapping[str, Any] | None], Awaitable[Mapping[str, Any] | None]]
    """Given the state before, returns the next one, or None where nothing has changed."""
    every_s: float
    epoch: str
    """Names this process's events, so that the ids of an earlier one mean nothing."""
    report: Callable[[Exception], None]
    asked: int = 0
    """How often the source was asked."""
    state: Mapping[str, Any] | None = None
    _number: int = 0
    _events: deque[tuple[int, Mapping[str, Any]]] = field(default_factory=lambda: deque(maxlen=KEPT))
    _moved: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Ask from now on, in the running loop; once is enough."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Ask no more."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def turn(self) -> None:
        """Ask once; a source that fails is asked again next time."""
        self.asked += 1
        try:
            found = await self.read(self.state)
        except Exception as error:  # noqa: BLE001 - viewers keep what they have
            self.report(error)
            return
        if found is not None:
            self.state = found
            self._number += 1
            self._events.append((self._number, found))
            moved, self._moved = self._moved, asyncio.Event()
            moved.set()

    async def listen(
        self, last: str | None, heartbeat_s: float
    ) -> AsyncIterator[tuple[str, Mapping[str, Any]] | None]:
        """States with their ids, in order, from the one after ``last`` on; None for a sign of life."""
        number = self._after(last)
        while True:
            moved = self._moved
            for each, state in list(self._events):
                if each > number:
                    number = each
                    yield f"{self.epoch}-{each}", state
            with suppress(TimeoutError):
                async with asyncio.timeout(heartbeat_s):
                    await moved.wait()
                continue
            yield None

    def _after(self, last: str | None) -> int:
        """The number after which to go on; who brings none, or one that is gone, gets the newest state."""
        epoch, _, number = (last or "").rpartition("-")
        oldest = self._events[0][0] if self._events else self._number + 1
        known = epoch == self.epoch and number.isascii() and number.isdigit()
        if known and oldest - 1 <= int(number) <= self._number:
            return int(number)
        return self._number - 1

    async def _run(self) -> None:
        while True:
            await self.turn()
            await asyncio.sleep(self.every_s)
