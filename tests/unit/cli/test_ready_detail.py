"""What `govbus status` says beside the state of a process."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from services.cli.stack import ready_detail

READY = {"ready": True, "reasons": [], "transport": "native", "engine": "generated"}
NOT_READY = {"ready": False, "reasons": ["no policy is adopted"], "transport": "native"}


class Answering(BaseHTTPRequestHandler):
    answers: dict[str, tuple[int, bytes]] = {  # noqa: RUF012 - a table, never changed
        "/ready": (200, json.dumps(READY).encode()),
        "/not-ready": (503, json.dumps(NOT_READY).encode()),
        "/watch": (200, b'{"ready": true}'),
        "/text": (200, b"fine"),
        "/list": (200, b"[1]"),
    }

    def do_GET(self) -> None:
        code, body = self.answers[self.path]
        self.send_response(code)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("page", "detail"),
    [
        ("/ready", "engine: generated, transport: native"),
        ("/not-ready", json.dumps(NOT_READY)),
        ("/watch", ""),
        ("/text", ""),
        ("/list", ""),
    ],
)
def test_a_ready_processor_says_what_it_works_with_and_another_what_it_lacks(
    url: str, page: str, detail: str
) -> None:
    assert ready_detail(url + page) == detail


def test_who_does_not_answer_is_said_not_to() -> None:
    assert ready_detail("http://127.0.0.1:1/") == "does not answer"
