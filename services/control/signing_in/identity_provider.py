"""What is asked of an identity provider: where to send the browser, and who somebody is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


class ProviderUnavailable(Exception):  # noqa: N818 - says to try again
    """The identity provider does not answer, or not as one should: try again later."""


class ClaimsRefused(Exception):  # noqa: N818 - says that nobody may be let in
    """What the identity provider said does not prove who somebody is: let nobody in."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One login at the provider: what travels with it and must come back."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Claims:
    """Who the identity provider says that somebody is."""

    issuer: str
    subject: str
    all: Mapping[str, Any]
    id_token: str = field(default="", repr=False)
    """What it signed; shown to it again, it knows whose session there shall end."""


class IdentityProvider(Protocol):
    """An identity provider that speaks OpenID Connect."""

    def address(self, asked: Asked) -> str:
        """Where the browser goes to log in.

        Raises:
            ProviderUnavailable: it cannot be asked where that is.
        """
        ...

    def claims(self, code: str, nonce: str, verifier: str) -> Claims:
        """Who somebody is, for the code that the browser brought back.

        Raises:
            ProviderUnavailable: it does not answer.
            ClaimsRefused: the code, or what was said for it, proves nothing.
        """
        ...

    def end_address(self, id_token: str, back: str) -> str | None:
        """Where the browser goes to end the session at the provider too; None where it offers no such place.

        Args:
            id_token: what the provider signed at the login; empty where it is not known any more.
            back: the page of ours to which it sends the browser afterwards.

        Raises:
            ProviderUnavailable: it cannot be asked where that is.
        """
        ...
