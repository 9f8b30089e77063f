"""Figures that rest on what was seen of the bus: the ledger's sums by year, the census, duties, overdue."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from services.control.catalogue.duties import responsibility_list
from services.control.catalogue.fulfilment import Fulfilment, judged
from services.control.clocks.calendar import Calendar
from services.control.reports.words import Measure
from services.control.store import snapshots
from services.control.store.accounts.departments import departments
from services.control.store.breaches import Wish, breaches
from services.control.store.cases.tables import CASES
from services.control.store.catalogue.exporting import Which, entries_of
from services.control.store.catalogue.tables import ENTRIES
from services.control.store.reports.behind import Row
from services.control.store.snapshots import Kind
from topics.names import LEDGER_DELIVERY, LEDGER_INTAKE
from topics.quality.values import CIVIL_TIME
from topics.resource import ShareType

_MOST: Final = 100_000
_AUTHORITY: Final = ""
"""In whose name a duty of the authority stands: no one department's."""
_INTAKE: Final = {Measure.ACCEPTED: "accepted", Measure.STOPPED: "stopped"}
_CENSUS: Final = {
    Measure.TOTAL_BYTES: ("bytes", "all"),
    Measure.TOTAL_RECORDS: ("records", "all"),
    Measure.SHARED_BYTES: ("bytes", "shared"),
    Measure.SHARED_RECORDS: ("records", "shared"),
    Measure.OPEN_BYTES: ("bytes", "open"),
    Measure.OPEN_RECORDS: ("records", "open"),
}
_OPEN: Final = ("unconditional", "conditional")


@dataclass(frozen=True, slots=True)
class Asking:
    """What these figures are asked with."""

    connection: Connection
    calendar: Calendar
    now: datetime
    year: int


def rows_of(asking: Asking, measure: Measure) -> list[Row]:
    """Everything behind such a figure; the figure is what the weights add up to."""
    if measure in _INTAKE:
        return list(_of_intake(asking, _INTAKE[measure]))
    if measure in (Measure.SUPPLIED, Measure.RECEIVED):
        return list(_of_delivery(asking, provider=measure is Measure.SUPPLIED))
    if measure in _CENSUS:
        return list(_of_census(asking, *_CENSUS[measure]))
    if measure is Measure.OVERDUE:
        return list(_overdue(asking))
    return list(_duties(asking, only_fulfilled=measure is Measure.FULFILLED))


def counted(rows: Iterable[Row]) -> dict[str, int]:
    """The figure by department."""
    found: dict[str, int] = {}
    for each in rows:
        found[each.department] = found.get(each.department, 0) + each.weight
    return found


def _of_intake(asking: Asking, outcome: str) -> Iterator[Row]:
    """Of each raw topic, which has its provider in its name."""
    for topic, weight in _sums(asking, str(LEDGER_INTAKE), outcome):
        yield Row(topic.split(".")[1], "", f"{LEDGER_INTAKE}: {topic}", None, weight)


def _of_delivery(asking: Asking, *, provider: bool) -> Iterator[Row]:
    """Of each grant, whose departments its case names; of one without a case, the bus."""
    named = {row.grant_id: row for row in asking.connection.execute(select(CASES))}
    seen = snapshots.all_of(asking.connection, Kind.GRANT).documents
    side = "provider" if provider else "consumer"
    for grant, weight in _sums(asking, str(LEDGER_DELIVERY), "delivered"):
        case = named.get(grant)
        whose = getattr(case, side) if case is not None else seen.get(grant, {}).get(side)
        yield Row(
            whose or "",
            "" if case is None else f"/cases/{case.id}",
            f"{LEDGER_DELIVERY}: {grant}",
            None,
            weight,
        )


def _sums(asking: Asking, topic: str, outcome: str) -> Iterator[tuple[str, int]]:
    kept = snapshots.all_of(asking.connection, Kind.LEDGER).documents.get(topic, {})
    for name, sums in sorted(kept.get("sums", {}).items()):
        weight = sums.get("years", {}).get(str(asking.year), {}).get(outcome, 0)
        if weight:
            yield name, int(weight)


def _of_census(asking: Asking, unit: str, which: str) -> Iterator[Row]:
    """Of each resource; shared and open are those whose published entry says so."""
    wanted = select(ENTRIES.c.id, ENTRIES.c.code, ENTRIES.c.share_type, ENTRIES.c.open_type)
    published = asking.connection.execute(wanted.where(ENTRIES.c.published.is_not(None)))
    entries = {row.code: row for row in published}
    seen = snapshots.all_of(asking.connection, Kind.CENSUS)
    for resource, found in sorted(seen.documents.items()):
        entry = entries.get(found["code"])
        if _is(entry, which):
            path = "" if entry is None else f"/catalogue/entries/{entry.id}"
            yield Row(found["provider"], path, resource, seen.as_of, int(found[unit]))


def _is(entry: Any, which: str) -> bool:
    if which == "all":
        return True
    if entry is None:
        return False
    if which == "shared":
        return bool(entry.share_type != ShareType.NOT_SHARED.value)
    return entry.open_type in _OPEN


def _overdue(asking: Asking) -> Iterator[Row]:
    """What the list of breaches has, also what was done too late."""
    paths = {"case": "/cases/{id}", "ticket": "/tickets/{number}", "entry": "/catalogue/entries/{id}"}
    found, _ = breaches(asking.connection, asking.calendar, asking.now, Wish(done=True), limit=_MOST)
    for each in found:
        path = paths.get(each.kind.value, "/objections/{number}").format(id=each.id, number=each.number)
        department = each.department or _AUTHORITY
        yield Row(department, path, f"{each.name}: {each.key}", _moment(each.due_on), 1)


def _duties(asking: Asking, *, only_fulfilled: bool) -> Iterator[Row]:
    """Items that departments must collect, and how each stands by what was seen of its entry."""
    ids = {each.zh: each.id for each in departments(asking.connection)}
    lists = responsibility_list(entries_of(asking.connection, Which.PUBLISHED))
    seen = snapshots.all_of(asking.connection, Kind.MOUNTING)
    for name, of_department in lists.items():
        for each in judged(of_department, seen.documents):
            if only_fulfilled and each.fulfilment is not Fulfilment.FULFILLED:
                continue
            label = f"{each.duty.entry}: {each.duty.item}"
            path = "" if each.duty.code is None else f"/catalogue/code/{each.duty.code}"
            yield Row(ids.get(name, name), path, label, seen.as_of, 1)


def _moment(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=CIVIL_TIME)
