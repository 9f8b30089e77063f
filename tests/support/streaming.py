"""Reads an answer that does not end by itself, as a browser does: event by event, then it goes away."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

from fastapi import FastAPI

DEADLINE_S: Final = 30.0


@dataclass(frozen=True)
class EventSeen:
    """One event as a browser hears it."""

    id: str
    name: str
    data: str


@dataclass
class Listening:
    """One open answer of an app."""

    app: FastAPI
    path: str
    headers: Mapping[str, str]
    query: str = ""
    status: int = 0
    _pieces: "asyncio.Queue[bytes | None]" = field(default_factory=asyncio.Queue)
    _gone: asyncio.Event = field(default_factory=asyncio.Event)
    _task: "asyncio.Task[None] | None" = None
    _begun: asyncio.Event = field(default_factory=asyncio.Event)
    _rest: bytes = b""

    async def __aenter__(self) -> Self:
        self._task = asyncio.get_running_loop().create_task(self._run())
        async with asyncio.timeout(DEADLINE_S):
            await self._begun.wait()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gone.set()
        if self._task is not None:
            async with asyncio.timeout(DEADLINE_S):
                await self._task

    async def event(self) -> EventSeen | None:
        """The next event, signs of life aside; None where the answer has ended."""
        while True:
            head, found, rest = self._rest.partition(b"\n\n")
            if found:
                self._rest = rest
                if not head.startswith(b":"):
                    return _event(head.decode())
                continue
            async with asyncio.timeout(DEADLINE_S):
                piece = await self._pieces.get()
            if piece is None:
                return None
            self._rest += piece

    async def _run(self) -> None:
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": self.path,
            "raw_path": self.path.encode(),
            "root_path": "",
            "query_string": self.query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in self.headers.items()],
            "client": ("testclient", 1),
            "server": ("testserver", 80),
        }
        asked = False

        async def receive() -> dict[str, Any]:
            nonlocal asked
            if not asked:
                asked = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await self._gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self._begun.set()
            elif not self._gone.is_set():
                await self._pieces.put(message.get("body", b""))

        try:
            await self.app(scope, receive, send)
        finally:
            self._begun.set()
            await self._pieces.put(None)


def _event(text: str) -> EventSeen:
    fields: dict[str, list[str]] = {}
    for line in text.split("\n"):
        name, _, value = line.partition(": ")
        fields.setdefault(name.rstrip(":"), []).append(value)
    return EventSeen(
        "".join(fields.get("id", [])), "".join(fields.get("event", [])), "\n".join(fields.get("data", []))
    )
