"""What an approver sees: what is applied for, what is held already, and what both reveal together."""

from dataclasses import replace
from typing import Any

import pytest

from services.control.cases.case import Case
from services.control.cases.context import context_of
from services.control.cases.words import Action, State
from tests.support.sharing_cases import (
    BUREAU,
    CONSUMER,
    DECIDER,
    ENROLMENT,
    ENTERPRISE,
    PART,
    PERSON,
    SYSTEM,
    active,
    application,
    deciding,
    draft,
    entry,
    taken,
)

ENTRIES = {each: entry(each) for each in (PERSON, ENROLMENT, ENTERPRISE)}


def wanted() -> Case:
    return draft(wanted=application(resource=ENROLMENT, items=("id_number", "monthly_base"), rows=()))


def names(items: Any) -> list[tuple[str, str]]:
    return [(item.resource, item.name) for item in items]


@pytest.mark.requirement("A8-06")
def test_the_approver_sees_what_all_of_it_reveals_together() -> None:
    held = active(draft(id_="held"))
    found = context_of(wanted(), [held, wanted()], ENTRIES)
    assert names(found.items) == [(ENROLMENT, "id_number"), (ENROLMENT, "monthly_base")]
    assert [each.case for each in found.held] == ["held"]
    assert names(found.combination.items) == [
        (PERSON, "id_number"),
        (PERSON, "name"),
        (PERSON, "birth_date"),
        (PERSON, "household_district"),
        (ENROLMENT, "id_number"),
        (ENROLMENT, "monthly_base"),
    ]
    assert names(found.combination.added) == names(found.items)
    assert (PERSON, "household_district") not in names(found.combination.sensitive)
    assert found.combination.joined_by_number


def test_records_cannot_be_joined_by_a_number_that_is_not_shown() -> None:
    part = taken(deciding(draft(id_="part")), Action.APPROVE_IN_PART, DECIDER, approval=PART)
    part = taken(part, Action.PROVISION, SYSTEM)
    combination = context_of(wanted(), [part], ENTRIES).combination
    assert not combination.joined_by_number
    assert [item.mask for item in combination.items if item.name == "name"] == ["partial"]
    assert (PERSON, "name") not in names(combination.sensitive)


def test_an_item_held_masked_and_applied_for_in_full_counts_as_new() -> None:
    part = taken(deciding(draft(id_="part")), Action.APPROVE_IN_PART, DECIDER, approval=PART)
    part = taken(part, Action.PROVISION, SYSTEM)
    full = draft(items=("name",))
    assert names(context_of(full, [part], ENTRIES).combination.added) == [(PERSON, "name")]


def test_only_cases_of_the_applicant_that_hold_data_count() -> None:
    held = active(draft(id_="held"))
    suspended = taken(held, Action.SUSPEND, BUREAU)
    ended = taken(held, Action.TERMINATE, CONSUMER)
    stranger = replace(
        held, opening=replace(held.opening, application=application(applicant="tax"), id="other")
    )
    assert [context_of(wanted(), [each], ENTRIES).held != () for each in (suspended, ended, stranger)] == [
        True,
        False,
        False,
    ]
    assert suspended.state is State.SUSPENDED


def test_other_kinds_of_identity_are_listed_and_not_combined() -> None:
    held = active(draft(id_="held"))
    about = draft(wanted=application(resource=ENTERPRISE, items=("name",), rows=()))
    found = context_of(about, [held], ENTRIES)
    assert len(found.held) == 1
    assert names(found.combination.items) == [(ENTERPRISE, "name")]


def test_a_case_about_an_entry_that_is_gone_is_named() -> None:
    found = context_of(wanted(), [active(draft(id_="held"))], {ENROLMENT: entry(ENROLMENT)})
    assert (found.held, found.unknown) == ((), ("held",))
