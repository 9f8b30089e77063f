"""An identity provider over HTTP: code flow with PKCE by Authlib, signatures by its published keys."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote_plus, urlsplit

import requests
from authlib.common.urls import add_params_to_uri
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from services.control.signing_in.identity_provider import Asked, Claims, ClaimsRefused, ProviderUnavailable

SKEW: Final = timedelta(seconds=60)
"""So far the clocks of both may be apart."""
_KEEP: Final = timedelta(hours=1)
_KEYS_AGAIN: Final = timedelta(seconds=30)
"""A key that is not known makes us look again, but not more often than this."""
_TIMEOUT_S: Final = 5.0
_ALGORITHMS: Final = ("RS256", "PS256", "ES256")
"""Never one that signs with a shared secret, never none."""
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Client:
    """What we are to the identity provider."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    scopes: tuple[str, ...] = ("openid", "profile", "email")


@dataclass(frozen=True, slots=True)
class _Kept:
    """A document of the provider, and when it was fetched."""

    document: Mapping[str, Any]
    at: datetime


class OidcClient:
    """One identity provider; what it publishes of itself is kept for an hour."""

    def __init__(self, client: Client, clock: Clock) -> None:
        self._client, self._clock = client, clock
        self._kept: dict[str, _Kept] = {}

    def address(self, asked: Asked) -> str:
        """Where the browser goes to log in (see ``IdentityProvider``)."""
        with self._session() as session:
            address, _ = session.create_authorization_url(
                self._endpoint("authorization_endpoint"),
                state=asked.state,
                nonce=asked.nonce,
                code_verifier=asked.verifier,
            )
        return str(address)

    def claims(self, code: str, nonce: str, verifier: str) -> Claims:
        """Who somebody is, for a code (see ``IdentityProvider``)."""
        answer = self._token(code, verifier)
        text = answer.get("id_token")
        if not isinstance(text, str):
            raise ClaimsRefused("the identity provider sent no id token")
        token = self._decoded(text)
        given = {
            "nonce": nonce,
            "client_id": self._client.client_id,
            "access_token": answer.get("access_token"),
        }
        expected = {
            "iss": {"essential": True, "value": self._client.issuer},
            "aud": {"essential": True, "value": self._client.client_id},
            "sub": {"essential": True},
        }
        try:
            claims = CodeIDToken(token.claims, token.header, expected, given)
            claims.validate(now=int(self._clock().timestamp()), leeway=int(SKEW.total_seconds()))
        except JoseError as error:
            raise ClaimsRefused(f"the id token does not count: {error.error}") from error
        return Claims(self._client.issuer, str(claims["sub"]), dict(claims), text)

    def end_address(self, id_token: str, back: str) -> str | None:
        """Where the browser goes to log out there too (see ``IdentityProvider``)."""
        url = self._discovered().get("end_session_endpoint")
        if not isinstance(url, str) or not is_safe(url):
            return None
        said = {"id_token_hint": id_token, "client_id": self._client.client_id}
        given = [(name, value) for name, value in said.items() if value]
        return str(add_params_to_uri(url, [*given, ("post_logout_redirect_uri", back)]))

    def _token(self, code: str, verifier: str) -> Mapping[str, Any]:
        url = self._endpoint("token_endpoint")
        try:
            with self._signed_session() as session:
                found: Mapping[str, Any] = session.fetch_token(url, code=code, code_verifier=verifier)
        except OAuthError as error:
            raise ClaimsRefused(f"the identity provider refused the code: {error.error}") from error
        except (requests.RequestException, ValueError) as error:
            raise ProviderUnavailable(f"{url} did not answer as it should") from error
        return found

    def _decoded(self, text: str) -> jwt.Token:
        """The id token, if one of the provider's keys signed it; an unknown key makes us ask for new ones."""
        try:
            try:
                return jwt.decode(text, self._keys(_KEEP), algorithms=_ALGORITHMS)
            except InvalidKeyIdError:
                return jwt.decode(text, self._keys(_KEYS_AGAIN), algorithms=_ALGORITHMS)
        except (JoseError, ValueError) as error:
            raise ClaimsRefused(f"nobody signed this id token: {type(error).__name__}") from error

    def _keys(self, no_older_than: timedelta) -> KeySet:
        document = self._fetched(self._endpoint("jwks_uri"), no_older_than)
        keys = document.get("keys")
        if not isinstance(keys, list):
            raise ProviderUnavailable("the identity provider publishes no keys")
        return KeySet.import_key_set({"keys": [each for each in keys if _signs(each)]})

    def _endpoint(self, name: str) -> str:
        url = self._discovered().get(name)
        if not isinstance(url, str) or not is_safe(url):
            raise ProviderUnavailable(f"the identity provider has no {name} over https")
        return url

    def _discovered(self) -> Mapping[str, Any]:
        """What the provider says of itself (OpenID Connect Discovery, 4)."""
        document = self._fetched(f"{self._client.issuer.rstrip('/')}/.well-known/openid-configuration", _KEEP)
        if document.get("issuer") != self._client.issuer:
            raise ProviderUnavailable("the identity provider says that it is another one")
        return document

    def _fetched(self, url: str, no_older_than: timedelta) -> Mapping[str, Any]:
        now, kept = self._clock(), self._kept.get(url)
        if kept is not None and now - kept.at < no_older_than:
            return kept.document
        try:
            answer = requests.get(url, timeout=_TIMEOUT_S, allow_redirects=False)
            answer.raise_for_status()
            document = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise ProviderUnavailable(f"{url} does not answer") from error
        if not isinstance(document, dict):
            raise ProviderUnavailable(f"{url} does not answer as it should")
        self._kept[url] = _Kept(document, now)
        return document

    def _signed_session(self) -> OAuth2Session:
        """For what needs our secret: both parts are written as a form writes them (RFC 6749, 2.3.1)."""
        return self._session(quote_plus(self._client.client_id), quote_plus(self._client.client_secret))

    def _session(self, client_id: str | None = None, client_secret: str | None = None) -> OAuth2Session:
        return OAuth2Session(
            client_id or self._client.client_id,
            client_secret,
            scope=" ".join(self._client.scopes),
            redirect_uri=self._client.redirect_uri,
            code_challenge_method="S256",
            default_timeout=_TIMEOUT_S,
        )


def _signs(key: Any) -> bool:
    """Whether a published key is one for signatures, of a kind that we accept."""
    return isinstance(key, dict) and key.get("use") in (None, "sig") and key.get("kty") in ("RSA", "EC")


def is_safe(url: str) -> bool:
    """Whether nobody on the way can read or change what is sent there: https, or this very machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
