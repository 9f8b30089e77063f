"""What may be said on a case has its bounds, each tried on both sides."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from services.control.cases.application import DutyBasis
from services.control.cases.bounds import (
    LONGEST_AHEAD,
    LONGEST_BACK,
    LONGEST_NAME,
    LONGEST_TEXT,
    MOST_NAMES,
    application_bounds,
)
from services.control.cases.decision import Approval
from services.control.cases.words import Action
from tests.support.sharing_cases import BUREAU, CONSUMER, DECIDER, PART, application, codes, deciding, draft
from topics.grants.declaration import RowFilter

TODAY = date(2026, 3, 2)
ONE = timedelta(days=1)


def _part(end: date) -> Approval:
    return replace(PART, end=end)


def problems(**changes: Any) -> list[tuple[str, str]]:
    return [(each.code, each.field) for each in application_bounds(application(**changes), TODAY)]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"scenario": "事" * LONGEST_TEXT}, []),
        ({"scenario": "事" * (LONGEST_TEXT + 1)}, [("TOO_LONG", "scenario")]),
        ({"scenario": "一\n二\r\n\t三"}, []),
        ({"scenario": "一\0二"}, [("CONTROL_CHARACTERS", "scenario")]),
        ({"scenario": "一\x1b[2J"}, [("CONTROL_CHARACTERS", "scenario")]),
        ({"scenario": "一\ud800"}, [("CONTROL_CHARACTERS", "scenario")]),
        ({"batch_justification": "x" * (LONGEST_TEXT + 1)}, [("TOO_LONG", "batch_justification")]),
        ({"basis": DutyBasis("法" * LONGEST_NAME, "第一条")}, []),
        ({"basis": DutyBasis("法" * (LONGEST_NAME + 1), "第一条")}, [("TOO_LONG", "basis.document")]),
        ({"basis": DutyBasis("《统计法》", "第一\n条")}, [("CONTROL_CHARACTERS", "basis.article")]),
        ({"filing": "\x7f"}, [("CONTROL_CHARACTERS", "filing")]),
        ({"items": ("x",) * MOST_NAMES}, []),
        ({"items": ("x",) * (MOST_NAMES + 1)}, [("TOO_MANY", "items")]),
        ({"items": ("x" * 501, "y" * 501)}, [("TOO_LONG", "items")]),
        ({"rows": (RowFilter(item="name", values=("a\x00",)),)}, [("CONTROL_CHARACTERS", "rows")]),
        ({"start": TODAY - LONGEST_BACK}, []),
        ({"start": TODAY - LONGEST_BACK - ONE}, [("DAYS_TOO_EARLY", "start")]),
        ({"end": TODAY + LONGEST_AHEAD}, []),
        ({"end": TODAY + LONGEST_AHEAD + ONE}, [("DAYS_TOO_LATE", "end")]),
        (
            {"start": date.min, "end": date.max},
            [("DAYS_TOO_EARLY", "start"), ("DAYS_TOO_LATE", "end")],
        ),
    ],
)
def test_an_application_has_bounds(changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert problems(**changes) == expected


def test_a_draft_is_neither_changed_nor_sent_beyond_them() -> None:
    wide = application(end=date.max, scenario="x" * 20_000_000)
    assert codes(draft(), Action.EDIT, CONSUMER, application=wide) == ["TOO_LONG", "DAYS_TOO_LATE"]
    assert codes(draft(wanted=wide), Action.SUBMIT, CONSUMER) == ["TOO_LONG", "DAYS_TOO_LATE"]


def test_what_was_applied_for_before_there_were_bounds_is_not_approved_beyond_them() -> None:
    old = deciding(draft())
    wide = codes(old, Action.APPROVE_IN_PART, DECIDER, approval=_part(date.max))
    assert "DAYS_TOO_LATE" in wide
    assert codes(old, Action.APPROVE_IN_PART, DECIDER, approval=_part(date(2026, 12, 31))) == []


@pytest.mark.parametrize("said", ["x" * (LONGEST_TEXT + 1), "x\0"])
def test_what_is_said_with_an_action_has_the_same_bounds(said: str) -> None:
    case = deciding(draft())
    assert codes(case, Action.RETURN, DECIDER, text=said) in (["TOO_LONG"], ["CONTROL_CHARACTERS"])
    assert codes(case, Action.REFUSE, DECIDER, acceptable_if=said) in (["TOO_LONG"], ["CONTROL_CHARACTERS"])
    assert codes(case, Action.COMPLAIN, BUREAU, text="x" * LONGEST_TEXT) == []
