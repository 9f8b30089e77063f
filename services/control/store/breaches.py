"""The list of breaches: duties that are overdue, each with who is late, by which article, and how late.

Of cases and reports also what was done too late. What missed a mere target is none.
(Requirements A6-09, A12-08.)
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, and_, func, not_, or_, select

from services.control.clocks.arithmetic import working_days_between
from services.control.clocks.calendar import Calendar, civil_day
from services.control.clocks.pack import Source
from services.control.clocks.rules import ClockRule, Stage
from services.control.docket.bound import Bound
from services.control.docket.report_clock import KEYS as REPORT_KEYS
from services.control.docket.report_clock import ReportDuty
from services.control.docket.review_clock import APPLY, REVIEW, entry_due
from services.control.objections.clock import KEY as OBJECTION_KEY
from services.control.objections.words import State as ObjectionState
from services.control.store.accounts.departments import ids_of
from services.control.store.cases.policies import Policies
from services.control.store.cases.reading import load as load_case
from services.control.store.cases.tables import CASES, CLOCKS
from services.control.store.catalogue.reviews import under_review, under_revision
from services.control.store.objections.reading import Wish as ObjectionWish
from services.control.store.objections.reading import listed as objections
from services.control.store.parties import Parties
from services.control.store.reports.reading import reports
from services.control.store.tickets.tables import TICKETS
from services.control.tickets.clocks import KEYS
from services.control.tickets.words import Duty
from services.control.tickets.written import opening_of

_MOST: Final = 10_000
"""Of so many entries and objections it is found out whether they are late: that stands in no column."""


class Kind(StrEnum):
    """On what a duty is overdue."""

    CASE = "case"
    TICKET = "ticket"
    ENTRY = "entry"
    OBJECTION = "objection"
    REPORT = "report"
    """The report on a year."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A duty that was not done in time."""

    kind: Kind
    id: UUID
    number: int | None
    """What people call a case, a ticket or an objection by."""
    name: str
    """The resource, the name of an entry, or the year of a report."""
    obliged: str
    """Who has to act: provider or authority."""
    provider: str | None
    consumer: str | None
    key: str
    """Of the clock in policy packs."""
    stage: str
    due_on: date
    provisional: bool
    done_on: date | None
    """When it was done after all; None while it is still to be done."""
    days_late: int
    """Working days after the last one, up to today or to when it was done."""
    clock: int | None = None
    """Which of a case's clocks."""
    source: Source | None = None
    """The document and the article; None where the policy that counted is not known any more."""

    @property
    def department(self) -> str | None:
        """Who is late; None for the authority, which is no one department's name."""
        return self.provider if self.obliged == "provider" else None


def everything(_breach: Breach) -> bool:
    """Nothing is kept from whoever asks."""
    return True


@dataclass(frozen=True, slots=True)
class Wish:
    """Which breaches are wanted; what is not set does not matter."""

    kind: Kind | None = None
    department: str | None = None
    """Who is late."""
    obliged: str | None = None
    done: bool = False
    """Also what was done after all, too late."""
    cases_of: Parties | None = None
    """Of cases, those of these departments."""
    tickets_of: Parties | None = None
    """Of tickets, those of these departments."""
    sees: Callable[[Breach], bool] = everything
    """Of entries, objections and reports, those of which this is true."""


def breaches(
    connection: Connection,
    calendar: Calendar,
    now: datetime,
    wish: Wish | None = None,
    start: int = 0,
    limit: int = 50,
) -> tuple[list[Breach], int]:
    """One page of the duties that are overdue, the oldest first, and how many there are.

    Args:
        connection: inside the caller's transaction.
        calendar: the working days by which lateness is counted.
        now: the time, with its zone.
        wish: which.
        start: how many are passed over.
        limit: how many at most.
    """
    asked = _Asked(connection, calendar, now, wish or Wish(), start + limit)
    rows: list[Breach] = []
    total = 0
    for kind, read in _READERS.items():
        if asked.wish.kind in (None, kind):
            some, count = read(asked)
            rows += some
            total += count
    rows.sort(key=lambda each: (each.due_on, each.kind, each.number or 0, str(each.id)))
    return [_sourced(connection, each) for each in rows[start : start + limit]], total


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one kind of breaches is asked: none beyond the ``most`` oldest can stand on the page."""

    connection: Connection
    calendar: Calendar
    now: datetime
    wish: Wish
    most: int

    @property
    def today(self) -> date:
        """The day on which it is asked."""
        return civil_day(self.now)

    def page(
        self, table: FromClause, wanted: Select[Any], order: Sequence[Any], *conditions: ColumnElement[bool]
    ) -> tuple[Sequence[Row[Any]], int]:
        """The oldest rows, and how many there are."""
        count = select(func.count()).select_from(table).where(*conditions)
        rows = self.connection.execute(wanted.where(*conditions).order_by(*order).limit(self.most)).all()
        return rows, int(self.connection.execute(count).scalar_one())

    def fitting(self, found: Iterable[Breach]) -> tuple[list[Breach], int]:
        """Those that are wanted and seen, and how many there are."""
        wish = self.wish
        rows = [
            each
            for each in found
            if wish.department in (None, each.department)
            and wish.obliged in (None, each.obliged)
            and wish.sees(each)
        ]
        return rows, len(rows)


def _sourced(connection: Connection, breach: Breach) -> Breach:
    """With the document and the article that the duty of a case is from: the case itself knows them."""
    return breach if breach.kind is not Kind.CASE else replace(breach, source=_source(connection, breach))


def _of_cases(asked: _Asked) -> tuple[list[Breach], int]:
    wish, today = asked.wish, asked.today
    waits = and_(CLOCKS.c.ended_at.is_(None), CLOCKS.c.due_on < today)
    ended = and_(CLOCKS.c.ended_at.is_not(None), CLOCKS.c.late.is_(True))
    joined = CLOCKS.join(CASES, CASES.c.id == CLOCKS.c.case_id)
    wanted = (
        select(CLOCKS, CASES.c.id, CASES.c.number.label("called"), CASES.c.resource)
        .add_columns(CASES.c.provider, CASES.c.consumer)
        .select_from(joined)
    )
    late = or_(waits, ended) if wish.done else waits
    order = (CLOCKS.c.due_on, CASES.c.number)
    rows, count = asked.page(joined, wanted, order, CLOCKS.c.advisory.is_(False), late, *_cases_of(wish))
    return [_of_case(asked, row) for row in rows], count


def _of_case(asked: _Asked, row: Row[Any]) -> Breach:
    done_on = None if row.ended_at is None else civil_day(row.ended_at)
    return Breach(
        kind=Kind.CASE,
        id=row.id,
        number=row.called,
        name=row.resource,
        obliged=row.obliged,
        provider=row.provider,
        consumer=row.consumer,
        key=row.key,
        stage=row.stage,
        due_on=row.due_on,
        provisional=row.provisional,
        done_on=done_on,
        days_late=_late(asked.calendar, row.due_on, done_on or asked.today),
        clock=row.number,
    )


def _cases_of(wish: Wish) -> Iterator[ColumnElement[bool]]:
    if wish.department is not None:
        yield and_(CLOCKS.c.obliged == "provider", CASES.c.provider == wish.department)
    if wish.obliged is not None:
        yield CLOCKS.c.obliged == wish.obliged
    if wish.cases_of is not None:
        yield wish.cases_of.among(CASES.c.consumer, CASES.c.provider)


def _of_tickets(asked: _Asked) -> tuple[list[Breach], int]:
    order = (TICKETS.c.due_on, TICKETS.c.number)
    rows, count = asked.page(TICKETS, select(TICKETS), order, *_tickets_of(asked.wish, asked.today))
    policies = Policies(asked.connection)
    return [_of_ticket(asked, policies, row) for row in rows], count


def _of_ticket(asked: _Asked, policies: Policies, row: Row[Any]) -> Breach:
    duty = Duty(row.due_for)
    rule = opening_of(row.opening).rules.clock(duty)
    return Breach(
        kind=Kind.TICKET,
        id=row.id,
        number=row.number,
        name=row.resource,
        obliged="authority" if duty is Duty.DISPATCH else "provider",
        provider=row.provider,
        consumer=row.reporter,
        key=KEYS[duty],
        stage=duty.value,
        due_on=row.due_on,
        provisional=bool(row.due_provisional),
        done_on=None,
        days_late=_late(asked.calendar, row.due_on, asked.today),
        source=None if rule is None else _of_rule(policies.at(row.opened_at), KEYS[duty], rule),
    )


def _tickets_of(wish: Wish, today: date) -> Iterator[ColumnElement[bool]]:
    """Who misses a mere target breaches nothing, and a duty without a rule has no last day."""
    advisory = func.jsonb_extract_path_text(TICKETS.c.opening, "rules", TICKETS.c.due_for, "advisory")
    dispatch = TICKETS.c.due_for == Duty.DISPATCH.value
    yield and_(TICKETS.c.due_on < today, advisory == "false")
    if wish.department is not None:
        yield and_(not_(dispatch), TICKETS.c.provider == wish.department)
    if wish.obliged is not None:
        yield dispatch if wish.obliged == "authority" else not_(dispatch)
    if wish.tickets_of is not None:
        yield wish.tickets_of.among(TICKETS.c.reporter, TICKETS.c.provider)


def _of_entries(asked: _Asked) -> tuple[list[Breach], int]:
    return asked.fitting(_entries(asked.connection, asked.calendar, asked.today))


def _of_objections(asked: _Asked) -> tuple[list[Breach], int]:
    return asked.fitting(_objections(asked.connection, asked.calendar, asked.today))


def _of_reports(asked: _Asked) -> tuple[list[Breach], int]:
    return asked.fitting(_reports(asked))


def _entries(connection: Connection, calendar: Calendar, today: date) -> Iterator[Breach]:
    policies = Policies(connection)
    revised = [(APPLY, "provider", each) for each in under_revision(connection, limit=_MOST)]
    waiting = [*revised, *((REVIEW, "authority", each) for each in under_review(connection, _MOST))]
    providers: Mapping[str, str] = ids_of(connection, {each.provider_code for _, _, each in waiting})
    for key, obliged, each in waiting:
        found = entry_due(policies.at(each.since), key, each.since, calendar)
        if found is None or found.advisory or found.due.day >= today:
            continue
        yield Breach(
            kind=Kind.ENTRY,
            id=each.id,
            number=None,
            name=each.name,
            obliged=obliged,
            provider=providers.get(each.provider_code),
            consumer=None,
            key=key,
            stage=found.stage,
            due_on=found.due.day,
            provisional=found.due.provisional,
            done_on=None,
            days_late=_late(calendar, found.due.day, today),
            source=found.source,
        )


def _objections(connection: Connection, calendar: Calendar, today: date) -> Iterator[Breach]:
    for each in objections(connection, ObjectionWish(ObjectionState.RECEIVED), limit=_MOST):
        opening, due, clock = each.objection.opening, each.due(calendar), each.clock
        if clock is None or due is None or due.day >= today or clock.stage.rule.advisory:
            continue
        yield Breach(
            kind=Kind.OBJECTION,
            id=opening.id,
            number=each.number,
            name=opening.name,
            obliged="provider",
            provider=opening.provider,
            consumer=opening.who.department,
            key=OBJECTION_KEY,
            stage=clock.stage.name,
            due_on=due.day,
            provisional=due.provisional,
            done_on=None,
            days_late=_late(calendar, due.day, today),
            source=clock.source,
        )


def _reports(asked: _Asked) -> Iterator[Breach]:
    for each in reports(asked.connection, asked.calendar, asked.now):
        due, handed = each.due.due, each.handed
        wanted = due.day < asked.today if handed is None else asked.wish.done and each.late
        if not wanted or each.due.advisory:
            continue
        done_on = None if handed is None else civil_day(handed.at)
        yield Breach(
            kind=Kind.REPORT,
            id=each.id,
            number=None,
            name=str(each.year),
            obliged="authority" if each.duty is ReportDuty.AUTHORITY else "provider",
            provider=each.department,
            consumer=each.department,
            key=REPORT_KEYS[each.duty],
            stage=each.due.stage,
            due_on=due.day,
            provisional=due.provisional,
            done_on=done_on,
            days_late=_late(asked.calendar, due.day, done_on or asked.today),
            source=each.due.source,
        )


def _late(calendar: Calendar, due_on: date, until: date) -> int:
    """At least one: a day that is no working day is late, too."""
    return max(1, working_days_between(calendar, due_on, until))


def _source(connection: Connection, breach: Breach) -> Source | None:
    filed = load_case(connection, breach.id)
    clocks = () if filed is None else filed.clocks
    return next((each.decided.given.source for each in clocks if each.number == breach.clock), None)


def _of_rule(policy: Bound | None, key: str, rule: ClockRule) -> Source | None:
    """A ticket keeps its rule and not where it is from: the policy that it was opened under says so.

    None where the rule came from packs that were named with the ticket, and were not adopted.
    """
    decided = () if policy is None else policy.decide(key, {})
    given = decided[0].given if decided else None
    same = given is not None and isinstance(given.content, Stage) and given.content.rule == rule
    return given.source if given is not None and same else None


_READERS: Final[Mapping[Kind, Callable[[_Asked], tuple[list[Breach], int]]]] = {
    Kind.CASE: _of_cases,
    Kind.TICKET: _of_tickets,
    Kind.ENTRY: _of_entries,
    Kind.OBJECTION: _of_objections,
    Kind.REPORT: _of_reports,
}
