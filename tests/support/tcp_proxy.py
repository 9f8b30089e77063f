"""A TCP proxy before a Kafka broker that can hold one kind of request of one client, and cut connections."""

import contextlib
import socket
import struct
import threading
from typing import Final

END_TXN: Final = 26
_CHUNK: Final = 1 << 16
_HEADER: Final = struct.Struct(">hhih")


class TcpProxy:
    """Forwards a loopback port to another; threads, so that a test may use it from anywhere."""

    def __init__(self, port: int, target: int) -> None:
        self._target = target
        self._server = socket.create_server(("127.0.0.1", port))
        self._open: set[socket.socket] = set()
        self._held: tuple[str, int] | None = None
        self._free = threading.Event()
        self._free.set()
        self.met = threading.Event()
        """Set when a request was held."""
        threading.Thread(target=self._accept, daemon=True).start()

    def hold(self, client: str, api_key: int = END_TXN) -> None:
        """Hold such requests of the client, and what it sends behind them on the same connection."""
        self.met.clear()
        self._free.clear()
        self._held = (client, api_key)

    def release(self) -> None:
        """Let go what is held, and hold nothing more."""
        self._held = None
        self._free.set()

    def cut(self) -> None:
        """Break every connection."""
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Listen no more and break every connection."""
        self.release()
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._server.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            broker = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            client.close()
            return
        both = {client, broker}
        self._open |= both
        answers = threading.Thread(target=self._answers, args=(broker, client), daemon=True)
        answers.start()
        with contextlib.suppress(OSError, EOFError):
            self._requests(client, broker)
        for one in both:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        answers.join()
        self._open -= both
        for one in both:
            one.close()

    def _requests(self, client: socket.socket, broker: socket.socket) -> None:
        while True:
            length = _exactly(client, 4)
            request = _exactly(client, int.from_bytes(length, "big"))
            api_key, _, _, name_length = _HEADER.unpack_from(request)
            name = request[_HEADER.size : _HEADER.size + max(0, name_length)].decode("utf-8", "replace")
            if (name, api_key) == self._held:
                self.met.set()
                self._free.wait()
            broker.sendall(length + request)

    def _answers(self, broker: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := broker.recv(_CHUNK):
                client.sendall(chunk)
            client.shutdown(socket.SHUT_RDWR)


def _exactly(connection: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        chunk = connection.recv(min(_CHUNK, size - len(parts)))
        if not chunk:
            raise EOFError
        parts += chunk
    return bytes(parts)
