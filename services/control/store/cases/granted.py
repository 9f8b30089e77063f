"""Cases that hold a grant, for lists of grants: by their number, or by the grant's id."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row, select

from services.control.cases.context import HOLDING
from services.control.cases.words import State
from services.control.store.cases.tables import CASES
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
