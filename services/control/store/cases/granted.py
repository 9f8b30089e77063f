"""Cases that hold a grant, for lists of grants: by their number, or by the grant's id."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row, select

from services.control.cases.context import HOLDING
from services.control.cases.words import Action, State
from services.control.store.cases.tables import CASES, EVENTS
from services.control.store.parties import Parties

_COLUMNS: Final = (
    CASES.c.grant_id,
    CASES.c.number,
    CASES.c.consumer,
    CASES.c.provider,
    CASES.c.resource,
    CASES.c.state,
    CASES.c.ends_on,
    CASES.c.id,
)


@dataclass(frozen=True, slots=True)
class Granted:
    """A case with its grant."""

    grant: str
    number: int
    consumer: str
    provider: str
    resource: str
    state: State
    ends_on: date | None
    case: UUID


def granted(
    connection: Connection, visible_to: Parties | None, before: int | None = None, limit: int = 50
) -> list[Granted]:
    """Cases under which something is delivered, prepared or held back, the newest first."""
    held = sorted(state.value for state in HOLDING)
    wanted = select(*_COLUMNS).where(CASES.c.state.in_(held))
    if visible_to is not None:
        wanted = wanted.where(visible_to.among(CASES.c.consumer, CASES.c.provider))
    if before is not None:
        wanted = wanted.where(CASES.c.number < before)
    return [_granted(row) for row in connection.execute(wanted.order_by(CASES.c.number.desc()).limit(limit))]


def granted_as(connection: Connection, grant: str) -> Granted | None:
    """The case of a grant, in whatever state it is."""
    row = connection.execute(select(*_COLUMNS).where(CASES.c.grant_id == grant)).one_or_none()
    return None if row is None else _granted(row)


def with_cases(connection: Connection, grants: Collection[str]) -> frozenset[str]:
    """Those of the grants that a case has, in whatever state it is."""
    wanted = select(CASES.c.grant_id).where(CASES.c.grant_id.in_(sorted(grants)))
    return frozenset(connection.execute(wanted).scalars())


def was_delivered(connection: Connection, consumer: str, resource: str) -> bool:
    """Whether a case delivers a resource to a department, or did before it ended."""
    began = (
        select(EVENTS.c.case_id)
        .where(EVENTS.c.case_id == CASES.c.id, EVENTS.c.action == Action.ACTIVATE.value)
        .exists()
    )
    wanted = select(CASES.c.id).where(CASES.c.consumer == consumer, CASES.c.resource == resource, began)
    return connection.execute(wanted.limit(1)).first() is not None


def _granted(row: Row[*tuple[Any, ...]]) -> Granted:
    return Granted(
        row.grant_id,
        row.number,
        row.consumer,
        row.provider,
        row.resource,
        State(row.state),
        row.ends_on,
        row.id,
    )
