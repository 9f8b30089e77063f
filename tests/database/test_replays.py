"""Replays in a real database: approved by another, carried on after a death, each step owed to the ledger."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.control.replays.life import Order, Refused, State, Step
from services.control.replays.running import Runner
from services.control.store.database import ControlDatabase
from services.control.store.outbox import acts_on
from services.control.store.replays import work
from services.ledger.replay.audit import Judged, Repeater, RunAgain
from services.ledger.replay.pace import Cancelled, Pace
from services.ledger.replay.recorded import Stretch
from services.ledger.replay.scope import Scope
from services.ledger.replay.what_is_known import Known
from services.ledger.replay.words import Purpose
from tests.support.memory_bus import MemoryCity
from tests.unit.ledger.test_city import PERSON, person
from topics.event import GrantId, ResourceId

NOW = datetime(2026, 11, 27, 2, 0, tzinfo=UTC)
SCOPE = Scope(resource=ResourceId("population.person.v1"))


def approved(database: ControlDatabase, purpose: Purpose = Purpose.AUDIT) -> int:
    order = Order(purpose, SCOPE, "yearly audit", "Audit Law, art. 3", {})
    with database.begin() as connection:
        number = work.request(connection, order, "anna", NOW).number
        work.step(connection, number, Step.APPROVE, "bo", NOW)
    return number


def test_where_a_redelivery_goes_is_told_with_every_step(control_database: ControlDatabase) -> None:
    scope = replace(SCOPE, grant=GrantId("health-persons-gusu"))
    order = Order(Purpose.REDELIVER, scope, "lost there", "contract 7", {"separate": True})
    with control_database.begin() as connection:
        number = work.request(connection, order, "anna", NOW).number
        work.step(connection, number, Step.APPROVE, "bo", NOW)
        assert work.load(connection, number) is not None
        acts = acts_on(connection, work.KIND, str(number))
    assert [(act.what, act.facts["separate"]) for act in acts] == [
        ("replay.request", True),
        ("replay.approve", True),
    ]


def test_the_generation_under_which_a_redelivery_began_is_kept_for_its_next_run(runner: Runner) -> None:
    number = approved(runner.database)
    for generation in (3, 4):
        with runner.database.begin() as connection:
            done = work.parts(connection, number)
        assert runner._first_generation(number, done, generation) == 3


@pytest.fixture
def runner(control_database: ControlDatabase) -> Runner:
    city = MemoryCity()
    city.change("c", after=PERSON)
    city.pump()
    city.change("u", PERSON, person(name="x"))
    city.pump()
    known = Known(city.memory, city.registry, lambda _: bytes(32))
    return Runner(control_database, known, None, lambda: NOW)  # type: ignore[arg-type]


def test_a_replay_runs_once_it_is_approved_and_the_ledger_is_owed_each_step(runner: Runner) -> None:
    number = approved(runner.database)
    done = runner.run(number, "anna")
    assert done.state is State.DONE
    assert done.result is not None
    assert done.result["verdict"] == "identical"
    with runner.database.reading() as connection:
        acts = acts_on(connection, work.KIND, str(number))
    assert [act.what for act in acts] == ["replay.request", "replay.approve", "replay.start", "replay.finish"]
    assert acts[-1].facts["verdict"] == "identical"


def test_the_requester_cannot_approve_not_even_in_the_table(control_database: ControlDatabase) -> None:
    order = Order(Purpose.AUDIT, SCOPE, "yearly audit", "Audit Law, art. 3", {})
    with control_database.begin() as connection:
        number = work.request(connection, order, "anna", NOW).number
    with pytest.raises(Refused), control_database.begin() as connection:
        work.step(connection, number, Step.APPROVE, "anna", NOW)
    with pytest.raises(IntegrityError), control_database.begin() as connection:
        connection.execute(text("UPDATE replays SET approved_by = requested_by"))


def test_what_is_not_approved_does_not_run(runner: Runner) -> None:
    order = Order(Purpose.AUDIT, SCOPE, "yearly audit", "Audit Law, art. 3", {})
    with runner.database.begin() as connection:
        number = work.request(connection, order, "anna", NOW).number
    with pytest.raises(Refused):
        runner.run(number, "anna")


def test_a_killed_run_is_carried_on_from_the_chains_that_were_judged(runner: Runner) -> None:
    number = approved(runner.database)
    with runner.database.begin() as connection:
        work.step(connection, number, Step.START, "anna", NOW)
    whole = runner.run(number, "anna").result or {}
    kept = {each["chain"]: each for each in whole["chains"]}
    with runner.database.reading() as connection:
        assert work.parts(connection, number) == kept


class Dying:
    """Decides one chain and dies."""

    def __init__(self, known: Known) -> None:
        self.known = known

    def judge_all(self, stretches: Sequence[Stretch], pace: Pace) -> Iterator[Judged]:
        yield Repeater(self.known).judge(stretches[0], pace)
        raise RunAgain("ended")


def test_a_run_of_which_a_process_dies_keeps_what_it_judged_and_the_next_one_goes_on(runner: Runner) -> None:
    number = approved(runner.database)
    with pytest.raises(RunAgain):
        replace(runner, judges=Dying(runner.known)).run(number, "anna")
    with runner.database.reading() as connection:
        replay, parts = work.load(connection, number), work.parts(connection, number)
    assert replay is not None
    assert (replay.state, len(parts)) == (State.RUNNING, 1)
    done = runner.run(number, "anna")
    assert (done.state, (done.result or {})["verdict"]) == (State.DONE, "identical")


def test_only_one_runs_a_replay_and_a_cancelled_one_ends(runner: Runner) -> None:
    number = approved(runner.database)
    with runner.database.session() as other:
        assert work.take_turn(other, number)
        with pytest.raises(Refused, match="somebody else"):
            runner.run(number, "anna")
        work.give_turn(other, number)
    with runner.database.begin() as connection:
        work.step(connection, number, Step.START, "anna", NOW)
        work.step(connection, number, Step.CANCEL, "bo", NOW)
    with pytest.raises((Refused, Cancelled)):
        runner.run(number, "anna")


def test_a_what_if_keeps_its_rows_and_a_dry_run_only_counts(runner: Runner) -> None:
    number = approved(runner.database, Purpose.WHAT_IF)
    with runner.database.reading() as connection:
        replay = work.load(connection, number)
    assert replay is not None
    assert runner.dry(replay)["records"] >= 4
    result = runner.run(number, "anna").result or {}
    assert (result["verdict"], result["rows"]) == ("identical", [])
