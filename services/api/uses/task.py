"""One thing that waits for a person: what it is about, whose it is, and how long it may take."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from services.control.accounts.roles import Role
from services.control.clocks.arithmetic import working_days_between
from services.control.clocks.calendar import Calendar


class Kind(StrEnum):
    """What a task is about."""

    CASE = "case"
    TICKET = "ticket"
    ENTRY = "entry"
    NEED = "need"
    OBJECTION = "objection"
    REPORT = "report"
    CONFLICT = "conflict"
    """An item that two departments publish, to be ruled on."""
    REPLAY = "replay"
    """A replay that another person has asked for, to be approved."""
    QUARANTINE = "quarantine"
    """Stopped events of a provider, to be mended."""
    CREDENTIAL = "credential"
    """The department's login to the bus, which ends soon or has ended."""
    VOLUME = "volume"
    """A full volume that would withdraw much, to be confirmed or given up."""


class Matter(StrEnum):
    """How something stands that has no life of its own."""

    TO_RULE = "to_rule"
    TO_MEND = "to_mend"


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that waits for a person in a role."""

    kind: Kind
    role: Role
    id: UUID | None
    """None for what is called by its name or number alone."""
    number: int | None
    """What people call a case, a ticket, a need, an objection, a replay or a version of a credential by."""
    name: str
    """The resource, the name of an entry, the data that is needed, the year of a report, why a replay is
    wanted; claimant, resource and item of a conflict, with "/" between them."""
    state: str
    department: str
    """Whose it is on the other side: who asks, whose entry it is, or who has to report; empty for a
    console."""
    since: datetime
    due_on: date | None
    provisional: bool
    days_left: int | None
    """Working days until the last one: 0 on that day, below it what is overdue; None without a clock."""
    count: int | None = None
    """How many events or claims it is about; None for what is one thing."""


def days_left(calendar: Calendar, today: date, due_on: date) -> int:
    """Working days from today to the last one; below zero so many are over."""
    if due_on >= today:
        return working_days_between(calendar, today, due_on)
    return -max(1, working_days_between(calendar, due_on, today))
