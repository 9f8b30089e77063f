"""A bus in memory for the worker of cases: what it is asked is remembered, it can fail and end anywhere."""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from services.control.cases.case import Case
from services.control.cases.provisioning import Fault
from services.control.cases.words import Action
from services.control.docket.filed import Filed
from services.control.policy_document import with_hold
from services.control.provisioning.entries import entry_of
from services.control.provisioning.policy_changes import (
    active,
    delivering,
    ended,
    filling,
    noted,
    strange_holds,
)
from services.control.provisioning.ports import CannotProvide, StopUnderWay
from services.control.provisioning.switch_orders import SwitchOrders, switch_orders
from services.control.provisioning.worker import ProvisioningWorker
from services.control.rights import consumer_rights, grant_rights
from services.control.state import Acl
from services.control.store.cases.reading import load
from services.control.store.database import ControlDatabase
from services.control.store.ids import new_id
from services.control.store.provisioning.works import Work, works_of
from services.control.suspension.ids import is_of_case
from services.control.suspension.receipt import Receipt
from services.control.suspension.suspend import Order
from tests.support.desk import Office, id_of
from tests.support.policy import sample_policy
from tests.support.sharing_cases import CONSUMER, DECIDER
from tests.support.suspending import Killed, MemoryBus, MemoryJournal, suspending
from topics.event import ConsumerId, GrantId, PolicyNumber, SchemaId, TopicName
from topics.grants.declaration import Grant, GrantState
from topics.grants.hold import Hold, HoldScope
from topics.names import epochs, redelivered_prefix
from topics.policy import CaseMark, Policy

T = TypeVar("T")
OPENED = datetime(2026, 3, 11, 1, 0, tzinfo=UTC)
"""The day after the first day of the sample application."""


def by_cases(policy: Policy | None = None) -> Policy:
    """The sample city's policy, without grants, in which cases decide."""
    found = policy or sample_policy().model_copy(update={"grants": {}})
    return found.model_copy(update={"by_cases": True})


@dataclass
class Clock:
    """A clock that a test sets."""

    now: datetime = OPENED

    def __call__(self) -> datetime:
        return self.now

    def goes_on(self, by: timedelta) -> None:
        self.now += by


@dataclass
class MemoryGrantBus:
    """The broker and its policy; ``calls`` is what was asked, in order."""

    now: Policy = field(default_factory=by_cases)
    topics: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)
    acls: set[Acl] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)
    stops: list[tuple[str, str, str]] = field(default_factory=list)
    """What was suspended or withdrawn, by whom and why."""
    filled: list[tuple[GrantId, int]] = field(default_factory=list)
    """Each back-fill, with its generation."""
    fails: dict[str, Exception] = field(default_factory=dict)
    during_fill: Callable[[], None] = lambda: None
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    """Of the kill switch, which has this bus too: see ``switched``."""
    kill_at: int | None = None
    """The process ends after so many calls, that one done."""

    def policy(self) -> Policy:
        return self.now

    def write(self, change: Callable[[Policy], Policy]) -> Policy:
        self._asked("write")
        self.now = change(self.now)
        return self._done(self.now)

    def make_topics(self, grant: Grant) -> None:
        self._asked("make_topics")
        self.topics |= {grant.topic, epochs(grant.id)}
        self._done(None)

    def make_user(self, consumer: ConsumerId) -> None:
        self._asked("make_user")
        self.known.add(f"consumer-{consumer}")
        self._done(None)

    def give_rights(self, consumer: ConsumerId, grant: Grant | None, mark: CaseMark) -> None:
        self._asked("give_rights")
        self.acls |= consumer_rights(consumer)
        if grant is not None and grant.id not in self.now.grants:
            self.acls |= grant_rights(grant)
        self._done(None)

    def begin(self, grant: Grant, mark: CaseMark, orders: Collection[str] = ()) -> None:
        self._asked("begin")
        if strange_holds(self.now, grant, orders) or self.switch_orders().unknown(grant.id, orders):
            raise CannotProvide("it is held", "resume it", Fault.HELD)
        entry, _ = entry_of(grant, self.now, SchemaId(700), SchemaId(701))
        self.now = filling(self.now, entry, mark, 1, orders)
        self._done(None)

    def settle(self, grant: GrantId) -> None:
        self._asked("settle")
        self._done(None)

    def back_fill(self, grant: Grant, mark: CaseMark, orders: Collection[str] = ()) -> Mapping[str, int]:
        self._asked("back_fill")
        found = self.now.grants.get(grant.id)
        if found is not None and found.grant.state is GrantState.ACTIVE and self.now.cases[grant.id] == mark:
            return {}
        begun = self.now.grants[grant.id]
        self.during_fill()
        self.filled.append((grant.id, begun.generation))
        self.now = active(self.now, begun, {0: 7}, 1)
        self.acls |= grant_rights(self.now.grants[grant.id].grant)
        return self._done({"records": 3, "tombstoned": 2, "swept": 1})

    def confirm(self, grant: GrantId, mark: CaseMark) -> str:
        self._asked("confirm")
        self.now = noted(self.now, grant, mark, 1)
        entry = self.now.grants.get(grant)
        if entry is not None and entry in delivering(self.now):
            self.acls |= grant_rights(entry.grant)
        return self._done("delivering")

    def note(self, grant: GrantId, mark: CaseMark) -> None:
        self._asked("note")
        self.now = noted(self.now, grant, mark, 1)
        self._done(None)

    def switch_stamp(self) -> object:
        return repr(sorted(self.journal.documents.items()))

    def switch_orders(self) -> SwitchOrders:
        saved = [self.journal.load(key) for key in sorted(self.journal.keys())]
        return switch_orders([Receipt.from_json(each) for each in saved if each], self.now.holds)

    def adopt(self, grant: GrantId, order: str, mark: CaseMark) -> str:
        self._asked("adopt")
        found = [each for each in self.switch_orders().by_grant.get(grant, ()) if each.id == order]
        if not found or not found[0].in_force:
            return ""
        saved = self.journal.load(found[0].hold)
        if saved is not None and not Receipt.from_json(saved).is_complete:
            raise StopUnderWay(found[0].hold)
        self.now = noted(self.now, grant, mark, 1)
        return self._done(found[0].hold)

    def suspend(self, grant: GrantId, by: str, reason: str, mark: CaseMark) -> str:
        self._asked("suspend")
        self.stops.append((f"suspend {grant}", by, reason))
        self.now = noted(self.now, grant, mark, 1)
        if grant not in self.now.grants:
            return self._done("")
        self.close([self.now.grants[grant].grant.topic, epochs(grant)])
        if not any(is_of_case(hold) and hold.name == grant for hold in self.now.holds.values()):
            hold = Hold(
                id=f"c-{len(self.stops)}",
                scope=HoldScope.GRANT,
                name=grant,
                reason=reason,
                since_ms=1,
                since_version=PolicyNumber(1),
            )
            self.now = with_hold(self.now, hold, 1)
        return self._done(f"c-{len(self.stops)}")

    def withdraw(self, grant: GrantId, by: str, reason: str, mark: CaseMark | None) -> str:
        self._asked("withdraw")
        self.stops.append((f"withdraw {grant}", by, reason))
        if grant not in self.now.grants:
            return self._done("")
        self.close([self.now.grants[grant].grant.topic, epochs(grant)])
        self.now = ended(self.now, grant, mark, 1)
        return self._done(f"{grant}.1")

    def close(self, topics: Collection[TopicName]) -> None:
        gone = {*topics, *map(redelivered_prefix, topics)}
        self.acls = {acl for acl in self.acls if acl.name not in gone}

    def finish(self) -> None:
        self._asked("finish")
        switch = MemoryBus(now=self.now)
        run = suspending(switch, self.journal)
        for receipt in run.unfinished():
            run.carry_on(receipt)
        self.now = switch.now

    def rights(self) -> frozenset[Acl]:
        return frozenset(self.acls)

    def users(self) -> frozenset[str]:
        return frozenset(self.known)

    def remove_rights(self, acls: Collection[Acl]) -> None:
        self._asked("remove_rights")
        self.acls -= set(acls)
        self._done(None)

    def state(self, grant: GrantId) -> GrantState:
        return self.now.grants[grant].grant.state

    def reads(self, grant: GrantId) -> bool:
        """Whether somebody may read the grant's topic."""
        return any(acl.name == self.now.grants[grant].grant.topic for acl in self.acls)

    def _asked(self, what: str) -> None:
        self.calls.append(what)
        if what in self.fails:
            raise self.fails[what]

    def _done(self, answer: T) -> T:
        if self.kill_at is not None and len(self.calls) >= self.kill_at:
            self.kill_at = None
            raise Killed
        return answer


def worker(
    office: Office, bus: MemoryGrantBus, clock: Clock, database: ControlDatabase | None = None
) -> ProvisioningWorker:
    """A worker at the office's desk."""
    return ProvisioningWorker(
        database or office.database, office.desk, bus, clock, new_id, lambda _text: None
    )


def approved(office: Office) -> Filed:
    """A case that was just approved."""
    return office.done(office.done(office.opened(), Action.SUBMIT, CONSUMER), Action.APPROVE, DECIDER)


def carried_out(office: Office, bus: MemoryGrantBus, clock: Clock) -> None:
    """What a worker does until there is nothing left to do now."""
    run = worker(office, bus, clock)
    while run.turn():
        pass


def now_of(office: Office, filed: Filed) -> Case:
    """A case as it stands now."""
    with office.database.reading() as connection:
        found = load(connection, id_of(filed))
    assert found is not None
    return found.case


def works(office: Office, filed: Filed) -> list[Work]:
    """What was asked of the bus for a case."""
    with office.database.reading() as connection:
        return works_of(connection, id_of(filed))


def grant_of(filed: Filed) -> GrantId:
    """The grant of a case."""
    return filed.case.opening.grant


def switched(bus: MemoryGrantBus, order: Order, id_: str, steps: int | None = None) -> None:
    """The kill switch suspends on the same bus; it is killed after so many steps, if that is said."""
    switch = MemoryBus(now=bus.now)
    bus.journal.kill_after = None if steps is None else steps + 1
    first_ms = int(OPENED.timestamp() * 1000) + len(bus.journal.documents) * 1_000
    with suppress(Killed):
        suspending(switch, bus.journal, first_ms).order(order, id_)
    bus.journal.kill_after = None
    bus.now = switch.now
    bus.close([entry.grant.topic for entry in bus.now.grants.values() if bus.now.holds_on(entry.grant)])
