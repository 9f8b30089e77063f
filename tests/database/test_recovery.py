"""A capture whose slot was lost is taken anew once, on the record, and waits for whoever must decide."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from producers.slots import SlotReport
from services.control.epochs.acts import Owe, Step, What
from services.control.epochs.errors import ConfirmShrink, ScanFailed, StartAgain
from services.control.epochs.run import Ended
from services.control.epochs.state import EpochState, Newest
from services.control.gaps import CaptureFacts, SourceFacts
from services.control.policy_document import with_incarnation
from services.control.process.errors import in_words
from services.control.process.loops import NotYet
from services.control.process.recovery import RecoveryTurn, RecoveryWaits
from services.control.recovery.bus import tables_of
from services.control.recovery.rules import BEGUN, ENDED, KIND, REST
from services.control.store.database import ControlDatabase
from services.control.store.outbox import acts_on
from services.control.store.provisioning.turns import Lane, turn
from tests.support.policy import sample_policy
from topics.event import ProviderId, ResourceId
from topics.policy import Policy

POLICE = ProviderId("police")
SYSTEM = "7500000000000000001/1"
SLOT = SlotReport("govbus_police", "police", False, "reserved", 1, 1, None)
WELL = CaptureFacts(True, False, SourceFacts(SYSTEM, replace(SLOT, active=True, confirmed=10)), 10)
GAP = CaptureFacts(True, True, SourceFacts(SYSTEM, replace(SLOT, confirmed=11)), 10)
NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)


@dataclass(slots=True)
class MemoryBus:
    """A bus whose capture of the police stands as it is told."""

    policy: Policy
    facts: CaptureFacts = GAP
    writes: int | None = 1
    """Incarnation of the connector's configuration."""
    problems: list[Mapping[str, str]] = field(default_factory=list)
    read: bool = True
    epochs: dict[ResourceId, Newest] = field(default_factory=dict)
    trouble: Exception | None = None
    """What the next epoch ends with."""
    now: datetime = NOW
    anew: int = 0
    proved: list[ResourceId] = field(default_factory=list)

    def captures(self, policy: Policy) -> Mapping[ProviderId, CaptureFacts]:
        assert policy is self.policy
        return {POLICE: self.facts}

    def incarnation(self, provider: ProviderId) -> int | None:
        assert provider == POLICE
        return self.writes

    def raise_incarnation(self, provider: ProviderId, incarnation: int, system: str) -> Policy:
        self.policy = with_incarnation(self.policy, provider, incarnation, system, 0)
        return self.policy

    def take_anew(self, provider: ProviderId, policy: Policy, facts: CaptureFacts) -> list[Mapping[str, str]]:
        assert facts is self.facts
        if not self.problems:
            self.anew += 1
            self.facts, self.writes = WELL, policy.providers[provider].incarnation
        return self.problems

    def has_read(self, resource: ResourceId, since_ms: int) -> bool:
        assert (resource, since_ms) == (resource, int(NOW.timestamp() * 1000))
        return self.read

    def newest_epoch(self, resource: ResourceId) -> Newest:
        return self.epochs.get(resource, Newest())

    def prove(self, resource: ResourceId, reason: str, by: str, owe: Owe) -> Ended:
        assert (by, "made again" in reason) == ("control", True)
        self.proved.append(resource)
        begin_ms = int(self.now.timestamp() * 1000)
        if self.trouble is not None:
            trouble, self.trouble = self.trouble, None
            states = {ConfirmShrink: EpochState.WAITING, ScanFailed: EpochState.ABORTED}
            state = states.get(type(trouble), EpochState.OPEN)
            self.epochs[resource] = Newest(1, state, begin_ms, detail="30 of 100 records would go")
            raise trouble
        self.epochs[resource] = Newest(1, EpochState.ENDED, begin_ms, counts={"swept": 2})
        owe(Step(What.ENDED, resource, 1, reason, {"digest": "ab"}))
        return Ended(resource, 1, 10, 10, 12, 2, 10, "ab")


@pytest.fixture
def bus() -> MemoryBus:
    policy = sample_policy()
    police = policy.providers[POLICE].model_copy(update={"system": SYSTEM})
    return MemoryBus(policy.model_copy(update={"providers": {**policy.providers, POLICE: police}}))


def loop(database: ControlDatabase, bus: MemoryBus) -> RecoveryTurn:
    return RecoveryTurn(database, bus, lambda: bus.policy, lambda: bus.now)


def begun(database: ControlDatabase, bus: MemoryBus) -> RecoveryTurn:
    """A loop that has seen the gap twice."""
    found = loop(database, bus)
    assert [found.turn(), found.turn()] == [False, True]
    return found


def acts(database: ControlDatabase) -> list[tuple[str, object, object]]:
    with database.reading() as connection:
        found = acts_on(connection, KIND, POLICE)
    return [(each.what, each.facts["incarnation"], each.facts.get("swept")) for each in found]


def incarnation(bus: MemoryBus) -> int:
    return bus.policy.providers[POLICE].incarnation


@pytest.mark.requirement("A5-08")
def test_a_lost_slot_is_recovered_once_and_every_table_of_the_capture_is_proven(
    control_database: ControlDatabase, bus: MemoryBus
) -> None:
    tables = tables_of(bus.policy, POLICE)
    assert tables
    turns = begun(control_database, bus)
    assert (bus.anew, acts(control_database)) == (0, [(BEGUN, 2, None)])
    assert turns.turn()
    assert (bus.anew, incarnation(bus), bus.writes, bus.proved) == (1, 2, 2, tables)
    assert acts(control_database) == [(BEGUN, 2, None), (ENDED, 2, 2 * len(tables))]
    with control_database.reading() as connection:
        [owed] = acts_on(connection, "resource", tables[0])
    assert (owed.who, owed.what, owed.facts["digest"]) == ("control", "snapshot.ended", "ab")
    assert not turns.turn()
    assert (bus.anew, bus.proved) == (1, tables)


def test_a_capture_that_is_well_and_a_gap_of_a_moment_change_nothing(
    control_database: ControlDatabase, bus: MemoryBus
) -> None:
    turns = loop(control_database, bus)
    for facts in (GAP, WELL, GAP, WELL):
        bus.facts = facts
        assert not turns.turn()
    assert (bus.anew, acts(control_database)) == (0, [])


def test_a_process_that_dies_is_followed_by_one_that_goes_on(
    control_database: ControlDatabase, bus: MemoryBus
) -> None:
    begun(control_database, bus)
    bus.raise_incarnation(POLICE, 2, SYSTEM)
    bus.facts = replace(GAP, has_offsets=False, position=None)
    assert bus.facts.waits_for_start
    bus.read = False
    with pytest.raises(NotYet, match="has not read the table yet"):
        loop(control_database, bus).turn()
    assert (bus.anew, incarnation(bus), bus.proved) == (1, 2, [])
    bus.read = True
    assert loop(control_database, bus).turn()
    assert (bus.anew, incarnation(bus)) == (1, 2)
    assert acts(control_database)[-1][0] == ENDED


def test_a_second_gap_within_a_day_waits_for_an_operator(
    control_database: ControlDatabase, bus: MemoryBus
) -> None:
    turns = begun(control_database, bus)
    turns.turn()
    bus.facts = GAP
    assert not turns.turn()
    for _ in range(3):
        with pytest.raises(RecoveryWaits, match="govbus apply --recapture police") as waits:
            turns.turn()
        assert in_words(waits.value).startswith("the capture of police has a gap again within 24 h")
    assert bus.anew == 1
    bus.now = NOW + REST
    assert turns.turn()
    assert acts(control_database)[-1][:2] == (BEGUN, 3)


@pytest.mark.parametrize(
    ("trouble", "remedy"),
    [
        (ConfirmShrink(ResourceId("r.x.v1"), 30, 100, 10.0), "--confirm-shrink"),
        (ScanFailed(ResourceId("r.x.v1"), POLICE, "the scan ended with ABORTED"), "govbus snapshot start"),
    ],
)
def test_an_epoch_that_needs_an_operator_is_not_begun_again_and_is_taken_up_when_he_has_ended_it(
    control_database: ControlDatabase, bus: MemoryBus, trouble: Exception, remedy: str
) -> None:
    turns = begun(control_database, bus)
    bus.trouble = trouble
    for _ in range(3):
        with pytest.raises(RecoveryWaits, match=remedy):
            turns.turn()
    assert (bus.anew, len(bus.proved)) == (1, 1)
    [first] = bus.proved
    began_ms = bus.epochs[first].begin_ms
    bus.epochs[first] = Newest(2, EpochState.ENDED, began_ms + 1, counts={"swept": 30})
    assert turns.turn()
    assert bus.proved.count(first) == 1
    assert acts(control_database)[-1][0] == ENDED


def test_an_epoch_that_is_under_way_is_gone_on_with(
    control_database: ControlDatabase, bus: MemoryBus
) -> None:
    turns = begun(control_database, bus)
    bus.trouble = StartAgain(ResourceId("r.x.v1"), "the gate does not get on")
    with pytest.raises(StartAgain):
        turns.turn()
    assert turns.turn()
    assert acts(control_database)[-1][0] == ENDED


def test_a_database_that_is_not_ready_is_told_until_it_is(
    control_database: ControlDatabase, bus: MemoryBus
) -> None:
    turns = begun(control_database, bus)
    bus.problems = [{"what": "public.person: the publication lacks it", "remedy": "ALTER PUBLICATION"}]
    for _ in range(2):
        with pytest.raises(RecoveryWaits, match="the publication lacks it"):
            turns.turn()
    assert incarnation(bus) == 2
    bus.problems = []
    assert turns.turn()


def test_an_operator_who_captures_anew_has_taken_the_matter_over(
    control_database: ControlDatabase, bus: MemoryBus
) -> None:
    turns = loop(control_database, bus)
    turns.turn()
    # His version is written, and his connector is not: the gap is still to be seen.
    bus.raise_incarnation(POLICE, 2, SYSTEM)
    with pytest.raises(NotYet, match="is being captured anew"):
        turns.turn()
    assert acts(control_database) == []
    turns = begun_by_hand(control_database, bus)
    bus.raise_incarnation(POLICE, 4, SYSTEM)
    bus.writes, bus.facts = 4, WELL
    assert not turns.turn()
    assert bus.anew == 0


def begun_by_hand(database: ControlDatabase, bus: MemoryBus) -> RecoveryTurn:
    """A loop that has begun once more, after the connector was written."""
    bus.writes = incarnation(bus)
    return begun(database, bus)


def test_nothing_is_changed_while_the_worker_changes_the_bus(
    control_database: ControlDatabase, bus: MemoryBus
) -> None:
    turns = begun(control_database, bus)
    with turn(control_database, Lane.PROVIDING) as ours:
        assert ours
        with pytest.raises(NotYet, match="being changed"):
            turns.turn()
    assert (bus.anew, incarnation(bus)) == (0, 1)
    assert turns.turn()


def test_before_the_first_policy_it_waits(control_database: ControlDatabase, bus: MemoryBus) -> None:
    turns = RecoveryTurn(control_database, bus, lambda: None, lambda: NOW)
    with pytest.raises(NotYet, match="govbus apply"):
        turns.turn()
