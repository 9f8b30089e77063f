"""Drift is found and mended without anybody asking: surplus goes, what is active comes back, alarms stand."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.control.cases.words import Action, StopReason
from services.control.docket.filed import Filed
from services.control.policy_document import with_grant_state
from services.control.process.drift import STANDS, DriftStands, DriftTurn
from services.control.process.errors import in_words
from services.control.process.loops import NotYet
from services.control.provisioning.repairing import Drift
from services.control.state import Acl, Pattern, ResourceType, Right
from services.control.store.database import ControlDatabase
from services.control.store.outbox import Act, acts_on
from services.control.store.provisioning.turns import Lane, turn
from services.control.store.snapshots import Kind, Snapshot, alarms, all_of
from services.doctor.drift import judge_drift
from services.doctor.finding import Level
from tests.support.desk import Office
from tests.support.provisioning import Clock, MemoryGrantBus, approved, by_cases, carried_out, grant_of
from tests.support.restoring import back_up, restore
from tests.support.sharing_cases import BUREAU
from topics.grants.declaration import GrantState

STRANGER = Acl("mallory", ResourceType.TOPIC, Pattern.PREFIXED, "sub.", Right.READ)


@pytest.fixture
def office(control_database: ControlDatabase) -> Office:
    return Office(control_database)


@pytest.fixture
def bus() -> MemoryGrantBus:
    return MemoryGrantBus()


@pytest.fixture
def filed(office: Office, bus: MemoryGrantBus) -> Filed:
    """A case that is active on the bus."""
    found = approved(office)
    carried_out(office, bus, Clock())
    return found


def loop(office: Office, bus: MemoryGrantBus, clock: Clock | None = None) -> DriftTurn:
    now = clock or Clock()
    drift = Drift(office.database, office.desk, bus, now, "system")
    return DriftTurn(office.database, drift, lambda: bus.now, now)


def seen(office: Office) -> Snapshot:
    with office.database.reading() as connection:
        return all_of(connection, Kind.DRIFT)


def levels(office: Office) -> list[Level]:
    return [each.level for each in judge_drift(seen(office))]


def acts(office: Office, kind: str, object_: str) -> list[Act]:
    with office.database.reading() as connection:
        return list(acts_on(connection, kind, object_))


def test_without_drift_a_turn_does_nothing_and_says_when_it_looked(
    office: Office, bus: MemoryGrantBus, filed: Filed
) -> None:
    assert levels(office) == [Level.NOTE]
    assert not loop(office, bus).turn()
    assert seen(office).documents == {}
    assert levels(office) == [Level.OK]


def test_a_right_that_no_case_stands_for_is_gone_after_a_turn_and_on_record(
    office: Office, bus: MemoryGrantBus, filed: Filed
) -> None:
    bus.acls.add(STRANGER)
    assert loop(office, bus).turn()
    assert STRANGER not in bus.acls
    assert bus.reads(grant_of(filed))
    (act,) = acts(office, "bus_user", "mallory")
    assert (act.who, act.what, act.facts["finding"]) == ("system", "drift.taken_away", "strange_right")


def test_an_alarm_stands_for_a_day_after_the_repair_and_then_no_longer(
    office: Office, bus: MemoryGrantBus, filed: Filed
) -> None:
    clock = Clock()
    bus.acls.add(STRANGER)
    loop(office, bus, clock).turn()
    clock.goes_on(STANDS - timedelta(minutes=1))
    loop(office, bus, clock).turn()
    with office.database.reading() as connection:
        (alarm,) = alarms(connection).documents.values()
    assert (alarm["kind"], alarm["subject"]) == ("drift-strange_right", "mallory")
    assert "taken away" in alarm["detail"]
    assert levels(office) == [Level.WARNING]
    clock.goes_on(timedelta(minutes=1))
    loop(office, bus, clock).turn()
    assert seen(office).documents == {}


@pytest.mark.requirement("A8-05")
def test_a_grant_comes_back_for_a_case_that_is_active_now_and_for_no_other(
    office: Office, bus: MemoryGrantBus, filed: Filed
) -> None:
    grant = grant_of(filed)
    bus.now = with_grant_state(bus.now, {grant: GrantState.REVOKED}, 1)
    bus.acls = set()
    assert loop(office, bus).turn()
    assert bus.state(grant) is GrantState.ACTIVE
    assert [act.what for act in acts(office, "grant", grant) if act.who == "system"][-1] == "drift.given_back"
    office.done(filed, Action.TERMINATE, BUREAU, Clock().now, stop_reason=StopReason.RISK)
    carried_out(office, bus, Clock())
    bus.acls = set()
    assert not loop(office, bus).turn()
    assert bus.state(grant) is GrantState.REVOKED
    assert not bus.reads(grant)


def test_what_cannot_be_mended_is_an_alarm_and_the_loop_fails_until_it_is(
    office: Office, bus: MemoryGrantBus, filed: Filed
) -> None:
    bus.acls = {STRANGER}
    bus.fails["confirm"] = OSError("the disk is full")
    with pytest.raises(DriftStands) as stands:
        loop(office, bus).turn()
    assert STRANGER not in bus.acls
    assert "could not be mended" in in_words(stands.value)
    assert set(levels(office)) == {Level.WARNING, Level.FAILURE}
    bus.fails.clear()
    assert loop(office, bus).turn()
    assert set(levels(office)) == {Level.WARNING}


@pytest.mark.requirement("A8-05")
def test_an_older_database_takes_and_gives_nothing_and_says_so(
    office: Office, bus: MemoryGrantBus, filed: Filed
) -> None:
    back_up(office.database)
    office.done(filed, Action.TERMINATE, BUREAU, Clock().now, stop_reason=StopReason.RISK)
    carried_out(office, bus, Clock())
    restore(office.database)
    bus.acls.add(STRANGER)
    with pytest.raises(DriftStands, match="older than the bus"):
        loop(office, bus).turn()
    assert STRANGER in bus.acls
    assert bus.state(grant_of(filed)) is GrantState.REVOKED
    assert levels(office) == [Level.FAILURE]


@pytest.mark.parametrize("lane", list(Lane))
def test_while_the_worker_is_at_it_the_loop_waits_and_is_not_broken(
    office: Office, bus: MemoryGrantBus, filed: Filed, lane: Lane
) -> None:
    bus.acls.add(STRANGER)
    with turn(office.database, lane), pytest.raises(NotYet, match="worker"):
        loop(office, bus).turn()
    assert STRANGER in bus.acls


def test_a_long_back_fill_of_a_repair_holds_no_suspension_up(
    office: Office, bus: MemoryGrantBus, filed: Filed
) -> None:
    free: list[bool] = []

    def look() -> None:
        with turn(office.database, Lane.STOPPING) as stops:
            free.append(stops)

    bus.now = with_grant_state(bus.now, {grant_of(filed): GrantState.REVOKED}, 1)
    bus.acls, bus.during_fill = set(), look
    loop(office, bus).turn()
    assert free == [True]


def test_before_the_first_apply_the_loop_waits_and_asks_the_bus_nothing(
    office: Office, bus: MemoryGrantBus
) -> None:
    waiting = replace(loop(office, bus), policy=lambda: None)
    bus.acls.add(STRANGER)
    with pytest.raises(NotYet, match="govbus apply"):
        waiting.turn()
    assert STRANGER in bus.acls


def test_before_cases_decide_the_loop_says_what_it_waits_for(office: Office) -> None:
    bus = MemoryGrantBus(now=by_cases().model_copy(update={"by_cases": False}))
    with pytest.raises(NotYet, match="declared in files"):
        loop(office, bus).turn()
