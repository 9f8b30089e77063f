"""What of a department's credential is told: that it ends soon, and that it has ended; pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from services.control.credential_life import Credential
from services.control.notices.event import Facts, Happened, Offices, Parties
from services.control.notices.hurts import DAYS_BEFORE
from services.control.notices.words import Audience, Kind, Slot


def ending(credentials: Iterable[Credential], known: Offices, now: datetime) -> Iterator[Happened]:
    """Credentials that end soon, each version at the last step that it has come to, once."""
    for each in credentials:
        left = each.days_left(now)
        reached = [step for step in DAYS_BEFORE if left <= step]
        if reached and not each.is_over(now):
            facts: Facts = {Slot.CONSUMER: each.consumer, Slot.DAY: each.last_day, Slot.DAYS: left}
            yield Happened(
                f"{_name(each)}:{reached[-1]}", Kind.CREDENTIAL_EXPIRES, now, _parties(each, known), facts
            )


def expired(credential: Credential, known: Offices, now: datetime) -> Happened:
    """It opens the bus no longer."""
    facts: Facts = {Slot.CONSUMER: credential.consumer, Slot.DAY: credential.last_day}
    key = f"{_name(credential)}:expired"
    return Happened(key, Kind.CREDENTIAL_EXPIRED, now, _parties(credential, known), facts)


def _name(credential: Credential) -> str:
    return f"credential:{credential.consumer}:{credential.version}"


def _parties(credential: Credential, known: Offices) -> Parties:
    return {Audience.CONSUMER: (credential.consumer,), Audience.OPERATOR: known.operator}
