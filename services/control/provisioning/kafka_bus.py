"""The running bus as the worker sees it: topics, users, rights, versions and epochs of single grants."""

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from confluent_kafka.admin import AdminClient

from schemas.registry import SchemaRegistry
from services.control.access import Access
from services.control.acknowledgements import settle
from services.control.acls import create_acls, delete_acls, read_acls, remove_readers
from services.control.cases.provisioning import Fault
from services.control.desired import topics_of_grant
from services.control.fill import Epoch
from services.control.kafka_topics import create_topics
from services.control.policy_topic import newest_policy
from services.control.provisioning.entries import entry_of, item_schema_of
from services.control.provisioning.policy_changes import (
    active,
    delivering,
    filling,
    noted,
    strange_holds,
)
from services.control.provisioning.ports import CannotProvide, StopUnderWay
from services.control.provisioning.stopping import Stops, stopped_by, withdrawn
from services.control.provisioning.switch_orders import SwitchOrders, switch_orders
from services.control.quiet import groups_to_settle
from services.control.retention.keeping import kept_topics
from services.control.rights import consumer_rights, grant_denials, grant_rights
from services.control.settings import ApplySettings
from services.control.state import Acl
from services.control.suspension.bus import NoPolicyYet
from services.control.suspension.finish import close_held, suspend_on
from services.control.suspension.ids import CASE_HOLD, new_id
from services.control.suspension.kafka_bus import KafkaBus
from services.control.validity import official_day
from topics import names
from topics.event import ConsumerId, GrantId, SchemaId, TopicName
from topics.grants.declaration import Grant, GrantState
from topics.grants.keys import key_schema
from topics.grants.projection import projected_schema
from topics.policy import CaseMark, GrantPolicy, Policy, ResourcePolicy

Say = Callable[[str], None]
_TIMEOUT_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class _Begun:
    """An epoch under way: whoever has none in hand begins a new one."""

    epoch: Epoch
    before: Policy
    filling: Policy
    entry: GrantPolicy


@dataclass(slots=True)
class KafkaGrantBus:
    """See ``services.control.provisioning.ports.GrantBus``."""

    access: Access
    settings: ApplySettings
    clock_ms: Callable[[], int]
    say: Say
    confirmed: Collection[str] = ()
    """Grants whose epoch may remove more of what the consumer holds than the guard allows."""
    _client: AdminClient | None = None
    _begun: dict[GrantId, _Begun] = field(default_factory=dict)

    @property
    def admin(self) -> AdminClient:
        """A super user's client, opened when it is needed first."""
        if self._client is None:
            self._client = self.access.admin()
        return self._client

    def policy(self) -> Policy:
        """The newest version."""
        found = newest_policy(self.access.kafka_config("admin"))
        if found is None:
            raise NoPolicyYet("nothing was applied yet")
        return found

    def make_topics(self, grant: Grant) -> None:
        """The grant's topic and that of its epochs, with their schemas."""
        policy = self._governed()
        self._require_consumer(policy, grant.consumer)
        resource = _resource(policy, grant)
        self._schema_ids(grant, resource)
        known = self.admin.list_topics(timeout=_TIMEOUT_S).topics
        wanted = kept_topics(topics_of_grant(grant, resource.resource), self.access.audit_floor())
        create_topics(self.admin, [topic for topic in wanted if topic.name not in known])

    def make_user(self, consumer: ConsumerId) -> None:
        """The consumer's user, with a password that nobody was shown."""
        self._require_consumer(self._governed(), consumer)
        self.access.ensure_user(f"consumer-{consumer}")

    def give_rights(self, consumer: ConsumerId, grant: Grant | None, mark: CaseMark) -> None:
        """What stands in a topic from before may be outside the grant now: it is readable after the epoch."""
        create_acls(self.admin, consumer_rights(consumer))
        if grant is not None and grant.id not in self._governed().grants:
            create_acls(self.admin, grant_rights(grant, official_day(self.clock_ms())))
            self._close_stopped(grant, mark)

    def begin(self, grant: Grant, mark: CaseMark, orders: Collection[str] = ()) -> None:
        """Fence earlier copiers, write BEGIN, then the version in which the grant is being filled."""
        before = self._governed()
        self._require_free(before, grant, orders)
        resource = _resource(before, grant)
        entry, transition = entry_of(grant, before, *self._schema_ids(grant, resource))
        now_ms = self.clock_ms()
        coming = filling(before, entry, mark, now_ms, orders)
        writer = self._kafka.take_policy(before)
        # The copier is one of the writers that a suspension or withdrawal forbids.
        delete_acls(self.admin, grant_denials(entry.grant))
        confirmed = grant.id in self.confirmed
        epoch = Epoch(self.access, self.admin, self.settings, transition, confirmed, now_ms)
        epoch.begin(entry, coming)
        writer.write(coming, before)
        self._begun[grant.id] = _Begun(epoch, before, coming, entry)
        self.say(f"{grant.id}: policy version {coming.version}, in which it is being filled")

    def settle(self, grant: GrantId) -> None:
        """Wait until no instance delivers under an older version."""
        policy, begun = self.policy(), self._begun.get(grant)
        groups = groups_to_settle([grant], policy if begun is None else begun.before, policy)
        settle(self.access, self.admin, groups, policy.version, self.settings.epoch_lease_s, self.say)

    def back_fill(self, grant: Grant, mark: CaseMark, orders: Collection[str] = ()) -> Mapping[str, int]:
        """Copy, sweep and open; an epoch that this process did not begin is begun anew."""
        policy = self.policy()
        entry = policy.grants.get(grant.id)
        if (
            entry is not None
            and entry.grant.state is GrantState.ACTIVE
            and policy.cases.get(grant.id) == mark
        ):
            self._open_reading(grant, mark)
            return {}
        if not self._is_under_way(grant.id, entry):
            self.begin(grant, mark, orders)
            self.settle(grant.id)
        begun = self._begun.pop(grant.id)
        ends, counts = begun.epoch.fill(begun.filling)
        self._kafka.write(lambda newest: active(newest, begun.entry, ends, self.clock_ms()))
        self._open_reading(grant, mark)
        self.say(f"{grant.id}: filled, {counts['records']} records")
        return counts

    def confirm(self, grant: GrantId, mark: CaseMark) -> str:
        """Note that the case is active; its consumer reads unless something else is against it."""
        self.note(grant, mark)
        entry = self.policy().grants.get(grant)
        if entry is None:
            return "nothing is pushed in this mode"
        holds = self.policy().holds_on(entry.grant)
        if entry.grant.state is not GrantState.ACTIVE:
            why = ", ".join(hold.id for hold in holds) or "`govbus grant drift` says why"
            return f"the case is active, and the grant is {entry.grant.state.value} on the bus: {why}"
        self._open_reading(entry.grant, mark)
        return "delivering" if entry.closed_ms is None else "handed out once: nothing follows"

    def note(self, grant: GrantId, mark: CaseMark) -> None:
        """Note how far the case is; where that is said already, nobody who writes the policy is disturbed."""
        newest = self.policy()
        if noted(newest, grant, mark, self.clock_ms()) is not newest:
            self._kafka.write(lambda found: noted(found, grant, mark, self.clock_ms()))

    def switch_stamp(self) -> object:
        """Another value whenever something was noted of a suspension since."""
        return self._stops.journal.changes()

    def switch_orders(self) -> SwitchOrders:
        """What the kill switch was ordered to do with single grants."""
        return switch_orders(self._stops.receipts(), self.policy().holds)

    def adopt(self, grant: GrantId, order: str, mark: CaseMark) -> str:
        """Note that a case follows an order of the kill switch; return the id of the receipt."""
        found = self._stops.receipt_of(order)
        holds = self.policy().holds
        id_ = order if found is None else found.id
        if id_ not in holds:
            return ""
        if found is not None and not found.is_complete:
            raise StopUnderWay(id_)
        self.note(grant, mark)
        return id_

    def suspend(self, grant: GrantId, by: str, reason: str, mark: CaseMark) -> str:
        """The kill switch, ordered by the case."""
        if grant not in self.policy().grants:
            self.note(grant, mark)
            return ""
        fresh = new_id(CASE_HOLD, self.clock_ms(), secrets.token_bytes(3))
        receipt = stopped_by(self._stops, grant, by, reason, fresh, mark)
        self.note(grant, mark)
        return receipt.id

    def withdraw(self, grant: GrantId, by: str, reason: str, mark: CaseMark | None) -> str:
        """Withdraw it for good."""
        if grant not in self.policy().grants:
            if mark is not None:
                self.note(grant, mark)
            return ""
        return withdrawn(self._stops, grant, by, reason, mark)

    def close(self, topics: Collection[TopicName]) -> None:
        """Take every right to read that names one of these topics."""
        remove_readers(self.admin, topics)

    def rights(self) -> frozenset[Acl]:
        """Every right of every user."""
        return read_acls(self.admin)

    def users(self) -> frozenset[str]:
        """Every user that the broker knows."""
        return frozenset(self.access.known_users())

    def remove_rights(self, acls: Collection[Acl]) -> None:
        """Take these rights away."""
        delete_acls(self.admin, acls)

    def finish(self) -> None:
        """Finish suspensions that were interrupted; one that cannot end keeps none of the others back.

        Raises:
            Exception: of the first that cannot end, once all were tried.
        """
        run = suspend_on(self.access, self.admin, self.settings, self.say, self.clock_ms)
        troubles: list[Exception] = []
        for receipt in run.unfinished():
            try:
                run.carry_on(receipt)
            except Exception as error:  # noqa: BLE001 - raised below
                troubles.append(error)
        if troubles:
            raise troubles[0]

    @property
    def _kafka(self) -> KafkaBus:
        return KafkaBus(self.access, self.admin, self.settings)

    @property
    def _stops(self) -> Stops:
        return Stops(self._kafka, self.clock_ms, self.say)

    def _governed(self) -> Policy:
        policy = self.policy()
        if not policy.by_cases:
            what = "grants are still declared in files, and `govbus apply` would withdraw this one"
            remedy = "`govbus grant import` makes cases of them, once; then retry the step"
            raise CannotProvide(what, remedy, Fault.GRANTS_IN_FILES)
        return policy

    def _require_consumer(self, policy: Policy, consumer: ConsumerId) -> None:
        if consumer not in policy.consumers:
            what = f"the department {consumer} is not on the bus"
            remedy = "declare it in consumers.yaml, `govbus apply`, then retry the step"
            raise CannotProvide(what, remedy, Fault.CONSUMER_NOT_ON_BUS)

    def _require_free(self, policy: Policy, grant: Grant, orders: Collection[str]) -> None:
        """An order of the switch that the case is not told yet is stronger than what the case says."""
        unknown = [each.id for each in self.switch_orders().unknown(grant.id, orders)]
        strange = sorted({*strange_holds(policy, grant, orders), *unknown})
        if strange:
            what = f"grant {grant.id} is held by {', '.join(strange)}, which its case did not order"
            remedy = "`govbus grant list` names it; once it is lifted, retry the step"
            raise CannotProvide(what, remedy, Fault.HELD)
        run = suspend_on(self.access, self.admin, self.settings, self.say, self.clock_ms)
        uncut = [each.id for each in run.unfinished() if each.name == grant.id and not each.is_cut]
        if uncut:
            what = f"its suspension {', '.join(uncut)} has no cut yet"
            remedy = "it is finished by itself; then this is tried again"
            raise CannotProvide(what, remedy, Fault.SUSPENSION_UNCUT)

    def _schema_ids(self, grant: Grant, resource: ResourcePolicy) -> tuple[SchemaId, SchemaId]:
        """Of keys and of values; registering what is registered gives its id."""
        registry = SchemaRegistry(self.access.registry_credentials("apply"))
        key = registry.register(names.key_subject(grant.topic), key_schema(resource.resource, grant))
        projected = projected_schema(item_schema_of(resource), grant)
        return key, registry.register(names.value_subject(grant.topic), projected)

    def _is_under_way(self, grant: GrantId, entry: GrantPolicy | None) -> bool:
        begun = self._begun.get(grant)
        if begun is None or entry is None or entry.grant.state is not GrantState.FILLING:
            return False
        return entry.generation == begun.entry.generation

    def _open_reading(self, grant: Grant, mark: CaseMark) -> None:
        """Whoever suspends or withdraws at this very moment wins: his version is looked at afterwards."""
        entry = self.policy().grants.get(grant.id)
        if entry is not None and entry.grant.state is GrantState.ACTIVE:
            create_acls(self.admin, grant_rights(entry.grant, official_day(self.clock_ms())))
        self._close_stopped(grant, mark)

    def _close_stopped(self, grant: Grant, mark: CaseMark) -> None:
        close_held(self.access, self.admin)
        policy = self.policy()
        entry, known = policy.grants.get(grant.id), policy.cases.get(grant.id)
        overtaken = known is not None and known.event > mark.event
        if overtaken or (entry is not None and entry not in delivering(policy)):
            self.close([grant.topic, names.epochs(grant.id)])


def _resource(policy: Policy, grant: Grant) -> ResourcePolicy:
    found = policy.resources.get(grant.resource)
    if found is None:
        what = f"the resource {grant.resource} is not on the bus"
        remedy = "declare it and `govbus apply`, then retry the step"
        raise CannotProvide(what, remedy, Fault.RESOURCE_NOT_ON_BUS)
    return found
