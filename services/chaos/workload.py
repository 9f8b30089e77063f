"""The stream of a chaos run: seeded changes of persons, right and wrong ones; the same seed gives the same.

Pure. A change is what a provider's database did to one row of its person table; garbage is a record that its
connector should never have written. Which of them the bus must accept, ``services.chaos.oracle`` says.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Final

from services.demo.numbers import resident_number, with_check_digit

_EPOCH: Final = date(1970, 1, 1)
_DISTRICTS: Final = ("320508", "320505", "320506", "320507")
_SURNAMES: Final = ("王", "李", "张", "欧阳", "𠮷", "阿依")
_FIRST_YEAR: Final = 1940
_YEARS: Final = 60
_MOST_ROWS: Final = 20_000
_EVENTS_PER_ROW: Final = 40
_START_MS: Final = 1_790_000_000_000


class Kind(StrEnum):
    """What a change does."""

    CREATE = "create"
    UPDATE = "update"
    RENUMBER = "renumber"
    """Another resident number: the identity of the row changes."""
    SPOIL = "spoil"
    """A wrong check digit or a lost name: must be stopped."""
    DELETE = "delete"
    TOMBSTONE = "tombstone"
    """What Debezium writes after a delete."""
    GARBAGE = "garbage"
    """Bytes under the row's key that nobody can decode."""


@dataclass(frozen=True, slots=True)
class Person:
    """A row of the person table without its primary key; days and milliseconds since 1970."""

    id_number: str
    name: str | None
    birth_date: int
    sex: str
    address: str
    household_district: str
    updated_at: int


@dataclass(frozen=True, slots=True)
class Event:
    """One raw record of the stream; ``number`` counts from 0 in the order of writing."""

    number: int
    row: int
    kind: Kind
    before: Person | None = None
    after: Person | None = None


def rows_of(events: int) -> int:
    """How many rows so many events are about."""
    return max(8, min(_MOST_ROWS, events // _EVENTS_PER_ROW))


def workload(seed: int, count: int) -> Iterator[Event]:
    """The first ``count`` events of the stream; fewer are a beginning of more over as many rows."""
    return _Source(random.Random(seed), rows_of(count)).events(count)  # noqa: S311 - not for secrets


class _Source:
    """A provider's table."""

    def __init__(self, rng: random.Random, rows: int) -> None:
        self._rng = rng
        self._rows = rows
        self._table: dict[int, Person] = {}
        self._spoilt: set[int] = set()
        self._tombstone_for: int | None = None

    def events(self, count: int) -> Iterator[Event]:
        for number in range(count):
            yield self._next(number)

    def _next(self, number: int) -> Event:
        if self._tombstone_for is not None:
            row, self._tombstone_for = self._tombstone_for, None
            return Event(number, row, Kind.TOMBSTONE)
        row = self._rng.randrange(self._rows)
        before = self._table.get(row)
        if before is None:
            return self._put(number, row, Kind.CREATE, None, self._person(number, row, number))
        kind = self._kind()
        if kind is Kind.GARBAGE:
            return Event(number, row, kind)
        if kind is Kind.DELETE:
            del self._table[row]
            self._spoilt.discard(row)
            self._tombstone_for = row
            return Event(number, row, kind, before)
        return self._put(number, row, kind, before, self._changed(number, row, kind, before))

    def _kind(self) -> Kind:
        draw = self._rng.random()
        shares = ((0.02, Kind.GARBAGE), (0.06, Kind.SPOIL), (0.10, Kind.RENUMBER), (0.14, Kind.DELETE))
        return next((kind for share, kind in shares if draw < share), Kind.UPDATE)

    def _put(self, number: int, row: int, kind: Kind, before: Person | None, after: Person) -> Event:
        self._table[row] = after
        return Event(number, row, kind, before, after)

    def _changed(self, number: int, row: int, kind: Kind, before: Person) -> Person:
        moved = replace(before, address=_address(number), updated_at=_START_MS + number)
        if kind is Kind.SPOIL:
            self._spoilt.add(row)
            if number % 2:
                return replace(moved, name=None)
            return replace(moved, id_number=_wrong(before.id_number))
        if row in self._spoilt:
            return self._mended(number, row, before, moved)
        if kind is Kind.RENUMBER:
            again = self._person(number, row, number)
            return replace(again, household_district=before.household_district)
        if self._rng.random() < 0.3:
            return replace(moved, household_district=self._rng.choice(_DISTRICTS))
        return moved

    def _mended(self, number: int, row: int, before: Person, moved: Person) -> Person:
        """A row that was spoilt is set right by its next change, but for some that stay wrong for longer."""
        if self._rng.random() < 0.25:
            return moved
        self._spoilt.discard(row)
        right = self._person(number, row, row)
        if before.id_number == with_check_digit(before.id_number[:17]):
            return replace(moved, name=right.name)
        return replace(right, household_district=before.household_district)

    def _person(self, number: int, row: int, sequence: int) -> Person:
        """A right row; ``sequence`` makes the number (even for women)."""
        born = _born(row)
        sequence %= 1000
        return Person(
            id_number=resident_number(_DISTRICTS[row % len(_DISTRICTS)], born, sequence),
            name=f"{_SURNAMES[row % len(_SURNAMES)]}{row}",
            birth_date=(born - _EPOCH).days,
            sex="1" if sequence % 2 else "2",
            address=_address(number),
            household_district=self._rng.choice(_DISTRICTS),
            updated_at=_START_MS + number,
        )


def _born(row: int) -> date:
    return date(_FIRST_YEAR + row % _YEARS, 1 + row % 12, 1 + row % 28)


def _address(number: int) -> str:
    return f"人民路{number}号"


def _wrong(id_number: str) -> str:
    """The number with another check digit."""
    return id_number[:-1] + ("1" if id_number.endswith("0") else "0")
