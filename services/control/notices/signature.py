"""Signs webhooks and checks their signatures: HMAC-SHA256 over time stamp and body; pure.

The header is ``t=<seconds since 1970>,v1=<hex>`` with one ``v1`` for each valid secret. While a secret is
rotated there are two, so that a receiver may change its own at any moment in between.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

HEADER: Final = "Govbus-Signature"
REPLAY_WINDOW: Final = timedelta(minutes=5)
_SCHEME: Final = "v1"
_TIME: Final = re.compile(r"[0-9]{1,12}")
_HEX: Final = re.compile(r"[0-9a-f]{64}")
_LONGEST_HEADER: Final = 1_000


class Verdict(StrEnum):
    """What a receiver learns from a signature."""

    VALID = "valid"
    MALFORMED = "malformed"
    WRONG = "wrong"
    """No secret of the receiver makes it."""
    TOO_OLD = "too_old"
    """It may be a replay."""
    FROM_THE_FUTURE = "from_the_future"
    """One of the two clocks is wrong."""


@dataclass(frozen=True, slots=True)
class SecretVersions:
    """Which secrets of an endpoint are valid: the current one, and for a time the one before."""

    current: int = 1
    previous_until: datetime | None = None

    def valid_at(self, now: datetime) -> tuple[int, ...]:
        """The versions to sign with, the current one first."""
        if self.previous_until is None or now >= self.previous_until or self.current < 2:
            return (self.current,)
        return (self.current, self.current - 1)

    def rotated(self, now: datetime, overlap: timedelta) -> "SecretVersions":
        """A new current secret; the one before stays valid for so long, and older ones end at once."""
        return SecretVersions(self.current + 1, now + overlap)


def secret_of(master: bytes, endpoint: int, version: int) -> str:
    """The secret of an endpoint, derived from a master secret, so that no table holds one.

    Args:
        master: at least 32 bytes.
        endpoint: its id.
        version: which of its secrets, from 1.

    Raises:
        ValueError: the master secret is too short to protect anything.
    """
    if len(master) < 32:
        raise ValueError("the master secret of webhooks has fewer than 32 bytes: generate another")
    text = f"govbus-webhook:{endpoint}:{version}".encode()
    return hmac.new(master, text, hashlib.sha256).hexdigest()


def sign(body: bytes, at: datetime, secrets: Iterable[str]) -> str:
    """The header of a body that is sent at that moment."""
    stamp = int(at.timestamp())
    return ",".join([f"t={stamp}", *(f"{_SCHEME}={_digest(stamp, body, each)}" for each in secrets)])


def verify(
    header: str, body: bytes, now: datetime, secrets: Iterable[str], window: timedelta = REPLAY_WINDOW
) -> Verdict:
    """Check the header of a body that was received, as a receiver does.

    Args:
        header: the value of the header ``Govbus-Signature``.
        body: the bytes as they came, before anything is parsed.
        now: the receiver's time.
        secrets: those that the receiver knows; one of them has to fit.
        window: how far the time stamp may be from now, both ways.
    """
    parsed = _parsed(header)
    if parsed is None:
        return Verdict.MALFORMED
    stamp, given = parsed
    expected = [_digest(stamp, body, each) for each in secrets]
    # All pairs are compared, so that the time taken says nothing of which one fitted.
    fits = [hmac.compare_digest(one, other) for one in expected for other in given]
    if not any(fits):
        return Verdict.WRONG
    if now.timestamp() - stamp > window.total_seconds():
        return Verdict.TOO_OLD
    return Verdict.FROM_THE_FUTURE if stamp - now.timestamp() > window.total_seconds() else Verdict.VALID


def _digest(stamp: int, body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


def _parsed(header: str) -> tuple[int, tuple[str, ...]] | None:
    if len(header) > _LONGEST_HEADER:
        return None
    parts = [part.strip().partition("=") for part in header.split(",")]
    stamps = [value for name, _, value in parts if name == "t"]
    given = tuple(value for name, _, value in parts if name == _SCHEME)
    if len(stamps) != 1 or _TIME.fullmatch(stamps[0]) is None or not given:
        return None
    if any(_HEX.fullmatch(each) is None for each in given):
        return None
    return int(stamps[0]), given
