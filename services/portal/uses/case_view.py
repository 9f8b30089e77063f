"""A case with what its reader needs beside it: clocks with their articles, people by name."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from services.control.cases.words import Role
from services.control.clocks.calendar import Calendar
from services.control.clocks.pack import Given
from services.control.clocks.policy_keys import KEYS
from services.control.clocks.running import Standing, standing
from services.control.docket.bound import CHECKED_FROM, MASKED_FROM
from services.control.docket.case_clocks import CaseClock
from services.control.docket.explaining import explanation
from services.control.docket.filed import Filed
from services.control.store.accounts.persons import person_of
from services.control.store.clocks.calendars import read_calendar
from topics.resource import Titles


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock of a case: how it stands, and from which documents its length is."""

    clock: CaseClock
    titles: Titles
    stands: Standing
    explained: Mapping[str, Any]


def clocks_of(connection: Connection, filed: Filed, now: datetime) -> tuple[Clock, ...]:
    """All clocks of a case, those that run first."""
    calendar = read_calendar(connection)
    explained = explanation(filed, calendar, now)["clocks"]
    found = [_clock(clock, calendar, now, said) for clock, said in zip(filed.clocks, explained, strict=True)]
    return tuple(sorted(found, key=lambda each: (each.clock.ended_by is not None, each.clock.number)))


def grade_rules_of(filed: Filed) -> list[tuple[Titles, Given]]:
    """What the packs of a case say of grades, each with what it is about."""
    found = [each.given for key in (MASKED_FROM, CHECKED_FROM) for each in filed.policy.decide(key, {})]
    return [(Titles(zh=KEYS[each.key].zh, en=KEYS[each.key].en), each) for each in found]


def names_of(connection: Connection, filed: Filed) -> Mapping[str, str]:
    """The names of the people who acted on a case, by their ids; accounts of other kinds stay as they are."""
    people = {event.who.person for event in filed.case.events if event.who.role is not Role.SYSTEM}
    return dict(_named(connection, people | set(filter(None, filed.recorders))))


def _named(connection: Connection, people: Iterable[str]) -> Iterator[tuple[str, str]]:
    for each in people:
        try:
            person = person_of(connection, UUID(each))
        except ValueError:
            person = None
        yield each, each if person is None else person.name


def _clock(clock: CaseClock, calendar: Calendar, now: datetime, explained: Mapping[str, Any]) -> Clock:
    key = KEYS[clock.decided.key]
    return Clock(clock, Titles(zh=key.zh, en=key.en), standing(clock.run, calendar, now), explained)
