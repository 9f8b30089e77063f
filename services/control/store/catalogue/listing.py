"""Lists and finds entries, page by page, and counts them by what they say (facets)."""

import base64
import binascii
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NewType
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    case,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.types import Uuid

from services.control.catalogue.lifecycle import State
from services.control.catalogue.text import comparable
from services.control.store.catalogue.tables import ENTRIES
from services.control.store.errors import BeginAnew

Cursor = NewType("Cursor", str)
"""Where the next page begins; opaque, and only good for the same question."""
MOST: Final = 200
_LAST_RANK: Final = 4


class Facet(StrEnum):
    """By what entries are counted and chosen; the value is the column."""

    PROVIDER = "provider_code"
    STATE = "state"
    RESOURCE_CLASS = "resource_class"
    LIBRARY = "library"
    SHARE_TYPE = "share_type"
    OPEN_TYPE = "open_type"
    UPDATE_CYCLE = "update_cycle"
    FORMAT_CLASS = "format_class"

    @property
    def column(self) -> ColumnElement[Any]:
        """The column that it counts."""
        return ENTRIES.c[self.value]


@dataclass(frozen=True, slots=True)
class Question:
    """Which entries: those with all of the words and, for each facet, one of the chosen values.

    Only published ones, unless told otherwise: a draft is its department's and the authority's business.
    """

    words: str = ""
    chosen: Mapping[Facet, frozenset[str]] = field(default_factory=dict)
    published_only: bool = True
    departments: frozenset[str] = frozenset()
    """With ``published_only``: whose unpublished entries are seen nevertheless."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of a list: what its shown version says, and where its newest one stands."""

    id: UUID
    code: str | None
    name: str
    provider: str
    provider_code: str
    state: State
    newest: int
    published: int | None
    resource_class: str | None
    library: str | None
    share_type: str
    open_type: str | None
    update_cycle: str | None
    format_class: str | None
    item_count: int
    changed_at: datetime
    lock_version: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, and where the next ones are; None after the last."""

    entries: tuple[Listed, ...]
    following: Cursor | None


@dataclass(frozen=True, slots=True)
class Count:
    """How many entries have a value; ``name`` says what the value does not."""

    value: str
    count: int
    name: str = ""


_COLUMNS: Final = tuple(ENTRIES.c[name] for name in Listed.__dataclass_fields__)


def page(connection: Connection, question: Question, limit: int = 50, after: Cursor | None = None) -> Page:
    """The entries of a question: the best matches first, then by resource code.

    Raises:
        BeginAnew: the cursor is none.
    """
    limit = max(1, min(limit, MOST))
    rank = _rank(question.words)
    place = (ENTRIES.c.sort_key, ENTRIES.c.id)
    order: tuple[ColumnElement[Any], ...] = (rank, *place) if comparable(question.words) else place
    statement = select(*_COLUMNS, rank.label("rank"), ENTRIES.c.sort_key).where(_fits(question))
    if after is not None:
        statement = statement.where(tuple_(*order) > tuple_(*_position(after)[-len(order) :]))
    rows = connection.execute(statement.order_by(*order).limit(limit + 1)).all()
    found = rows[:limit]
    more = Cursor(_written(found[-1])) if len(rows) > limit else None
    return Page(tuple(_listed(row) for row in found), more)


def count(connection: Connection, question: Question) -> int:
    """How many entries there are."""
    return connection.execute(select(func.count()).select_from(ENTRIES).where(_fits(question))).scalar_one()


def facets(
    connection: Connection, question: Question, asked: Iterable[Facet] = tuple(Facet)
) -> dict[Facet, list[Count]]:
    """How many entries each value has, the most frequent first.

    A facet counts as if nothing of it were chosen.
    """
    asked = tuple(asked)
    free = [facet for facet in asked if not question.chosen.get(facet)]
    found = _counted(connection, question, free) if free else {}
    for facet in asked:
        if facet not in found:
            others = {other: values for other, values in question.chosen.items() if other is not facet}
            found |= _counted(connection, replace(question, chosen=others), [facet])
    return {facet: found[facet] for facet in asked}


def _counted(connection: Connection, question: Question, asked: Sequence[Facet]) -> dict[Facet, list[Count]]:
    """The counts of several facets under one question: the entries are looked through once for all."""
    columns = [facet.column for facet in asked]
    number, name = func.count().label("number"), func.min(ENTRIES.c.provider).label("name")
    # Of each row, a bit for each column that it is not counted by; the first column has the highest.
    which = func.grouping(*columns).label("which")
    statement = (
        select(*(column.label(facet.name) for column, facet in zip(columns, asked, strict=True)))
        .add_columns(number, name, which)
        .where(_fits(question))
        .group_by(func.grouping_sets(*(tuple_(column) for column in columns)))
    )
    bits = {~(1 << place) & ((1 << len(asked)) - 1): facet for place, facet in enumerate(reversed(asked))}
    found: dict[Facet, list[Count]] = {facet: [] for facet in asked}
    for row in connection.execute(statement):
        facet = bits[row.which]
        value = getattr(row, facet.name)
        if value is not None:
            said = row.name if facet is Facet.PROVIDER else ""
            found[facet].append(Count(value, row.number, said))
    return {
        facet: sorted(counts, key=lambda each: (-each.count, each.value)) for facet, counts in found.items()
    }


def wanted(words: str) -> tuple[str, ...]:
    """The words of a question as they stand in search texts; what says nothing is left out."""
    return tuple(dict.fromkeys(filter(None, map(comparable, words.split()))))


def _fits(question: Question) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = [literal(True)]
    if question.published_only:
        seen = ENTRIES.c.published.is_not(None)
        own = sorted(question.departments)
        parts.append(seen | ENTRIES.c.department.in_(own) if own else seen)
    for facet, values in question.chosen.items():
        if values:
            parts.append(facet.column.in_(sorted(values)))
    text = ENTRIES.c.search_text
    return and_(*parts, *(text.contains(word, autoescape=True) for word in wanted(question.words)))


def _rank(words: str) -> ColumnElement[Any]:
    typed = comparable(words)
    if not typed:
        return literal(0)
    name, first = ENTRIES.c.name_key, ENTRIES.c.name_initials
    return case(
        ((name == typed) | (first == typed), 0),
        (name.startswith(typed, autoescape=True) | first.startswith(typed, autoescape=True), 1),
        (name.contains(typed, autoescape=True), 2),
        (first.contains(typed, autoescape=True), 3),
        else_=_LAST_RANK,
    )


def _listed(row: Row[*tuple[Any, ...]]) -> Listed:
    values = {name: getattr(row, name) for name in Listed.__dataclass_fields__}
    return Listed(**{**values, "state": State(row.state)})


def _written(row: Row[*tuple[Any, ...]]) -> str:
    place = json.dumps([row.rank, row.sort_key, str(row.id)], ensure_ascii=False)
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _position(cursor: Cursor) -> tuple[ColumnElement[Any], ...]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        rank, sort_key, id_ = json.loads(base64.urlsafe_b64decode(padded.encode()))
        sort_key.encode()  # half a surrogate pair is text that no database takes
        place = UUID(id_)
        known = type(rank) is int and 0 <= rank <= _LAST_RANK and "\0" not in sort_key
    except (binascii.Error, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise BeginAnew("the cursor is none of this list") from error
    if not known:
        raise BeginAnew("the cursor is none of this list")
    return literal(rank), literal(sort_key), literal(place, Uuid)
