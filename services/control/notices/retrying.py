"""When a delivery is tried again, and when it is given up, with the reason that people see; pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Failure(StrEnum):
    """Why a notice did not arrive: a closed list, documented in docs/notices.md."""

    NO_ADDRESS = "NO_ADDRESS"
    """The address was removed or switched off meanwhile."""
    ADDRESS_MALFORMED = "ADDRESS_MALFORMED"
    ADDRESS_FORBIDDEN = "ADDRESS_FORBIDDEN"
    """It leads into a network that notices must not reach."""
    NAME_UNKNOWN = "NAME_UNKNOWN"
    """The name of the host has no address."""
    UNREACHABLE = "UNREACHABLE"
    """No connection, or it broke."""
    TLS_REFUSED = "TLS_REFUSED"
    """The other side offers no encryption, or its certificate does not hold."""
    LOGIN_REFUSED = "LOGIN_REFUSED"
    RECIPIENT_REFUSED = "RECIPIENT_REFUSED"
    SERVER_REFUSED = "SERVER_REFUSED"
    """The mail server refused for the time being."""
    REDIRECTED = "REDIRECTED"
    """The endpoint points somewhere else; redirects are not followed."""
    ANSWER_NOT_2XX = "ANSWER_NOT_2XX"
    BROKEN = "BROKEN"
    """A defect of ours: the log says more."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The other side has taken it."""


@dataclass(frozen=True, slots=True)
class NotNow:
    """It did not arrive, and another attempt may."""

    failure: Failure
    detail: str = ""
    """A status or a code, never an answer's text."""


@dataclass(frozen=True, slots=True)
class Never:
    """It did not arrive, and no other attempt would."""

    failure: Failure
    detail: str = ""


Outcome = Delivered | NotNow | Never


@dataclass(frozen=True, slots=True)
class Retry:
    """How patient a delivery is: the wait doubles from the first to the longest."""

    first: timedelta = timedelta(seconds=30)
    longest: timedelta = timedelta(hours=2)
    attempts: int = 12
    """With the waits above four to eight hours in all."""

    def __post_init__(self) -> None:
        if self.attempts < 1 or not timedelta() < self.first <= self.longest:
            raise ValueError("a delivery needs an attempt, and waits that grow")


@dataclass(frozen=True, slots=True)
class Again:
    """It is tried again then."""

    at: datetime
    failure: Failure
    detail: str


@dataclass(frozen=True, slots=True)
class Dead:
    """It is given up, and people see why."""

    failure: Failure
    detail: str


def wait(attempt: int, draw: float, retry: Retry) -> timedelta:
    """How long to wait after an attempt that failed.

    Half of the wait is fixed, so that it grows; the other half is drawn, so that many do not come at once.

    Args:
        attempt: its number, from 1.
        draw: from 0 to below 1, chosen by chance.
        retry: how patient to be.
    """
    if attempt < 1 or not 0 <= draw < 1:
        raise ValueError(f"attempt {attempt} and draw {draw} make no wait")
    doublings = min(attempt - 1, 62)
    most = min(retry.first.total_seconds() * 2.0**doublings, retry.longest.total_seconds())
    return timedelta(seconds=most / 2 + most / 2 * draw)


def after(outcome: NotNow | Never, attempt: int, now: datetime, draw: float, retry: Retry) -> Again | Dead:
    """What becomes of a delivery whose attempt of that number failed."""
    if isinstance(outcome, Never) or attempt >= retry.attempts:
        return Dead(outcome.failure, outcome.detail)
    return Again(now + wait(attempt, draw, retry), outcome.failure, outcome.detail)
