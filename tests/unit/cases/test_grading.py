"""From a grade on, which the packs say, an item goes out masked or with a reason, and is checked first."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from services.control.cases.case import Case
from services.control.cases.context import context_of
from services.control.cases.decision import Approval, as_applied
from services.control.cases.grading import (
    GradedItem,
    Grades,
    grade_problems,
    graded_items,
    reaches,
    unmasked,
)
from services.control.cases.granting import grant_of, missing_problems
from services.control.cases.life import apply
from services.control.cases.words import Action, CaseRules, State
from services.control.catalogue.vocabulary import Grade
from services.control.desk.following import next_action
from tests.support.sharing_cases import (
    BUREAU,
    CONSUMER,
    DECIDER,
    PART,
    PERSON,
    RULES,
    SYSTEM,
    codes,
    draft,
    entry,
    given,
    taken,
)
from topics.grants.declaration import DropMask, HashMask
from topics.resource import ShareType

LOW, MIDDLE, HIGH = Grade
GRADES: Grades = {
    "id_number": HIGH,
    "name": MIDDLE,
    "birth_date": MIDDLE,
    "household_district": LOW,
}
MASKED = replace(RULES, masked_from=MIDDLE)
CHECKED = replace(RULES, checked_from=HIGH)
WHY = "家庭医生签约须核对本人姓名"
FREE = entry(share_type=ShareType.UNCONDITIONAL)


def deciding(rules: CaseRules = MASKED, **changes: Any) -> Case:
    case = taken(draft(rules, **changes), Action.SUBMIT, CONSUMER, grades=GRADES)
    return taken(case, Action.REQUEST_DECISION, SYSTEM, grades=GRADES)


def fields(case: Case, action: Action, **changes: Any) -> list[tuple[str, str]]:
    after = apply(case, action, DECIDER, case.events[-1].when, given(**{"grades": GRADES, **changes}))
    return [] if isinstance(after, Case) else [(each.code, each.field) for each in after.problems]


@pytest.mark.requirement("A3-11")
@pytest.mark.parametrize(
    ("grade", "threshold", "expected"),
    [
        (LOW, MIDDLE, False),
        (MIDDLE, MIDDLE, True),
        (HIGH, MIDDLE, True),
        (HIGH, LOW, True),
        (LOW, LOW, True),
        (MIDDLE, HIGH, False),
        (None, HIGH, True),
        (None, None, False),
        (HIGH, None, False),
    ],
)
def test_a_rule_counts_from_its_grade_on_and_for_what_nobody_has_graded(
    grade: Grade | None, threshold: Grade | None, expected: bool
) -> None:
    assert reaches(grade, threshold) is expected


@pytest.mark.requirement("A3-11")
def test_an_approval_is_told_each_item_that_would_go_out_whole_at_once() -> None:
    assert fields(deciding(), Action.APPROVE) == [
        ("GRADE_UNMASKED", "masks.id_number"),
        ("GRADE_UNMASKED", "masks.name"),
        ("GRADE_UNMASKED", "masks.birth_date"),
    ]


PARTS: list[tuple[dict[str, Any], dict[str, str], list[tuple[str, str]]]] = [
    ({}, {}, []),
    ({"masks": ()}, {}, [("GRADE_UNMASKED", "masks.name")]),
    ({"masks": ()}, {"name": WHY}, []),
    ({"masks": ()}, {"name": " 要 "}, [("WHOLE_UNSAID", "whole.name")]),
    ({"masks": ()}, {"name": "x" * 4001}, [("TOO_LONG", "whole.name")]),
    ({"masks": ()}, {"name": "一\x00二三四"}, [("CONTROL_CHARACTERS", "whole.name")]),
    ({}, {"name": WHY}, [("WHOLE_NEEDLESS", "whole.name")]),
    ({}, {"household_district": WHY}, [("WHOLE_NEEDLESS", "whole.household_district")]),
    ({}, {"birth_date": WHY}, [("WHOLE_NEEDLESS", "whole.birth_date")]),
    ({"items": ("household_district",), "masks": ()}, {}, []),
    (
        {"items": ("id_number", "name"), "masks": ()},
        {"name": ""},
        [("GRADE_UNMASKED", "masks.id_number"), ("WHOLE_UNSAID", "whole.name")],
    ),
]


@pytest.mark.requirement("A3-11")
@pytest.mark.parametrize(("changes", "whole", "expected"), PARTS)
def test_a_decision_masks_leaves_out_or_says_why(
    changes: dict[str, Any], whole: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    part = replace(PART, **changes)
    found = fields(deciding(), Action.APPROVE_IN_PART, approval=part, whole=tuple(whole.items()))
    assert found == expected


@pytest.mark.requirement("A3-11")
def test_a_ruling_is_bound_by_the_grades_too() -> None:
    case = taken(deciding(), Action.ESCALATE, CONSUMER)
    bare = replace(PART, masks=())
    assert codes(case, Action.UPHOLD, BUREAU, grades=GRADES, approval=bare) == ["GRADE_UNMASKED"]
    ruled = taken(case, Action.UPHOLD, BUREAU, grades=GRADES, approval=bare, whole=(("name", f" {WHY} "),))
    assert ruled.approval == replace(bare, whole=(("name", WHY),))


@pytest.mark.requirement("A3-11")
def test_an_item_without_a_grade_counts_as_one_of_the_highest() -> None:
    rules = replace(RULES, masked_from=HIGH)
    assert fields(deciding(rules), Action.APPROVE) == [("GRADE_UNMASKED", "masks.id_number")]
    assert ("GRADE_UNMASKED", "masks.household_district") in fields(
        deciding(rules), Action.APPROVE, grades={}
    )


def test_where_no_pack_says_a_grade_nothing_is_asked_and_no_reason_is_taken() -> None:
    case = deciding(RULES)
    assert fields(case, Action.APPROVE) == []
    assert fields(case, Action.APPROVE, whole=(("name", WHY),)) == [("WHOLE_NEEDLESS", "whole.name")]
    assert graded_items(case.application.items, RULES, GRADES) == ()


def test_a_reason_is_kept_by_what_gives_something_and_by_nothing_else() -> None:
    whole = tuple((name, WHY) for name in ("id_number", "name", "birth_date"))
    approved = taken(deciding(), Action.APPROVE, DECIDER, grades=GRADES, whole=whole)
    assert approved.events[-1].whole == whole
    assert approved.approval == replace(as_applied(approved.application), whole=whole)
    assert taken(deciding(), Action.REFUSE, DECIDER, grades=GRADES, whole=whole).events[-1].whole == ()


@pytest.mark.requirement("A3-11", "A6-05")
def test_no_grant_stands_that_shows_more_than_the_grades_allow_now() -> None:
    case = taken(deciding(), Action.APPROVE_IN_PART, DECIDER, grades=GRADES, approval=PART)
    case = taken(case, Action.PROVISION, SYSTEM)
    assert grant_of(case, entry(), GRADES) is not None
    raised = {**GRADES, "household_district": MIDDLE}
    assert grant_of(case, entry(), raised) is None
    found = [(each.code, each.field) for each in missing_problems(case, entry(), raised)]
    assert found == [("GRADE_UNMASKED", "masks.household_district")]
    assert grant_of(case, entry()) is None


def test_a_grant_that_was_declared_before_there_were_cases_stays_as_it_is() -> None:
    case = taken(draft(MASKED), Action.IMPORT, SYSTEM, approval=replace(PART, masks=()))
    assert grant_of(case, entry(), GRADES) is not None


@pytest.mark.requirement("A3-11", "A6-02")
@pytest.mark.parametrize(
    ("rules", "items", "expected"),
    [
        (RULES, ("id_number", "name"), Action.ACCEPT_UNCONDITIONAL),
        (MASKED, ("household_district",), Action.ACCEPT_UNCONDITIONAL),
        (MASKED, ("household_district", "name"), Action.REQUEST_DECISION),
        (CHECKED, ("household_district", "name"), Action.ACCEPT_UNCONDITIONAL),
        (CHECKED, ("id_number",), Action.REQUEST_PRECHECK),
    ],
)
def test_what_is_free_passes_by_itself_only_where_no_grade_asks_for_more(
    rules: CaseRules, items: tuple[str, ...], expected: Action
) -> None:
    case = taken(draft(rules, items=items, rows=()), Action.SUBMIT, CONSUMER, resource=FREE, grades=GRADES)
    assert next_action(case, FREE, GRADES) is expected
    automatic = (Action.ACCEPT_UNCONDITIONAL, Action.REQUEST_DECISION, Action.REQUEST_PRECHECK)
    passing = [each for each in automatic if not codes(case, each, SYSTEM, resource=FREE, grades=GRADES)]
    assert passing == [expected]


@pytest.mark.requirement("A3-11", "A1-02")
def test_from_its_grade_on_the_authority_checks_first() -> None:
    submitted = taken(draft(CHECKED), Action.SUBMIT, CONSUMER, grades=GRADES)
    assert next_action(submitted, entry(), GRADES) is Action.REQUEST_PRECHECK
    assert codes(submitted, Action.REQUEST_DECISION, SYSTEM, grades=GRADES) == ["PRECHECK_FIRST"]
    checking = taken(submitted, Action.REQUEST_PRECHECK, SYSTEM, grades=GRADES)
    accepted = taken(checking, Action.ACCEPT, BUREAU, grades=GRADES)
    assert taken(accepted, Action.APPROVE, DECIDER, grades=GRADES).state is State.APPROVED
    lower = draft(CHECKED, items=("name",), rows=())
    assert next_action(taken(lower, Action.SUBMIT, CONSUMER, grades=GRADES), entry(), GRADES) is (
        Action.REQUEST_DECISION
    )


@pytest.mark.requirement("A3-11")
@pytest.mark.parametrize("action", [Action.APPROVE, Action.APPROVE_IN_PART])
def test_what_was_graded_higher_meanwhile_is_checked_before_it_is_given(action: Action) -> None:
    case = deciding(CHECKED, items=("name", "household_district"))
    raised = {**GRADES, "name": HIGH}
    assert codes(case, action, DECIDER, grades=raised) == ["GRADE_UNCHECKED"]
    back = taken(case, Action.RETURN, DECIDER, grades=raised)
    wanted = case.application
    again = taken(back, Action.SUPPLEMENT, CONSUMER, application=wanted, grades=raised)
    again = taken(again, Action.REQUEST_PRECHECK, SYSTEM, grades=raised)
    again = taken(again, Action.ACCEPT, BUREAU, grades=raised)
    assert codes(again, action, DECIDER, grades=raised) == []


def test_the_approver_sees_what_each_grade_asks_for() -> None:
    case = draft(replace(MASKED, checked_from=HIGH), items=("id_number", "name", "household_district"))
    found = context_of(case, [case], {PERSON: entry()}, GRADES).graded
    assert found == (
        GradedItem("id_number", HIGH, masked_only=True, checked_first=True),
        GradedItem("name", MIDDLE, masked_only=True, checked_first=False),
        GradedItem("household_district", LOW, masked_only=False, checked_first=False),
    )


NAMES = ("a", "b", "c")
SOME = st.sets(st.sampled_from(NAMES))
THRESHOLDS = st.sampled_from((None, *reversed(Grade)))
"""From saying nothing to the strictest."""
ORDER = (None, *reversed(Grade))


@pytest.mark.requirement("A3-11")
@drawn(
    grades=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(Grade)),
    masked=SOME,
    whole=SOME,
    one=THRESHOLDS,
    other=THRESHOLDS,
)
def test_a_stricter_pack_never_shows_more(
    grades: dict[str, Grade], masked: set[str], whole: set[str], one: Grade | None, other: Grade | None
) -> None:
    lax, strict = sorted((one, other), key=ORDER.index)
    approval = Approval(
        NAMES,
        date(2026, 3, 10),
        date(2027, 3, 9),
        masks=tuple((name, HashMask()) for name in sorted(masked)),
        whole=tuple((name, WHY) for name in sorted(whole)),
    )
    less, more = (replace(RULES, masked_from=each) for each in (lax, strict))
    assert set(unmasked(approval, less, grades)) <= set(unmasked(approval, more, grades))
    if not list(grade_problems(approval, more, grades)):
        shown = {name for name in NAMES if name not in masked}
        assert all(name in whole or not reaches(grades.get(name), strict) for name in shown)


def test_an_item_that_is_always_empty_is_masked_as_well() -> None:
    dropped = replace(PART, masks=(("name", DropMask()),))
    assert fields(deciding(), Action.APPROVE_IN_PART, approval=dropped) == []
