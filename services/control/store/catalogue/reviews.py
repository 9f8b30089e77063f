"""Entries that wait for the authority's review, each since it came for it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, func, select

from services.control.catalogue.lifecycle import State
from services.control.store.catalogue.tables import ENTRIES, STEPS

_REVIEWED: Final = (State.REGISTRATION_REVIEW.value, State.PUBLICATION_REVIEW.value)


@dataclass(frozen=True, slots=True)
class UnderReview:
    """An entry whose newest version waits for a review."""

    id: UUID
    name: str
    provider: str
    provider_code: str
    state: State
    since: datetime


def under_review(connection: Connection, limit: int = 500) -> list[UnderReview]:
    """Entries under review, first what has waited longest."""
    since = func.max(STEPS.c.acted_at).label("since")
    columns = (ENTRIES.c.id, ENTRIES.c.name, ENTRIES.c.provider, ENTRIES.c.department, ENTRIES.c.state)
    came = (STEPS.c.entry_id == ENTRIES.c.id) & (STEPS.c.number == ENTRIES.c.newest)
    wanted = (
        select(*columns, since)
        .join(STEPS, came & (STEPS.c.after == ENTRIES.c.state))
        .where(ENTRIES.c.state.in_(_REVIEWED))
        .group_by(*columns)
        .order_by(since, ENTRIES.c.id)
        .limit(limit)
    )
    return [
        UnderReview(row.id, row.name, row.provider, row.department, State(row.state), row.since)
        for row in connection.execute(wanted)
    ]
