"""Lists cases and what is due, from what is stored: no list folds events or counts days."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, select, tuple_

from services.control.cases.words import State
from services.control.store.cases.tables import CASES, CLOCKS, STEPS
from services.control.store.parties import Parties

_STUCK: Final = (STEPS.c.step, STEPS.c.attempts, STEPS.c.fault, STEPS.c.reason)
_COLUMNS: Final = tuple(
    CASES.c[name]
    for name in (
        "id",
        "number",
        "state",
        "version",
        "consumer",
        "provider",
        "resource",
        "entry_code",
        "opened_at",
        "moved_at",
        "ends_on",
        "due_on",
        "due_for",
        "due_from",
        "due_provisional",
        "open_complaints",
    )
)


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case as a list shows it."""

    id: UUID
    number: int
    state: State
    version: int
    consumer: str
    provider: str
    resource: str
    entry_code: str
    opened_at: datetime
    moved_at: datetime
    ends_on: date | None
    due_on: date | None
    due_for: str | None
    """The stage that is due first."""
    due_from: str | None
    """Who has to do it: provider or authority."""
    due_provisional: bool | None
    open_complaints: int


@dataclass(frozen=True, slots=True)
class Wish:
    """Which cases are wanted; what is not set does not matter."""

    state: State | None = None
    consumer: str | None = None
    provider: str | None = None
    resource: str | None = None
    due_from: str | None = None
    """Who has to act: provider or authority."""
    overdue_on: date | None = None
    """Only those with a duty that was due before that day; a mere target is none."""
    visible_to: Parties | None = None
    """Only those in which one of these departments applies or provides."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A duty that is overdue."""

    case: UUID
    number: int
    provider: str
    consumer: str
    state: State
    clock: int
    key: str
    stage: str
    obliged: str
    due_on: date


@dataclass(frozen=True, slots=True)
class StuckStep:
    """A provisioning step that failed last."""

    case: UUID
    number: int
    step: str
    attempts: int
    fault: str | None
    reason: str


def newest(
    connection: Connection, wish: Wish | None = None, before: int | None = None, limit: int = 50
) -> list[CaseLine]:
    """Cases from the newest on; ``before`` is the number of the last one of the page before."""
    wanted = _of(select(*_COLUMNS), wish or Wish())
    if before is not None:
        wanted = wanted.where(CASES.c.number < before)
    return _lines(connection, wanted.order_by(CASES.c.number.desc()).limit(limit))


def due(
    connection: Connection,
    wish: Wish | None = None,
    until: date | None = None,
    after: tuple[date, int] | None = None,
    limit: int = 50,
) -> list[CaseLine]:
    """Cases in which somebody has a duty, what is due first at the top.

    Args:
        connection: inside the caller's transaction.
        wish: which cases.
        until: the last due day that is wanted.
        after: due day and number of the last one of the page before.
        limit: how many at most.
    """
    wanted = _of(select(*_COLUMNS), wish or Wish()).where(CASES.c.due_on.is_not(None))
    if until is not None:
        wanted = wanted.where(CASES.c.due_on <= until)
    if after is not None:
        wanted = wanted.where(tuple_(CASES.c.due_on, CASES.c.number) > after)
    return _lines(connection, wanted.order_by(CASES.c.due_on, CASES.c.number).limit(limit))


def waiting(connection: Connection, which: ColumnElement[bool], limit: int = 50) -> list[CaseLine]:
    """Cases that wait for somebody, what is due first at the top, then what has no day."""
    wanted = select(*_COLUMNS).where(which)
    return _lines(connection, wanted.order_by(CASES.c.due_on.nulls_last(), CASES.c.number).limit(limit))


def breaches(
    connection: Connection, today: date, provider: str | None = None, limit: int = 500
) -> list[Breach]:
    """Duties that are overdue now, the oldest first; targets are none."""
    wanted = (
        select(
            CASES.c.id.label("case"),
            CASES.c.number,
            CASES.c.provider,
            CASES.c.consumer,
            CASES.c.state,
            CLOCKS.c.number.label("clock"),
            CLOCKS.c.key,
            CLOCKS.c.stage,
            CLOCKS.c.obliged,
            CLOCKS.c.due_on,
        )
        .join(CASES, CASES.c.id == CLOCKS.c.case_id)
        .where(CLOCKS.c.ended_at.is_(None), CLOCKS.c.due_on < today, CLOCKS.c.advisory.is_(False))
    )
    if provider is not None:
        wanted = wanted.where(CASES.c.provider == provider)
    rows = connection.execute(wanted.order_by(CLOCKS.c.due_on, CASES.c.number).limit(limit))
    return [Breach(**{**row._asdict(), "state": State(row.state)}) for row in rows]


def stuck_steps(connection: Connection, limit: int = 500) -> list[StuckStep]:
    """Provisioning steps that failed last, for whoever mends them."""
    wanted = (
        select(CASES.c.id.label("case"), CASES.c.number, *_STUCK)
        .join(CASES, CASES.c.id == STEPS.c.case_id)
        .where(STEPS.c.progress == "failed")
        .order_by(CASES.c.number)
    )
    return [StuckStep(**row._asdict()) for row in connection.execute(wanted.limit(limit))]


def _of(wanted: Select[Any], wish: Wish) -> Select[Any]:
    conditions: list[ColumnElement[bool]] = [
        CASES.c[name] == value
        for name, value in (
            ("state", None if wish.state is None else wish.state.value),
            ("consumer", wish.consumer),
            ("provider", wish.provider),
            ("resource", wish.resource),
            ("due_from", wish.due_from),
        )
        if value is not None
    ]
    if wish.overdue_on is not None:
        late = CLOCKS.c.ended_at.is_(None), CLOCKS.c.due_on < wish.overdue_on, CLOCKS.c.advisory.is_(False)
        of_case = select(CLOCKS.c.case_id).where(CLOCKS.c.case_id == CASES.c.id, *late)
        conditions += [CASES.c.due_on < wish.overdue_on, of_case.exists()]
    if wish.visible_to is not None:
        conditions.append(wish.visible_to.among(CASES.c.consumer, CASES.c.provider))
    return wanted.where(*conditions) if conditions else wanted


def _lines(connection: Connection, wanted: Select[Any]) -> list[CaseLine]:
    return [_line(row) for row in connection.execute(wanted)]


def _line(row: Row[Any]) -> CaseLine:
    return CaseLine(**{**row._asdict(), "state": State(row.state)})
