"""Rulings of the authority are kept once and carried out, through failures and kills, the latest of each."""

from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from services.control.definitions import Definitions
from services.control.ownership.decided import DecidedRuling, Stage
from services.control.process.address import As, stack_address
from services.control.rulings.worker import RulingWorker
from services.control.store.database import ControlDatabase, Task
from services.control.store.outbox import acts_on
from services.control.store.provisioning.turns import Lane, turn
from services.control.store.rulings import orders
from tests.database_fixture import DatabaseOnly
from tests.support.provisioning import Clock
from tests.support.ruling import APPLIED_MS, AT, CITY, ENROLMENT, INSTANCE, PERSON, RulingMemory, given
from tests.support.suspending import Killed
from topics.ownership import Decision

COLUMN = f"{ENROLMENT}/address"
MINUTE = timedelta(minutes=1)
SILENT = KafkaException(KafkaError(KafkaError._TRANSPORT))


@dataclass
class Authority:
    """Who gives rulings, and the worker that carries them out."""

    database: ControlDatabase
    bus: RulingMemory = field(default_factory=RulingMemory)
    clock: Clock = field(default_factory=lambda: Clock(AT))
    definitions: Definitions = CITY

    def gives(self, id_: str = "o-1", **changes: Any) -> tuple[DecidedRuling, bool]:
        with self.database.begin() as connection:
            return orders.give(connection, given(id_, **{"at": self.clock.now, **changes}))

    def works(self, after: timedelta = timedelta()) -> bool:
        """Let a worker that was started anew take one turn."""
        self.clock.goes_on(after)
        order = self.bus.order(self.definitions)
        return RulingWorker(self.database, order, self.clock, lambda _text: None).turn()

    def newest(self) -> DecidedRuling:
        return self.all()[0]

    def all(self) -> list[DecidedRuling]:
        with self.database.reading() as connection:
            return orders.of_column(connection, ENROLMENT, "address")

    def acts(self) -> list[str]:
        with self.database.begin() as connection:
            return [act.what for act in acts_on(connection, orders.KIND, COLUMN)]


@pytest.fixture
def authority(control_database: ControlDatabase) -> Authority:
    return Authority(control_database)


@pytest.mark.requirement("A5-01")
def test_a_ruling_that_is_given_is_carried_out_and_says_so_at_each_step(authority: Authority) -> None:
    kept, again = authority.gives()
    assert (kept.stage, kept.is_under_way, again) == (Stage.DECIDED, True, False)
    assert kept.given == given()
    authority.bus.silent = (INSTANCE,)
    assert authority.works()
    found = authority.newest()
    assert (found.stage, found.version, found.note) == (Stage.WRITTEN, 4, "no answer yet from gate.0")
    assert (sorted(found.resources), found.losing) == ([PERSON, ENROLMENT], ("health-persons-gusu",))
    assert authority.bus.owner == "social_security"
    authority.bus.silent = ()
    assert not authority.works(), "it waits a moment"
    assert authority.works(MINUTE)
    found = authority.newest()
    assert (found.stage, found.is_over, found.note) == (Stage.IN_FORCE, True, "")
    assert found.in_force_at is not None
    assert int(found.in_force_at.timestamp() * 1000) == APPLIED_MS
    assert found.instances == {INSTANCE: APPLIED_MS}
    assert not authority.works(MINUTE)
    assert authority.acts() == ["claim.decide"]
    assert list(authority.bus.acts) == ["o-1"]


def test_the_same_ruling_given_again_is_the_same(authority: Authority) -> None:
    first, _ = authority.gives()
    assert authority.gives("o-2") == (first, True)
    authority.works()
    found, again = authority.gives("o-3")
    assert (found.given.id, found.stage, again) == ("o-1", Stage.IN_FORCE, True)
    assert authority.acts() == ["claim.decide"]
    assert authority.gives("o-4", text="on better reasons")[1] is False


def test_a_later_ruling_overtakes_one_that_is_not_on_the_bus_yet(authority: Authority) -> None:
    authority.gives()
    authority.gives("o-2", decision=Decision.CONFIRM)
    assert [(each.given.id, each.stage) for each in authority.all()] == [
        ("o-2", Stage.DECIDED),
        ("o-1", Stage.OVERTAKEN),
    ]
    while authority.works():
        pass
    assert (list(authority.bus.now.rulings), authority.bus.owner) == (["o-2"], None)
    assert authority.acts() == ["claim.decide", "claim.decide"]


def test_what_was_carried_out_is_taken_back_by_the_next_ruling(authority: Authority) -> None:
    authority.gives()
    authority.works()
    authority.clock.goes_on(MINUTE)
    authority.gives("o-2", decision=Decision.CONFIRM)
    authority.works()
    assert [each.stage for each in authority.all()] == [Stage.IN_FORCE, Stage.IN_FORCE]
    assert authority.bus.owner is None


@pytest.mark.parametrize("kill_at", range(1, 7))
def test_killed_after_any_step_whoever_comes_next_goes_on_there(authority: Authority, kill_at: int) -> None:
    authority.gives()
    authority.bus.kill_at = kill_at
    with suppress(Killed):
        authority.works()
    assert authority.bus.kill_at is None, "it was killed"
    authority.works(MINUTE)
    assert authority.newest().stage is Stage.IN_FORCE
    assert (authority.bus.now.version, list(authority.bus.now.rulings)) == (4, ["o-1"])
    assert list(authority.bus.acts) == ["o-1"]
    assert (authority.newest().version, authority.newest().attempts) == (4, 0)


@pytest.mark.parametrize("call", ["policy", "schema_ids", "write", "record", "answers"])
def test_what_fails_stands_on_the_ruling_with_what_to_do_and_is_tried_again(
    authority: Authority, call: str
) -> None:
    authority.gives()
    authority.bus.fails[call] = SILENT
    authority.works()
    authority.works(MINUTE)
    found = authority.newest()
    assert (found.attempts, found.is_over, found.is_under_way) == (2, False, False)
    assert "`govbus status` shows what is down" in found.note
    assert found.next_at is not None
    authority.bus.fails.clear()
    authority.works(2 * MINUTE)
    found = authority.newest()
    assert (found.stage, found.attempts, found.note, found.next_at) == (Stage.IN_FORCE, 0, "", None)
    assert list(authority.bus.acts) == ["o-1"]


def test_a_defect_of_ours_is_named_by_its_class_only(authority: Authority) -> None:
    authority.gives()
    authority.bus.fails["write"] = RuntimeError("320508199001011234")
    authority.works()
    assert "INTERNAL RuntimeError" in authority.newest().note
    assert "320508" not in authority.newest().note


def test_rules_that_are_against_it_by_now_are_told_and_the_next_ruling_goes_on(authority: Authority) -> None:
    authority.gives()
    without = authority.definitions.resources[ENROLMENT].model_copy(update={"foreign_items": ()})
    resources = {**CITY.resources, ENROLMENT: without}
    authority.definitions = Definitions(
        CITY.providers, CITY.consumers, resources, CITY.grants, CITY.code_lists, CITY.item_schemas
    )
    authority.works()
    assert authority.newest().note.startswith("NOT_CLAIMED: ")
    assert (authority.newest().attempts, authority.bus.now.rulings) == (1, {})
    authority.definitions = CITY
    authority.works(MINUTE)
    assert authority.newest().stage is Stage.IN_FORCE


def test_one_that_fails_holds_up_no_other(authority: Authority) -> None:
    authority.gives(department="police")
    authority.gives("o-2", column="name", item="name", decision=Decision.CONFIRM)
    while authority.works():
        pass
    assert authority.newest().note.startswith("OWN_CONFLICT: ")
    assert list(authority.bus.now.rulings) == ["o-2"]


def test_a_database_from_before_a_later_ruling_does_not_take_it_back(authority: Authority) -> None:
    lost = given("o-2", decision=Decision.CONFIRM, at=AT + MINUTE)
    authority.bus.order().write(lost)
    authority.gives()
    authority.works()
    found = authority.newest()
    assert (found.stage, found.note) == (Stage.OVERTAKEN, "overtaken by the ruling o-2")
    assert authority.bus.owner is None


def test_where_no_gate_runs_it_is_in_force_for_whoever_starts(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authority.bus, "members", lambda _groups: set())
    authority.gives()
    authority.works()
    found = authority.newest()
    assert (found.stage, found.in_force_at, found.instances) == (Stage.IN_FORCE, AT, {})


def test_of_two_processes_one_carries_out_at_a_time(authority: Authority) -> None:
    authority.gives()
    with authority.database.alone(Task.RULINGS) as ours:
        assert ours
        assert not authority.works()
    assert authority.works()


def test_lanes_of_the_worker_of_cases_and_tasks_of_loops_are_in_nobodys_way(
    control_database: ControlDatabase,
) -> None:
    for lane in Lane:
        with turn(control_database, lane) as mine:
            assert mine
            for task in Task:
                with control_database.alone(task) as ours:
                    assert ours, (lane, task)


def test_who_runs_the_control_plane_cannot_change_what_was_decided(
    authority: Authority, database_server: DatabaseOnly
) -> None:
    authority.gives()
    with closing(ControlDatabase(stack_address(database_server, As.APPLICATION))) as application:
        for change in ("UPDATE ownership_rulings SET decision = 'confirm'", "DELETE FROM ownership_rulings"):
            with pytest.raises(Exception, match="permission denied"), application.begin() as connection:
                connection.exec_driver_sql(change)
        Authority(application, authority.bus, authority.clock).works()
    assert authority.newest().stage is Stage.IN_FORCE
