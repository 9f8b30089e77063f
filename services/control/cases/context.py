"""What an approver must see: purpose, items, what the applicant has already, what it reveals together.

Requirement A8-06: data must not be combined into something secret or sensitive. Whether it would be is for a
person to judge; this lays the combination before it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.control.cases.application import DutyBasis
from services.control.cases.case import Case
from services.control.cases.decision import as_applied
from services.control.cases.grading import UNGRADED, GradedItem, Grades, graded_items
from services.control.cases.words import DeliveryMode, State
from topics.event import ResourceId
from topics.identity.kinds import IdentityKind
from topics.resource import Resource, Titles

HOLDING: Final = frozenset({State.PROVISIONING, State.ACTIVE, State.SUSPENDED})
"""A suspended case still holds: what was delivered before is with the department."""


@dataclass(frozen=True, slots=True)
class RevealedItem:
    """One item of one resource, as a department has it or would have it."""

    resource: ResourceId
    name: str
    titles: Titles
    sensitive: bool
    mask: str | None = None
    """The kind of the mask, or None where the value is shown in full."""


@dataclass(frozen=True, slots=True)
class HeldCase:
    """A case of the same applicant under which it holds data already."""

    case: str
    resource: ResourceId
    scenario: str
    items: tuple[RevealedItem, ...]
    until: date


@dataclass(frozen=True, slots=True)
class Combination:
    """All that the applicant would have about bearers of one kind of identity."""

    kind: IdentityKind
    items: tuple[RevealedItem, ...]
    added: tuple[RevealedItem, ...]
    """What only this application brings."""
    joined_by_number: bool
    """Whether two of the resources or more show the number itself, so that records can be joined by it."""

    @property
    def sensitive(self) -> tuple[RevealedItem, ...]:
        """The sensitive items that are shown in full."""
        return tuple(item for item in self.items if item.sensitive and item.mask is None)


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that an approver sees before deciding."""

    scenario: str
    basis: DutyBasis
    mode: DeliveryMode
    batch_justification: str
    start: date
    end: date
    items: tuple[RevealedItem, ...]
    held: tuple[HeldCase, ...]
    unknown: tuple[str, ...]
    """Cases under which something is held of an entry that is not in the catalogue any more."""
    combination: Combination
    graded: tuple[GradedItem, ...]
    """What the packs ask for because of the grades of the items; nothing where they ask for nothing."""


def context_of(
    case: Case, cases: Iterable[Case], resources: Mapping[ResourceId, Resource], grades: Grades = UNGRADED
) -> Context:
    """What the approver of a case sees.

    Args:
        case: the case to be decided.
        cases: cases of any department and state; those that do not matter are left out.
        resources: the catalogue's entries, the one that is applied for among them.
        grades: of the items of the one that is applied for.

    Raises:
        KeyError: the entry that is applied for is not among the resources.
    """
    application = case.application
    own = [each for each in cases if _holds(each, case)]
    wanted = revealed(case, resources[application.resource])
    return Context(
        scenario=application.scenario,
        basis=application.basis,
        mode=application.mode,
        batch_justification=application.batch_justification,
        start=application.start,
        end=application.end,
        items=wanted,
        held=tuple(_held(each, resources) for each in own if each.application.resource in resources),
        unknown=tuple(each.opening.id for each in own if each.application.resource not in resources),
        combination=_combined(case, own, resources),
        graded=graded_items(application.items, case.opening.rules, grades),
    )


def revealed(case: Case, resource: Resource) -> tuple[RevealedItem, ...]:
    """What a case gives, or would give where nothing is approved yet."""
    given = case.approval or as_applied(case.application)
    masks = {name: mask.kind for name, mask in given.masks}
    return tuple(
        RevealedItem(resource.id, item.name, item.titles, item.sensitive, masks.get(item.name))
        for item in resource.items
        if item.name in given.items
    )


def _holds(other: Case, case: Case) -> bool:
    return (
        other.opening.id != case.opening.id
        and other.opening.applicant == case.opening.applicant
        and other.state in HOLDING
    )


def _held(case: Case, resources: Mapping[ResourceId, Resource]) -> HeldCase:
    resource = resources[case.application.resource]
    until = case.approval.end if case.approval else case.application.end
    scenario = case.application.scenario
    return HeldCase(case.opening.id, resource.id, scenario, revealed(case, resource), until)


def _combined(case: Case, own: Iterable[Case], resources: Mapping[ResourceId, Resource]) -> Combination:
    kind = resources[case.application.resource].identity.kind
    had: dict[tuple[ResourceId, str], RevealedItem] = {}
    for each in own:
        resource = resources.get(each.application.resource)
        if resource is not None and resource.identity.kind is kind:
            _add(had, revealed(each, resource))
    together = dict(had)
    _add(together, revealed(case, resources[case.application.resource]))
    added = tuple(item for key, item in together.items() if had.get(key) != item)
    return Combination(kind, tuple(together.values()), added, _joins(together, resources))


def _add(found: dict[tuple[ResourceId, str], RevealedItem], items: Iterable[RevealedItem]) -> None:
    """The more revealing of two views of one item stays: in full over masked."""
    for item in items:
        known = found.get((item.resource, item.name))
        if known is None or (known.mask is not None and item.mask is None):
            found[item.resource, item.name] = item


def _joins(
    items: Mapping[tuple[ResourceId, str], RevealedItem], resources: Mapping[ResourceId, Resource]
) -> bool:
    with_number = {
        resource
        for (resource, name), item in items.items()
        if name == resources[resource].identity.item and item.mask is None
    }
    return len(with_number) > 1
