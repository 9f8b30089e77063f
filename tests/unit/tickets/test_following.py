"""What the control plane does with a ticket by itself: forward, advance, take back, list who received it."""

from dataclasses import replace
from typing import Any

import pytest

from services.control.tickets.correction import Verdict, Version
from services.control.tickets.following import WATCHED, forwards, list_of, step_of, wrong_of
from services.control.tickets.ticket import Given
from services.control.tickets.words import Action, Route, State
from tests.support.tickets import (
    IN_STATE,
    KEY,
    PERSON,
    RECEIPTS,
    RIGHT,
    RULES,
    SYSTEM,
    WRONG,
    correcting,
    in_order,
    new,
    position,
    receipt,
    taken,
    verifying,
)


def version(ordinal: int, state: dict[str, Any] | None) -> Version:
    return Version(f"resource.{PERSON}:0:{ordinal}", position(ordinal), 1_790_000_000_000, state)


REPORTED = version(17, WRONG)


@pytest.mark.parametrize("route", Route)
def test_a_report_goes_to_the_provider_by_itself_where_the_pack_says_so(route: Route) -> None:
    assert forwards(new(replace(RULES, route=route))) is (route is not Route.AUTHORITY)
    assert not forwards(verifying())


@pytest.mark.parametrize(
    ("later", "arrives"),
    [
        ([], None),
        ([version(18, WRONG)], None),
        ([version(18, RIGHT)], 18),
        ([version(18, RIGHT), version(19, {**RIGHT, "name": "王"})], 18),
        ([version(18, RIGHT), version(19, WRONG)], None),
        ([version(18, RIGHT), version(19, WRONG), version(20, None)], 20),
        ([version(16, RIGHT)], None),
    ],
)
def test_a_ticket_advances_by_the_version_since_which_nothing_disputed_is_said(
    later: list[Version], arrives: int | None
) -> None:
    step = step_of(correcting(), [REPORTED, *later], KEY)
    if arrives is None:
        assert step is None
    else:
        assert step is not None
        action, given = step
        assert action is Action.ARRIVE
        assert given.correction is not None
        assert given.correction.at == f"resource.{PERSON}:0:{arrives}"
        assert taken(correcting(), action, SYSTEM, correction=given.correction).state is State.CORRECTED


@pytest.mark.parametrize(
    ("later", "verdict"),
    [
        ([version(30, RIGHT)], None),
        ([version(30, RIGHT), version(31, {**RIGHT, "name": "王"})], None),
        ([version(30, RIGHT), version(31, WRONG)], Verdict.STANDING),
        ([version(30, RIGHT), version(31, WRONG), version(32, RIGHT)], None),
        ([version(29, WRONG), version(30, RIGHT)], None),
        # The versions are compacted: nothing is known of them, so nothing is taken back.
        ([], None),
    ],
)
def test_an_error_that_came_back_is_noticed_by_the_newest_version(
    later: list[Version], verdict: Verdict | None
) -> None:
    step = step_of(in_order(), [REPORTED, *later], KEY)
    assert (None if step is None else (step[0], step[1].correction and step[1].correction.verdict)) == (
        None if verdict is None else (Action.REVERT, verdict)
    )


@pytest.mark.parametrize("state", [state for state in State if state not in WATCHED])
def test_a_record_is_not_watched_where_nothing_is_expected_of_it(state: State) -> None:
    assert step_of(IN_STATE[state](), [REPORTED], KEY) is None


def test_the_reported_version_counts_as_wrong_though_it_is_compacted() -> None:
    history = [version(12, WRONG), version(18, {**WRONG, "name": "王"}), version(19, RIGHT)]
    assert [each.rpartition(":")[2] for each in wrong_of(correcting(), history, KEY)] == ["17", "12", "18"]


def test_who_received_it_is_noted_once_and_again_after_the_correction() -> None:
    ticket = verifying()
    assert list_of(ticket, ()) is None
    assert list_of(ticket, RECEIPTS) == Given(receipts=RECEIPTS)
    ticket = taken(ticket, Action.LIST, SYSTEM)
    assert list_of(ticket, RECEIPTS) is None
    assert list_of(ticket, ()) is None, "nothing is dropped"
    ticket = taken(ticket, Action.ARRIVE, SYSTEM)
    assert list_of(ticket, RECEIPTS) == Given(receipts=RECEIPTS)
    assert list_of(taken(ticket, Action.LIST, SYSTEM), RECEIPTS) is None


def test_what_was_proven_stays_proven_though_the_record_is_compacted_since() -> None:
    ticket = taken(verifying(), Action.LIST, SYSTEM)
    doubtful = tuple(replace(each, certain=False) for each in RECEIPTS)
    more = receipt(offset=18)
    assert list_of(ticket, doubtful) is None
    assert list_of(ticket, (*doubtful, more)) == Given(receipts=(*RECEIPTS, more))
