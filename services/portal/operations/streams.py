"""Answers that go on: server-sent events that end by themselves before a right that was lost could matter."""

from collections.abc import AsyncIterator
from typing import Final

from starlette.responses import StreamingResponse

HEARTBEAT_S: Final = 10.0
LASTS_S: Final = 300.0
"""After so long a stream ends; the browser comes back by itself, and is asked who it is once more."""
_HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}


def streamed(pieces: AsyncIterator[bytes]) -> StreamingResponse:
    """An answer of server-sent events."""
    return StreamingResponse(pieces, media_type="text/event-stream", headers=_HEADERS)
