"""What of a running clock is told: the reminders of its rule, its last day, and that it is overdue; pure."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from services.control.clocks.calendar import civil_day
from services.control.clocks.running import Standing, State
from services.control.notices.event import Happened, Offices, Parties
from services.control.notices.shown import Fact
from services.control.notices.words import Audience, Kind, Slot

_WHOLE: Final = 100
_SILENT: Final = frozenset({State.MET, State.MET_LATE, State.PAUSED})


@dataclass(frozen=True, slots=True)
class Duty:
    """A duty with a last day, of a case, a ticket, an objection or an entry."""

    about: str
    """The id of the case, ticket or entry, the number of the objection."""
    key: str
    """The key of the clock, such as ``clocks.problem.verify``."""
    day: date
    """Its last day."""
    ticket: bool = False
    objection: bool = False
    entry: bool = False


def of_duty(duty: Duty, percent: int, parties: Parties, now: datetime, *, overdue: bool) -> Happened:
    """What is told of a duty that has come to so many percent of its time, or is overdue."""
    kind = _kind(percent, overdue=overdue)
    facts: dict[Slot, Fact] = {
        Slot.CASE: duty.about,
        Slot.DUTY: duty.key,
        Slot.PERCENT: percent,
        Slot.DAY: duty.day,
    }
    if duty.ticket:
        facts[Slot.TICKET] = duty.about
    if duty.objection:
        facts[Slot.OBJECTION] = duty.about
    if duty.entry:
        facts[Slot.ENTRY] = duty.about
    key = f"clock:{duty.about}:{duty.key}:{duty.day}:{kind}:{percent}"
    return Happened(key, kind, now, parties, facts)


def reached_of(standing: Standing, now: datetime) -> int | None:
    """The highest percentage that a running clock has come to; None where it has nothing to say."""
    if standing.due is None or standing.state in _SILENT:
        return None
    if standing.breached:
        return _WHOLE
    today = civil_day(now)
    return max((each.percent for each in standing.reminders if each.day <= today), default=None)


def parties_of(
    obliged: str, parties: Parties, offices: Offices, percent: int, *, overdue: bool = False
) -> Parties:
    """Who is told of a duty: who has to act; on the last day the authority too; when it is late everybody.

    Args:
        obliged: ``provider`` or ``authority``: who has to act.
        parties: consumer and provider of the case.
        offices: the authority, and who runs the bus.
        percent: how much of the time has passed.
        overdue: whether all of it has.
    """
    whole = {**parties, Audience.AUTHORITY: offices.authority}
    acts = Audience.AUTHORITY if obliged == Audience.AUTHORITY.value else Audience.PROVIDER
    if overdue:
        chosen = {Audience.CONSUMER, Audience.PROVIDER, Audience.AUTHORITY}
    else:
        chosen = {acts, Audience.AUTHORITY} if percent >= _WHOLE else {acts}
    return {audience: whole.get(audience, ()) for audience in Audience if audience in chosen}


def _kind(percent: int, *, overdue: bool) -> Kind:
    if overdue:
        return Kind.CLOCK_OVERDUE
    return Kind.CLOCK_LAST_DAY if percent >= _WHOLE else Kind.CLOCK_REMINDER
