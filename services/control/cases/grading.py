"""What the grades of items ask of a decision: to mask or say why not, to be checked first (A3-11)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from services.control.cases.bounds import text_problems
from services.control.cases.case import Case
from services.control.cases.decision import Approval
from services.control.cases.words import Action, CaseRules, Problem
from services.control.catalogue.vocabulary import Grade
from topics.resource import Resource, ShareType

Grades = Mapping[str, Grade]
"""The grade of each item, by its name; an item that is not in it has none."""
UNGRADED: Final[Grades] = MappingProxyType({})
"""Nothing is known of grades: where a pack counts by them, every item counts as one of the highest."""
_ORDER: Final = tuple(Grade)
_SHORTEST_WHY: Final = 4
_HANDED_IN: Final = frozenset({Action.SUBMIT, Action.SUPPLEMENT})


@dataclass(frozen=True, slots=True)
class GradedItem:
    """An item that is applied for, and what its grade asks of the decision."""

    name: str
    grade: Grade | None
    masked_only: bool
    """It goes out masked, unless the decision says why the duty needs its whole value."""
    checked_first: bool
    """The authority checks the application before it is decided."""


def reaches(grade: Grade | None, threshold: Grade | None) -> bool:
    """Whether a rule that counts from a grade on is about an item.

    Args:
        grade: of the item; one that nobody has graded counts as one of the highest grade.
        threshold: from which grade on the rule counts; None where no pack says one.
    """
    if threshold is None:
        return False
    return grade is None or _ORDER.index(grade) >= _ORDER.index(threshold)


def graded_items(items: Iterable[str], rules: CaseRules, grades: Grades) -> tuple[GradedItem, ...]:
    """What the packs ask because of grades, item by item; nothing where no pack says a grade."""
    if rules.masked_from is None and rules.checked_from is None:
        return ()
    return tuple(
        GradedItem(
            name,
            grades.get(name),
            reaches(grades.get(name), rules.masked_from),
            reaches(grades.get(name), rules.checked_from),
        )
        for name in items
    )


def passes_by_itself(case: Case, resource: Resource, grades: Grades) -> bool:
    """Whether an application needs no decision: who shares unconditionally cannot mask without one."""
    asked = graded_items(case.application.items, case.opening.rules, grades)
    free = resource.share_type is ShareType.UNCONDITIONAL
    return free and not any(each.masked_only or each.checked_first for each in asked)


def needs_check(case: Case, grades: Grades) -> bool:
    """Whether the authority checks an application before it is decided."""
    return case.opening.rules.precheck or _checked_for_grade(case, grades)


def check_problems(case: Case, grades: Grades) -> Iterator[Problem]:
    """Yield that what is to be checked because of its grade was not, since it was handed in last."""
    if _checked_for_grade(case, grades) and not _was_accepted(case):
        what = "its items are to be checked by the authority first, because of their grade"
        remedy = "return it: once it is supplemented the authority checks it"
        yield Problem("GRADE_UNCHECKED", "state", what, remedy)


def unmasked(approval: Approval, rules: CaseRules, grades: Grades) -> tuple[str, ...]:
    """The items that would go out whole though their grade forbids it, and nothing is said for them."""
    spared = {name for name, _ in approval.masks} | {name for name, _ in approval.whole}
    return tuple(
        name
        for name in dict.fromkeys(approval.items)
        if name not in spared and reaches(grades.get(name), rules.masked_from)
    )


def grade_problems(approval: Approval, rules: CaseRules, grades: Grades) -> Iterator[Problem]:
    """Yield everything that keeps a decision from being taken because of grades, each at its item.

    Args:
        approval: what would be given, with the items that are said to be needed whole.
        rules: what the packs set for the case.
        grades: of the items of the entry as it stands now.
    """
    for name in unmasked(approval, rules, grades):
        yield Problem("GRADE_UNMASKED", f"masks.{name}", _graded(name, rules, grades), _remedy(name))
    whole = set(approval.items) - {name for name, _ in approval.masks}
    for name, why in approval.whole:
        field = f"whole.{name}"
        if name not in whole or not reaches(grades.get(name), rules.masked_from):
            what = f"{name} needs no reason: it is not given, or masked, or its grade asks for none"
            yield Problem("WHOLE_NEEDLESS", field, what, "leave the reason out")
        elif len(why.strip()) < _SHORTEST_WHY:
            what = f"it is not said why the duty needs the whole value of {name}"
            yield Problem("WHOLE_UNSAID", field, what, "say for which work of the stated duty, or mask it")
        else:
            yield from text_problems(field, why)


def _graded(name: str, rules: CaseRules, grades: Grades) -> str:
    grade = grades.get(name)
    said = "has no grade in the catalogue" if grade is None else f"is of grade {grade.value}"
    return f"{name} {said}; from {rules.masked_from} on an item goes out masked only"


def _remedy(name: str) -> str:
    return f"mask it, leave it out, or say under whole.{name} why the stated duty needs its whole value"


def _checked_for_grade(case: Case, grades: Grades) -> bool:
    asked = graded_items(case.application.items, case.opening.rules, grades)
    return any(each.checked_first for each in asked)


def _was_accepted(case: Case) -> bool:
    since = [event.action for event in case.events if event.action in _HANDED_IN | {Action.ACCEPT}]
    return bool(since) and since[-1] is Action.ACCEPT
