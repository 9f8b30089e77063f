"""What a decision gives or refuses; what is given is never wider than what was applied for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from services.control.cases.application import Application, item_problems, row_problems
from services.control.cases.words import Problem, RefusalReason
from topics.definition_rules import mask_fits
from topics.grants.declaration import Mask, RowFilter
from topics.resource import Resource, ShareType
from topics.schema_rules import ItemForm


@dataclass(frozen=True, slots=True)
class Approval:
    """What a case gives: items, rows, masks and days."""

    items: tuple[str, ...]
    start: date
    end: date
    rows: tuple[RowFilter, ...] = ()
    masks: tuple[tuple[str, Mask], ...] = ()
    whole: tuple[tuple[str, str], ...] = ()
    """Items whose grade asks for a mask and that go out whole, each with why the duty needs it so."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a case gives nothing, and what would make it acceptable."""

    reason: RefusalReason
    text: str
    acceptable_if: str


def as_applied(application: Application) -> Approval:
    """Exactly what was applied for."""
    return Approval(application.items, application.start, application.end, application.rows)


def scope_of(rows: tuple[RowFilter, ...]) -> dict[str, frozenset[str]]:
    """The values that each scope item may have; filters of one item must all match."""
    found: dict[str, frozenset[str]] = {}
    for row in rows:
        values = frozenset(row.values)
        found[row.item] = found.get(row.item, values) & values
    return found


def rows_within(inner: tuple[RowFilter, ...], outer: tuple[RowFilter, ...]) -> bool:
    """Whether every record that the inner filters let through is let through by the outer ones."""
    scope = scope_of(inner)
    return all(item in scope and scope[item] <= values for item, values in scope_of(outer).items())


def approval_problems(
    approval: Approval,
    application: Application,
    resource: Resource,
    forms: Mapping[str, ItemForm],
    today: date,
) -> tuple[Problem, ...]:
    """Everything that keeps an approval from being given.

    Args:
        approval: what would be given.
        application: what was applied for.
        resource: the resource as it stands now.
        forms: the types of its items, to which masks must fit.
        today: the day in official time.
    """
    found = [*width_problems(approval, application), *item_problems(approval.items, resource)]
    found += row_problems(approval.rows, resource)
    found += _mask_problems(approval, forms)
    if approval.end < today:
        what = f"the last day {approval.end} is over"
        found.append(Problem("DAYS_PAST", "end", what, "have the application supplemented with later days"))
    if resource.share_type is ShareType.NOT_SHARED:
        remedy = "change the share type in the catalogue first, or refuse"
        found.append(Problem("NOT_SHARED", "resource", f"{resource.id} is not shared", remedy))
    return tuple(found)


def width_problems(approval: Approval, application: Application) -> Iterator[Problem]:
    """Yield in what an approval goes beyond its application."""
    more = sorted(set(approval.items) - set(application.items))
    if more:
        what = f"items that nobody applied for: {', '.join(more)}"
        yield Problem("ITEMS_WIDER", "items", what, "give only items of the application")
    if not rows_within(approval.rows, application.rows):
        remedy = "keep each filter of the application, with the same or fewer values"
        yield Problem("ROWS_WIDER", "rows", "the rows go beyond those of the application", remedy)
    if approval.start < application.start or approval.end > application.end:
        what = f"{approval.start} to {approval.end} goes beyond {application.start} to {application.end}"
        yield Problem("DAYS_WIDER", "start", what, "give days inside those of the application")
    if approval.end < approval.start or not all(scope_of(approval.rows).values()):
        what = "the days or the rows leave nothing"
        yield Problem("NOTHING_LEFT", "rows", what, "refuse instead, with a reason")


def is_narrower(approval: Approval, application: Application) -> bool:
    """Whether an approval gives less than was applied for: only then is it one in part."""
    full = as_applied(application)
    return bool(approval.masks) or (
        set(approval.items) != set(full.items)
        or scope_of(approval.rows) != scope_of(full.rows)
        or (approval.start, approval.end) != (full.start, full.end)
    )


def _mask_problems(approval: Approval, forms: Mapping[str, ItemForm]) -> Iterator[Problem]:
    named = [name for name, _ in approval.masks]
    for name, mask in approval.masks:
        if name not in approval.items:
            what, remedy = f"{name} is masked and not given", "mask only items that are given"
            yield Problem("MASK_WITHOUT_ITEM", "masks", what, remedy)
        elif name not in forms or not mask_fits(mask, forms[name]):
            remedy = "choose a mask that fits the item's type, or leave the item out"
            yield Problem("MASK_UNFIT", "masks", f"mask {mask.kind} does not fit {name}", remedy)
        if named.count(name) > 1:
            yield Problem("MASK_DOUBLED", "masks", f"{name} is masked twice", "give each item one mask")
