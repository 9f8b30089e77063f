"""What the kill switch was ordered to do with single grants, and what of it a case is not told yet; pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

from services.control.cases.case import Case
from services.control.cases.words import State
from services.control.suspension.ids import CASE_HOLD, is_of_case
from services.control.suspension.receipt import Again, Receipt, Standing, Step
from topics.event import GrantId
from topics.grants.hold import Hold, HoldScope

_SERVED: Final = frozenset({State.PROVISIONING, State.ACTIVE, State.SUSPENDED})


@dataclass(frozen=True, slots=True)
class SwitchOrder:
    """Somebody ordered at the kill switch to suspend one grant."""

    id: str
    hold: str
    """The suspension that it placed, or found in force."""
    grant: GrantId
    by: str
    reason: str
    at: datetime
    standing: Standing
    in_force: bool
    """Whether that suspension holds now."""
    of_case: bool = False
    """Whether the case of the grant gave it: it is told of those only that people gave."""

    @property
    def is_again(self) -> bool:
        """Whether it found the suspension in force."""
        return self.id != self.hold


@dataclass(frozen=True, slots=True)
class SwitchOrders:
    """All orders on single grants, those of one grant in the order of their time."""

    by_grant: Mapping[GrantId, tuple[SwitchOrder, ...]] = field(default_factory=dict)
    unfinished_since: datetime | None = None
    """Since when the oldest suspension is half done, if one is."""

    def unknown(self, grant: GrantId, known: Collection[str]) -> list[SwitchOrder]:
        """The orders that hold a grant now and that its case does not know."""
        given = self.by_grant.get(grant, ())
        return [each for each in given if each.in_force and not each.of_case and each.id not in known]


class SwitchBus(Protocol):
    """The kill switch of the running bus, as far as cases follow it."""

    def switch_stamp(self) -> object:
        """Another value whenever it was used since; nothing is asked of the bus for it."""
        ...

    def switch_orders(self) -> SwitchOrders:
        """What it was ordered to do with single grants.

        Raises:
            NoPolicyYet: nothing was applied yet.
        """
        ...


def switch_orders(receipts: Iterable[Receipt], holds: Mapping[str, Hold]) -> SwitchOrders:
    """The orders of the journal; where it is lost, what the policy says of those in force.

    Args:
        receipts: everything in the journal of suspensions.
        holds: of the newest policy.
    """
    kept = list(receipts)
    found = [order for each in kept for order in _of_receipt(each, holds)]
    lost = [hold for id_, hold in holds.items() if id_ not in {each.id for each in kept}]
    found += [_of_hold(hold) for hold in lost if hold.scope is HoldScope.GRANT and not is_of_case(hold)]
    by_grant: dict[GrantId, tuple[SwitchOrder, ...]] = {}
    for order in sorted(found, key=lambda each: (each.at, each.id)):
        by_grant[order.grant] = (*by_grant.get(order.grant, ()), order)
    begun = [each.requested_ms for each in kept if not each.is_complete]
    return SwitchOrders(by_grant, _moment(min(begun)) if begun else None)


def next_order(case: Case, orders: Iterable[SwitchOrder]) -> SwitchOrder | None:
    """The oldest order on the case's grant that the case does not know and that must suspend it.

    That is one that holds the grant now; or one that found a suspension in force which was lifted at that
    very moment.
    """
    if case.state not in _SERVED:
        return None
    known = known_orders(case)
    begun = case.events[0].when
    for order in orders:
        lifted_meanwhile = order.is_again and order.at > begun
        if order.id not in known and not order.of_case and (order.in_force or lifted_meanwhile):
            return order
    return None


def known_orders(case: Case, until: int | None = None) -> frozenset[str]:
    """The orders of the switch that a case follows, up to one of its events if that is named."""
    return frozenset(each.order for each in case.events[:until] if each.order)


def _of_receipt(receipt: Receipt, holds: Mapping[str, Hold]) -> Iterator[SwitchOrder]:
    """Once the policy holds the grant: an order that has come less far is finished first."""
    in_force = receipt.id in holds
    if receipt.scope is not HoldScope.GRANT or not (in_force or Step.POLICY_WRITTEN in receipt.steps):
        return
    given: list[Receipt | Again] = [receipt, *receipt.again]
    for each in given:
        yield SwitchOrder(
            each.id,
            receipt.id,
            GrantId(receipt.name),
            each.by,
            each.reason,
            _moment(each.requested_ms),
            each.standing,
            in_force,
            of_case=each is receipt and each.id.startswith(f"{CASE_HOLD}-"),
        )


def _of_hold(hold: Hold) -> SwitchOrder:
    at = _moment(hold.since_ms)
    return SwitchOrder(hold.id, hold.id, GrantId(hold.name), "", hold.reason, at, Standing(), in_force=True)


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
