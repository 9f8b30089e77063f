"""The list of breaches: duties that are overdue, each with who is late, by which article, and how late.

Of cases also what was done too late. What missed a mere target is none. (Requirements A6-09, A12-08.)
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from services.control.clocks.arithmetic import working_days_between
from services.control.clocks.calendar import Calendar, civil_day
from services.control.clocks.pack import Source
from services.control.clocks.rules import ClockRule, Stage
from services.control.docket.bound import Bound
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
from services.control.store.tickets.tables import TICKETS
from services.control.tickets.clocks import KEYS
from services.control.tickets.words import Duty
from services.control.tickets.written import opening_of

_MOST: Final = 10_000
"""Of so many tickets and entries it is found out whether they are late: that stands in no column."""


class Kind(StrEnum):
    """On what a duty is overdue."""

    CASE = "case"
    TICKET = "ticket"
    ENTRY = "entry"
    OBJECTION = "objection"


@dataclass(frozen=True, slots=True)
class Breach:
    """A duty that was not done in time."""

    kind: Kind
    id: UUID
    number: int | None
    """What people call a case, a ticket or an objection by."""
    name: str
    """The resource, or the name of an entry."""
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


@dataclass(frozen=True, slots=True)
class Wish:
    """Which breaches are wanted; what is not set does not matter."""

    kind: Kind | None = None
    department: str | None = None
    """Who is late."""
    obliged: str | None = None
    done: bool = False
    """Also what was done after all, too late."""
    visible_to: Parties | None = None
    """Of cases, those of these departments."""


def breaches(
    connection: Connection, calendar: Calendar, now: datetime, wish: Wish | None = None, limit: int = 500
) -> list[Breach]:
    """Duties that are overdue, the oldest first.

    Args:
        connection: inside the caller's transaction.
        calendar: the working days by which lateness is counted.
        now: the time, with its zone.
        wish: which.
        limit: how many of cases at most.
    """
    asked, today = wish or Wish(), civil_day(now)
    found: list[Breach] = []
    if asked.kind in (None, Kind.CASE):
        found += _of_cases(connection, calendar, today, limit, asked)
    if asked.kind in (None, Kind.TICKET):
        found += _of_tickets(connection, calendar, today)
    if asked.kind in (None, Kind.ENTRY):
        found += _of_entries(connection, calendar, today)
    if asked.kind in (None, Kind.OBJECTION):
        found += _of_objections(connection, calendar, today)
    fits = [each for each in found if _fits(each, asked)]
    return sorted(fits, key=lambda each: (each.due_on, each.kind, each.number or 0, str(each.id)))


def sourced(connection: Connection, found: Iterable[Breach]) -> list[Breach]:
    """The same breaches with the document and the article that each duty is from: for the rows of a page."""
    return [
        each if each.kind is not Kind.CASE else replace(each, source=_source(connection, each))
        for each in found
    ]


def _fits(breach: Breach, wish: Wish) -> bool:
    late = wish.department is None or breach.department == wish.department
    return late and wish.obliged in (None, breach.obliged)


def _of_cases(
    connection: Connection, calendar: Calendar, today: date, limit: int, wish: Wish
) -> Iterator[Breach]:
    waits = and_(CLOCKS.c.ended_at.is_(None), CLOCKS.c.due_on < today)
    ended = and_(CLOCKS.c.ended_at.is_not(None), CLOCKS.c.late.is_(True))
    wanted = (
        select(CLOCKS, CASES.c.id, CASES.c.number.label("called"), CASES.c.resource)
        .add_columns(CASES.c.provider, CASES.c.consumer)
        .join(CASES, CASES.c.id == CLOCKS.c.case_id)
        .where(CLOCKS.c.advisory.is_(False), or_(waits, ended) if wish.done else waits)
        .where(*_whose(wish))
        .order_by(CLOCKS.c.due_on, CASES.c.number)
        .limit(limit)
    )
    for row in connection.execute(wanted):
        done_on = None if row.ended_at is None else civil_day(row.ended_at)
        yield Breach(
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
            days_late=_late(calendar, row.due_on, done_on or today),
            clock=row.number,
        )


def _of_tickets(connection: Connection, calendar: Calendar, today: date) -> Iterator[Breach]:
    wanted = select(TICKETS).where(TICKETS.c.due_on < today).order_by(TICKETS.c.due_on, TICKETS.c.number)
    policies = Policies(connection)
    for row in connection.execute(wanted.limit(_MOST)):
        duty = Duty(row.due_for)
        rule = opening_of(row.opening).rules.clock(duty)
        if rule is None or rule.advisory:
            continue
        yield Breach(
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
            days_late=_late(calendar, row.due_on, today),
            source=_of_rule(policies.at(row.opened_at), KEYS[duty], rule),
        )


def _whose(wish: Wish) -> Iterator[ColumnElement[bool]]:
    """Cases that do not fit are left out before they are counted: they hide none that do."""
    if wish.department is not None:
        yield and_(CLOCKS.c.obliged == "provider", CASES.c.provider == wish.department)
    if wish.obliged is not None:
        yield CLOCKS.c.obliged == wish.obliged
    if wish.visible_to is not None:
        yield wish.visible_to.among(CASES.c.consumer, CASES.c.provider)


def _of_entries(connection: Connection, calendar: Calendar, today: date) -> Iterator[Breach]:
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


def _of_objections(connection: Connection, calendar: Calendar, today: date) -> Iterator[Breach]:
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
