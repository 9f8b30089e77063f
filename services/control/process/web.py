"""Answers on loopback: ``/healthz``, ``/readyz``, ``/status`` and ``/metrics`` of the control process."""

import json
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final

from services.control.process.metrics import CONTENT_TYPE, as_text
from services.control.process.status import Status

HOST: Final = "127.0.0.1"
_JSON: Final = "application/json; charset=utf-8"
_POLL_S: Final = 0.1
Answer = tuple[HTTPStatus, str, bytes]


class StatusServer:
    """A small HTTP server in a thread of its own.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, port: int, status: Status) -> None:
        self._server = ThreadingHTTPServer((HOST, port), _handler(lambda path: answer(path, status)))
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, args=(_POLL_S,), name="status", daemon=True)

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


def answer(path: str, status: Status) -> Answer:
    """What is answered to a question; 503 says no, with the loops that are the reason."""
    if path == "/healthz":
        reasons = status.not_alive()
        return _told({"healthy": not reasons, "reasons": reasons}, well=not reasons)
    if path == "/readyz":
        reasons = status.not_ready()
        return _told({"ready": not reasons, "reasons": reasons}, well=not reasons)
    if path == "/status":
        reasons = status.not_ready()
        return _told({"ready": not reasons, "reasons": reasons, "loops": status.as_json()}, well=True)
    if path == "/metrics":
        return HTTPStatus.OK, CONTENT_TYPE, as_text(status).encode()
    what = {"error": "ask /healthz, /readyz, /status or /metrics"}
    return HTTPStatus.NOT_FOUND, _JSON, json.dumps(what).encode()


def _told(body: dict[str, Any], *, well: bool) -> Answer:
    code = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
    return code, _JSON, json.dumps(body, ensure_ascii=False).encode()


def _handler(answering: Callable[[str], Answer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Four addresses, all read-only."""

        def do_GET(self) -> None:
            """Answer a question."""
            code, kind, content = answering(self.path)
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the log is for what the loops say."""

    return Handler
