"""How long a session lasts: until nobody used it for a while, until it is old, or until somebody ends it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Method(StrEnum):
    """How a person logged in."""

    PASSWORD = "password"  # noqa: S105 - the word for a way to log in
    OIDC = "oidc"


class Standing(StrEnum):
    """What a session is worth now."""

    VALID = "valid"
    STALE = "stale"
    """Valid, but the person's rights have changed since: it goes on under another id."""
    IDLE = "idle"
    EXPIRED = "expired"
    ENDED = "ended"


USABLE = frozenset({Standing.VALID, Standing.STALE})


@dataclass(frozen=True, slots=True)
class SessionRules:
    """When sessions end by themselves."""

    idle: timedelta = timedelta(minutes=30)
    absolute: timedelta = timedelta(hours=12)
    touch_after: timedelta = timedelta(minutes=1)
    """How old the note of the last use may be: not each request shall write."""
    grace: timedelta = timedelta(seconds=20)
    """How long an id that was replaced still serves the requests that were already on their way."""


@dataclass(frozen=True, slots=True)
class Session:
    """One login of a person.

    ``rights`` is the number of the person's rights when it began: each change of roles raises the person's.
    ``ends_at`` is when somebody ended it, or when an id that was replaced stops serving.
    """

    person: str
    method: Method
    began_at: datetime
    """At the login; another id does not make a session younger."""
    used_at: datetime
    rights: int
    ends_at: datetime | None = None
    replaced: bool = False


def standing(session: Session, rights: int, now: datetime, rules: SessionRules) -> Standing:
    """What a session is worth.

    Args:
        session: as it is kept.
        rights: the number of the person's rights now.
        now: the time; each bound belongs to what is over.
        rules: when sessions end.
    """
    if session.ends_at is not None and now >= session.ends_at:
        return Standing.ENDED
    if now - session.began_at >= rules.absolute:
        return Standing.EXPIRED
    if now - session.used_at >= rules.idle:
        return Standing.IDLE
    return Standing.STALE if session.rights != rights and not session.replaced else Standing.VALID


def needs_touch(session: Session, now: datetime, rules: SessionRules) -> bool:
    """Whether this use has to be noted; that of an id that was replaced never."""
    return not session.replaced and now - session.used_at >= rules.touch_after
