"""An application out of the fields of its form, on top of what was kept before; nothing is guessed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from starlette.datastructures import FormData

from services.control.cases.application import Application, DutyBasis
from services.control.cases.decision import Approval
from services.control.cases.words import DeliveryMode, Problem
from services.portal.forms import prefixed, text, texts, ticked
from services.portal.times import day_from
from topics.event import ConsumerId, ResourceId
from topics.grants.declaration import (
    DistrictMask,
    DropMask,
    HashMask,
    Mask,
    PartialMask,
    RowFilter,
    YearMask,
)
from topics.resource import Resource

Say = Callable[[str], str]
STEPS: Final = ("data", "purpose", "delivery", "check")
"""The pages of the form, in their order."""
_A_YEAR: Final = timedelta(days=364)
MASKS: Final[Mapping[str, Mask]] = {
    "last_four": PartialMask(keep_first=0, keep_last=4),
    "first_one": PartialMask(keep_first=1, keep_last=0),
    "ends": PartialMask(keep_first=3, keep_last=4),
    "hash": HashMask(),
    "year": YearMask(),
    "district": DistrictMask(),
    "drop": DropMask(),
}
"""The masks that a decision can choose, by the name of the choice."""


@dataclass(frozen=True, slots=True)
class Filled:
    """An application as far as it was filled in, and fields that cannot be read."""

    application: Application
    problems: tuple[Problem, ...] = ()


def blank(applicant: str, resource: ResourceId, today: date) -> Application:
    """What a form begins with: nothing is asked for yet, for a year from today."""
    return Application(
        applicant=ConsumerId(applicant),
        resource=resource,
        scenario="",
        basis=DutyBasis("", ""),
        items=(),
        mode=DeliveryMode.SUBSCRIBE,
        start=today,
        end=today + _A_YEAR,
    )


def filled(form: FormData, before: Application, resource: Resource, say: Say) -> Filled:
    """The application with the parts of the form that were sent, the others as they were.

    ``say`` puts what cannot be read into the language of the reader.
    """
    problems: list[Problem] = []
    after = before
    shown = frozenset(texts(form, "part"))
    if "data" in shown:
        after = replace(after, items=_items(form, resource), rows=rows_of(form, resource))
    if "purpose" in shown:
        basis = DutyBasis(text(form, "basis.document"), text(form, "basis.article"))
        after = replace(after, scenario=text(form, "scenario"), basis=basis)
    if "delivery" in shown:
        after, problems = _delivery(form, after, say)
    if "check" in shown:
        after = replace(after, committed=ticked(form, "committed"), filing=text(form, "filing"))
    return Filled(after, tuple(problems))


def approval_of(
    form: FormData, application: Application, resource: Resource, say: Say
) -> tuple[Approval, list[Problem]]:
    """What a decision gives, out of its form; masks only of items that are given."""
    items = _items(form, resource)
    masks = [(name, MASKS[choice]) for name, choice in prefixed(form, "mask.") if choice in MASKS]
    start, end, problems = _days(form, application.start, application.end, say)
    given = tuple((name, mask) for name, mask in masks if name in items)
    return Approval(items, start, end, rows_of(form, resource), given), problems


def rows_of(form: FormData, resource: Resource) -> tuple[RowFilter, ...]:
    """The row scope of a form: for each scope item its values, divided by commas, blanks or lines."""
    found = []
    for name in resource.scope_items:
        values = tuple(dict.fromkeys(text(form, f"rows.{name}").translate(_DIVIDERS).split()))
        if values:
            found.append(RowFilter(item=name, values=values))
    return tuple(found)


_DIVIDERS: Final = str.maketrans({",": " ", "，": " ", "、": " ", ";": " ", "；": " "})


def _items(form: FormData, resource: Resource) -> tuple[str, ...]:
    """The ticked items in the order of the resource; what it does not have is kept, and said to be wrong."""
    chosen = texts(form, "items")
    known = [item.name for item in resource.items]
    return tuple([name for name in known if name in chosen] + [name for name in chosen if name not in known])


def _delivery(form: FormData, before: Application, say: Say) -> tuple[Application, list[Problem]]:
    start, end, problems = _days(form, before.start, before.end, say)
    try:
        mode = DeliveryMode(text(form, "mode"))
    except ValueError:
        mode = before.mode
        problems.append(
            Problem("MODE_UNKNOWN", "mode", say("no mode of delivery is chosen"), say("choose one"))
        )
    why = text(form, "batch_justification") if mode is DeliveryMode.BATCH else ""
    return replace(before, mode=mode, start=start, end=end, batch_justification=why), problems


def _days(form: FormData, start: date, end: date, say: Say) -> tuple[date, date, list[Problem]]:
    problems = []
    days = {}
    for name, before in (("start", start), ("end", end)):
        found = day_from(text(form, name))
        if found is None:
            problems.append(
                Problem("DAY_UNREADABLE", name, say("this is no day"), say("write it as 2027-01-31"))
            )
        days[name] = found or before
    return days["start"], days["end"], problems
