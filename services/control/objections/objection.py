"""An objection: what was objected to and what happened since; all else is the fold of its events."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from uuid import UUID

from services.control.cases.words import Actor
from services.control.objections.table import TRANSITIONS
from services.control.objections.words import Action, State


@dataclass(frozen=True, slots=True)
class Opening:
    """What somebody objects to, and why; ``reference`` is the letter's number where the public wrote it."""

    id: UUID
    who: Actor
    when: datetime
    entry: UUID
    name: str
    """Of the entry, as it was."""
    provider: str
    """The department whose entry it is."""
    text: str
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """What comes with an action; the table says what each one demands."""

    text: str = ""
    basis: str = ""
    """Document and article, with a denial."""
    days: int | None = None
    approver: str = ""
    """Who has approved the extension, as the rule calls him."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to an objection; ``number`` counts from 1. It never changes."""

    number: int
    action: Action
    who: Actor
    when: datetime
    given: Given


@dataclass(frozen=True, slots=True)
class Objection:
    """Where an objection stands; made by ``opened`` and ``evolved`` only."""

    opening: Opening
    events: tuple[Event, ...]
    state: State


def opened(opening: Opening) -> Objection:
    """A new objection."""
    return Objection(opening, (), State.RECEIVED)


def fold(opening: Opening, events: Iterable[Event]) -> Objection:
    """The objection that its events lead to."""
    return reduce(evolved, events, opened(opening))


def evolved(objection: Objection, event: Event) -> Objection:
    """The objection after one more event, which was checked before it was written.

    Raises:
        KeyError: the event cannot happen in the state that the objection is in.
    """
    after = TRANSITIONS[objection.state, event.action].after
    return replace(objection, events=(*objection.events, event), state=after)
