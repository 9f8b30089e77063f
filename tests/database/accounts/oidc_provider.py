"""A small identity provider that really runs: discovery, keys, code flow with PKCE, signed id tokens."""

import hashlib
import json
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import requests
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey

CLIENT, SECRET = "govbus", "s3cret/with:signs"
CALLBACK = "http://127.0.0.1:1/login/callback"


@dataclass
class OidcProvider:
    """What it says of whoever comes, and what it does wrong when a test wants it to."""

    issuer: str
    clock: Callable[[], datetime]
    keys: list[RSAKey] = field(default_factory=lambda: [RSAKey.generate_key(2048, auto_kid=True)])
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "u-1", "groups": []})
    claims: dict[str, Any] = field(default_factory=dict)
    """Claims that replace the right ones."""
    shared_secret: bool = False
    unsigned: bool = False
    down: bool = False
    ends: str | None = None
    """Where it says that sessions end."""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def rotate(self) -> None:
        """Another key, and the old one is withdrawn."""
        self.keys = [RSAKey.generate_key(2048, auto_kid=True)]

    def log_in(self, address: str) -> dict[str, str]:
        """What a browser brings back after its person logged in."""
        answer = requests.get(address, allow_redirects=False, timeout=10)
        assert answer.status_code == 302, answer.text
        back = answer.headers["Location"]
        assert back.startswith(f"{CALLBACK}?")
        return {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            **({} if self.ends is None else {"end_session_endpoint": self.ends}),
        }

    def authorize(self, wish: dict[str, str]) -> str:
        """Remember what the code is for, and send the browser back."""
        wanted = {"client_id": CLIENT, "redirect_uri": CALLBACK, "response_type": "code"}
        wanted["code_challenge_method"] = "S256"
        assert {name: wish.get(name) for name in wanted} == wanted, wish
        assert "openid" in wish["scope"].split()
        code = f"code-{len(self.codes)}"
        self.codes[code] = wish
        return f"{CALLBACK}?{urlencode({'code': code, 'state': wish['state']})}"

    def token(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        """An id token for a code, once, for whoever knows our secret and began the login."""
        wish = self.codes.pop(form.get("code", ""), None)
        user, _, password = b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
        challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if wish is None or (unquote(user), unquote(password)) != (CLIENT, SECRET):
            return None
        if wish["code_challenge"] != urlsafe_b64encode(challenge).rstrip(b"=").decode():
            return None
        if form.get("redirect_uri") != CALLBACK:
            return None
        return {"access_token": "a", "token_type": "Bearer", "id_token": self._id_token(wish["nonce"])}

    def _id_token(self, nonce: str) -> str:
        now = int(self.clock().timestamp())
        right = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce}
        claims = {
            name: value
            for name, value in {**right, **self.person, **self.claims}.items()
            if value is not None
        }
        if self.shared_secret:
            return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET * 2), algorithms=["HS256"])
        signed = jwt.encode({"alg": "RS256", "kid": self.keys[0].kid}, claims, self.keys[0])
        if not self.unsigned:
            return signed
        header = urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
        return f"{header}.{signed.split('.')[1]}."


class _Handler(BaseHTTPRequestHandler):
    provider: OidcProvider

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.provider.asked.append(parts.path)
        wish = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if self.provider.down:
            self._answer(503, None)
        elif parts.path == "/authorize":
            self._answer(302, None, self.provider.authorize(wish))
        elif parts.path == "/keys":
            self._answer(200, KeySet(list(self.provider.keys)).as_dict(private=False))
        elif parts.path == "/.well-known/openid-configuration":
            self._answer(200, self.provider.discovery())
        else:
            self._answer(404, None)

    def do_POST(self) -> None:
        self.provider.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        if self.provider.down:
            self._answer(503, None)
            return
        found = self.provider.token(form, self.headers.get("Authorization", ""))
        self._answer(400 if found is None else 200, found or {"error": "invalid_grant"})

    def _answer(self, status: int, document: Any, location: str = "") -> None:
        body = b"" if document is None else json.dumps(document).encode()
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""


@contextmanager
def running_provider(clock: Callable[[], datetime]) -> Iterator[OidcProvider]:
    """The provider on a free port, until the end of the block."""
    handler = type("Handler", (_Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        provider = OidcProvider(f"http://127.0.0.1:{server.server_port}", clock)
        handler.provider = provider  # type: ignore[attr-defined]
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join(timeout=10)
