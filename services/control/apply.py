"""Plan and apply as one object: read what is, compare, carry out the steps in order; idempotent.

Every step may be repeated: what an interrupted run left half done, the next one finishes.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka.admin import AdminClient

from schemas.registry import SchemaRegistry
from services.control import acls
from services.control.access import Access
from services.control.credentials import remove_credentials, write_credentials
from services.control.definitions import Definitions
from services.control.desired import Declared, control_subject, desired_state
from services.control.difference import Plan, Refusal, StepKind, difference
from services.control.kafka_topics import alter_topics, create_topics, read_topics
from services.control.live import read_live, read_policy, receipt_names
from services.control.policy_document import next_policy, same_content
from services.control.policy_topic import PolicyWriter
from services.control.quotas import set_quotas
from services.control.state import DesiredState, LiveState
from services.control.transitions import (
    Transition,
    UseNewGrantId,
    transitions,
    with_withdrawn,
)
from topics.event import GrantId, SchemaId
from topics.policy import Policy

Say = Callable[[str], None]
UNREGISTERED: Final = SchemaId(0)


class CorrectDefinitions(Exception):  # noqa: N818 - named after what to do
    """What is declared cannot be applied; every reason is in ``refusals``. Nothing was changed."""

    def __init__(self, refusals: Iterable[Refusal]) -> None:
        self.refusals = tuple(refusals)
        super().__init__("; ".join(f"{refusal.target}: {refusal.reason}" for refusal in self.refusals))


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is declared, what is there, and the steps between."""

    declared: Declared
    desired: DesiredState
    live: LiveState
    moves: Mapping[GrantId, Transition]
    plan: Plan


@dataclass(slots=True)
class Applied:
    """What an apply did, for the last line of its output."""

    steps: int = 0
    policy_version: int = 0
    credentials: dict[str, str] = field(default_factory=dict)
    """User → path of the file."""
    filled: dict[str, dict[str, int]] = field(default_factory=dict)
    receipts: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, str] = field(default_factory=dict)
    """Grants whose epoch stopped for an operator, and why."""

    def as_json(self) -> dict[str, Any]:
        """The shape that docs/cli/apply.schema.json describes."""
        return {name: getattr(self, name) for name in self.__slots__}


def compare_offline(definitions: Definitions) -> Comparison:
    """What a first apply would do; needs no running stack."""
    return _compare(definitions, LiveState(), frozenset())


def compare(access: Access, admin: AdminClient, definitions: Definitions) -> Comparison:
    """What an apply would do now."""
    topics = read_topics(admin)
    policy = read_policy(access, topics)
    declared = _declared(definitions, policy)
    desired = desired_state(declared)
    live = read_live(access, admin, declared, desired.subjects, topics, policy)
    return _compare(definitions, live, receipt_names(access.home))


def _declared(definitions: Definitions, policy: Policy | None) -> Declared:
    return Declared(
        definitions.providers,
        definitions.consumers,
        definitions.resources,
        with_withdrawn(definitions.grants, policy),
        definitions.code_lists,
        definitions.item_schemas,
    )


def _compare(definitions: Definitions, live: LiveState, receipts: frozenset[str]) -> Comparison:
    declared = _declared(definitions, live.policy)
    desired = desired_state(declared)
    try:
        moves = transitions(declared.grants, declared.resources, live.policy, receipts)
    except UseNewGrantId as error:
        plan = Plan((), (Refusal("grants", str(error)),))
        return Comparison(declared, desired, live, {}, plan)
    by_grant = {move.grant: move for move in moves}
    plan = difference(desired, live, moves, _policy_detail(declared, desired, live, by_grant))
    return Comparison(declared, desired, live, by_grant, plan)


def _policy_detail(
    declared: Declared, desired: DesiredState, live: LiveState, moves: Mapping[GrantId, Transition]
) -> str | None:
    """What the next version changes, in words; None where it says what the newest says."""
    ids = {subject: live.subjects.get(subject, UNREGISTERED) for subject in desired.subjects}
    coming = next_policy(declared, moves, ids, live.policy, now_ms=0)
    if live.policy is None:
        return f"version 1: {len(coming.resources)} resources, {len(coming.grants)} grants"
    if same_content(live.policy, coming):
        return None
    changed = []
    for part in ("providers", "consumers", "resources", "grants", "code_lists"):
        before, after = getattr(live.policy, part), getattr(coming, part)
        names = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
        if names:
            changed.append(f"{part} {', '.join(names)}")
    return f"version {coming.version}: {'; '.join(changed) or 'control schemas'}"


@dataclass(slots=True)
class Apply:
    """One run of apply."""

    access: Access
    definitions: Definitions
    say: Say
    clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    applied: Applied = field(default_factory=Applied)
    _admin: AdminClient | None = None
    _writer: PolicyWriter | None = None

    def run(self) -> Applied:
        """Carry out the plan.

        Raises:
            CorrectDefinitions: something that is declared must not be done; nothing was changed.
        """
        admin = self._admin = self.access.admin()
        comparison = compare(self.access, admin, self.definitions)
        if comparison.plan.refusals:
            raise CorrectDefinitions(comparison.plan.refusals)
        self.applied.steps = len(comparison.plan.steps)
        if comparison.live.policy is not None:
            self.applied.policy_version = comparison.live.policy.version
        self._topics(comparison)
        self._users(comparison)
        self._rights(comparison)
        ids = self._schemas(comparison)
        self._credentials(comparison)
        self._policy(comparison, ids)
        return self.applied

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

    def _policy(self, comparison: Comparison, ids: Mapping[str, SchemaId]) -> Policy:
        live = comparison.live.policy
        coming = next_policy(comparison.declared, comparison.moves, ids, live, self.clock_ms())
        written = self.writer(ids).write(coming, live)
        if live is None or written.version != live.version:
            self.say(f"policy version {written.version} is written")
        self.applied.policy_version = written.version
        return written

    def writer(self, ids: Mapping[str, SchemaId]) -> PolicyWriter:
        """The policy writer of this run; opening it fences every earlier run."""
        if self._writer is None:
            schema_id = ids[control_subject("PolicyVersion")]
            self._writer = PolicyWriter(self.access.kafka_config("apply"), schema_id)
        return self._writer
