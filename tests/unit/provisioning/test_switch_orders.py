"""Which orders of the kill switch a case is told: those that hold its grant and that it does not know."""

from dataclasses import replace
from datetime import UTC, datetime

from services.control.cases.case import Case
from services.control.cases.words import Action, Role, State, StopReason
from services.control.provisioning.switch_orders import known_orders, next_order, switch_orders
from services.control.suspension.receipt import Again, Receipt, Standing, Step
from tests.support.sharing_cases import BUREAU, IN_STATE, NOW, active, draft, taken
from topics.event import GrantId, PolicyNumber
from topics.grants.hold import Hold, HoldScope

GRANT = GrantId("case-1-grant")
LATER_MS = int(NOW.timestamp() * 1000) + 60_000


def receipt(id_: str = "s-1", scope: HoldScope = HoldScope.GRANT, name: str = GRANT) -> Receipt:
    steps = dict.fromkeys(Step, LATER_MS)
    return Receipt(id_, scope, name, "li", "breach", LATER_MS, 2, steps=steps)


def holds(*receipts: Receipt) -> dict[str, Hold]:
    return {
        each.id: Hold(
            id=each.id,
            scope=each.scope,
            name=each.name,
            reason=each.reason,
            since_ms=each.requested_ms,
            since_version=PolicyNumber(2),
        )
        for each in receipts
    }


def due(case: Case, *receipts: Receipt, in_force: bool = True) -> str | None:
    orders = switch_orders(receipts, holds(*receipts) if in_force else {})
    found = next_order(case, orders.by_grant.get(GRANT, ()))
    return None if found is None else found.id


def suspended_by(case: Case, order: str) -> Case:
    return taken(case, Action.SUSPEND, BUREAU, order=order, stop_reason=StopReason.RISK)


def test_an_order_in_force_is_due_until_the_case_knows_it_in_every_state_that_is_served() -> None:
    for state, made in IN_STATE.items():
        served = state in (State.PROVISIONING, State.ACTIVE, State.SUSPENDED)
        assert due(made(), receipt()) == ("s-1" if served else None), state
    assert due(suspended_by(active(draft()), "s-1"), receipt()) is None


def test_what_holds_no_more_what_is_wider_and_what_the_case_ordered_itself_is_not_due() -> None:
    case = active(draft())
    assert due(case, receipt(), in_force=False) is None
    assert due(case, receipt(scope=HoldScope.CONSUMER, name="health")) is None
    assert due(case, receipt("c-1")) is None
    assert due(case, replace(receipt(), steps={Step.READ_REMOVED: LATER_MS}), in_force=False) is None


def test_an_order_that_found_a_suspension_in_force_is_due_also_when_that_was_lifted_just_then() -> None:
    again = Again("s-2", "zhou", "once more", LATER_MS, Standing())
    kept = replace(receipt("c-1"), again=(again,))
    assert due(active(draft()), kept) == "s-2"
    assert due(active(draft()), kept, in_force=False) == "s-2"
    assert due(suspended_by(active(draft()), "s-2"), kept, in_force=False) is None
    before_the_case = replace(kept, again=(replace(again, requested_ms=5),))
    assert due(active(draft()), before_the_case, in_force=False) is None


def test_where_the_journal_is_lost_the_policy_is_asked() -> None:
    orders = switch_orders(
        [], holds(receipt(), receipt("c-1", name="other"), receipt("s-9", HoldScope.ALL, ""))
    )
    [found] = orders.by_grant[GRANT]
    assert (found.id, found.by, found.reason) == ("s-1", "", "breach")
    assert set(orders.by_grant) == {GRANT}


def test_unfinished_suspensions_are_known_by_the_oldest() -> None:
    done, half = receipt(), replace(receipt("s-2"), steps={}, requested_ms=7_000)
    assert switch_orders([done], {}).unfinished_since is None
    found = switch_orders([done, half], {}).unfinished_since
    assert found == datetime.fromtimestamp(7, UTC)


def test_a_case_knows_its_orders_up_to_an_event() -> None:
    case = suspended_by(active(draft()), "s-1")
    first = len(case.events)
    case = suspended_by(case, "s-2")
    assert known_orders(case) == {"s-1", "s-2"}
    assert known_orders(case, first) == {"s-1"}
    assert case.suspended_by is Role.AUTHORITY
