"""Carries what a thread produces to a coroutine, one piece after another, without a heap in between."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")
AHEAD: Final = 100
"""So many pieces may wait; then the thread waits for whoever reads."""
_LOOK_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Failed:
    """The thread ended early, by this error."""

    error: Exception


class _End:
    """Nothing more comes."""


@dataclass(frozen=True, slots=True)
class Bridge(Generic[T]):
    """Runs ``produce`` in a thread of its own; it is told by its argument when nobody reads any more."""

    produce: Callable[[Callable[[], bool]], Iterator[T]]
    name: str

    async def pieces(self, heartbeat_s: float) -> AsyncGenerator[T | Failed | None, None]:
        """What is produced, in order; None where nothing came for so long."""
        loop, stopped = asyncio.get_running_loop(), threading.Event()
        queue: asyncio.Queue[T | Failed | _End] = asyncio.Queue()
        free = threading.Semaphore(AHEAD)

        def put(piece: T | Failed | _End) -> None:
            while not stopped.is_set():
                if free.acquire(timeout=_LOOK_S):
                    loop.call_soon_threadsafe(queue.put_nowait, piece)
                    return

        thread = threading.Thread(target=self._run, args=(put, stopped.is_set), name=self.name, daemon=True)
        thread.start()
        try:
            while True:
                try:
                    async with asyncio.timeout(heartbeat_s):
                        piece = await queue.get()
                except TimeoutError:
                    yield None
                    continue
                free.release()
                if isinstance(piece, _End):
                    return
                yield piece
        finally:
            stopped.set()

    def _run(self, put: Callable[[T | Failed | _End], None], stopped: Callable[[], bool]) -> None:
        try:
            for piece in self.produce(stopped):
                put(piece)
                if stopped():
                    return
        except Exception as error:  # noqa: BLE001 - whoever reads is told
            put(Failed(error))
        finally:
            put(_End())
