"""What pages about the running bus list: snapshots of grants beside their cases, sums, what is overdue.

Departments of a grant are those that its snapshot names, else those of its case; where neither says them, it
is seen by those only who may see everything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Float,
    Row,
    Select,
    case,
    cast,
    func,
    select,
)

from services.control.accounts.roles import Role
from services.control.cases.context import HOLDING
from services.control.store.cases.granted import granted_as
from services.control.store.cases.tables import CASES, CLOCKS
from services.control.store.parties import Parties
from services.control.store.snapshots import SNAPSHOT_ROUNDS, SNAPSHOTS, Kind, Trouble
from services.control.store.tickets.tables import TICKETS
from services.control.tickets.words import Duty


class By(StrEnum):
    """How a list of grants is sorted."""

    NAME = "name"
    LAG = "lag"
    """The one that is furthest behind first."""
    DELIVERY = "delivery"
    """The one that has been silent longest first."""


@dataclass(frozen=True, slots=True)
class GrantWish:
    """Which grants are wanted; what is not set does not matter."""

    consumer: str | None = None
    provider: str | None = None
    resource: str | None = None
    state: str | None = None
    words: str | None = None
    """Part of the grant's name."""


@dataclass(frozen=True, slots=True)
class GrantLine:
    """A grant as a list shows it; ``document`` is its snapshot."""

    name: str
    consumer: str | None
    provider: str | None
    resource: str | None
    case: UUID | None
    case_number: int | None
    case_state: str | None
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class GrantGroup:
    """Grants of one provider to one consumer in one state, summed up."""

    consumer: str | None
    provider: str | None
    state: str | None
    grants: int
    lag_records: int
    longest_lag_s: float | None


@dataclass(frozen=True, slots=True)
class Round:
    """When a kind of snapshot was taken last, and what keeps it from being renewed."""

    as_of: datetime | None
    trouble: Trouble | None


@dataclass(frozen=True, slots=True)
class Overdue:
    """What is overdue of one department's resources, by who has to act: the department or the authority."""

    department: str
    obliged: str
    cases: int
    tickets: int


_CONSUMER: Final = func.coalesce(SNAPSHOTS.c.document["consumer"].astext, CASES.c.consumer)
_PROVIDER: Final = func.coalesce(SNAPSHOTS.c.document["provider"].astext, CASES.c.provider)
_RESOURCE: Final = func.coalesce(SNAPSHOTS.c.document["resource"].astext, CASES.c.resource)
_STATE: Final = SNAPSHOTS.c.document["state"].astext
_LAG_S: Final = cast(SNAPSHOTS.c.document["lag_seconds"].astext, Float)
_LAG: Final = cast(SNAPSHOTS.c.document["lag_records"].astext, BigInteger)
_JOINED: Final = SNAPSHOTS.outerjoin(CASES, CASES.c.grant_id == SNAPSHOTS.c.name)
_ORDERS: Final[Mapping[By, tuple[ColumnElement[Any], ...]]] = {
    By.NAME: (SNAPSHOTS.c.name,),
    By.LAG: (_LAG_S.desc().nulls_last(), SNAPSHOTS.c.name),
    By.DELIVERY: (SNAPSHOTS.c.document["last_delivery_at"].astext.nulls_first(), SNAPSHOTS.c.name),
}


def grants(
    connection: Connection,
    visible_to: Parties | None,
    wish: GrantWish,
    by: By = By.NAME,
    skip: int = 0,
    limit: int = 50,
) -> list[GrantLine]:
    """Grants of the snapshot in which one of these is a party, or all; one page of them."""
    wanted = _lines(visible_to)
    found = wanted.where(*_conditions(wish)).order_by(*_ORDERS[by]).offset(skip).limit(limit)
    return [_line(row) for row in connection.execute(found)]


def grant(connection: Connection, name: str) -> GrantLine | None:
    """One grant, whoever may see it: the caller asks that.

    A grant that a case holds is one before a snapshot shows it, too: its ``document`` is empty until then.
    """
    found = connection.execute(_lines(None).where(SNAPSHOTS.c.name == name)).first()
    return _not_seen_yet(connection, name) if found is None else _line(found)


def grant_groups(connection: Connection) -> list[GrantGroup]:
    """Sums of all grants, by which a dashboard is drawn for whoever looks."""
    wanted = (
        select(
            _CONSUMER.label("consumer"),
            _PROVIDER.label("provider"),
            _STATE.label("state"),
            func.count().label("grants"),
            func.coalesce(func.sum(_LAG), 0).label("lag_records"),
            func.max(_LAG_S).label("longest_lag_s"),
        )
        .select_from(_JOINED)
        .where(SNAPSHOTS.c.kind == Kind.GRANT.value)
        .group_by(_CONSUMER, _PROVIDER, _STATE)
    )
    return [
        GrantGroup(**{**row._asdict(), "lag_records": int(row.lag_records)})
        for row in connection.execute(wanted)
    ]


def rounds(connection: Connection) -> dict[Kind, Round]:
    """When each kind was looked at last."""
    return {
        Kind(row.kind): Round(
            row.as_of, None if row.trouble is None else Trouble(row.trouble, row.trouble_since)
        )
        for row in connection.execute(select(SNAPSHOT_ROUNDS))
    }


def overdue(connection: Connection, today: date) -> list[Overdue]:
    """Duties of cases and tickets that are overdue, by who provides and who has to act; targets are none."""
    of_cases = (
        select(CASES.c.provider, CLOCKS.c.obliged, func.count(func.distinct(CASES.c.id)))
        .join(CLOCKS, CLOCKS.c.case_id == CASES.c.id)
        .where(CLOCKS.c.ended_at.is_(None), CLOCKS.c.due_on < today, CLOCKS.c.advisory.is_(False))
        .group_by(CASES.c.provider, CLOCKS.c.obliged)
    )
    dispatch = TICKETS.c.due_for == Duty.DISPATCH.value
    obliged = case((dispatch, Role.AUTHORITY.value), else_=Role.PROVIDER.value)
    late = select(TICKETS.c.provider, obliged.label("obliged")).where(TICKETS.c.due_on < today).subquery()
    of_tickets = select(*late.c, func.count()).group_by(*late.c)
    cases = {(str(row[0]), str(row[1])): int(row[2]) for row in connection.execute(of_cases)}
    tickets = {(str(row[0]), str(row[1])): int(row[2]) for row in connection.execute(of_tickets)}
    return [
        Overdue(*each, cases.get(each, 0), tickets.get(each, 0))
        for each in sorted(cases.keys() | tickets.keys())
    ]


def _lines(visible_to: Parties | None) -> Select[Any]:
    wanted = select(
        SNAPSHOTS.c.name,
        SNAPSHOTS.c.document,
        _CONSUMER.label("consumer"),
        _PROVIDER.label("provider"),
        _RESOURCE.label("resource"),
        CASES.c.id.label("case"),
        CASES.c.number.label("case_number"),
        CASES.c.state.label("case_state"),
    )
    found = wanted.select_from(_JOINED).where(SNAPSHOTS.c.kind == Kind.GRANT.value)
    return found if visible_to is None else found.where(visible_to.among(_CONSUMER, _PROVIDER))


def _conditions(wish: GrantWish) -> list[ColumnElement[bool]]:
    wanted = (
        (_CONSUMER, wish.consumer),
        (_PROVIDER, wish.provider),
        (_RESOURCE, wish.resource),
        (_STATE, wish.state),
    )
    found: list[ColumnElement[bool]] = [column == value for column, value in wanted if value is not None]
    if wish.words:
        found.append(SNAPSHOTS.c.name.contains(wish.words, autoescape=True))
    return found


def _not_seen_yet(connection: Connection, name: str) -> GrantLine | None:
    held = granted_as(connection, name)
    if held is None or held.state not in HOLDING:
        return None
    return GrantLine(
        name, held.consumer, held.provider, held.resource, held.case, held.number, held.state.value, {}
    )


def _line(row: Row[Any]) -> GrantLine:
    return GrantLine(**row._asdict())
