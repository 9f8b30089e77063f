"""The proxy forwards everything, and breaks exactly what it is told to break."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing
from functools import partial

import pytest

from services.chaos.proxy import END_TXN, KafkaProxy
from tests.support import waiting
from tests.support.ports import free_ports

PRODUCE = 0


class EchoBroker:
    """Answers each request with its own bytes; remembers the API keys that it was asked for."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.asked: list[int] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with closing(connection):
            try:
                while frame := receive(connection):
                    self.asked.append(struct.unpack_from(">h", frame)[0])
                    connection.sendall(struct.pack(">i", len(frame)) + frame)
            except OSError:
                return


def receive(connection: socket.socket) -> bytes:
    """One frame without its length; empty where the connection ended."""
    head = exactly(connection, 4)
    return exactly(connection, struct.unpack(">i", head)[0]) if head else b""


def exactly(connection: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        part = connection.recv(count - len(found))
        if not part:
            return b""
        found += part
    return found


def request(api_key: int, client: str, body: bytes = b"body") -> bytes:
    name = client.encode()
    frame = struct.pack(">hhih", api_key, 1, 7, len(name)) + name + body
    return struct.pack(">i", len(frame)) + frame


eventually = partial(waiting.eventually, seconds=5.0)


@pytest.fixture
def broker() -> Iterator[EchoBroker]:
    found = EchoBroker()
    yield found
    found.close()


@pytest.fixture
def proxy(broker: EchoBroker) -> Iterator[KafkaProxy]:
    found = KafkaProxy(free_ports(1)[0], broker.port)
    found.start()
    yield found
    found.stop()


def connected(proxy: KafkaProxy, client: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", proxy.port), timeout=5)
    connection.sendall(request(PRODUCE, client))
    assert receive(connection)
    return connection


def test_requests_and_answers_pass_unchanged_however_large(proxy: KafkaProxy) -> None:
    body = bytes(range(256)) * 8_000
    with closing(connected(proxy, "gate.0")) as connection:
        connection.sendall(request(PRODUCE, "gate.0", body))
        assert receive(connection).endswith(body)
    eventually(lambda: proxy.clients() == set())


def test_only_the_named_clients_connections_are_cut(proxy: KafkaProxy) -> None:
    with closing(connected(proxy, "gate.0")) as cut, closing(connected(proxy, "fanout.a.0")) as other:
        assert proxy.clients() == {"gate.0", "fanout.a.0"}
        assert proxy.cut("gate.0") == 1
        with pytest.raises(ConnectionError):
            receive_or_reset(cut)
        other.sendall(request(PRODUCE, "fanout.a.0"))
        assert receive(other)


def receive_or_reset(connection: socket.socket) -> None:
    if not receive(connection):
        raise ConnectionResetError


def test_the_end_of_a_transaction_is_held_until_it_is_released(proxy: KafkaProxy, broker: EchoBroker) -> None:
    with closing(connected(proxy, "gate.0")) as held, closing(connected(proxy, "gate.1")) as free:
        hold = proxy.hold_end_txn("gate.0")
        held.sendall(request(END_TXN, "gate.0"))
        assert hold.wait_until_met(5)
        free.sendall(request(END_TXN, "gate.1"))
        assert receive(free)
        assert broker.asked.count(END_TXN) == 1
        hold.release()
        assert receive(held)
        held.sendall(request(END_TXN, "gate.0"))
        assert receive(held), "the rule is lifted"


def test_the_end_arrives_and_its_answer_is_lost(proxy: KafkaProxy, broker: EchoBroker) -> None:
    with closing(connected(proxy, "gate.0")) as deaf:
        hold = proxy.lose_answer_to_end_txn("gate.0")
        deaf.sendall(request(END_TXN, "gate.0"))
        with pytest.raises(ConnectionError):
            receive_or_reset(deaf)
        assert hold.wait_until_met(5)
        eventually(lambda: broker.asked.count(END_TXN) == 1)
        hold.release()


def test_a_rule_that_nothing_meets_says_so(proxy: KafkaProxy) -> None:
    hold = proxy.hold_end_txn("gate.0")
    assert not hold.wait_until_met(0.05)
    hold.release()


def test_where_the_broker_is_gone_a_connection_ends_at_once() -> None:
    port, nobody = free_ports(2)
    proxy = KafkaProxy(port, nobody)
    proxy.start()
    try:
        connection = socket.create_connection(("127.0.0.1", port), timeout=5)
        with closing(connection), pytest.raises(ConnectionError):
            receive_or_reset(connection)
    finally:
        proxy.stop()
