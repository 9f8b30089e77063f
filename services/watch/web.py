"""Answers on loopback: ``/status`` says what the watch sees, ``/readyz`` whether it looks at all."""

import json
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final

HOST: Final = "127.0.0.1"


class StatusServer:
    """A small HTTP server in a thread of its own.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, port: int, status: Callable[[], dict[str, Any]], alive: Callable[[], bool]) -> None:
        self._server = ThreadingHTTPServer((HOST, port), _handler(status, alive))
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, args=(0.1,), name="status", daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(status: Callable[[], dict[str, Any]], alive: Callable[[], bool]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Two addresses, both read-only."""

        def do_GET(self) -> None:
            """Answer a question."""
            well = alive()
            if self.path == "/status":
                body: dict[str, Any] = {"ready": well} | status()
            elif self.path == "/readyz":
                body = {"ready": well}
            else:
                return self._answer(HTTPStatus.NOT_FOUND, {"error": "ask /status or /readyz"})
            return self._answer(HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE, body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the log is for what the watch sees."""

        def _answer(self, code: HTTPStatus, body: dict[str, Any]) -> None:
            content = json.dumps(body, ensure_ascii=False).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler
