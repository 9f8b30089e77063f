"""What happened, and the notices that it leads to: one for each department, audience and channel."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.control.notices.shown import Fact
from services.control.notices.table import ROUTES
from services.control.notices.words import Audience, Channel, Kind, Slot

Parties = Mapping[Audience, tuple[str, ...]]
"""Which departments are told as what."""
Facts = Mapping[Slot, Fact]


@dataclass(frozen=True, slots=True)
class Offices:
    """The departments that are told for their office, whatever it is about."""

    authority: tuple[str, ...] = ()
    operator: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that departments are told of."""

    key: str
    """Tells it from everything else that happens: the same key is told once. Never shown to anybody."""
    kind: Kind
    at: datetime
    parties: Parties
    facts: Facts


@dataclass(frozen=True, slots=True)
class Told:
    """One department is told as one audience by these channels."""

    department: str
    audience: Audience
    channels: frozenset[Channel]


def told(happened: Happened) -> tuple[Told, ...]:
    """Who is told of it; a department that is several parties is told once, as the first of them.

    The channels of all its parts count: who is provider and authority gets the authority's letter, too.
    """
    found: dict[str, Told] = {}
    for department, audience, channels in _routes(happened):
        before = found.get(department)
        if before is None:
            found[department] = Told(department, audience, channels)
        else:
            found[department] = Told(department, before.audience, before.channels | channels)
    return tuple(_without_doubles(each) for each in found.values())


def _routes(happened: Happened) -> Iterator[tuple[str, Audience, frozenset[Channel]]]:
    for audience in Audience:
        channels = ROUTES.get((happened.kind, audience))
        if channels:
            for department in happened.parties.get(audience, ()):
                yield department, audience, channels


def _without_doubles(found: Told) -> Told:
    """Who gets a letter at once does not get it again in the digest."""
    if Channel.EMAIL not in found.channels:
        return found
    return Told(found.department, found.audience, found.channels - {Channel.DIGEST})
