"""Entries by whose clock time runs: those that are being revised, and those that wait for a review."""

from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row, func, select

from services.control.catalogue.lifecycle import Action, State
from services.control.store.catalogue.tables import ENTRIES, STEPS
from topics.quality.values import CIVIL_TIME

_REVIEWED: Final = (State.REGISTRATION_REVIEW.value, State.PUBLICATION_REVIEW.value)
_COLUMNS: Final = (ENTRIES.c.id, ENTRIES.c.name, ENTRIES.c.provider, ENTRIES.c.department, ENTRIES.c.state)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An entry with the moment from which its time is counted."""

    id: UUID
    name: str
    provider: str
    provider_code: str
    state: State
    since: datetime


def under_review(connection: Connection, limit: int = 500) -> list[Waiting]:
    """Entries that the authority has to review, first what has waited longest."""
    since = func.max(STEPS.c.acted_at).label("since")
    came = (STEPS.c.entry_id == ENTRIES.c.id) & (STEPS.c.number == ENTRIES.c.newest)
    wanted = (
        select(*_COLUMNS, since)
        .join(STEPS, came & (STEPS.c.after == ENTRIES.c.state))
        .where(ENTRIES.c.state.in_(_REVIEWED))
        .group_by(*_COLUMNS)
        .order_by(since, ENTRIES.c.id)
        .limit(limit)
    )
    return [_waiting(row, row.since) for row in connection.execute(wanted)]


def under_revision(connection: Connection, department: str | None = None, limit: int = 500) -> list[Waiting]:
    """Published entries whose revision never came for review yet, first what was begun first.

    Args:
        connection: inside the caller's transaction.
        department: only those of the department with this credit code.
        limit: how many at most.
    """
    of_newest = (STEPS.c.entry_id == ENTRIES.c.id) & (STEPS.c.number == ENTRIES.c.newest)
    sent = select(STEPS.c.entry_id).where(of_newest, STEPS.c.action == Action.SUBMIT.value)
    wanted = (
        select(*_COLUMNS, STEPS.c.acted_at, STEPS.c.changed_on)
        .join(STEPS, of_newest & (STEPS.c.action == Action.REVISE.value))
        .where(ENTRIES.c.published.is_not(None))
        .where(ENTRIES.c.state == State.DRAFT.value, ~sent.correlate(ENTRIES).exists())
        .order_by(STEPS.c.acted_at, ENTRIES.c.id)
        .limit(limit)
    )
    if department is not None:
        wanted = wanted.where(ENTRIES.c.department == department)
    return [_waiting(row, _changed(row)) for row in connection.execute(wanted)]


def _changed(row: Row[*tuple[Any, ...]]) -> datetime:
    """The day of the change; where none was named, the day on which the revision was begun."""
    if row.changed_on is None:
        begun: datetime = row.acted_at
        return begun
    return datetime.combine(row.changed_on, time.min, CIVIL_TIME)


def _waiting(row: Row[*tuple[Any, ...]], since: datetime) -> Waiting:
    return Waiting(row.id, row.name, row.provider, row.department, State(row.state), since)
