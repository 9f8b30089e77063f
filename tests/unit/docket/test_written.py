"""What was written of a case is read back to the same values, now and by later versions."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.control.cases.words import Action, State
from services.control.catalogue.vocabulary import Grade
from services.control.docket.written import (
    UnknownForm,
    approval_document,
    approval_of,
    event_document,
    event_of,
    opening_document,
    opening_of,
)
from tests.support.sharing_cases import DECIDER, IN_STATE, PART, RULES, deciding, draft, taken

# One event as it stands in databases since the first version: never change it, read it for ever.
WRITTEN = {
    "form": 1,
    "number": 3,
    "action": "approve_in_part",
    "who": {"person": "Wang", "role": "provider", "department": "police"},
    "when": "2026-03-02T01:00:00+00:00",
    "text": "said in words",
    "approval": {
        "items": ["name", "household_district"],
        "start": "2026-04-01",
        "end": "2026-12-31",
        "rows": [{"item": "household_district", "values": ["320508"]}],
        "masks": [["name", {"kind": "partial", "keep_first": 1, "keep_last": 0}]],
    },
}


@pytest.mark.parametrize("state", State)
def test_every_event_and_opening_comes_back_as_it_was(state: State) -> None:
    case = IN_STATE[state]()
    assert opening_of(opening_document(case.opening)) == case.opening
    for event in case.events:
        assert event_of(event_document(event)) == event


def test_an_event_of_the_first_form_is_written_and_read_as_ever() -> None:
    event = taken(deciding(draft()), Action.APPROVE_IN_PART, DECIDER, approval=PART).events[-1]
    assert event_document(event) == WRITTEN
    assert event_of(WRITTEN) == event


def test_what_a_newer_program_wrote_is_not_guessed_at() -> None:
    with pytest.raises(UnknownForm):
        event_of({**WRITTEN, "form": 2})
    with pytest.raises(UnknownForm):
        opening_of({**opening_document(draft().opening), "form": None})


def test_times_are_kept_in_utc_whatever_their_zone() -> None:
    event = event_of(WRITTEN)
    moved = replace(event, when=event.when.astimezone())
    assert event_document(moved)["when"] == WRITTEN["when"]
    assert event.when == datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.mark.requirement("A3-11")
def test_what_grades_ask_for_is_written_only_where_a_pack_says_something() -> None:
    plain = opening_document(draft().opening)
    assert {"masked_from", "checked_from"} & set(plain["rules"]) == set()
    rules = replace(RULES, masked_from=Grade.IMPORTANT, checked_from=Grade.CORE)
    opening = draft(rules).opening
    assert opening_of(opening_document(opening)) == opening
    whole = replace(PART, masks=(), whole=(("name", "核对本人姓名"),))
    assert approval_of(approval_document(whole)) == whole
    assert "whole" not in approval_document(PART)
    case = deciding(draft(replace(rules, checked_from=None), items=("name",), rows=()))
    given = taken(case, Action.APPROVE, DECIDER, grades={"name": Grade.IMPORTANT}, whole=whole.whole)
    assert event_of(event_document(given.events[-1])) == given.events[-1]
