"""The kill switch step by step: the order is the proof, and whoever is killed is continued."""

from dataclasses import replace

import pytest

from services.control.policy_document import with_filling, without_hold
from services.control.suspension.receipt import Receipt, Standing, Step, document
from services.control.suspension.suspend import NothingOfThatName, Order
from tests.support.policy import sample_policy
from tests.support.suspending import (
    EDUCATION,
    HEALTH,
    INSTANCE,
    ORDER,
    Killed,
    MemoryBus,
    MemoryJournal,
    suspending,
)
from topics.event import GrantId
from topics.grants.declaration import GrantState
from topics.grants.hold import HoldScope

ALL_STEPS = tuple(Step)
#: More than any run writes or asks.
ENOUGH = 40


@pytest.mark.requirement("A8-05")
def test_reading_goes_first_and_the_cut_comes_last() -> None:
    bus = MemoryBus()
    suspending(bus, MemoryJournal()).order(ORDER, "s-1")
    steps = [call for call in bus.calls if call not in ("policy", "keep_receipt")]
    assert steps == [
        "remove_readers",
        "write",
        "remove_readers",
        "members",
        "answers",
        "deny_writers",
        "fence",
        "remove_readers",
        "cut",
        "record",
    ]


def test_the_receipt_says_who_why_when_which_version_and_where_each_partition_ends() -> None:
    bus = MemoryBus(silent=(INSTANCE,))
    receipt = suspending(bus, MemoryJournal()).order(ORDER, "s-1")
    shown = receipt.as_json()
    assert (shown["by"], shown["reason"], shown["name"]) == ("operator-7", "data found on a market", HEALTH)
    assert shown["policy_version"] == 2
    assert shown["fenced"] == [INSTANCE]
    assert [held["cut"] for held in shown["grants"]] == [{"0": 10, "1": 11, "2": 12, "3": 13}]
    assert list(shown["steps"]) == [step.value for step in ALL_STEPS if step is not Step.RECORDED]
    assert list(shown["steps"].values()) == sorted(shown["steps"].values())
    assert shown["requested_ms"] <= shown["steps"]["read_removed"]
    assert "already fetched" in shown["outside"]
    assert bus.acts["s-1"].document == shown
    assert bus.fenced == [INSTANCE, f"copier.{HEALTH}"]


def test_answers_name_the_positions_in_the_resources_topic() -> None:
    receipt = suspending(MemoryBus(), MemoryJournal()).order(ORDER, "s-1")
    [answer] = receipt.as_json()["acknowledgements"]
    assert answer["instance"] == INSTANCE
    assert answer["positions"] == [{"topic": "resource.population.person.v1", "partition": 0, "offset": 7}]


def without_times(receipt: Receipt) -> str:
    return document(replace(receipt, requested_ms=0, steps=dict.fromkeys(receipt.steps, 0)).as_json())


@pytest.mark.requirement("A8-05")
@pytest.mark.parametrize("calls", range(1, ENOUGH))
def test_killed_after_any_call_and_ordered_again_it_gives_the_same_receipt(calls: int) -> None:
    whole = suspending(MemoryBus(silent=(INSTANCE,)), MemoryJournal()).order(ORDER, "s-1")
    bus, journal = MemoryBus(silent=(INSTANCE,), kill_at=calls), MemoryJournal()
    try:
        found = suspending(bus, journal).order(ORDER, "s-1")
    except Killed:
        bus.kill_at = None
        found = suspending(bus, journal, 5_000).order(replace(ORDER, by="other", reason="other"), "s-1")
        if journal.documents and calls > 1:
            assert found.by == ORDER.by
    if found.by == ORDER.by:
        assert without_times(found) == without_times(whole)
    assert_held(bus, found)


@pytest.mark.parametrize("writes", range(1, ENOUGH // 4))
def test_killed_after_any_step_what_was_done_keeps_its_time(writes: int) -> None:
    bus, journal = MemoryBus(), MemoryJournal(kill_after=writes)
    try:
        suspending(bus, journal).order(ORDER, "s-1")
    except Killed:
        [kept] = journal.documents.values()
    else:
        return
    journal.kill_after = None
    found = suspending(bus, journal, 5_000).order(replace(ORDER, by="other"), "s-2")
    assert found.id == "s-1"
    assert found.requested_ms == kept["requested_ms"] < 5_000
    assert {step: found.steps[Step(step)] for step in kept["steps"]} == kept["steps"]
    assert_held(bus, found)


def assert_held(bus: MemoryBus, found: Receipt) -> None:
    """Nothing of it is half done."""
    entry = bus.now.grants[GrantId(HEALTH)]
    assert entry.grant.topic not in bus.readable
    assert entry.grant.state is GrantState.SUSPENDED
    assert list(bus.now.holds) == [found.id]
    assert bus.now.version == 2
    assert bus.denied == {HEALTH}
    assert list(bus.acts) == [found.id]
    assert bus.acts[found.id].document == found.as_json()
    assert list(bus.receipts) == [f"{HEALTH}.1"]


def test_what_is_suspended_already_answers_with_its_receipt_and_touches_nothing() -> None:
    bus, journal = MemoryBus(), MemoryJournal()
    first = suspending(bus, journal).order(ORDER, "s-1")
    asked = len(bus.calls)
    second = suspending(bus, journal, 5_000).order(replace(ORDER, reason="again"), "s-2")
    assert second == first
    assert bus.calls[asked:] == ["policy"]


def test_a_suspension_whose_journal_is_lost_is_carried_out_anew_under_its_id() -> None:
    bus = MemoryBus()
    suspending(bus, MemoryJournal()).order(ORDER, "s-1")
    found = suspending(bus, MemoryJournal(), 5_000).order(ORDER, "s-2")
    assert found.id == "s-1"
    assert found.policy_version == 2
    assert bus.now.version == 2
    assert list(bus.acts) == ["s-1"]


@pytest.mark.parametrize(
    ("scope", "name", "held"),
    [
        (HoldScope.GRANT, HEALTH, {HEALTH}),
        (HoldScope.CONSUMER, "education", {EDUCATION}),
        (HoldScope.RESOURCE, "population.person.v1", {HEALTH, EDUCATION}),
    ],
)
def test_a_scope_holds_its_grants_and_no_other(scope: HoldScope, name: str, held: set[str]) -> None:
    bus = MemoryBus()
    everything = set(bus.readable)
    receipt = suspending(bus, MemoryJournal()).order(Order(scope, name, "x", "y"), "s-1")
    mine = {part.topic for part in receipt.grants if part.grant in held}
    assert held <= {part.grant for part in receipt.grants}
    assert {part.topic for part in receipt.grants} == everything - bus.readable >= mine
    states = {name: entry.grant.state for name, entry in bus.now.grants.items()}
    for grant, state in states.items():
        is_held = grant in {part.grant for part in receipt.grants}
        assert (state is GrantState.SUSPENDED) is is_held


def test_all_takes_every_right_to_read_in_the_first_request() -> None:
    bus = MemoryBus(kill_at=2)
    with pytest.raises(Killed):
        suspending(bus, MemoryJournal()).order(Order(HoldScope.ALL, "", "x", "y"), "s-1")
    assert bus.calls == ["policy", "remove_readers"]
    assert bus.readable == set()


@pytest.mark.parametrize("scope", [HoldScope.GRANT, HoldScope.CONSUMER, HoldScope.RESOURCE])
def test_a_name_that_nobody_knows_is_refused_before_anything_is_done(scope: HoldScope) -> None:
    bus, journal = MemoryBus(), MemoryJournal()
    with pytest.raises(NothingOfThatName) as refused:
        suspending(bus, journal).order(Order(scope, "nobody", "x", "y"), "s-1")
    assert refused.value.known
    assert bus.calls == ["policy"]
    assert journal.documents == {}


def test_a_receipt_survives_being_written_and_read() -> None:
    receipt = suspending(MemoryBus(silent=(INSTANCE,)), MemoryJournal()).order(ORDER, "s-1")
    assert Receipt.from_json(receipt.saved()).saved() == receipt.saved()
    assert Receipt.from_json(receipt.saved()).is_complete


def test_where_the_hold_is_gone_it_is_placed_again_before_writing_is_denied() -> None:
    bus, journal = MemoryBus(), MemoryJournal(kill_after=3)
    with pytest.raises(Killed):
        suspending(bus, journal).order(ORDER, "s-1")
    bus.now = sample_policy()
    journal.kill_after = None
    found = suspending(bus, journal, 5_000).order(ORDER, "s-2")
    assert found.id == "s-1"
    assert_held(bus, found)


def test_a_suspension_that_was_lifted_before_it_was_recorded_is_no_answer_to_a_new_order() -> None:
    bus, journal = MemoryBus(), MemoryJournal(kill_after=7)
    with pytest.raises(Killed):
        suspending(bus, journal).order(ORDER, "s-1")
    journal.kill_after = None
    bus.now = with_filling(without_hold(bus.now, "s-1"), [GrantId(HEALTH)], 9)
    found = suspending(bus, journal, 5_000).order(ORDER, "s-2")
    assert found.id == "s-2"
    assert bus.now.grants[GrantId(HEALTH)].grant.state is GrantState.SUSPENDED
    assert [left.id for left in suspending(bus, journal).unfinished()] == ["s-1"]


def test_an_order_that_finds_it_in_force_is_noted_under_its_own_id_and_one_of_the_case_is_not() -> None:
    bus, journal = MemoryBus(), MemoryJournal()
    suspending(bus, journal).order(ORDER, "s-1")
    standing = Standing("authority", "data_bureau", "RISK")
    again = replace(ORDER, by="zhou", reason="once more", standing=standing)
    suspending(bus, journal, 5_000).order(again, "s-2")
    suspending(bus, journal, 6_000).order(replace(ORDER, of_case=True), "c-1")
    [kept] = Receipt.from_json(journal.documents["s-1"]).again
    assert (kept.id, kept.by, kept.reason, kept.requested_ms) == ("s-2", "zhou", "once more", 5_000)
    assert kept.standing == standing
    assert "again" not in bus.acts["s-1"].document, "the ledger keeps the first receipt"


def test_an_order_that_is_carried_on_is_no_second_one() -> None:
    bus, journal = MemoryBus(), MemoryJournal(kill_after=3)
    with pytest.raises(Killed):
        suspending(bus, journal).order(ORDER, "s-1")
    journal.kill_after = None
    assert suspending(bus, journal, 5_000).order(ORDER, "s-2").again == ()


def test_a_journal_of_before_is_read_without_what_cases_are_told() -> None:
    journal = MemoryJournal()
    suspending(MemoryBus(), journal).order(ORDER, "s-1")
    old = {key: value for key, value in journal.documents["s-1"].items() if key not in ("standing", "again")}
    assert Receipt.from_json(old).standing == Standing()
