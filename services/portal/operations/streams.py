"""Answers that go on: server-sent events that end by themselves before a right that was lost could matter."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from services.api.problems import AnswerProblem
from services.api.running import BusUnavailable
from services.control.store.errors import StoreError

HEARTBEAT_S: Final = 10.0
LASTS_S: Final = 300.0
"""After so long a stream ends; the browser comes back by itself, and is asked who it is once more."""
RECHECK_S: Final = 2.0
"""So old may the answer to the question be whether somebody may still listen."""
REFUSED: Final = "refused"
"""What the last event of a stream says to whom it is closed: the page is read anew and says why."""
_HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}


def streamed(pieces: AsyncIterator[bytes]) -> StreamingResponse:
    """An answer of server-sent events."""
    return StreamingResponse(pieces, media_type="text/event-stream", headers=_HEADERS)


@dataclass(slots=True)
class Watch:
    """Asks again and again whether somebody may still listen: a moment before anything is sent."""

    may: Callable[[], object]
    """Raises where who listens may not any more; it waits for the database or the bus."""
    _asked: float | None = None

    async def refuses(self) -> bool:
        """Whether the stream has to end; in doubt it has."""
        if self._asked is not None and monotonic() - self._asked < RECHECK_S:
            return False
        try:
            await run_in_threadpool(self.may)
        except (AnswerProblem, BusUnavailable, StoreError):
            return True
        self._asked = monotonic()
        return False
