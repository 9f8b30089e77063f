"""What of a catalogue entry is told: that what was published changed, or was withdrawn; pure."""

from collections.abc import Sequence
from datetime import datetime

from services.control.catalogue.lifecycle import Action
from services.control.notices.event import Happened, Offices
from services.control.notices.words import Audience, Kind, Slot


def kind_of(action: Action, version: int) -> Kind | None:
    """Of what kind a step is; None where nobody is told: a first publication changes nothing for anybody."""
    if action is Action.WITHDRAW:
        return Kind.ENTRY_WITHDRAWN
    return Kind.ENTRY_CHANGED if action is Action.PUBLISH and version > 1 else None


def of_entry(
    kind: Kind,
    entry: str,
    version: int,
    provider: str | None,
    consumers: Sequence[str],
    known: Offices,
    at: datetime,
) -> Happened:
    """What is told of an entry, to whoever has or wants what it describes.

    Args:
        kind: what happened.
        entry: its id.
        version: the one that it happened to; each is published, and withdrawn, once.
        provider: its department, where accounts know it.
        consumers: departments with cases of it that are not over.
        known: the authority.
        at: when.
    """
    parties = {
        Audience.CONSUMER: tuple(consumers),
        Audience.PROVIDER: () if provider is None else (provider,),
        Audience.AUTHORITY: known.authority,
    }
    return Happened(f"entry:{entry}:{version}:{kind.value}", kind, at, parties, {Slot.ENTRY: entry})
