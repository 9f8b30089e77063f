"""Servers that receive notices in tests: a real SMTP server and a real HTTP server, on free ports."""

import ssl
import threading
from asyncio.base_events import Server
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

HOST = "localhost"


@dataclass
class MailReceiver:
    """What a mail server received, and how it answers."""

    answer: Callable[[str], str] = lambda _recipient: "250 OK"
    """The answer to each recipient."""
    login: tuple[str, str] | None = None
    letters: list[EmailMessage] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(  # noqa: N802 - named by aiosmtpd
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        answer = self.answer(address)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        assert isinstance(content, bytes)
        found = message_from_bytes(content, policy=policy.default)
        assert isinstance(found, EmailMessage)
        self.letters.append(found)
        self.encrypted.append(session.ssl is not None)
        return "250 OK"

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _kind: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        right = (data.login.decode(), data.password.decode()) == self.login
        return AuthResult(success=right, handled=right)


class _OnFreePort(Controller):
    """Looks which port it was given before it calls itself there."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def mail_server(receiver: MailReceiver, context: ssl.SSLContext | None) -> Iterator[MailReceiver]:
    """Run a mail server; without a context it offers no encryption."""
    options: dict[str, Any] = {"tls_context": context, "require_starttls": context is not None}
    if receiver.login is not None:
        options |= {"authenticator": receiver.authenticate, "auth_required": True}
    server = _OnFreePort(receiver, hostname="127.0.0.1", port=0, **options)
    server.start()
    receiver.port = server.port
    try:
        yield receiver
    finally:
        server.stop()


@dataclass(frozen=True)
class Posted:
    """One request that an HTTP server received."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HttpReceiver:
    """What an HTTP server received, and how it answers."""

    status: Callable[[int], int] = lambda _number: 204
    """The status of the request of that number, from 1."""
    headers: dict[str, str] = field(default_factory=dict)
    trickle: bool = False
    """Whether the answer never ends and comes byte by byte."""
    requests: list[Posted] = field(default_factory=list)
    port: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)


@contextmanager
def http_server(receiver: HttpReceiver, context: ssl.SSLContext | None = None) -> Iterator[HttpReceiver]:
    """Run an HTTP server, with TLS where there is a context."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.requests.append(Posted(self.path, dict(self.headers.items()), body))
            if receiver.trickle:
                self._trickle()
                return
            self.send_response(receiver.status(len(receiver.requests)))
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _trickle(self) -> None:
            self.close_connection = True
            try:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
                while not receiver.stopped.wait(0.05):
                    self.wfile.write(b"x")
            except OSError:
                return

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
