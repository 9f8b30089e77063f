"""The kill switch and the case of a grant tell one story: the hold first, the case after it, and no fight."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.control.cases.words import Action, Role, State, StopReason
from services.control.desk.orders import Declined, Done
from services.control.docket.filed import Filed
from services.control.store.cases.reading import load
from services.control.store.database import ControlDatabase
from services.control.store.outbox import acts_on
from services.control.store.provisioning.tables import Outcome
from services.control.suspension.receipt import Receipt, Standing, Step
from services.control.suspension.suspend import Order
from tests.support.desk import Office
from tests.support.provisioning import (
    OPENED,
    Clock,
    MemoryGrantBus,
    approved,
    carried_out,
    grant_of,
    now_of,
    switched,
    worker,
    works,
)
from tests.support.sharing_cases import AUTHORITY, BUREAU, DECIDER, PROVIDER
from topics.grants.declaration import GrantState
from topics.grants.hold import HoldScope

REASON = "data found on a market"
BY_AUTHORITY = Standing("authority", AUTHORITY, "UNLAWFUL_USE")
BY_PROVIDER = Standing("provider", PROVIDER, "RISK")
SOON, LATE = timedelta(seconds=5), timedelta(minutes=2)


@pytest.fixture
def office(control_database: ControlDatabase) -> Office:
    return Office(control_database)


@pytest.fixture
def bus() -> MemoryGrantBus:
    return MemoryGrantBus()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def active(office: Office, bus: MemoryGrantBus, clock: Clock) -> Filed:
    """A case that delivers."""
    filed = approved(office)
    soon_after(office, bus, clock)
    assert now_of(office, filed).state is State.ACTIVE
    return filed


def soon_after(office: Office, bus: MemoryGrantBus, clock: Clock) -> None:
    """What the process' loops do, until there is nothing left to do now."""
    clock.goes_on(SOON)
    carried_out(office, bus, clock)


def order(filed: Filed, standing: Standing = BY_AUTHORITY, by: str = "li", reason: str = REASON) -> Order:
    return Order(HoldScope.GRANT, grant_of(filed), by, reason, standing)


@pytest.mark.requirement("A8-05")
def test_an_order_at_the_switch_suspends_the_case_with_who_when_and_why(
    office: Office, bus: MemoryGrantBus, clock: Clock, active: Filed
) -> None:
    switched(bus, order(active), "s-1")
    assert not bus.reads(grant_of(active)), "the hold comes first"
    soon_after(office, bus, clock)
    case = now_of(office, active)
    event = case.events[-1]
    assert (case.state, case.suspended_by) == (State.SUSPENDED, Role.AUTHORITY)
    assert (event.action, event.order, event.text) == (Action.SUSPEND, "s-1", REASON)
    assert (event.who.person, event.who.department) == ("li", AUTHORITY)
    assert event.stop_reason is StopReason.UNLAWFUL_USE
    ordered_ms = Receipt.from_json(bus.journal.documents["s-1"]).requested_ms
    assert event.when == max(datetime.fromtimestamp(ordered_ms / 1000, UTC), case.events[-2].when)
    assert bus.stops == [], "no second order is sent to the bus"
    assert list(bus.now.holds) == ["s-1"]
    last = works(office, active)[-1]
    assert (last.outcome, last.receipt) == (Outcome.DONE, "s-1")
    assert bus.now.cases[grant_of(active)].event == event.number, "the bus knows how far the case is"


def test_the_case_lifts_what_the_switch_placed_and_delivers_again(
    office: Office, bus: MemoryGrantBus, clock: Clock, active: Filed
) -> None:
    switched(bus, order(active), "s-1")
    soon_after(office, bus, clock)
    office.done(active, Action.RESUME, BUREAU, clock.now)
    soon_after(office, bus, clock)
    assert now_of(office, active).state is State.ACTIVE
    assert bus.now.holds == {}
    assert bus.state(grant_of(active)) is GrantState.ACTIVE
    assert bus.reads(grant_of(active))
    again = worker(office, bus, clock)
    assert not again.turn(), "what is lifted suspends nothing anew"


def test_an_order_is_told_once_however_often_and_by_whomever(
    office: Office, bus: MemoryGrantBus, clock: Clock, active: Filed
) -> None:
    switched(bus, order(active), "s-1")
    for _ in range(3):
        soon_after(office, bus, clock)
        clock.goes_on(LATE)
    assert [each.order for each in now_of(office, active).events if each.order] == ["s-1"]


@pytest.mark.parametrize("steps", range(8))
def test_where_the_page_dies_in_between_the_loop_finishes_the_order_and_the_case_follows(
    office: Office, bus: MemoryGrantBus, clock: Clock, active: Filed, steps: int
) -> None:
    switched(bus, order(active), "s-1", steps)
    soon_after(office, bus, clock)
    clock.goes_on(LATE)
    soon_after(office, bus, clock)
    clock.goes_on(LATE)
    soon_after(office, bus, clock)
    case = now_of(office, active)
    assert (case.state, case.events[-1].order) == (State.SUSPENDED, "s-1")
    assert Receipt.from_json(bus.journal.documents["s-1"]).is_complete
    assert (works(office, active)[-1].outcome, works(office, active)[-1].receipt) == (Outcome.DONE, "s-1")
    assert bus.stops == []


def test_a_case_follows_as_soon_as_the_hold_is_there_and_waits_for_its_receipt(
    office: Office, bus: MemoryGrantBus, clock: Clock, active: Filed
) -> None:
    switched(bus, order(active), "s-1", steps=2)
    bus.calls.clear()
    run = worker(office, bus, clock)
    run._finishes = False
    while run.turn():
        pass
    assert now_of(office, active).state is State.SUSPENDED
    last = works(office, active)[-1]
    assert (last.outcome, last.attempts) == (Outcome.OWED, 0), "to wait is no failure"
    assert "finish" not in bus.calls, "whoever gave the order is carrying it out"
    assert Step.CUT not in Receipt.from_json(bus.journal.documents["s-1"]).steps


def test_an_order_between_the_resumption_and_its_epoch_wins(
    office: Office, bus: MemoryGrantBus, clock: Clock, active: Filed
) -> None:
    switched(bus, order(active), "s-1")
    soon_after(office, bus, clock)
    office.done(active, Action.RESUME, BUREAU, clock.now)
    switched(bus, order(active, by="zhou", reason="once more"), "s-2")
    clock.goes_on(SOON)
    worker(office, bus, clock).provide()
    assert list(bus.now.holds) == ["s-1"], "what the case does not know yet is not lifted"
    soon_after(office, bus, clock)
    case = now_of(office, active)
    assert (case.state, case.events[-1].order, case.events[-1].who.person) == (State.SUSPENDED, "s-2", "zhou")
    assert works(office, active)[-1].receipt == "s-1"
    office.done(active, Action.RESUME, BUREAU, clock.now)
    soon_after(office, bus, clock)
    assert now_of(office, active).state is State.ACTIVE


def test_an_order_at_a_console_is_entered_in_its_name_and_only_the_authority_resumes_it(
    office: Office, bus: MemoryGrantBus, clock: Clock, active: Filed
) -> None:
    switched(bus, order(active, Standing(), "console:root"), "s-1")
    soon_after(office, bus, clock)
    case = now_of(office, active)
    assert (case.suspended_by, case.events[-1].who.person) == (Role.SYSTEM, "console:root")
    assert case.events[-1].stop_reason is StopReason.RISK
    refused = office.act(active, Action.RESUME, DECIDER, clock.now)
    assert isinstance(refused, Declined)
    assert [each.code for each in refused.problems] == ["SUSPENDED_BY_AUTHORITY"]
    assert isinstance(office.act(active, Action.RESUME, BUREAU, clock.now), Done)


def test_an_order_at_a_console_in_an_accounts_name_is_entered_as_that_account_and_by_that_console(
    office: Office, bus: MemoryGrantBus, clock: Clock, active: Filed
) -> None:
    switched(bus, order(active, replace(BY_AUTHORITY, person="li"), "console:root"), "s-1")
    soon_after(office, bus, clock)
    case = now_of(office, active)
    assert (case.suspended_by, case.events[-1].who.person) == (Role.AUTHORITY, "li")
    with office.database.begin() as connection:
        filed = load(connection, UUID(case.opening.id))
        act = acts_on(connection, "case", case.opening.id)[-1]
    assert filed is not None
    assert filed.recorders[-1] == "console:root"
    assert (act.who, act.what, act.facts["for"]) == ("console:root", "case.suspend", "li")


def test_an_order_of_whom_the_case_does_not_let_suspend_it_is_followed_all_the_same(
    office: Office, bus: MemoryGrantBus, clock: Clock, active: Filed
) -> None:
    switched(bus, order(active, replace(BY_PROVIDER, department="tax"), "ma"), "s-1")
    soon_after(office, bus, clock)
    case = now_of(office, active)
    assert (case.state, case.suspended_by, case.events[-1].who.person) == (State.SUSPENDED, Role.SYSTEM, "ma")


def test_what_the_authority_orders_on_a_suspended_case_the_provider_cannot_lift(
    office: Office, bus: MemoryGrantBus, clock: Clock, active: Filed
) -> None:
    office.done(active, Action.SUSPEND, DECIDER, clock.now, stop_reason=StopReason.RISK, text="a leak")
    soon_after(office, bus, clock)
    [held] = bus.now.holds
    bus.journal.save(held, complete(bus, held))
    switched(bus, order(active), "s-1")
    soon_after(office, bus, clock)
    case = now_of(office, active)
    assert (case.suspended_by, case.events[-1].order) == (Role.AUTHORITY, "s-1")
    assert list(bus.now.holds) == [held]
    assert isinstance(office.act(active, Action.RESUME, DECIDER, clock.now), Declined)


def complete(bus: MemoryGrantBus, held: str) -> dict[str, object]:
    """The journal of a suspension that the case has ordered, as the kill switch would have it."""
    hold = bus.now.holds[held]
    steps = dict.fromkeys(Step, hold.since_ms)
    return Receipt(held, hold.scope, hold.name, "li", hold.reason, hold.since_ms, 1, steps=steps).saved()


def test_a_wider_order_stops_delivery_and_leaves_the_case_active(
    office: Office, bus: MemoryGrantBus, clock: Clock, active: Filed
) -> None:
    switched(bus, Order(HoldScope.CONSUMER, "health", "li", REASON, BY_AUTHORITY), "s-1")
    soon_after(office, bus, clock)
    assert now_of(office, active).state is State.ACTIVE
    assert bus.state(grant_of(active)) is GrantState.SUSPENDED


def test_where_the_journal_is_lost_what_the_policy_holds_suspends_the_case(
    office: Office, bus: MemoryGrantBus, clock: Clock, active: Filed
) -> None:
    switched(bus, order(active), "s-1")
    bus.journal.documents.clear()
    soon_after(office, bus, clock)
    case = now_of(office, active)
    assert (case.state, case.events[-1].text, case.suspended_by) == (State.SUSPENDED, REASON, Role.SYSTEM)
    assert works(office, active)[-1].receipt == "s-1"
    assert clock.now > OPENED
