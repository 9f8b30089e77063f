"""API tokens: what they look like, what they may, how long they last."""

import re
from base64 import b32encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from services.control.accounts.decision import SCOPES
from services.control.accounts.random_text import Random, digest, new_secret
from services.control.cases.words import Problem

_PREFIX_BYTES: Final = 5
_FORM: Final = re.compile(r"(?P<prefix>gbt_[a-z2-7]{8})_[A-Za-z0-9_-]{43}")
LONGEST_LIFE: Final = timedelta(days=366)
UNCONFIRMED_AFTER: Final = timedelta(days=7)
"""So long a token counts after its owner's last login through an identity provider, unless set otherwise."""
_LONGEST_NAME: Final = 100


class Standing(StrEnum):
    """What a token is worth now."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNCONFIRMED = "unconfirmed"
    """Its owner has not logged in through the identity provider for too long."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token: the text is shown once, the prefix names it for ever, the digest is kept."""

    text: str
    prefix: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class Token:
    """What is kept of a token."""

    prefix: str
    person: str
    name: str
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None


def issue(random: Random) -> Issued:
    """Make a token."""
    prefix = f"gbt_{b32encode(random(_PREFIX_BYTES)).decode('ascii').lower()}"
    text = f"{prefix}_{new_secret(random)}"
    return Issued(text, prefix, digest(text))


def prefix_of(text: str) -> str | None:
    """The prefix of a token's text, None if it is no token of ours."""
    found = _FORM.fullmatch(text)
    return found["prefix"] if found else None


def token_problems(
    name: str, scopes: Iterable[str], expires_at: datetime, now: datetime
) -> tuple[Problem, ...]:
    """What is wrong with the wish for a token."""
    found = []
    if not 0 < len(name.strip()) <= _LONGEST_NAME:
        found.append(Problem("NAME", "name", "the name is empty or too long", "say what the token is for"))
    wanted = frozenset(scopes)
    unknown = sorted(wanted - SCOPES)
    if unknown or not wanted:
        what = f"there is no scope {', '.join(unknown)}" if unknown else "no scope is given"
        found.append(Problem("SCOPE", "scopes", what, f"choose of: {', '.join(sorted(SCOPES))}"))
    if not now < expires_at <= now + LONGEST_LIFE:
        what = "a token lasts for more than no time and at most a year"
        found.append(Problem("EXPIRY", "expires_at", what, "name a day within a year"))
    return tuple(found)


def standing(token: Token, now: datetime) -> Standing:
    """What a token is worth."""
    if token.revoked_at is not None and now >= token.revoked_at:
        return Standing.REVOKED
    return Standing.EXPIRED if now >= token.expires_at else Standing.VALID
