"""A TCP proxy before the broker that knows Kafka's request header: cuts connections, holds or deafens EndTxn.

It runs in a thread of its own and is told what to do from any other. A client is named by its ``client.id``,
which stands in the header of each of its requests; what it sends goes on unchanged and in order.
"""

import asyncio
import contextlib
import struct
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

END_TXN: Final = 26
_HEADER: Final = struct.Struct(">hhih")
"""API key, API version, correlation id, length of the client id (-1: none)."""
_LARGEST_REQUEST: Final = 200_000_000
_CHUNK: Final = 1 << 18
_DEAF_SECONDS: Final = 0.3
_START_SECONDS: Final = 10.0
Result = TypeVar("Result")


@dataclass(slots=True)
class _Rule:
    """What happens to EndTxn requests of one client while the rule stands."""

    client: str
    deaf: bool
    """Forward the request, then cut the connection before its answer arrives."""
    seen: threading.Event = field(default_factory=threading.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)


class Hold:
    """EndTxn requests of one client that are being held, or whose answer is lost, until ``release``."""

    def __init__(self, proxy: "KafkaProxy", rule: _Rule) -> None:
        self._proxy, self._rule = proxy, rule

    def wait_until_met(self, seconds: float) -> bool:
        """Whether at least one request met the rule within the time."""
        return self._rule.seen.wait(seconds)

    def release(self) -> None:
        """Let go what is held and lift the rule."""
        self._proxy._call(self._proxy._lift(self._rule))


class _Connection:
    """One client's connection and its counterpart at the broker."""

    def __init__(self, writers: "tuple[asyncio.StreamWriter, asyncio.StreamWriter]") -> None:
        self.writers = writers
        self.client: str | None = None

    def cut(self) -> None:
        """Break it on both sides at once, as a dead network does."""
        for writer in self.writers:
            writer.transport.abort()


class KafkaProxy:
    """Listens on a loopback port and forwards to another one."""

    def __init__(self, port: int, target_port: int, host: str = "127.0.0.1") -> None:
        self._host, self.port, self._target_port = host, port, target_port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="kafka-proxy", daemon=True)
        self._server: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._rules: list[_Rule] = []

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()
        self._call(self._listen())

    def stop(self) -> None:
        """Cut everything and end the thread."""
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START_SECONDS)
        self._loop.close()

    def cut(self, client: str | None = None) -> int:
        """Cut the connections of one client (by the beginning of its id), or all; return how many."""
        return self._call(self._cut(client))

    def hold_end_txn(self, client: str) -> Hold:
        """Hold the client's EndTxn requests, and what it sends behind them on the same connection."""
        return self._call(self._add(_Rule(client, deaf=False)))

    def lose_answer_to_end_txn(self, client: str) -> Hold:
        """Forward the client's EndTxn requests and cut the connection before the answer comes back."""
        return self._call(self._add(_Rule(client, deaf=True)))

    def clients(self) -> set[str]:
        """Who is connected now."""
        return self._call(self._clients())

    # --- within the loop ----------------------------------------------------------------------------------

    def _call(self, work: Coroutine[Any, Any, Result]) -> Result:
        future: Future[Result] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return future.result(_START_SECONDS)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, self._host, self.port, limit=_CHUNK)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        for rule in self._rules:
            rule.released.set()
        await self._cut(None)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _cut(self, client: str | None) -> int:
        found = [one for one in self._connections if client is None or (one.client or "").startswith(client)]
        for connection in found:
            connection.cut()
        return len(found)

    async def _clients(self) -> set[str]:
        return {one.client for one in self._connections if one.client is not None}

    async def _add(self, rule: _Rule) -> Hold:
        self._rules.append(rule)
        return Hold(self, rule)

    async def _lift(self, rule: _Rule) -> None:
        if rule in self._rules:
            self._rules.remove(rule)
        rule.released.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream = await asyncio.open_connection(self._host, self._target_port, limit=_CHUNK)
        except OSError:
            writer.transport.abort()
            return
        connection = _Connection((writer, upstream[1]))
        self._connections.add(connection)
        ways = [
            asyncio.create_task(self._requests(reader, upstream[1], connection)),
            asyncio.create_task(_answers(upstream[0], writer)),
        ]
        # Cancelled only when the proxy stops; the server's own callback would report it as an error.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        self._connections.discard(connection)
        connection.cut()
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)

    async def _requests(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: _Connection
    ) -> None:
        """Request by request, each looked at by its header only."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, struct.error):
            while True:
                length = await reader.readexactly(4)
                size = int.from_bytes(length, "big")
                if size > _LARGEST_REQUEST:
                    return
                request = await reader.readexactly(size)
                api_key, connection.client = _named(request, connection.client)
                rule = self._rule_for(api_key, connection.client)
                if rule is not None and not rule.deaf:
                    rule.seen.set()
                    await rule.released.wait()
                writer.write(length + request)
                await writer.drain()
                if rule is not None and rule.deaf:
                    # The broker must have read the request before its side is cut too.
                    connection.writers[0].transport.abort()
                    rule.seen.set()
                    await asyncio.sleep(_DEAF_SECONDS)
                    return

    def _rule_for(self, api_key: int, client: str | None) -> _Rule | None:
        if api_key != END_TXN:
            return None
        return next((rule for rule in self._rules if rule.client == client), None)


def _named(request: bytes, known: str | None) -> tuple[int, str | None]:
    """API key and client id of a request; one without a name keeps the known one."""
    api_key, _version, _correlation, length = _HEADER.unpack_from(request)
    if length <= 0:
        return api_key, known
    name = request[_HEADER.size : _HEADER.size + length]
    return api_key, name.decode("utf-8", "replace") if len(name) == length else known


async def _answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
