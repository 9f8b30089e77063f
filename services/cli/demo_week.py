"""`govbus demo --days N`: plays a generated week in minutes, with what the authority does in it."""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from services.cli.bus import console_account
from services.cli.demo_waiting import await_effect
from services.cli.grant_running import Running, fresh_id
from services.control.definitions import Definitions
from services.control.suspension.finish import now_ms
from services.control.suspension.suspend import Order
from services.demo.city import CITY_DAY
from services.demo.databases import TABLES, database_dsn
from services.demo.intake import IntakeFollower
from services.demo.narration import Narrator
from services.demo.week import CitySize, Day, Work, generate_day
from services.demo.week_book import PlayedDay, second_of, stretches
from services.stack.progress import Bars
from topics.event import GrantId, ProviderId
from topics.grants.hold import HoldScope

SUSPENDED_GRANT: Final = GrantId("tax-enterprises")
NARROWED_GRANT: Final = GrantId("education-persons")
DROPPED_ITEM: Final = "birth_date"
SUSPENDED_ON, RESUMED_ON, NARROWED_ON = 3, 4, 5
CHANGES: Final = 400
"""Rows that change on a day."""
_FIRST_DAY: Final = CITY_DAY + timedelta(days=5)
"""The first Monday of the sample city's year."""
_QUIET_SECONDS: Final = 1.0
_MS: Final = 1000


@dataclass(slots=True)
class Week:
    """Plays days one after the other; each is decided whole before the next begins.

    Args:
        running: the bus, for the authority's orders.
        tell: who is told.
        admin_dsn: how an administrator of the sample databases connects.
        seed: another one gives another week.
        intake: follows the gate's decisions.
        delivery: follows the fan-out's.
        apply: makes definitions the policy.
    """

    running: Running
    tell: Narrator
    admin_dsn: str
    seed: int
    intake: IntakeFollower
    delivery: IntakeFollower
    apply: Callable[[Definitions], None]
    played: list[PlayedDay] = field(default_factory=list)

    def play(self, days: int, definitions: Definitions, size: CitySize) -> Definitions:
        """Play them; return the definitions that are in force at the end.

        Raises:
            DemoStuck: a day is not decided in time.
            psycopg2.Error: a sample database cannot be reached or refuses.
        """
        with ExitStack() as opened, Bars(self.tell.console) as bars:
            connections = {
                provider: opened.enter_context(
                    closing(psycopg2.connect(database_dsn(self.admin_dsn, provider)))
                )
                for provider in TABLES
            }
            for number in range(1, days + 1):
                day = generate_day(number, _FIRST_DAY, size, CHANGES, self.seed)
                bars.begin("day", f"day {number} of {days}: {day.day:%A}, {day.changes} changes", day.changes)
                definitions = self._day(day, definitions, connections, lambda done: bars.advance("day", done))
                bars.done("day", f"day {number} of {days}: {self._summary()}")
        return definitions

    def _day(
        self,
        day: Day,
        definitions: Definitions,
        connections: Mapping[ProviderId, Connection],
        advance: Callable[[int], None],
    ) -> Definitions:
        since, before = _whole_second(now_ms, time.sleep), dict(self.intake.reached)
        told, definitions = self._authority(day.number, definitions)
        changes = sum(_write(connections[work.provider], work, advance) for work in day.works)
        self._settle(changes)
        until = second_of(now_ms() + _MS - 1)
        offsets = stretches(before, self.intake.reached)
        self.played.append(PlayedDay(day.number, f"{day.day}", since, until, changes, offsets, told))
        return definitions

    def _authority(self, number: int, definitions: Definitions) -> tuple[str, Definitions]:
        """What is ordered in the morning of that day, where the sample's own grants stand in the policy."""
        if SUSPENDED_GRANT not in definitions.grants:
            return "", definitions
        if number == SUSPENDED_ON:
            self._suspend("the tax bureau reports a stolen workstation")
            return f"{SUSPENDED_GRANT} suspended", definitions
        if number == RESUMED_ON:
            self._resume("its passwords are changed")
            return f"{SUSPENDED_GRANT} resumed", definitions
        if number == NARROWED_ON:
            narrowed = without_item(definitions, NARROWED_GRANT, DROPPED_ITEM)
            self.apply(narrowed)
            return f"{NARROWED_GRANT} no longer holds {DROPPED_ITEM}", narrowed
        return "", definitions

    def _suspend(self, reason: str) -> None:
        self.running.suspend().order(_order(reason), fresh_id("s"))

    def _resume(self, reason: str) -> None:
        self.running.resume(()).order(_order(reason), fresh_id("r"))

    def _settle(self, changes: int) -> None:
        """Until the gate has decided that many more records, and nobody decides anything any more."""
        wanted = self.intake.records.total() + changes

        def decided() -> bool:
            self.intake.poll()
            return self.intake.records.total() >= wanted

        if changes:
            await_effect(decided, "the gate to decide the whole day")
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < _QUIET_SECONDS:
            before = self._decided()
            self.intake.poll()
            self.delivery.poll()
            if self._decided() > before:
                quiet_since = time.monotonic()

    def _decided(self) -> int:
        return self.intake.records.total() + self.delivery.records.total()

    def _summary(self) -> str:
        day = self.played[-1]
        told = f", {day.told}" if day.told else ""
        return f"{day.event_day}, {day.changes} rows changed{told}, {day.since} to {day.until}"


def without_item(definitions: Definitions, grant: GrantId, item: str) -> Definitions:
    """The same, with a grant that no longer holds an item."""
    had = definitions.grants[grant]
    items = tuple(name for name in had.items if name != item)
    masks = {name: mask for name, mask in had.masks.items() if name != item}
    return replace(
        definitions,
        grants={**definitions.grants, grant: had.model_copy(update={"items": items, "masks": masks})},
    )


def _order(reason: str) -> Order:
    return Order(HoldScope.GRANT, SUSPENDED_GRANT, console_account(), reason)


def _write(connection: Connection, work: Work, advance: Callable[[int], None]) -> int:
    """Commit one transaction; return how many rows it changed."""
    changed = 0
    with connection, connection.cursor() as cursor:
        for statement, values in work.statements:
            cursor.execute(statement, values)
            changed += cursor.rowcount
    advance(len(work.statements))
    return changed


def _whole_second(clock_ms: Callable[[], int], wait: Callable[[float], None]) -> str:
    """The next whole second, once it is there: days are told in whole seconds and must not overlap."""
    begin = clock_ms() // _MS + 1
    while (now := clock_ms()) < begin * _MS:
        wait((begin * _MS - now) / _MS)
    return second_of(begin * _MS)
