"""How published entries and the topics of the bus agree, page by page: what the control process saw of both.

Requirements A2-11 and A2-12: entries without data and topics without entry are found here.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select

from services.control.catalogue.mounting import Mount
from services.control.store.catalogue.tables import ENTRIES
from services.control.store.snapshots import SNAPSHOTS, Kind

_RESOURCES: Final = SNAPSHOTS.alias("resources")
_STATE: Final = SNAPSHOTS.c.document["state"].astext
_RESOURCE: Final = SNAPSHOTS.c.document["resource"].astext
_PROVIDER: Final = _RESOURCES.c.document["provider"].astext
_JOINED: Final = SNAPSHOTS.outerjoin(ENTRIES, ENTRIES.c.code == SNAPSHOTS.c.name).outerjoin(
    _RESOURCES, and_(_RESOURCES.c.kind == Kind.RESOURCE.value, _RESOURCES.c.name == _RESOURCE)
)


@dataclass(frozen=True, slots=True)
class Wish:
    """Which lines are wanted."""

    states: Collection[Mount] = ()
    """All of them where none is named."""
    hidden_of: Collection[str] | None = None
    """The departments whose topics without entry are among them; None where everybody's."""


@dataclass(frozen=True, slots=True)
class Line:
    """An entry with its topic, or one of both."""

    name: str
    """The entry's code; where there is no entry, the resource's id."""
    state: Mount
    resource: str | None
    entry: UUID | None
    title: str | None
    """The entry's name."""
    department: str | None
    """The name of the entry's provider."""
    provider: str | None
    """The id of the department that provides the topic."""
    mounted: Mapping[str, Any] = field(default_factory=dict)
    """What was seen of both: last event, freshness against the cycle, count, differences."""
    quality: Mapping[str, Any] = field(default_factory=dict)
    """What was seen of the resource: accepted, stopped and why."""


def page(connection: Connection, wish: Wish, after: str = "", limit: int = 50) -> list[Line]:
    """Some lines by name, those behind ``after``."""
    wanted = _lines().where(*_conditions(wish), SNAPSHOTS.c.name > after)
    return [_line(row) for row in connection.execute(wanted.order_by(SNAPSHOTS.c.name).limit(limit))]


def counts(connection: Connection, wish: Wish) -> dict[Mount, int]:
    """How many lines there are in each state, whichever states are wished for."""
    conditions = _conditions(Wish((), wish.hidden_of))
    wanted = select(_STATE, func.count()).select_from(_JOINED).where(*conditions).group_by(_STATE)
    found = {Mount(row[0]): int(row[1]) for row in connection.execute(wanted)}
    return {each: found.get(each, 0) for each in Mount}


def of_code(connection: Connection, code: str) -> Line | None:
    """The line of one entry; None where nobody has looked at it, or it is not published."""
    wanted = _lines().where(SNAPSHOTS.c.name == code, Mount.NO_ENTRY.value != _STATE)
    row = connection.execute(wanted).first()
    return None if row is None else _line(row)


def _lines() -> Select[Any]:
    wanted = select(
        SNAPSHOTS.c.name,
        SNAPSHOTS.c.document,
        ENTRIES.c.id.label("entry"),
        ENTRIES.c.name.label("title"),
        ENTRIES.c.provider.label("department"),
        _PROVIDER.label("provider"),
        _RESOURCES.c.document.label("quality"),
    )
    return wanted.select_from(_JOINED).where(SNAPSHOTS.c.kind == Kind.MOUNTING.value)


def _conditions(wish: Wish) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [SNAPSHOTS.c.kind == Kind.MOUNTING.value]
    if wish.states:
        found.append(_STATE.in_(sorted(each.value for each in wish.states)))
    if wish.hidden_of is not None:
        found.append(or_(Mount.NO_ENTRY.value != _STATE, _PROVIDER.in_(sorted(wish.hidden_of))))
    return found


def _line(row: Row[Any]) -> Line:
    return Line(
        name=row.name,
        state=Mount(row.document["state"]),
        resource=row.document.get("resource"),
        entry=row.entry,
        title=row.title,
        department=row.department,
        provider=row.provider,
        mounted=row.document,
        quality=row.quality or {},
    )
