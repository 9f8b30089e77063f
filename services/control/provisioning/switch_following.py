"""Tells cases what the kill switch was ordered to do with their grants: first the hold, then the case.

Nothing is asked of the bus here. An order stands on the case under its id, so it is told once, whoever tells
it and however often.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from services.control.cases.case import Given
from services.control.cases.words import Action, Actor, Role, StopReason
from services.control.desk.desk import Desk
from services.control.desk.following import SYSTEM
from services.control.desk.orders import Answer, Declined, Done, Order
from services.control.docket.filed import Filed
from services.control.docket.written import UnknownForm
from services.control.provisioning.reasons import reason_of
from services.control.provisioning.switch_orders import (
    SwitchBus,
    SwitchOrder,
    SwitchOrders,
    next_order,
)
from services.control.store.cases.reading import DistrustCase
from services.control.store.database import ControlDatabase
from services.control.store.outbox import is_id
from services.control.store.provisioning.entitled import case_of_grant
from services.control.suspension.bus import NoPolicyYet
from topics.event import GrantId

_STANDS_FOR: Final = frozenset({Role.AUTHORITY.value, Role.PROVIDER.value})
"""Roles in which people suspend cases; an order of anybody else is entered by the control plane."""
_STRANGER: Final = frozenset({"WRONG_ROLE", "OTHER_DEPARTMENT", "OWN_CASE"})
DEFAULT_STOP: Final = StopReason.RISK
"""What is stopped at once is stopped because going on would be a risk, unless somebody says otherwise."""


@dataclass(frozen=True, slots=True)
class SwitchFollower:
    """Enters orders of the kill switch on cases."""

    database: ControlDatabase
    desk: Desk
    say: Callable[[str], None]

    def follow(self, orders: SwitchOrders, only: Collection[GrantId] | None = None) -> bool:
        """Tell every case what it does not know yet; return whether there was anything.

        Args:
            orders: what was ordered.
            only: the grants that are meant; None for all.

        Raises:
            StoreError: the database is away or was busy; call it again.
        """
        wanted = orders.by_grant if only is None else [each for each in only if each in orders.by_grant]
        told = [self._follow_one(grant, orders.by_grant[grant]) for grant in wanted]
        return any(told)

    def _follow_one(self, grant: GrantId, orders: Iterable[SwitchOrder]) -> bool:
        """Whether the case has moved; one that is distrusted holds up no other."""
        moved = False
        try:
            with self.database.begin() as connection:
                while (filed := case_of_grant(connection, grant, lock=True)) is not None:
                    order = next_order(filed.case, orders)
                    if order is None or not self._enter(connection, filed, order):
                        break
                    moved = True
        except (UnknownForm, DistrustCase) as error:
            self.say(f"{grant}: its case cannot follow the kill switch: {reason_of(error)}")
            return False
        return moved

    def _enter(self, connection: Connection, filed: Filed, order: SwitchOrder) -> bool:
        """As who ordered it, if the case lets that person; else as the control plane in that name."""
        answer = self._suspend(connection, filed, order, _actor(order))
        if isinstance(answer, Declined) and {each.code for each in answer.problems} <= _STRANGER:
            answer = self._suspend(connection, filed, order, Actor(_person(order), Role.SYSTEM, ""))
        if isinstance(answer, Done):
            self.say(f"case {filed.number} is suspended: its grant was, by {order.id}")
            return True
        why = (
            [each.code for each in answer.problems] if isinstance(answer, Declined) else type(answer).__name__
        )
        self.say(f"case {filed.number} does not follow {order.id}: {why}")
        return False

    def _suspend(self, connection: Connection, filed: Filed, order: SwitchOrder, actor: Actor) -> Answer:
        case = filed.case
        when = max(order.at, case.events[-1].when)
        stop = StopReason(order.standing.stop) if order.standing.stop else DEFAULT_STOP
        given = Given(text=_text(order), stop_reason=stop, order=order.id)
        recorder = order.by if order.standing.person else ""
        asked = Order(key="", actor=actor, now=when, recorder=recorder)
        return self.desk.carry_out(connection, asked, _id(filed), Action.SUSPEND, given)


@dataclass(slots=True)
class SwitchWatch:
    """Lets cases follow the kill switch: when it has noted something, and each minute."""

    bus: SwitchBus
    follower: SwitchFollower
    patience: timedelta
    """So long a suspension may be under way; then whoever began it is gone."""
    left_half_done: bool = False
    """Whether a suspension waits for somebody who finishes it."""
    _followed: object = None

    def turn(self, now: datetime) -> bool:
        """Whether a case was told something.

        Raises:
            StoreError: the database is away or was busy; call it again.
        """
        stamp = (self.bus.switch_stamp(), now.replace(second=0, microsecond=0))
        if stamp == self._followed:
            return False
        try:
            orders = self.bus.switch_orders()
        except Exception as error:  # noqa: BLE001 - what is owed is carried out all the same
            self._followed = stamp if isinstance(error, NoPolicyYet) else None
            self.follower.say(f"what the kill switch did cannot be seen: {reason_of(error)}")
            return False
        told = self.follower.follow(orders)
        since = orders.unfinished_since
        self.left_half_done = since is not None and now - since > self.patience
        self._followed = stamp
        return told


def _actor(order: SwitchOrder) -> Actor:
    """Who ordered it, in the role in which that was allowed; at a console there is none."""
    standing = order.standing
    role = Role(standing.role) if standing.role in _STANDS_FOR else Role.SYSTEM
    return Actor(_person(order), role, "" if role is Role.SYSTEM else standing.department)


def _person(order: SwitchOrder) -> str:
    by = order.standing.person or order.by
    return by if is_id(by) else SYSTEM.person


def _text(order: SwitchOrder) -> str:
    """The reason; with the name that was given at a console where that is no account's."""
    return order.reason if is_id(order.by) or not order.by else f"{order.reason} ({order.by})"


def _id(filed: Filed) -> UUID:
    return UUID(filed.case.opening.id)
