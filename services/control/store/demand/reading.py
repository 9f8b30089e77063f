"""Reads needs: one is folded from its events each time, lists and the demand list read what they came to."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select

from services.control.cases.words import Actor, Role
from services.control.catalogue.entry import ResourceCode, read_code
from services.control.demand.merging import NeedKey, NeedLine
from services.control.demand.need import Event, Given, Need, Opening, fold
from services.control.demand.words import Action, DeclineReason, State
from services.control.store.catalogue.tables import ENTRIES
from services.control.store.demand.tables import EVENTS, NEEDS

_AT_ONCE: Final = 10_000
_CODE: Final = func.coalesce(NEEDS.c.code, ENTRIES.c.code).label("entry_code")


@dataclass(frozen=True, slots=True)
class Filed:
    """A need as it is kept; ``number`` is what people call it by."""

    number: int
    need: Need

    @property
    def version(self) -> int:
        """How many events it has: who changes it names the version that he has seen."""
        return len(self.need.events)


@dataclass(frozen=True, slots=True)
class Wish:
    """Which needs are wanted; what is not set does not matter."""

    state: State | None = None
    department: str | None = None
    assigned_to: str | None = None


def load(connection: Connection, number: int, *, lock: bool = False) -> Filed | None:
    """A need with all its events; None where there is none of that number."""
    wanted = select(NEEDS).where(NEEDS.c.number == number)
    row = connection.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    return None if row is None else _filed(connection, row)


def alike(connection: Connection, assigned_to: str, subject_key: str) -> list[Filed]:
    """The needs for the same data that wait for the same department, locked, the oldest first."""
    wanted = select(NEEDS).where(
        NEEDS.c.assigned_to == assigned_to,
        NEEDS.c.subject_key == subject_key,
        NEEDS.c.state == State.ASSIGNED.value,
    )
    rows = connection.execute(wanted.order_by(NEEDS.c.number).with_for_update()).all()
    return [_filed(connection, row) for row in rows]


def listed(
    connection: Connection, wish: Wish | None = None, before: int | None = None, limit: int = 50
) -> list[NeedLine]:
    """Needs from the newest on; ``before`` is the number of the last one of the page before."""
    wanted = _lines().where(*_conditions(wish or Wish()))
    if before is not None:
        wanted = wanted.where(NEEDS.c.number < before)
    return _read(connection, wanted.order_by(NEEDS.c.number.desc()).limit(limit))


def stated(connection: Connection, limit: int = _AT_ONCE) -> list[NeedLine]:
    """All needs in the order in which they were stated, for the demand list."""
    return _read(connection, _lines().order_by(NEEDS.c.number).limit(limit))


def keys(connection: Connection, limit: int = _AT_ONCE) -> list[NeedKey]:
    """What merges all needs, in the order in which they were stated."""
    columns = (NEEDS.c.number, NEEDS.c.department, NEEDS.c.subject, NEEDS.c.state)
    wanted = _lines().with_only_columns(*columns, _CODE, NEEDS.c.entry_id)
    return [
        NeedKey(number, department, subject, State(state), code, None if entry is None else str(entry))
        for number, department, subject, state, code, entry in connection.execute(
            wanted.order_by(NEEDS.c.number).limit(limit)
        )
    ]


def of_numbers(connection: Connection, numbers: Collection[int]) -> list[NeedLine]:
    """The needs of these numbers, in the order in which they were stated."""
    return _read(connection, _lines().where(NEEDS.c.number.in_(numbers)).order_by(NEEDS.c.number))


def published_as(connection: Connection, name_key: str) -> ResourceCode | None:
    """The code of a published entry whose comparable name this is."""
    wanted = select(ENTRIES.c.code).where(ENTRIES.c.name_key == name_key, ENTRIES.c.published.is_not(None))
    code = connection.execute(wanted.order_by(ENTRIES.c.sort_key).limit(1)).scalar_one_or_none()
    return None if code is None else read_code(code)


def is_published(connection: Connection, code: ResourceCode) -> bool:
    """Whether a published entry has this code."""
    wanted = select(ENTRIES.c.id).where(ENTRIES.c.code == str(code), ENTRIES.c.published.is_not(None))
    return connection.execute(wanted).first() is not None


def _lines() -> Select[Any]:
    named = and_(NEEDS.c.entry_id.is_(None), ENTRIES.c.code == NEEDS.c.code)
    joined = NEEDS.outerjoin(ENTRIES, or_(ENTRIES.c.id == NEEDS.c.entry_id, named))
    published = ENTRIES.c.published.is_not(None).label("published")
    return select(NEEDS, _CODE, published).select_from(joined)


def _conditions(wish: Wish) -> list[ColumnElement[bool]]:
    plain = (
        ("state", None if wish.state is None else wish.state.value),
        ("department", wish.department),
        ("assigned_to", wish.assigned_to),
    )
    return [NEEDS.c[name] == value for name, value in plain if value is not None]


def _read(connection: Connection, wanted: Select[Any]) -> list[NeedLine]:
    return [_line(row) for row in connection.execute(wanted)]


def _line(row: Row[Any]) -> NeedLine:
    return NeedLine(
        id=row.id,
        number=row.number,
        version=row.version,
        department=row.department,
        stated_at=row.stated_at,
        moved_at=row.moved_at,
        subject=row.subject,
        items=tuple(row.items),
        scenario=row.scenario,
        basis_document=row.basis_document,
        basis_article=row.basis_article,
        state=State(row.state),
        assigned_to=row.assigned_to,
        code=row.entry_code,
        entry=None if row.entry_id is None else str(row.entry_id),
        published=bool(row.published),
        reason=None if row.reason is None else DeclineReason(row.reason),
        answer=row.answer,
    )


def _filed(connection: Connection, row: Row[Any]) -> Filed:
    opening = Opening(
        id=row.id,
        who=Actor(row.person, Role.CONSUMER, row.department),
        when=row.stated_at,
        subject=row.stated_subject,
        items=tuple(row.items),
        scenario=row.scenario,
        basis_document=row.basis_document,
        basis_article=row.basis_article,
        code=_code(row.stated_code),
    )
    return Filed(row.number, fold(opening, _events(connection, row.id)))


def _events(connection: Connection, id_: UUID) -> Sequence[Event]:
    wanted = select(EVENTS).where(EVENTS.c.need_id == id_).order_by(EVENTS.c.number)
    return [_event(row) for row in connection.execute(wanted)]


def _event(row: Row[Any]) -> Event:
    given = Given(
        text=row.text,
        reason=None if row.reason is None else DeclineReason(row.reason),
        department=row.assigned_to,
        subject=row.subject,
        code=_code(row.code),
        entry=row.entry_id,
    )
    who = Actor(row.person, Role(row.role), row.department)
    return Event(row.number, Action(row.action), who, row.at, given)


def _code(text: str | None) -> ResourceCode | None:
    return None if text is None else read_code(text)
