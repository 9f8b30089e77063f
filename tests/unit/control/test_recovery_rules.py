"""Only a lost slot of the same database is mended without asking, once, and epochs since then prove it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from producers.slots import SlotReport
from services.control.epochs.state import EpochState, Newest
from services.control.gaps import CaptureFacts, SourceFacts
from services.control.policy_document import with_incarnation
from services.control.recovery.rules import (
    REST,
    Proof,
    begun,
    ended,
    lost_slot,
    may_begin,
    newest_recovery,
    proof_of,
)
from tests.support.policy import sample_policy
from topics.event import ProviderId

POLICE = ProviderId("police")
SYSTEM = "7500000000000000001/1"
NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
SLOT = SlotReport("govbus_police", "police", False, "reserved", 1, 1, None)
AGAIN = replace(SLOT, confirmed=11)
LOST = replace(SLOT, wal_status="lost")


def facts(slot: SlotReport | None, system: str = SYSTEM) -> CaptureFacts:
    return CaptureFacts(has_offsets=True, is_stopped=True, source=SourceFacts(system, slot), position=10)


@pytest.mark.parametrize(
    ("found", "recorded", "why"),
    [
        pytest.param(facts(replace(SLOT, confirmed=10)), SYSTEM, None, id="well"),
        pytest.param(facts(AGAIN), SYSTEM, "made again or advanced", id="made again"),
        pytest.param(facts(None), SYSTEM, "is gone", id="gone"),
        pytest.param(facts(LOST), SYSTEM, "invalidated", id="invalidated"),
        pytest.param(facts(AGAIN, "7500000000000000001/2"), SYSTEM, None, id="promoted"),
        pytest.param(facts(None, "8/1"), SYSTEM, None, id="another server"),
        pytest.param(facts(AGAIN), None, None, id="nobody knows where it began"),
        pytest.param(replace(facts(AGAIN), source=None), SYSTEM, None, id="the database is silent"),
    ],
)
def test_a_gap_is_mended_only_where_the_same_database_lost_its_slot(
    found: CaptureFacts, recorded: str | None, why: str | None
) -> None:
    told = lost_slot(found, recorded)
    assert (told is None) is (why is None)
    assert why is None or why in str(told)


def test_what_a_recovery_is_at_stands_in_its_acts() -> None:
    first = begun(POLICE, 2, "the slot is gone", "control", NOW)
    second = begun(POLICE, 3, "it was made again", "control", NOW + REST)
    assert newest_recovery([]) is None
    assert newest_recovery([replace(first, what="account.disabled", facts={})]) is None
    found = newest_recovery([first])
    assert found is not None
    assert (found.incarnation, found.begun, found.why, found.is_open) == (2, NOW, "the slot is gone", True)
    closed = newest_recovery([first, ended(POLICE, found, 1, "control", NOW)])
    assert closed == replace(found, is_open=False)
    newest = newest_recovery([first, ended(POLICE, found, 1, "control", NOW), second])
    assert newest is not None
    assert (newest.incarnation, newest.is_open) == (3, True)


def test_another_recovery_begins_a_day_after_the_last_one_and_not_before() -> None:
    last = newest_recovery([begun(POLICE, 2, "gone", "control", NOW)])
    assert may_begin(None, NOW)
    assert not may_begin(last, NOW + REST - timedelta(seconds=1))
    assert may_begin(last, NOW + REST)


@pytest.mark.parametrize(
    ("newest", "proof"),
    [
        (Newest(), Proof.MISSING),
        (Newest(1, EpochState.ENDED, NOW_MS - 1), Proof.MISSING),
        (Newest(2, EpochState.ENDED, NOW_MS, where=("id=7",)), Proof.MISSING),
        (Newest(2, EpochState.OPEN, NOW_MS), Proof.UNDER_WAY),
        (Newest(2, EpochState.WAITING, NOW_MS), Proof.WAITS),
        (Newest(2, EpochState.ABORTED, NOW_MS), Proof.GIVEN_UP),
        (Newest(2, EpochState.ENDED, NOW_MS), Proof.WHOLE),
    ],
)
def test_only_an_epoch_of_the_whole_table_that_began_since_proves_a_recovery(
    newest: Newest, proof: Proof
) -> None:
    recovery = newest_recovery([begun(POLICE, 2, "gone", "control", NOW)])
    assert recovery is not None
    assert proof_of(newest, recovery) is proof


def test_a_capture_that_begins_anew_changes_its_provider_in_the_policy_and_nothing_else() -> None:
    policy = sample_policy()
    found = with_incarnation(policy, POLICE, 2, SYSTEM, 9)
    assert (found.version, found.issued_ms) == (policy.version + 1, 9)
    assert (found.providers[POLICE].incarnation, found.providers[POLICE].system) == (2, SYSTEM)
    rest = {"version", "issued_ms", "providers"}
    assert found.model_dump(exclude=rest) == policy.model_dump(exclude=rest)
    others = {id_: each for id_, each in policy.providers.items() if id_ != POLICE}
    assert {id_: each for id_, each in found.providers.items() if id_ != POLICE} == others
    assert with_incarnation(found, POLICE, 2, "8/1", 10) is found
