"""A need: what a department stated and what happened to it; all else is the fold of its events."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from uuid import UUID

from services.control.cases.words import Actor
from services.control.catalogue.entry import ResourceCode
from services.control.demand.table import TRANSITIONS
from services.control.demand.words import Action, DeclineReason, State


@dataclass(frozen=True, slots=True)
class Opening:
    """Which data a department needs, what for, and by which duty; ``code`` where it is in the catalogue."""

    id: UUID
    who: Actor
    when: datetime
    subject: str
    items: tuple[str, ...]
    scenario: str
    basis_document: str
    basis_article: str = ""
    code: ResourceCode | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """What comes with an action; the table says what each one demands."""

    text: str = ""
    reason: DeclineReason | None = None
    department: str = ""
    """To whom it is assigned."""
    subject: str = ""
    """With ASSIGN: the name under which needs for the same data are merged; the stated one where empty."""
    code: ResourceCode | None = None
    entry: UUID | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a need; ``number`` counts from 1. It never changes."""

    number: int
    action: Action
    who: Actor
    when: datetime
    given: Given


@dataclass(frozen=True, slots=True)
class Need:
    """Where a need stands; made by ``opened`` and ``evolved`` only."""

    opening: Opening
    events: tuple[Event, ...]
    state: State
    subject: str
    assigned_to: str | None = None
    code: ResourceCode | None = None
    """The published entry that has the data."""
    entry: UUID | None = None
    """The entry that was begun for it."""


def opened(opening: Opening) -> Need:
    """A new need; one that names an entry of the catalogue has its answer already."""
    state = State.STATED if opening.code is None else State.KNOWN
    return Need(opening, (), state, opening.subject.strip(), code=opening.code)


def fold(opening: Opening, events: Iterable[Event]) -> Need:
    """The need that its events lead to."""
    return reduce(evolved, events, opened(opening))


def evolved(need: Need, event: Event) -> Need:
    """The need after one more event, which was checked before it was written.

    Raises:
        KeyError: the event cannot happen in the state that the need is in.
    """
    after = TRANSITIONS[need.state, event.action].after
    moved = replace(need, events=(*need.events, event), state=after)
    match event.action:
        case Action.ASSIGN:
            subject = event.given.subject.strip() or need.subject
            return replace(moved, subject=subject, assigned_to=event.given.department)
        case Action.HAND_BACK:
            return replace(moved, assigned_to=None)
        case Action.POINT:
            return replace(moved, code=event.given.code)
        case Action.DRAFT:
            return replace(moved, entry=event.given.entry)
        case _:
            return moved
