"""Reads retirements, and the cases that a retirement is about."""

from collections.abc import Collection
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row, exists, select

from services.control.cases.words import State as CaseState
from services.control.catalogue.lifecycle import State as EntryState
from services.control.retirements.plan import Retirement
from services.control.retirements.words import State
from services.control.store.cases.tables import CASES
from services.control.store.catalogue.tables import ENTRIES, VERSIONS
from services.control.store.retirements.tables import RETIREMENTS
from topics.event import ResourceId

_R: Final = RETIREMENTS
GIVING: Final = (CaseState.APPROVED, CaseState.PROVISIONING, CaseState.ACTIVE, CaseState.SUSPENDED)
"""Cases that deliver, will in a moment, or may again: they are told, and they end with the version."""
_GIVES: Final = CASES.c.state.in_([state.value for state in GIVING])
_STANDS: Final = _R.c.state != State.CANCELLED.value


def by_id(connection: Connection, id_: UUID, *, lock: bool = False) -> Retirement | None:
    """One retirement; locked, others who want to change it wait until the transaction ends."""
    wanted = select(_R).where(_R.c.id == id_)
    row = connection.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    return None if row is None else retirement_of(row)


def of_resources(connection: Connection, resources: Collection[ResourceId]) -> dict[ResourceId, Retirement]:
    """The retirements of these versions that stand, planned or done, by the version."""
    wanted = select(_R).where(_R.c.old_id.in_(resources), _STANDS)
    return {ResourceId(row.old_id): retirement_of(row) for row in connection.execute(wanted)}


def listed(
    connection: Connection, state: State | None = None, after: UUID | None = None, limit: int = 200
) -> list[Retirement]:
    """Retirements, the newest first; ``after`` is the id of the last one of the page before."""
    wanted = select(_R).order_by(_R.c.id.desc()).limit(limit)
    if state is not None:
        wanted = wanted.where(_R.c.state == state.value)
    if after is not None:
        wanted = wanted.where(_R.c.id < after)
    return [retirement_of(row) for row in connection.execute(wanted)]


def planned(connection: Connection) -> list[Retirement]:
    """All that are planned, the nearest first."""
    wanted = select(_R).where(_R.c.state == State.PLANNED.value).order_by(_R.c.retires_on, _R.c.id)
    return [retirement_of(row) for row in connection.execute(wanted)]


def is_retired(connection: Connection, resource: ResourceId) -> bool:
    """Whether a version is retired: then nothing of it can be applied for or given any more."""
    wanted = select(_R.c.id).where(_R.c.old_id == resource, _R.c.state == State.RETIRED.value)
    return connection.execute(wanted).first() is not None


def holders(connection: Connection, resource: ResourceId) -> tuple[str, ...]:
    """The departments that have a version by a case of theirs."""
    wanted = select(CASES.c.consumer).where(CASES.c.resource == resource, _GIVES).distinct()
    return tuple(connection.execute(wanted.order_by(CASES.c.consumer)).scalars())


def left_over(connection: Connection, today: date, after: UUID | None, limit: int) -> list[tuple[UUID, str]]:
    """Cases of versions whose day has come, each with what its end is called."""
    due = (CASES.c.resource == _R.c.old_id) & _STANDS & (_R.c.retires_on <= today)
    wanted = select(CASES.c.id, _R.c.retires_on, _R.c.new_id).join(_R, due).where(_GIVES)
    if after is not None:
        wanted = wanted.where(CASES.c.id > after)
    rows = connection.execute(wanted.order_by(CASES.c.id).limit(limit))
    return [(row.id, f"VERSION_RETIRED {row.retires_on} {row.new_id}") for row in rows]


def of_withdrawn(connection: Connection, after: UUID | None, limit: int) -> list[tuple[UUID, str]]:
    """Cases of entries that were withdrawn and not published anew, each with what its end is called."""
    gone = exists().where(VERSIONS.c.entry_id == ENTRIES.c.id, VERSIONS.c.state == EntryState.WITHDRAWN.value)
    of_entry = (ENTRIES.c.code == CASES.c.entry_code) & ENTRIES.c.published.is_(None)
    wanted = select(CASES.c.id, CASES.c.entry_code).join(ENTRIES, of_entry).where(_GIVES, gone)
    if after is not None:
        wanted = wanted.where(CASES.c.id > after)
    rows = connection.execute(wanted.order_by(CASES.c.id).limit(limit))
    return [(row.id, f"ENTRY_WITHDRAWN {row.entry_code}") for row in rows]


def retirement_of(row: Row[Any]) -> Retirement:
    """The retirement that a row holds."""
    return Retirement(
        id=row.id,
        old=ResourceId(row.old_id),
        new=ResourceId(row.new_id),
        provider=row.provider,
        state=State(row.state),
        announced_at=row.announced_at,
        parallel_from=row.parallel_from,
        retires_on=row.retires_on,
        working_days=row.working_days,
        why=row.why,
        by=row.changed_by,
        version=row.lock_version,
    )
