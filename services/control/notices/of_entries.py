"""What of a catalogue entry is told: each step that somebody waits for or that others feel; pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from services.control.catalogue.lifecycle import Action
from services.control.notices.event import Happened, Offices
from services.control.notices.words import Audience, Kind, Slot

_KINDS: Final[Mapping[Action, Kind]] = {
    Action.SUBMIT: Kind.ENTRY_SUBMITTED,
    Action.REGISTER: Kind.ENTRY_REGISTERED,
    Action.REFUSE_REGISTRATION: Kind.ENTRY_REGISTRATION_REFUSED,
    Action.REQUEST_PUBLICATION: Kind.ENTRY_PUBLICATION_REQUESTED,
    Action.PUBLISH: Kind.ENTRY_PUBLISHED,
    Action.REFUSE_PUBLICATION: Kind.ENTRY_PUBLICATION_REFUSED,
    Action.WITHDRAW: Kind.ENTRY_WITHDRAWN,
}
"""A draft that is begun or edited waits for nobody but its own department, and is not told."""


def kind_of(action: Action, version: int) -> Kind | None:
    """Of what kind a step on a version is; None where nobody is told."""
    if action is Action.PUBLISH and version > 1:
        return Kind.ENTRY_CHANGED
    return _KINDS.get(action)


def of_entry(
    kind: Kind,
    entry: str,
    step: int,
    provider: str | None,
    consumers: Sequence[str],
    known: Offices,
    at: datetime,
) -> Happened:
    """What is told of an entry, to whoever has to act, has asked, or has or wants what it describes.

    Args:
        kind: what happened.
        entry: its id.
        step: which of its steps it was: a version may come for review several times.
        provider: its department, where accounts know it.
        consumers: departments that have or want the data.
        known: the authority.
        at: when.
    """
    parties = {
        Audience.CONSUMER: tuple(consumers),
        Audience.PROVIDER: () if provider is None else (provider,),
        Audience.AUTHORITY: known.authority,
    }
    return Happened(f"entry:{entry}:{step}:{kind.value}", kind, at, parties, {Slot.ENTRY: entry})
