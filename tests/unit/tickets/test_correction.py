"""Whether a version of a record corrects what a ticket disputes, told from the versions alone."""

from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from services.control.tickets.correction import (
    SETTLED,
    Verdict,
    Version,
    corrects,
    judged,
    settled_since,
    wrong_versions,
)
from tests.support.tickets import KEY, PERSON, RIGHT, WRONG, contested, position


def version(state: dict[str, Any] | None, ordinal: int = 20) -> Version:
    return Version(f"resource.{PERSON}:0:{ordinal}", position(ordinal), 1_790_000_000_000, state)


CASES = [
    (("address",), WRONG, Verdict.STANDING, ("address",)),
    (("address",), RIGHT, Verdict.CORRECTED, ()),
    (("address",), {**WRONG, "name": "王晓明"}, Verdict.STANDING, ("address",)),
    (("address", "name"), RIGHT, Verdict.PARTLY, ("name",)),
    (("address", "name"), {**RIGHT, "name": "王晓明"}, Verdict.CORRECTED, ()),
    (("address",), {**WRONG, "address": None}, Verdict.CORRECTED, ()),
    (("address",), None, Verdict.GONE, ()),
    ((), RIGHT, Verdict.STANDING, ("*",)),
    ((), None, Verdict.GONE, ()),
]


@pytest.mark.parametrize(("items", "state", "verdict", "left"), CASES)
def test_a_version_is_judged_by_what_it_still_says_of_what_is_disputed(
    items: tuple[str, ...], state: dict[str, Any] | None, verdict: Verdict, left: tuple[str, ...]
) -> None:
    found = judged(contested(*items), version(state), KEY)
    assert (found.verdict, found.standing) == (verdict, left)


def test_a_change_corrects_only_if_the_version_before_it_was_wrong() -> None:
    disputed = contested("address")
    assert corrects(disputed, version(WRONG), version(RIGHT), KEY)
    assert corrects(disputed, version(WRONG), version(None), KEY)
    assert not corrects(disputed, version(RIGHT), version(RIGHT), KEY)
    assert not corrects(disputed, version(WRONG), version({**WRONG, "name": "王晓明"}), KEY)
    assert not corrects(contested("address", "name"), version(WRONG), version(RIGHT), KEY)


def test_a_correction_that_was_taken_back_counts_for_nothing() -> None:
    back = [version(WRONG, 17), version(RIGHT, 18), version(WRONG, 19)]
    assert settled_since(contested("address"), back, KEY) is None
    again = settled_since(contested("address"), [*back, version(None, 20), version(RIGHT, 21)], KEY)
    assert again is not None
    assert again.at.endswith(":20")


def test_those_who_received_any_wrong_version_are_to_be_told() -> None:
    history = [
        version(WRONG, 17),
        version({**WRONG, "name": "王晓明"}, 18),
        version(RIGHT, 19),
        version(None, 20),
    ]
    assert [each.at[-2:] for each in wrong_versions(contested("address"), history, KEY)] == ["17", "18"]


STATES = st.sampled_from([WRONG, RIGHT, {**WRONG, "name": "王"}, {**RIGHT, "name": "王"}, None])


@drawn(st.lists(STATES, max_size=8), st.randoms(use_true_random=False))
def test_the_settling_version_is_the_first_after_the_last_wrong_one(
    states: list[dict[str, Any] | None], shuffled: Any
) -> None:
    history = [version(state, ordinal) for ordinal, state in enumerate(states)]
    wrong = [number for number, state in enumerate(states) if state and state["address"] == WRONG["address"]]
    expected = max(wrong, default=-1) + 1
    mixed = list(history)
    shuffled.shuffle(mixed)
    found = settled_since(contested("address"), mixed, KEY)
    assert (None if found is None else found.at) == (
        None if expected >= len(history) else history[expected].at
    )
    assert found is None or found.verdict in SETTLED
