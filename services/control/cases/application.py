"""What a department applies for, and everything that is wrong with an application, at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.control.cases.words import SERVED, Batch, CaseRules, DeliveryMode, Problem, Unconditional
from topics.event import ConsumerId, ResourceId
from topics.grants.declaration import RowFilter
from topics.resource import Resource, ShareType

_SHORTEST_SCENARIO: Final = 4


@dataclass(frozen=True, slots=True)
class DutyBasis:
    """The document and the article that give the applicant the duty it needs the data for."""

    document: str
    article: str


@dataclass(frozen=True, slots=True)
class Application:
    """What one department wants of one resource, for what, by which duty, how and how long."""

    applicant: ConsumerId
    resource: ResourceId
    scenario: str
    basis: DutyBasis
    items: tuple[str, ...]
    mode: DeliveryMode
    start: date
    end: date
    rows: tuple[RowFilter, ...] = ()
    batch_justification: str = ""
    """Why neither query nor verification can serve (requirement A7-04)."""
    committed: bool = False
    """Whether the commitment letter was acknowledged (requirement A8-08)."""
    filing: str = ""
    """The number of the filing form, where the policy pack wants one (conflict C3)."""


def application_problems(
    application: Application, resource: Resource | None, rules: CaseRules, today: date
) -> tuple[Problem, ...]:
    """Everything that keeps an application from being submitted.

    Args:
        application: what was filled in.
        resource: the resource as it stands now, or None where there is none of that id.
        rules: what the policy pack says.
        today: the day in official time.
    """
    found = [*_purpose_problems(application), *_day_problems(application, today)]
    found += _mode_problems(application, rules)
    if resource is None:
        what = f"there is no resource {application.resource}"
        return (*found, Problem("RESOURCE_UNKNOWN", "resource", what, "choose an entry of the catalogue"))
    found += _entry_problems(application, resource)
    found += item_problems(application.items, resource)
    found += row_problems(application.rows, resource)
    found += _commitment_problems(application, resource, rules)
    return tuple(found)


def item_problems(items: tuple[str, ...], resource: Resource) -> Iterator[Problem]:
    """Yield what is wrong with the items that are asked for or given."""
    if not items:
        yield Problem("ITEMS_MISSING", "items", "no item is named", "name each item that the duty needs")
    known = {item.name for item in resource.items}
    for name in sorted(set(items)):
        if name not in known:
            remedy = f"use items of the entry: {', '.join(sorted(known))}"
            yield Problem("ITEM_UNKNOWN", "items", f"{resource.id} has no item {name}", remedy)
        if items.count(name) > 1:
            yield Problem("ITEM_DOUBLED", "items", f"{name} is named twice", "name each item once")


def row_problems(rows: tuple[RowFilter, ...], resource: Resource) -> Iterator[Problem]:
    """Yield what is wrong with a row scope."""
    named = [row.item for row in rows]
    for name in sorted(set(named)):
        if name not in resource.scope_items:
            allowed = ", ".join(resource.scope_items) or "none: this entry is given with all its rows"
            what = f"{name} is not a scope item of {resource.id}"
            yield Problem("ROWS_NOT_SCOPED", "rows", what, f"use scope items: {allowed}")
        if named.count(name) > 1:
            what, remedy = f"{name} is limited twice", "name all its values in one filter"
            yield Problem("ROWS_DOUBLED", "rows", what, remedy)


def _purpose_problems(application: Application) -> Iterator[Problem]:
    if len(application.scenario.strip()) < _SHORTEST_SCENARIO:
        remedy = "say in which work the data is used, and for what"
        yield Problem("SCENARIO_MISSING", "scenario", "the scenario of use is not described", remedy)
    if len(application.basis.document.strip()) < 2:
        remedy = "name the law, regulation or list of duties"
        yield Problem("BASIS_DOCUMENT_MISSING", "basis.document", "no document gives the duty", remedy)
    if not application.basis.article.strip():
        remedy = "name the article that gives the duty"
        yield Problem("BASIS_ARTICLE_MISSING", "basis.article", "the document's article is missing", remedy)


def _day_problems(application: Application, today: date) -> Iterator[Problem]:
    if application.end < application.start:
        what = f"the last day {application.end} is before the first day {application.start}"
        yield Problem("DAYS_REVERSED", "end", what, "choose a last day on or after the first one")
    elif application.end < today:
        yield Problem(
            "DAYS_PAST", "end", f"the last day {application.end} is over", "choose a later last day"
        )


def mode_problems(application: Application) -> Iterator[Problem]:
    """Yield why a mode of delivery cannot be had: nothing would be delivered, and nobody would notice."""
    if application.mode not in SERVED:
        what = f"there is no way yet to serve data by {application.mode.value}"
        remedy = "choose a subscription, or a batch where nothing smaller serves"
        yield Problem("MODE_NOT_SERVED", "mode", what, remedy)


def _mode_problems(application: Application, rules: CaseRules) -> Iterator[Problem]:
    yield from mode_problems(application)
    needed = application.mode is DeliveryMode.BATCH and rules.batch is Batch.LAST_RESORT
    if needed and not application.batch_justification.strip():
        what = "batch delivery is the last resort and is not justified"
        remedy = "say why neither query nor verification could serve, or choose a subscription"
        yield Problem("BATCH_NOT_JUSTIFIED", "batch_justification", what, remedy)


def _entry_problems(application: Application, resource: Resource) -> Iterator[Problem]:
    if resource.id != application.resource:
        what = f"the entry is {resource.id}, the application names {application.resource}"
        yield Problem("RESOURCE_OTHER", "resource", what, "choose the entry again")
    if str(application.applicant) == resource.provider:
        what = f"{application.applicant} is the provider of {resource.id}"
        yield Problem("APPLICANT_PROVIDES", "applicant", what, "use the department's own data")
    if resource.share_type is ShareType.NOT_SHARED:
        what = f"{resource.id} is not shared: {resource.share_basis}"
        yield Problem("NOT_SHARED", "resource", what, "appeal if the data is really needed")


def _commitment_problems(application: Application, resource: Resource, rules: CaseRules) -> Iterator[Problem]:
    free = resource.share_type is ShareType.UNCONDITIONAL
    if free and rules.unconditional is Unconditional.AUTO:
        return
    if not application.committed:
        remedy = "read the commitment letter and acknowledge it"
        yield Problem("COMMITMENT_MISSING", "committed", "the commitment is not acknowledged", remedy)
    if free and not application.filing.strip():
        what, remedy = "the filing form is missing", "file the form and give its number"
        yield Problem("FILING_MISSING", "filing", what, remedy)
