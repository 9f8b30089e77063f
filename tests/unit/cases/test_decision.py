"""An approval is never wider than its application, and one in part gives less; so is the grant made of it."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from services.control.cases import application as rules_of_applications
from services.control.cases.decision import Approval, as_applied, rows_within
from services.control.cases.granting import DELIVERING, excess_problems, grant_of
from services.control.cases.words import Action, DeliveryMode, State
from tests.support.sharing_cases import (
    CONSUMER,
    DECIDER,
    IN_STATE,
    PART,
    PERSON,
    SYSTEM,
    application,
    codes,
    deciding,
    draft,
    entry,
    provisioning,
    taken,
)
from topics.grants.declaration import GrantState, HashMask, RowFilter, YearMask
from topics.grants.rows import compile_rows
from topics.resource import ShareType


def district(*values: str) -> RowFilter:
    return RowFilter(item="household_district", values=values)


def in_part(**changes: Any) -> list[str]:
    return codes(deciding(draft()), Action.APPROVE_IN_PART, DECIDER, approval=replace(PART, **changes))


@pytest.mark.requirement("A3-08", "A3-09")
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"items": ("name", "address")}, ["ITEMS_WIDER"]),
        ({"items": ()}, ["ITEMS_MISSING", "MASK_WITHOUT_ITEM"]),
        ({"items": ("name", "name")}, ["ITEM_DOUBLED"]),
        ({"rows": ()}, ["ROWS_WIDER"]),
        ({"rows": (district("320508", "320505"),)}, []),
        ({"rows": (district("320508", "320509"),)}, ["ROWS_WIDER"]),
        ({"rows": (district("320508"), district("320505"))}, ["NOTHING_LEFT", "ROWS_DOUBLED"]),
        ({"rows": (district("320508"), RowFilter(item="sex", values=("1",)))}, ["ROWS_NOT_SCOPED"]),
        ({"start": date(2026, 3, 10)}, []),
        ({"start": date(2026, 3, 9)}, ["DAYS_WIDER"]),
        ({"end": date(2027, 3, 9)}, []),
        ({"end": date(2027, 3, 10)}, ["DAYS_WIDER"]),
        ({"start": date(2026, 12, 31), "end": date(2026, 4, 1)}, ["NOTHING_LEFT"]),
        ({"masks": (("birth_date", YearMask()),)}, ["MASK_WITHOUT_ITEM"]),
        ({"masks": (("name", HashMask()), ("name", YearMask()))}, ["MASK_DOUBLED", "MASK_DOUBLED"]),
        ({"items": ("birth_date",), "masks": (("birth_date", HashMask()),)}, ["MASK_UNFIT"]),
        ({"items": ("birth_date",), "masks": (("birth_date", YearMask()),)}, []),
    ],
)
def test_an_approval_in_part_stays_inside_the_application_and_the_entry(
    changes: dict[str, Any], expected: list[str]
) -> None:
    assert in_part(**changes) == expected


def test_an_approval_in_part_that_gives_all_is_no_part() -> None:
    case = deciding(draft())
    full = as_applied(case.application)
    reordered = replace(full, items=tuple(reversed(full.items)))
    assert codes(case, Action.APPROVE_IN_PART, DECIDER, approval=full) == ["NOT_NARROWER"]
    assert codes(case, Action.APPROVE_IN_PART, DECIDER, approval=reordered) == ["NOT_NARROWER"]
    masked = replace(full, masks=(("name", HashMask()),))
    assert codes(case, Action.APPROVE_IN_PART, DECIDER, approval=masked) == []


def test_nothing_is_approved_of_an_entry_that_is_not_shared() -> None:
    closed = entry(share_type=ShareType.NOT_SHARED)
    assert codes(deciding(draft()), Action.APPROVE, DECIDER, resource=closed) == ["NOT_SHARED"]


VALUES = ("1", "2", "3")
FILTERS = st.lists(
    st.builds(
        lambda item, values: RowFilter(item=item, values=tuple(sorted(values))),
        st.sampled_from(("a", "b")),
        st.sets(st.sampled_from(VALUES), min_size=1),
    ),
    max_size=3,
).map(tuple)


@drawn(inner=FILTERS, outer=FILTERS)
def test_rows_lie_within_others_only_if_every_record_that_they_let_through_does(
    inner: tuple[RowFilter, ...], outer: tuple[RowFilter, ...]
) -> None:
    if rows_within(inner, outer):
        for scope in ({"a": first, "b": second} for first in (*VALUES, None) for second in (*VALUES, None)):
            assert not compile_rows(inner).matches(scope) or compile_rows(outer).matches(scope)


def part_in_provision() -> Any:
    return taken(taken(deciding(draft()), Action.APPROVE_IN_PART, DECIDER), Action.PROVISION, SYSTEM)


@pytest.mark.requirement("A6-05")
def test_the_grant_is_what_was_decided() -> None:
    case = part_in_provision()
    grant = grant_of(case, entry())
    assert grant is not None
    assert (grant.id, grant.consumer, grant.resource) == ("case-1-grant", "health", PERSON)
    assert (grant.items, grant.rows, grant.masks) == (PART.items, PART.rows, dict(PART.masks))
    assert (grant.valid_from, grant.valid_until, grant.state) == (PART.start, PART.end, GrantState.FILLING)
    assert grant.purpose == "家庭医生签约服务"
    assert grant.legal_basis == "《基本医疗卫生与健康促进法》 第三十一条"


@pytest.mark.requirement("A8-05", "A6-05")
@pytest.mark.parametrize("state", State)
def test_only_a_case_that_is_provisioned_or_active_has_a_grant(state: State) -> None:
    grant = grant_of(IN_STATE[state](), entry())
    assert (None if grant is None else grant.state) == DELIVERING.get(state)
    assert set(DELIVERING) == {State.PROVISIONING, State.ACTIVE}


@pytest.mark.parametrize("mode", [DeliveryMode.QUERY, DeliveryMode.VERIFICATION])
def test_what_is_asked_for_query_by_query_is_not_pushed(
    mode: DeliveryMode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A case from before such applications were refused."""
    monkeypatch.setattr(rules_of_applications, "SERVED", frozenset(DeliveryMode))
    assert grant_of(provisioning(draft(mode=mode)), entry()) is None


@pytest.mark.parametrize("action", [Action.APPROVE, Action.APPROVE_IN_PART])
@pytest.mark.parametrize("mode", [DeliveryMode.QUERY, DeliveryMode.VERIFICATION])
def test_what_nothing_would_come_of_is_not_approved_and_can_be_returned(
    mode: DeliveryMode, action: Action, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(rules_of_applications, "SERVED", frozenset(DeliveryMode))
        case = deciding(draft(mode=mode))
    assert codes(case, action, DECIDER) == ["MODE_NOT_SERVED"]
    returned = taken(case, Action.RETURN, DECIDER)
    same, other = application(mode=mode), application()
    assert codes(returned, Action.SUPPLEMENT, CONSUMER, application=same) == ["MODE_NOT_SERVED"]
    again = taken(returned, Action.SUPPLEMENT, CONSUMER, application=other)
    assert taken(taken(again, Action.REQUEST_DECISION, SYSTEM), action, DECIDER).state is State.APPROVED


@pytest.mark.requirement("A7-03")
@pytest.mark.parametrize("mode", [DeliveryMode.SUBSCRIBE, DeliveryMode.BATCH])
def test_a_batch_is_a_grant_that_is_handed_out_once(mode: DeliveryMode) -> None:
    case = provisioning(draft(mode=mode, batch_justification="年度普查须离线比对全量"))
    grant = grant_of(case, entry())
    assert grant is not None
    assert grant.once is (mode is DeliveryMode.BATCH)
    goes_on = grant.model_copy(update={"once": False})
    found = [problem.code for problem in excess_problems(goes_on, case, entry())]
    assert found == (["BEYOND_DECISION"] if mode is DeliveryMode.BATCH else [])


@pytest.mark.parametrize(
    "changed",
    [
        {"share_type": ShareType.NOT_SHARED},
        {"scope_items": ()},
        {"items": tuple(item for item in entry().items if item.name != "name")},
        {"version": 2},
    ],
)
def test_no_grant_stands_beyond_the_entry_as_it_is_now(changed: dict[str, Any]) -> None:
    assert grant_of(part_in_provision(), entry(**changed)) is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"consumer": "tax"}, ["GRANT_OTHER"]),
        ({"items": (*PART.items, "birth_date")}, ["BEYOND_DECISION"]),
        ({"items": (*PART.items, "address")}, ["ITEMS_WIDER", "BEYOND_DECISION"]),
        ({"masks": {}}, ["BEYOND_DECISION"]),
        ({"rows": (district("320505"),)}, ["BEYOND_DECISION"]),
        ({"rows": ()}, ["ROWS_WIDER", "BEYOND_DECISION"]),
        ({"valid_until": date(2027, 1, 1)}, ["BEYOND_DECISION"]),
    ],
)
@pytest.mark.requirement("A6-05", "A8-01")
def test_a_grant_beyond_its_decision_is_told(changes: dict[str, Any], expected: list[str]) -> None:
    case = part_in_provision()
    grant = grant_of(case, entry())
    assert grant is not None
    found = excess_problems(grant.model_copy(update=changes), case, entry())
    assert [problem.code for problem in found] == expected


def test_without_an_approval_any_grant_is_too_much() -> None:
    grant = grant_of(part_in_provision(), entry())
    assert grant is not None
    assert [each.code for each in excess_problems(grant, deciding(draft()), entry())] == ["NOT_APPROVED"]


def test_an_approval_as_applied_gives_exactly_the_application() -> None:
    case = taken(deciding(draft()), Action.APPROVE, DECIDER)
    wanted = application()
    assert case.approval == Approval(wanted.items, wanted.start, wanted.end, wanted.rows)
