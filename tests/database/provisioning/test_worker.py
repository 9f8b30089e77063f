"""From a decided case to the bus and back: every step reported, nothing half done, nothing given in doubt."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.control.cases import application as rules_of_applications
from services.control.cases.provisioning import Fault, Progress, Step
from services.control.cases.words import Action, DeliveryMode, State, StopReason
from services.control.desk.sweep import sweep
from services.control.docket.requests import Wanted
from services.control.provisioning.marks import mark_of
from services.control.provisioning.retrying import Patience
from services.control.store.database import ControlDatabase
from services.control.store.notices.tables import NOTICE_EVENTS
from services.control.store.provisioning.tables import Outcome
from services.control.store.provisioning.turns import Lane, turn
from services.control.suspension.bus import NoPolicyYet
from tests.support.desk import Office
from tests.support.provisioning import (
    OPENED,
    Clock,
    MemoryGrantBus,
    approved,
    by_cases,
    carried_out,
    grant_of,
    now_of,
    worker,
    works,
)
from tests.support.restoring import back_up, restore
from tests.support.sharing_cases import BUREAU, CONSUMER, DECIDER, NOW, OPERATOR, application
from tests.support.suspending import Killed
from topics.grants.declaration import GrantState
from topics.resource import ShareType

STOP: dict[str, Any] = {"stop_reason": StopReason.RISK, "text": "a leak is suspected"}
IN_ORDER = ["make_topics", "make_user", "give_rights", "begin", "settle", "back_fill", "confirm"]
LONG = timedelta(hours=1)


@pytest.fixture
def office(control_database: ControlDatabase) -> Office:
    return Office(control_database)


@pytest.fixture
def bus() -> MemoryGrantBus:
    return MemoryGrantBus()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def asked(bus: MemoryGrantBus) -> list[str]:
    return [call for call in bus.calls if call != "finish"]


@pytest.mark.requirement("A6-05")
def test_an_approved_case_becomes_a_grant_step_by_step_and_is_active_last(
    office: Office, bus: MemoryGrantBus, clock: Clock
) -> None:
    filed = approved(office)
    carried_out(office, bus, clock)
    case = now_of(office, filed)
    assert case.state is State.ACTIVE
    assert {each.progress for each in case.steps} == {Progress.DONE}
    assert asked(bus) == IN_ORDER
    entry = bus.now.grants[grant_of(filed)]
    assert (entry.grant.state, entry.grant.items) == (GrantState.ACTIVE, filed.case.application.items)
    assert bus.reads(grant_of(filed))
    assert [(each.wanted.value, each.outcome, each.note) for each in works(office, filed)] == [
        ("provide", Outcome.DONE, "all steps are done"),
        ("open", Outcome.DONE, "delivering"),
    ]
    assert not worker(office, bus, clock).turn(), "there is nothing left to do"


@pytest.mark.requirement("A7-03")
def test_a_batch_is_handed_out_once_and_can_be_read_until_its_last_day(
    office: Office, bus: MemoryGrantBus, clock: Clock
) -> None:
    wanted = application(mode=DeliveryMode.BATCH, batch_justification="年度普查须离线比对全量")
    filed = office.done(office.opened(wanted), Action.SUBMIT, CONSUMER)
    office.done(filed, Action.APPROVE, DECIDER)
    carried_out(office, bus, clock)
    entry = bus.now.grants[grant_of(filed)]
    assert (entry.grant.once, entry.grant.state, entry.closed_ms) == (True, GrantState.ACTIVE, 1)
    assert bus.reads(grant_of(filed))
    assert now_of(office, filed).state is State.ACTIVE
    clock.now = datetime(2027, 3, 10, 1, 0, tzinfo=UTC)
    sweep(office.desk, office.database, clock.now)
    carried_out(office, bus, clock)
    assert now_of(office, filed).state is State.EXPIRED
    assert bus.now.grants[grant_of(filed)].grant.state is GrantState.REVOKED
    assert not bus.reads(grant_of(filed))


def test_the_consumer_is_told_to_fetch_its_credential_and_that_it_can_begin(
    office: Office, bus: MemoryGrantBus, clock: Clock
) -> None:
    approved(office)
    carried_out(office, bus, clock)
    with office.database.reading() as connection:
        kinds = [
            row.kind for row in connection.execute(NOTICE_EVENTS.select().order_by(text("happened_at, kind")))
        ]
    assert [kinds.count(each) for each in ("case.active", "grant.credential_issued")] == [1, 1]


def test_nothing_is_made_before_the_first_day_of_the_grant(
    office: Office, bus: MemoryGrantBus, clock: Clock
) -> None:
    filed = approved(office)
    clock.now = NOW
    carried_out(office, bus, clock)
    assert asked(bus) == []
    [work] = works(office, filed)
    assert "2026-03-10" in work.note
    assert work.next_at == datetime(2026, 3, 9, 16, 0, tzinfo=UTC), "midnight in Beijing"
    clock.now = OPENED
    carried_out(office, bus, clock)
    assert now_of(office, filed).state is State.ACTIVE


def test_a_failed_step_stands_on_the_case_and_is_tried_again_with_growing_waits(
    office: Office, bus: MemoryGrantBus, clock: Clock
) -> None:
    filed = approved(office)
    bus.fails["settle"] = NoPolicyYet("the bus is away")
    run = worker(office, bus, clock)
    waits: list[float] = []
    for _ in range(Patience().attempts):
        while run.turn():
            pass
        before = clock.now
        while not run.turn():
            clock.goes_on(timedelta(seconds=10))
            if clock.now - before > LONG:
                break
        waits.append((clock.now - before).total_seconds())
    assert waits[:3] == [30, 60, 120]
    assert waits[-1] > LONG.total_seconds(), "then it waits for a person"
    step = now_of(office, filed).step(Step.ACKNOWLEDGED)
    assert step is not None
    assert (step.progress, step.attempts) == (Progress.FAILED, Patience().attempts)
    assert (step.fault, step.reason) == (Fault.NO_POLICY, "the bus is away")
    assert bus.calls.count("make_topics") == 1, "what was done is not done again"
    del bus.fails["settle"]
    office.done(filed, Action.RETRY_STEP, OPERATOR, clock.now, step=Step.ACKNOWLEDGED)
    carried_out(office, bus, clock)
    assert now_of(office, filed).state is State.ACTIVE


@pytest.mark.parametrize("calls", range(1, 10))
def test_killed_after_any_call_the_next_worker_finishes_and_nothing_is_half_done(
    office: Office, clock: Clock, calls: int
) -> None:
    filed = approved(office)
    bus = MemoryGrantBus(kill_at=calls)
    try:
        carried_out(office, bus, clock)
    except Killed:
        carried_out(office, bus, clock)
    assert now_of(office, filed).state is State.ACTIVE
    assert bus.state(grant_of(filed)) is GrantState.ACTIVE
    assert len(bus.filled) == 1
    assert [each.outcome for each in works(office, filed)] == [Outcome.DONE, Outcome.DONE]


def test_of_two_workers_one_waits_and_a_stop_waits_for_no_provisioning(
    office: Office, bus: MemoryGrantBus, clock: Clock
) -> None:
    approved(office)
    with turn(office.database, Lane.PROVIDING) as mine:
        assert mine
        with turn(office.database, Lane.PROVIDING) as second:
            assert not second
        assert not worker(office, bus, clock).turn()
        with turn(office.database, Lane.STOPPING) as other:
            assert other
    assert worker(office, bus, clock).turn()


@pytest.mark.requirement("A8-05")
def test_a_suspension_does_not_wait_for_a_back_fill_and_that_one_opens_nothing(
    office: Office, bus: MemoryGrantBus, clock: Clock
) -> None:
    filed = approved(office)

    def suspended_meanwhile() -> None:
        office.done(filed, Action.SUSPEND, BUREAU, clock.now, **STOP)
        assert worker(office, bus, clock).stop()

    bus.during_fill = suspended_meanwhile
    carried_out(office, bus, clock)
    assert now_of(office, filed).state is State.SUSPENDED
    assert bus.state(grant_of(filed)) is GrantState.SUSPENDED
    assert not bus.reads(grant_of(filed))
    provide, suspend = works(office, filed)
    assert provide.outcome is Outcome.DROPPED
    assert (suspend.outcome, suspend.note, suspend.receipt) == (Outcome.DONE, "receipt c-1", "c-1")


def test_a_case_is_suspended_resumed_by_a_new_epoch_and_ended(
    office: Office, bus: MemoryGrantBus, clock: Clock
) -> None:
    filed = approved(office)
    carried_out(office, bus, clock)
    office.done(filed, Action.SUSPEND, BUREAU, clock.now, **STOP)
    carried_out(office, bus, clock)
    assert bus.stops == [(f"suspend {grant_of(filed)}", "operator:test", f"case {filed.number}: RISK")]
    assert bus.state(grant_of(filed)) is GrantState.SUSPENDED
    office.done(filed, Action.RESUME, BUREAU, clock.now)
    carried_out(office, bus, clock)
    assert now_of(office, filed).state is State.ACTIVE
    assert bus.now.holds == {}
    assert [generation for _, generation in bus.filled] == [1, 2]
    office.done(filed, Action.TERMINATE, BUREAU, clock.now, **STOP)
    carried_out(office, bus, clock)
    assert bus.state(grant_of(filed)) is GrantState.REVOKED
    assert not bus.reads(grant_of(filed))
    outcomes = [(each.wanted.value, each.outcome.value) for each in works(office, filed)]
    assert outcomes == [(one, "done") for one in ("provide", "open", "suspend", "provide", "open", "end")]
    counted = [
        (each.records, each.withdrawn) for each in works(office, filed) if each.wanted is Wanted.PROVIDE
    ]
    assert counted == [(3, 3), (3, 3)], "what each epoch delivered, and took away again"


def test_what_a_later_request_overtakes_is_dropped_and_says_so(
    office: Office, bus: MemoryGrantBus, clock: Clock
) -> None:
    filed = approved(office)
    office.done(filed, Action.SUSPEND, BUREAU, **STOP)
    carried_out(office, bus, clock)
    provide, suspend = works(office, filed)
    assert provide.outcome is Outcome.DROPPED
    assert provide.note == f"overtaken by what event {suspend.event} asks for"
    assert (suspend.outcome, suspend.note) == (Outcome.DONE, "nothing was delivered")
    assert asked(bus) == ["suspend"]


def test_a_suspension_that_was_lifted_before_it_was_carried_out_is_dropped(
    office: Office, bus: MemoryGrantBus, clock: Clock
) -> None:
    filed = approved(office)
    carried_out(office, bus, clock)
    office.done(filed, Action.SUSPEND, BUREAU, clock.now, **STOP)
    office.done(filed, Action.RESUME, BUREAU, clock.now)
    carried_out(office, bus, clock)
    assert bus.stops == []
    assert works(office, filed)[2].outcome is Outcome.DROPPED
    assert bus.filled == [(grant_of(filed), 1), (grant_of(filed), 2)]
    assert now_of(office, filed).state is State.ACTIVE


def test_a_stop_that_fails_is_tried_for_ever_and_holds_up_no_other(
    office: Office, bus: MemoryGrantBus, clock: Clock
) -> None:
    first, second = approved(office), approved(office)
    carried_out(office, bus, clock)
    bus.fails["suspend"] = OSError("the disk is full")
    office.done(first, Action.SUSPEND, BUREAU, clock.now, **STOP)
    office.done(second, Action.TERMINATE, BUREAU, clock.now, **STOP)
    for _ in range(20):
        carried_out(office, bus, clock)
        clock.goes_on(timedelta(minutes=1))
    work = works(office, first)[-1]
    assert (work.outcome, work.attempts) == (Outcome.OWED, 20)
    assert "the disk is full" in work.note
    assert bus.state(grant_of(second)) is GrantState.REVOKED
    del bus.fails["suspend"]
    carried_out(office, bus, clock)
    assert bus.state(grant_of(first)) is GrantState.SUSPENDED


def test_nothing_is_given_on_the_word_of_a_database_that_is_older_than_the_bus(
    office: Office, bus: MemoryGrantBus, clock: Clock
) -> None:
    filed = approved(office)
    back_up(office.database)
    later = office.done(filed, Action.SUSPEND, BUREAU, **STOP)
    mark = mark_of(later.case, later.version)
    bus.now = by_cases().model_copy(update={"cases": {grant_of(filed): mark}})
    restore(office.database)
    carried_out(office, bus, clock)
    assert asked(bus) == []
    [work] = works(office, filed)
    assert work.outcome is Outcome.OWED
    assert work.note.startswith("RESTORE_NEWER_DATABASE")
    assert now_of(office, filed).state is State.PROVISIONING
    assert len(now_of(office, filed).events) == filed.version, "nothing is added to its history either"


def test_what_goes_beyond_the_entry_as_it_stands_is_not_made_and_says_why(
    office: Office, bus: MemoryGrantBus, clock: Clock
) -> None:
    filed = office.done(office.opened(), Action.SUBMIT, CONSUMER)
    office.done(filed, Action.APPROVE, DECIDER)
    office.city.changes = {"share_type": ShareType.NOT_SHARED}
    run = worker(office, bus, clock)
    bus.fails["make_topics"] = OSError("once")
    run.turn()
    del bus.fails["make_topics"]
    clock.goes_on(LONG)
    while run.turn():
        pass
    step = now_of(office, filed).step(Step.TOPIC)
    assert step is not None
    assert (step.fault, "NOT_SHARED" in step.reason) == (Fault.BEYOND_DECISION, True)
    assert bus.now.grants == {}


def test_where_each_answer_is_asked_for_there_is_a_credential_and_no_topic(
    office: Office, bus: MemoryGrantBus, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A case that was approved before such applications were refused."""
    wanted = application(mode=DeliveryMode.QUERY)
    with monkeypatch.context() as before:
        before.setattr(rules_of_applications, "SERVED", frozenset(DeliveryMode))
        filed = office.done(office.opened(wanted), Action.SUBMIT, CONSUMER)
        office.done(filed, Action.APPROVE, DECIDER)
    carried_out(office, bus, clock)
    assert now_of(office, filed).state is State.ACTIVE
    assert asked(bus) == ["make_user", "give_rights", "note", "confirm"]
    assert bus.topics == set()
    assert bus.now.cases[grant_of(filed)].event == now_of(office, filed).events[-1].number


def test_a_request_is_taken_from_the_outbox_once(office: Office, bus: MemoryGrantBus, clock: Clock) -> None:
    filed = approved(office)
    carried_out(office, bus, clock)
    with office.database.begin() as connection:
        connection.execute(text("UPDATE outbox SET sent_at = NULL WHERE channel = 'policy'"))
    carried_out(office, bus, clock)
    assert len(works(office, filed)) == 2
    assert asked(bus) == IN_ORDER


def test_a_clock_that_lags_behind_the_case_costs_a_wait_and_no_step(
    office: Office, bus: MemoryGrantBus, clock: Clock
) -> None:
    filed = approved(office)
    office.done(filed, Action.COMPLAIN, CONSUMER, OPENED + timedelta(seconds=5))
    carried_out(office, bus, clock)
    [work] = works(office, filed)
    assert (work.outcome, "TIME_BACKWARDS" in work.note) == (Outcome.OWED, True)
    clock.goes_on(timedelta(minutes=2))
    carried_out(office, bus, clock)
    assert now_of(office, filed).state is State.ACTIVE


def test_a_case_that_is_distrusted_holds_up_no_other(
    office: Office, bus: MemoryGrantBus, clock: Clock
) -> None:
    damaged, other = approved(office), approved(office)
    with office.database.begin() as connection:
        wrong = text("UPDATE cases SET version = 99 WHERE number = :n")
        connection.execute(wrong, {"n": damaged.number})
    carried_out(office, bus, clock)
    assert now_of(office, other).state is State.ACTIVE
    assert "`govbus case check` lists such cases" in works(office, damaged)[0].note
