"""Plans, postpones and cancels retirements: the rules, the row, the act and who is told, at once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection

from services.control.desk.ports import Calendars, Entries
from services.control.notices import versions
from services.control.notices.digest import next_digest
from services.control.notices.event import Happened
from services.control.retirements.plan import (
    By,
    Hindrance,
    Retirement,
    Wish,
    cancellation_problems,
    plan_problems,
    postponement_problems,
)
from services.control.retirements.words import Refusal, State
from services.control.store.ids import new_id
from services.control.store.notices.happenings import tell_all
from services.control.store.notices.offices import offices
from services.control.store.retirements import writing
from services.control.store.retirements.reading import holders, of_resources

Refused = tuple[Hindrance, ...]


@dataclass(frozen=True, slots=True)
class Retiring:
    """Changes retirements with what it asks of others; the caller owns the transaction."""

    entries: Entries
    calendars: Calendars
    ids: Callable[[datetime], UUID] = new_id

    def plan(
        self, connection: Connection, wish: Wish, provider: str, working_days: int, by: By
    ) -> Retirement | Refused:
        """Announce that a version ends, and tell everybody who has it; or all that is against it.

        Args:
            connection: in the caller's transaction.
            wish: what is wanted; the old version is declared.
            provider: of the old version.
            working_days: the shortest parallel run.
            by: who announces it.
        """
        others = of_resources(connection, [wish.old, wish.new]).values()
        problems = plan_problems(
            wish,
            successor_published=self.entries.mounted(connection, wish.new) is not None,
            others=others,
            calendar=self.calendars.current(connection),
            now=by.now,
            working_days=working_days,
        )
        if problems:
            return problems
        planned = _planned(wish, self.ids(by.now), provider, working_days, by)
        if not writing.add(connection, planned, by):
            facts = {"old": wish.old, "day": wish.retires_on.isoformat()}
            return (Hindrance(Refusal.ALREADY_ENDING, "old", facts),)
        self.tell(connection, planned, versions.announced, by.now)
        return planned

    def postpone(
        self, connection: Connection, found: Retirement, day: date, why: str, by: By
    ) -> Retirement | Refused:
        """Let a version end later, and tell everybody who has it; its row is locked by the caller."""
        problems = postponement_problems(found, day, why, by.now)
        return problems or self.move(connection, found, day, why.strip(), by)

    def move(self, connection: Connection, found: Retirement, day: date, why: str, by: By) -> Retirement:
        """The same without asking: for what the calendar moves."""
        after = writing.postponed(found, day, why, by.account)
        moved = writing.change(connection, after, writing.POSTPONE, by)
        self.tell(connection, moved, versions.postponed, by.now)
        return moved

    def cancel(self, connection: Connection, found: Retirement, why: str, by: By) -> Retirement | Refused:
        """Let a version stay, and tell everybody who has it; its row is locked by the caller."""
        problems = cancellation_problems(found, why, by.now)
        if problems:
            return problems
        after = writing.ended(found, State.CANCELLED, why.strip(), by.account)
        moved = writing.change(connection, after, writing.CANCEL, by)
        self.tell(connection, moved, versions.kept, by.now)
        return moved

    def tell(
        self,
        connection: Connection,
        found: Retirement,
        say: Callable[[versions.NewVersion, datetime], Iterable[Happened]],
        now: datetime,
    ) -> int:
        """Tell something of a retirement to all whom it concerns now; what was told is not told again."""
        plan = versions.NewVersion(
            id=str(found.id),
            old=found.old,
            new=found.new,
            provider=found.provider,
            offices=offices(connection),
            consumers=holders(connection, found.old),
            parallel_from=found.parallel_from,
            retires=found.retires_on,
        )
        news = [(self.ids(now), each) for each in say(plan, now)]
        return tell_all(connection, news, next_digest(now, self.calendars.current(connection)))


def _planned(wish: Wish, id_: UUID, provider: str, working_days: int, by: By) -> Retirement:
    return Retirement(
        id=id_,
        old=wish.old,
        new=wish.new,
        provider=provider,
        state=State.PLANNED,
        announced_at=by.now,
        parallel_from=wish.parallel_from,
        retires_on=wish.retires_on,
        working_days=working_days,
        why=wish.why.strip(),
        by=by.account,
        version=1,
    )
