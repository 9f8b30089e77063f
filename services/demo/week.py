"""A generated week of the sample city: what the three departments write on each day, from a seed; pure.

Each day holds everyday changes in the shares of a register at work: most are changes of one item, some move
a record out of or into what a grant may see, a few are mistakes, which the next day corrects, and a few rows
end. ``updated_at`` of each row is a moment of the played day, so that event time spans the week although it
is played in minutes.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, fields, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from services.demo.city import generate_persons
from services.demo.databases import MARKET, POLICE, SOCIAL, STORY_IDS
from services.demo.people import address_in
from services.demo.places import DISTRICTS, GRANTED_DISTRICT
from topics.event import ProviderId

WEEK_IDS: Final = STORY_IDS + 10_000_000
"""Rows that come into being in a played week have ids from here."""
_DAY_IDS: Final = 100_000
_LARGEST: Final = 12
"""Rows of the largest transaction."""

Statement = tuple[str, tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Work:
    """One transaction at one provider: its statements, each of which changes at most one row."""

    provider: ProviderId
    statements: Sequence[Statement]


@dataclass(frozen=True, slots=True)
class CitySize:
    """How many generated rows there are to change: their ids run from 1."""

    persons: int
    enterprises: int
    enrolments: int


@dataclass(frozen=True, slots=True)
class Day:
    """A day to play.

    Args:
        number: from 1.
        day: the date that the day's rows carry.
        works: transactions, in order.
    """

    number: int
    day: date
    works: tuple[Work, ...]

    @property
    def changes(self) -> int:
        """Statements of the day; one that meets no row any more changes nothing."""
        return sum(len(work.statements) for work in self.works)


def generate_day(number: int, first: date, size: CitySize, changes: int, seed: int) -> Day:
    """The day's transactions; the same for the same arguments.

    Args:
        number: which day of the week, from 1.
        first: the date of day 1.
        size: of the city.
        changes: about how many rows change.
        seed: another one gives another week.
    """
    rng = random.Random(f"{seed}:week:{number}")  # noqa: S311 - not a secret
    day = first + timedelta(days=number - 1)
    statements = [*_born(rng, number, day, changes // 20), *_drawn(rng, day, size, changes)]
    works = [*_corrected(seed, number, size, changes, day), *_transactions(rng, statements)]
    return Day(number, day, tuple(works))


def _drawn(
    rng: random.Random, day: date, size: CitySize, changes: int
) -> Iterator[tuple[ProviderId, Statement]]:
    kinds, weights = zip(*_SHARES, strict=True)
    for kind in rng.choices(kinds, weights, k=changes):
        yield kind(rng, day, size)


def _transactions(rng: random.Random, statements: Sequence[tuple[ProviderId, Statement]]) -> Iterator[Work]:
    """Mostly one row each, sometimes several of one provider: events then share one commit."""
    pending: dict[ProviderId, list[Statement]] = {}
    wanted: dict[ProviderId, int] = {}
    for provider, statement in statements:
        rows = pending.setdefault(provider, [])
        rows.append(statement)
        if len(rows) >= wanted.setdefault(provider, 1 if rng.random() < 0.7 else rng.randint(2, _LARGEST)):
            yield Work(provider, tuple(pending.pop(provider)))
            wanted.pop(provider)
    for provider, rows in pending.items():
        yield Work(provider, tuple(rows))


def _born(rng: random.Random, number: int, day: date, count: int) -> Iterator[tuple[ProviderId, Statement]]:
    for each, labelled in enumerate(generate_persons(count, rng, day, mistakes=0), 1):
        row = replace(labelled.row, id=WEEK_IDS + number * _DAY_IDS + each, updated_at=_moment(rng, day))
        yield POLICE, _insertion("person", row)


def _mistyped_rows(seed: int, number: int, size: CitySize, changes: int) -> list[int]:
    rng = random.Random(f"{seed}:mistyped:{number}")  # noqa: S311 - not a secret
    return rng.sample(range(1, size.persons + 1), min(size.persons, max(1, changes // 100)))


def _corrected(seed: int, number: int, size: CitySize, changes: int, day: date) -> Iterator[Work]:
    """Sex codes mistyped on this day, and those of the day before put right at the source."""
    for record in _mistyped_rows(seed, number - 1, size, changes) if number > 1 else ():
        yield Work(POLICE, (_restored(record, day),))
    for record in _mistyped_rows(seed, number, size, changes):
        yield Work(POLICE, (_mistaken(record, day),))


def _mistaken(record: int, day: date) -> Statement:
    stamp = datetime(day.year, day.month, day.day, 17)  # noqa: DTZ001 - the column has no zone and means UTC
    return "UPDATE public.person SET sex = sex || '?', updated_at = %s WHERE id = %s", (stamp, record)


def _restored(record: int, day: date) -> Statement:
    stamp = datetime(day.year, day.month, day.day, 9)  # noqa: DTZ001
    return "UPDATE public.person SET sex = rtrim(sex, '?'), updated_at = %s WHERE id = %s", (stamp, record)


def _address(rng: random.Random, day: date, size: CitySize) -> tuple[ProviderId, Statement]:
    record = rng.randint(1, size.persons)
    return POLICE, _update("person", record, _moment(rng, day), address=address_in(rng, GRANTED_DISTRICT))


def _district(rng: random.Random, day: date, size: CitySize) -> tuple[ProviderId, Statement]:
    district = GRANTED_DISTRICT if rng.random() < 0.5 else rng.choice(tuple(DISTRICTS))
    values = {"address": address_in(rng, district), "household_district": district}
    return POLICE, _update("person", rng.randint(1, size.persons), _moment(rng, day), **values)


def _ended(rng: random.Random, day: date, size: CitySize) -> tuple[ProviderId, Statement]:  # noqa: ARG001
    return POLICE, ("DELETE FROM public.person WHERE id = %s", (rng.randint(1, size.persons),))


def _capital(rng: random.Random, day: date, size: CitySize) -> tuple[ProviderId, Statement]:
    capital = Decimal(rng.randint(1, 5_000)) * 10_000
    record = rng.randint(1, size.enterprises)
    return MARKET, _update("enterprise", record, _moment(rng, day), registered_capital=capital)


def _status(rng: random.Random, day: date, size: CitySize) -> tuple[ProviderId, Statement]:
    record, status = rng.randint(1, size.enterprises), rng.choice("1123")
    return MARKET, _update("enterprise", record, _moment(rng, day), status=status)


def _wage(rng: random.Random, day: date, size: CitySize) -> tuple[ProviderId, Statement]:
    base = Decimal(rng.randint(4_494, 24_396))
    return SOCIAL, _update("enrolment", rng.randint(1, size.enrolments), _moment(rng, day), monthly_base=base)


_SHARES: Final[tuple[tuple[Callable[..., tuple[ProviderId, Statement]], int], ...]] = (
    (_address, 45),
    (_district, 12),
    (_ended, 1),
    (_capital, 8),
    (_status, 4),
    (_wage, 30),
)


def _moment(rng: random.Random, day: date) -> datetime:
    """In office hours, to the millisecond (UTC, no zone, as the columns are)."""
    start = datetime(day.year, day.month, day.day)  # noqa: DTZ001
    return start + timedelta(milliseconds=rng.randrange(1 * 3_600_000, 9 * 3_600_000))


def _update(table: str, record: int, stamp: datetime, **values: object) -> Statement:
    changes = ", ".join(f"{name} = %s" for name in values)
    text = f"UPDATE public.{table} SET {changes}, updated_at = %s WHERE id = %s"  # noqa: S608 - names of ours
    return text, (*values.values(), stamp, record)


def _insertion(table: str, row: Any) -> Statement:
    names = [each.name for each in fields(row)]
    places = ", ".join(["%s"] * len(names))
    text = f"INSERT INTO public.{table} ({', '.join(names)}) VALUES ({places}) ON CONFLICT (id) DO NOTHING"  # noqa: S608
    return text, astuple(row)
