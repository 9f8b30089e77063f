"""Says why each date of a case is what it is: which stage, from which article, counted over which days."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from services.control.clocks.calendar import Calendar
from services.control.clocks.merge import because, in_words
from services.control.clocks.pack import Given
from services.control.clocks.running import Extended, standing
from services.control.docket.case_clocks import CaseClock
from services.control.docket.filed import Filed, ends_on


def explanation(filed: Filed, calendar: Calendar, now: datetime) -> dict[str, Any]:
    """All clocks of a case with what they come from, as plain data.

    Args:
        filed: the case.
        calendar: the working days as they are known now.
        now: the moment at which the clocks are read.
    """
    case = filed.case
    last = ends_on(case)
    return {
        "case": case.opening.id,
        "number": filed.number,
        "state": case.state.value,
        "policy": filed.digest,
        "packs": [f"{each.id} version {each.version}" for each in filed.policy.packs],
        "facts": dict(filed.facts),
        "ends_on": None if last is None else last.isoformat(),
        "clocks": [_clock(filed, each, calendar, now) for each in filed.clocks],
    }


def _clock(filed: Filed, clock: CaseClock, calendar: Calendar, now: datetime) -> dict[str, Any]:
    stands, run = standing(clock.run, calendar, now), clock.run
    due = stands.due
    return {
        "number": clock.number,
        "key": clock.decided.key,
        "stage": clock.stage.name,
        "obliged": clock.obliged,
        **_source(clock.decided.given),
        "over": [{**_source(each.given), "why": each.why} for each in clock.decided.over],
        "begun": _event(filed, clock.begun_by),
        "counts_first_day": run.rule.counts_first_day,
        "pauses": [[each.begin.isoformat(), each.end and each.end.isoformat()] for each in run.pauses],
        "extended": None if run.extended is None else _extended(run.extended),
        "may_extend": None if run.rule.extension is None else asdict(run.rule.extension),
        "ended": None if clock.ended_by is None else _event(filed, clock.ended_by),
        "due": None if due is None else due.day.isoformat(),
        "provisional": due is not None and due.provisional,
        "waits_for": None if due is None else due.waits_for,
        "state": stands.state.value,
        "elapsed": stands.elapsed,
        "remaining": stands.remaining,
        "breached": stands.breached,
        "reminders": [{"percent": each.percent, "day": each.day.isoformat()} for each in stands.reminders],
    }


def _extended(extended: Extended) -> dict[str, Any]:
    return {"days": extended.days, "approver": extended.approver, "at": extended.at.isoformat()}


def _source(given: Given) -> dict[str, Any]:
    return {
        "rule": in_words(given),
        "because": because(given),
        "document": given.source.document,
        "article": given.source.article,
        "verified": given.source.verified,
        "pack": given.pack,
        "level": given.level.value,
    }


def _event(filed: Filed, number: int) -> Mapping[str, Any]:
    event = filed.case.events[number - 1]
    return {"event": number, "action": event.action.value, "at": event.when.isoformat()}
