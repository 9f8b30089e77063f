"""What keeps an application from being submitted: everything at once, each with its field and remedy."""

from datetime import date
from typing import Any

import pytest

from services.control.cases.application import DutyBasis, application_problems
from services.control.cases.words import Batch, CaseRules, DeliveryMode, Unconditional
from tests.support.sharing_cases import application, entry
from topics.grants.declaration import RowFilter
from topics.resource import ShareType

TODAY = date(2026, 3, 2)


def problems(
    rules: CaseRules | None = None, share: ShareType = ShareType.CONDITIONAL, **changes: Any
) -> list[str]:
    resource = entry(share_type=share)
    found = application_problems(application(**changes), resource, rules or CaseRules(), TODAY)
    return [problem.code for problem in found]


def district(*values: str) -> RowFilter:
    return RowFilter(item="household_district", values=values)


@pytest.mark.requirement("A6-01")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"scenario": "   x  "}, "SCENARIO_MISSING"),
        ({"basis": DutyBasis("", "第三条")}, "BASIS_DOCUMENT_MISSING"),
        ({"basis": DutyBasis("《统计法》", " ")}, "BASIS_ARTICLE_MISSING"),
        ({"items": ()}, "ITEMS_MISSING"),
        ({"items": ("name", "blood_group")}, "ITEM_UNKNOWN"),
        ({"items": ("name", "name")}, "ITEM_DOUBLED"),
        ({"rows": (RowFilter(item="name", values=("王",)),)}, "ROWS_NOT_SCOPED"),
        ({"rows": (district("320508"), district("320505"))}, "ROWS_DOUBLED"),
        ({"start": date(2027, 3, 10)}, "DAYS_REVERSED"),
        ({"start": date(2026, 1, 1), "end": date(2026, 3, 1)}, "DAYS_PAST"),
        ({"committed": False}, "COMMITMENT_MISSING"),
        ({"applicant": "police"}, "APPLICANT_PROVIDES"),
        ({"resource": "legal.enterprise.v1"}, "RESOURCE_OTHER"),
    ],
)
def test_each_gap_of_an_application_is_named(changes: dict[str, Any], code: str) -> None:
    assert problems(**changes) == [code]


def test_a_complete_application_has_no_problem_up_to_its_last_day() -> None:
    assert problems() == []
    assert problems(start=TODAY, end=TODAY) == []


def test_all_problems_are_said_at_once_with_field_and_remedy() -> None:
    bad = application(scenario="", items=("nothing",), committed=False)
    found = application_problems(bad, entry(), CaseRules(), TODAY)
    assert [problem.field for problem in found] == ["scenario", "items", "committed"]
    assert all(problem.what and problem.remedy for problem in found)


@pytest.mark.requirement("A7-04")
@pytest.mark.parametrize(
    ("mode", "why", "batch", "expected"),
    [
        (DeliveryMode.BATCH, "", Batch.LAST_RESORT, ["BATCH_NOT_JUSTIFIED"]),
        (DeliveryMode.BATCH, " ", Batch.LAST_RESORT, ["BATCH_NOT_JUSTIFIED"]),
        (DeliveryMode.BATCH, "年度普查须离线比对全量", Batch.LAST_RESORT, []),
        (DeliveryMode.BATCH, "", Batch.ALLOWED, []),
        (DeliveryMode.SUBSCRIBE, "", Batch.LAST_RESORT, []),
    ],
)
def test_batch_says_why_nothing_smaller_can_serve(
    mode: DeliveryMode, why: str, batch: Batch, expected: list[str]
) -> None:
    assert problems(CaseRules(batch=batch), mode=mode, batch_justification=why) == expected


@pytest.mark.parametrize("mode", [DeliveryMode.QUERY, DeliveryMode.VERIFICATION])
def test_a_mode_that_nothing_serves_is_refused_before_anybody_waits_for_it(mode: DeliveryMode) -> None:
    assert problems(CaseRules(), mode=mode) == ["MODE_NOT_SERVED"]
    [problem] = application_problems(application(mode=mode), entry(), CaseRules(), TODAY)
    assert problem.field == "mode"
    assert "subscription" in problem.remedy


@pytest.mark.parametrize(
    ("unconditional", "changes", "expected"),
    [
        (Unconditional.AUTO, {"committed": False}, []),
        (Unconditional.FILE_AND_COMMIT, {"filing": "备2026-17"}, []),
        (Unconditional.FILE_AND_COMMIT, {"filing": " "}, ["FILING_MISSING"]),
        (
            Unconditional.FILE_AND_COMMIT,
            {"committed": False},
            ["COMMITMENT_MISSING", "FILING_MISSING"],
        ),
    ],
)
def test_the_policy_pack_says_what_an_unconditional_entry_still_asks_for(
    unconditional: Unconditional, changes: dict[str, Any], expected: list[str]
) -> None:
    rules = CaseRules(unconditional=unconditional)
    assert problems(rules, ShareType.UNCONDITIONAL, **changes) == expected


def test_an_entry_that_is_not_shared_or_not_there_is_said_with_the_way_out() -> None:
    assert problems(share=ShareType.NOT_SHARED) == ["NOT_SHARED"]
    found = application_problems(application(), None, CaseRules(), TODAY)
    assert [problem.code for problem in found] == ["RESOURCE_UNKNOWN"]
