"""Apply as one object: read what is, compare, carry out the steps in order; idempotent.

Every step may be repeated: what an interrupted run left half done, the next one finishes.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from confluent_kafka.admin import AdminClient

from schemas.load import control_schema
from schemas.registry import RegistryUnavailable, SchemaRegistry
from services.control import acls
from services.control.access import Access
from services.control.acknowledgements import settle
from services.control.applied import Applied
from services.control.capture_work import CaptureWork
from services.control.comparison import Comparison, compare, compare_withdrawals, now_ms
from services.control.connectors import recapture_command
from services.control.credentials import remove_credentials, write_credentials
from services.control.definitions import Definitions
from services.control.desired import control_subject
from services.control.difference import Refusal, StepKind
from services.control.fill import Epoch, WaitForOperator
from services.control.kafka_topics import alter_topics, create_topics
from services.control.policy_document import next_policy, with_active_grant, with_grant_state
from services.control.policy_topic import PolicyWriter, require_unchanged, schema_of_newest
from services.control.quiet import groups_to_settle
from services.control.quotas import set_quotas
from services.control.revoke import Withdrawal
from services.control.settings import ApplySettings
from services.control.sinks import SinkWork
from services.control.suspension.finish import close_held, finish_suspensions
from topics.event import GrantId, ProviderId, SchemaId
from topics.policy import Policy

Say = Callable[[str], None]
REST_WAITS: Final = "only withdrawals were done; `govbus up`, then `govbus apply` again does the rest"


class CorrectDefinitions(Exception):  # noqa: N818 - named after what to do
    """What is declared cannot be applied; every reason is in ``refusals``."""

    def __init__(self, refusals: Iterable[Refusal]) -> None:
        self.refusals = tuple(refusals)
        super().__init__("; ".join(f"{refusal.target}: {refusal.reason}" for refusal in self.refusals))


@dataclass(slots=True)
class Apply:
    """One run of apply."""

    access: Access
    definitions: Definitions
    say: Say
    settings: ApplySettings = field(default_factory=ApplySettings)
    confirmed_shrinks: Collection[str] = ()
    """Grants whose epoch may remove more of what the consumer holds than the guard allows."""
    recaptured: Collection[ProviderId] = ()
    """Providers whose capture begins anew, with a full volume under the next incarnation."""
    clock_ms: Callable[[], int] = now_ms
    applied: Applied = field(default_factory=Applied)
    _admin: AdminClient | None = None
    _writer: PolicyWriter | None = None
    _policy: Policy | None = None

    def run(self) -> Applied:
        """Carry out the plan.

        Raises:
            CorrectDefinitions: something that is declared must not be done; only withdrawals were.
        """
        admin = self._admin = self.access.admin()
        self.applied.receipts.update(finish_suspensions(self.access, admin, self.settings, self.say))
        try:
            comparison = compare(self.access, admin, self.definitions, self.recaptured, self.clock_ms)
        except RegistryUnavailable as error:
            return self._withdraw_alone(str(error))
        self.applied.steps = len(comparison.plan.steps)
        self._policy = comparison.live.policy
        self._withdraw(comparison)
        if comparison.plan.refusals:
            raise CorrectDefinitions(comparison.plan.refusals)
        self._topics(comparison)
        self._users(comparison)
        self._rights(comparison)
        ids = self._schemas(comparison)
        self._credentials(comparison)
        before = self._policy
        epochs = self._write_policy(comparison, ids)
        self._put_connectors(comparison)
        self._fill(epochs, before)
        self.applied.policy_version = self.policy.version
        return self.applied

    def _withdraw_alone(self, why: str) -> Applied:
        """Kafka is all that a withdrawal needs; what else is declared waits for the registry."""
        comparison = compare_withdrawals(self.access, self.admin, self.definitions, self.clock_ms)
        self._policy = comparison.live.policy
        self.applied.steps = len(comparison.plan.of(StepKind.WITHDRAW_GRANT))
        self._withdraw(comparison)
        self.applied.policy_version = self._policy.version if self._policy else 0
        self.applied.held_back["registry"] = [{"what": why, "remedy": REST_WAITS}]
        self.say(f"everything but withdrawals waits: {why}")
        return self.applied

    @property
    def policy(self) -> Policy:
        """The newest version that this run knows.

        Raises:
            RuntimeError: none was written yet.
        """
        if self._policy is None:
            raise RuntimeError("there is no policy before the first was written")
        return self._policy

    @property
    def admin(self) -> AdminClient:
        """The admin client of this run."""
        if self._admin is None:
            self._admin = self.access.admin()
        return self._admin

    def _topics(self, comparison: Comparison) -> None:
        plan, desired = comparison.plan, comparison.desired
        fresh = [desired.topics[step.target] for step in plan.of(StepKind.CREATE_TOPIC)]
        if fresh:
            self.say(f"creating {len(fresh)} topics")
            create_topics(self.admin, fresh)
        changed = {step.target: desired.topics[step.target].configs for step in plan.of(StepKind.ALTER_TOPIC)}
        if changed:
            self.say(f"setting {len(changed)} topics right: {', '.join(sorted(changed))}")
            alter_topics(self.admin, changed)

    def _users(self, comparison: Comparison) -> None:
        plan, desired = comparison.plan, comparison.desired
        for step in plan.of(StepKind.WITHDRAW_USER):
            self.say(f"locking out {step.target}")
            self.access.withdraw_user(step.target)
            remove_credentials(self.access.home, [step.target])
        for step in plan.of(StepKind.CREATE_USER):
            self.say(f"making user {step.target}")
            self.access.ensure_user(step.target)
        quotas = {step.target: desired.quotas[step.target] for step in plan.of(StepKind.SET_QUOTA)}
        if quotas:
            self.say(f"setting quotas of {', '.join(quotas)}")
            set_quotas(self.access.kafka_config("admin"), quotas)

    def _rights(self, comparison: Comparison) -> None:
        """Wrong rights go before missing ones come."""
        plan = comparison.plan
        surplus = [step.acl for step in plan.of(StepKind.DELETE_ACL) if step.acl]
        missing = [step.acl for step in plan.of(StepKind.CREATE_ACL) if step.acl]
        if surplus or missing:
            self.say(f"rights: {len(missing)} given, {len(surplus)} taken")
        acls.delete_acls(self.admin, surplus)
        acls.create_acls(self.admin, missing)
        close_held(self.access, self.admin)

    def _schemas(self, comparison: Comparison) -> dict[str, SchemaId]:
        """Register what is missing; return the id of every desired subject."""
        ids = dict(comparison.live.subjects)
        missing = comparison.plan.of(StepKind.REGISTER_SCHEMA)
        if missing:
            self.say(f"registering {len(missing)} schemas")
            registry = SchemaRegistry(self.access.registry_credentials("apply"))
            for step in missing:
                ids[step.target] = registry.register(step.target, comparison.desired.subjects[step.target])
        return ids

    def _credentials(self, comparison: Comparison) -> None:
        for step in comparison.plan.of(StepKind.WRITE_CREDENTIALS):
            path = write_credentials(self.access, step.target, comparison.declared)
            self.applied.credentials[step.target] = str(path)
            self.say(f"credentials of {step.target}: {path}")

    def _withdraw(self, comparison: Comparison) -> None:
        """Before anything else: nothing that goes wrong later keeps a withdrawn right alive."""
        wanted = [GrantId(step.target) for step in comparison.plan.of(StepKind.WITHDRAW_GRANT)]
        if not wanted:
            return
        states = {grant_id: comparison.declared.grants[grant_id].state for grant_id in wanted}
        self.say(f"withdrawing {', '.join(wanted)}")
        run = Withdrawal(self.access, self.admin, self.settings)
        removed_ms = run.remove_readers(comparison.declared.grants[grant_id] for grant_id in wanted)
        self._write(with_grant_state(self.policy, states, self.clock_ms()))
        entries = [self.policy.grants[grant_id] for grant_id in wanted]
        self.applied.receipts.update(run.complete(entries, self.policy, removed_ms))
        for grant_id in wanted:
            self.say(f"withdrawn {grant_id}: {self.applied.receipts[grant_id]}")

    def _write_policy(self, comparison: Comparison, ids: Mapping[str, SchemaId]) -> list[Epoch]:
        """Begin the epochs, then write the version in which their grants are being filled."""
        coming = next_policy(comparison.declared, comparison.moves, ids, self._policy, self.clock_ms())
        epochs = []
        for step in comparison.plan.of(StepKind.FILL_GRANT):
            grant_id = GrantId(step.target)
            confirmed = grant_id in self.confirmed_shrinks
            transition = comparison.moves[grant_id]
            epoch = Epoch(self.access, self.admin, self.settings, transition, confirmed, self.clock_ms())
            epoch.begin(coming.grants[grant_id], coming)
            epochs.append(epoch)
        self._write(coming)
        return epochs

    def _fill(self, epochs: list[Epoch], before: Policy | None) -> None:
        """Once nobody delivers under the old generation any more, copy, sweep and open grant by grant."""
        if not epochs:
            return
        self._settle(groups_to_settle([epoch.grant for epoch in epochs], before, self.policy))
        filling = self.policy
        for epoch in epochs:
            self.say(f"filling {epoch.grant} ({epoch.transition.reason})")
            try:
                ends, counts = epoch.fill(filling)
            except WaitForOperator as waiting:
                self.applied.waiting[epoch.grant] = str(waiting)
                self.say(f"{epoch.grant} waits: {waiting}")
                continue
            self._write(with_active_grant(self.policy, epoch.grant, ends, self.clock_ms()))
            self.applied.filled[epoch.grant] = counts
            self.say(f"filled {epoch.grant}: {counts['records']} records")

    def _put_connectors(self, comparison: Comparison) -> None:
        """A database that is not ready holds back its own capture and nothing else."""
        for provider, reason in comparison.gaps.items():
            self.applied.held_back[provider] = [{"what": reason, "remedy": recapture_command(provider)}]
            self.say(f"no capture of {provider}: {reason}")
        steps = [step.target for step in comparison.plan.of(StepKind.PUT_CONNECTOR)]
        captures, sinks = comparison.connections.captures, comparison.connections.sinks
        work = CaptureWork(self.access, comparison.declared, captures, comparison.facts, self.say)
        work.put([name for name in steps if name in captures.configs], self.recaptured)
        self.applied.connectors.update(work.connectors)
        self.applied.held_back.update(work.held_back)
        if sinks is not None:
            copies = SinkWork(self.access, sinks, self.say)
            copies.carry_out([step.target for step in comparison.plan.of(StepKind.DELETE_CONNECTOR)], steps)
            self.applied.connectors.update(copies.connectors)
            self.applied.held_back.update(copies.held_back)

    def _settle(self, groups: list[str]) -> None:
        """Wait until every instance applies the newest version; take over those that do not answer."""
        lease_s = self.settings.epoch_lease_s
        settle(self.access, self.admin, groups, self.policy.version, lease_s, self.say)

    def _write(self, coming: Policy) -> None:
        written = self._policy_writer().write(coming, self._policy)
        if self._policy is None or written.version != self._policy.version:
            self.say(f"policy version {written.version} is written")
        self._policy = written

    def _policy_writer(self) -> PolicyWriter:
        """Opening it fences every earlier run."""
        if self._writer is None:
            registry = SchemaRegistry(self.access.registry_credentials("apply"))
            try:
                schema_id = registry.register(
                    control_subject("PolicyVersion"), control_schema("PolicyVersion")
                )
            except RegistryUnavailable:
                schema_id = schema_of_newest(self.access.kafka_config("admin"))
            self._writer = PolicyWriter(self.access.kafka_config("apply"), schema_id)
            require_unchanged(self.access.kafka_config("admin"), self._policy)
        return self._writer
