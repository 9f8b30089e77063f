"""Compares what should be with what is and gives the ordered steps between them; pure.

The order matters: rights are withdrawn before anything else changes, topics exist before whoever writes them
may, schemas are registered before a policy names them, and a connector starts last of all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.control.rights import CONNECT, DOCTOR
from services.control.state import Acl, DesiredState, LiveState, Right
from services.control.transitions import Move, Transition
from topics.names import SINK_PREFIX


class StepKind(StrEnum):
    """Every kind of step, in the order in which they run."""

    WITHDRAW_GRANT = "withdraw-grant"
    WITHDRAW_USER = "withdraw-user"
    CREATE_TOPIC = "create-topic"
    ALTER_TOPIC = "alter-topic"
    CREATE_USER = "create-user"
    CREATE_ACL = "create-acl"
    DELETE_ACL = "delete-acl"
    SET_QUOTA = "set-quota"
    REGISTER_SCHEMA = "register-schema"
    WRITE_CREDENTIALS = "write-credentials"
    WRITE_POLICY = "write-policy"
    DELETE_CONNECTOR = "delete-connector"
    PUT_CONNECTOR = "put-connector"
    FILL_GRANT = "fill-grant"


@dataclass(frozen=True, slots=True)
class Step:
    """One change: its kind, what it is about, and what will be different."""

    kind: StepKind
    target: str
    detail: str = ""
    acl: Acl | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that is asked for and must not be done, and why."""

    target: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps from what is to what should be; nothing is done while there are refusals."""

    steps: tuple[Step, ...]
    refusals: tuple[Refusal, ...]
    notes: tuple[str, ...] = ()
    """What is declared and cannot be done yet, or is done slowly, and why."""

    @property
    def is_empty(self) -> bool:
        """Whether everything is already as it should be."""
        return not self.steps and not self.refusals

    def of(self, kind: StepKind) -> list[Step]:
        """The steps of one kind, in order."""
        return [step for step in self.steps if step.kind is kind]

    def as_json(self) -> dict[str, object]:
        """The shape that docs/cli/plan.schema.json describes."""
        return {
            "changes": len(self.steps),
            "steps": [
                {"kind": step.kind.value, "target": step.target, "detail": step.detail} for step in self.steps
            ],
            "refusals": [{"target": refusal.target, "reason": refusal.reason} for refusal in self.refusals],
            "notes": list(self.notes),
        }


def difference(
    desired: DesiredState,
    live: LiveState,
    moves: Iterable[Transition],
    policy_detail: str | None,
    connectors: Mapping[str, Mapping[str, str]] | None = None,
    notes: Iterable[str] = (),
) -> Plan:
    """The plan; ``policy_detail`` says what is new in the policy, None where it stays as it is."""
    moves = list(moves)
    found: list[Step] = [
        *_withdrawals(moves),
        *_topics(desired, live),
        *_users(desired, live),
        *_acls(desired, live),
        *_quotas(desired, live),
        *_schemas(desired, live),
        *_credentials(desired, live),
    ]
    if policy_detail is not None:
        found.append(Step(StepKind.WRITE_POLICY, "policy", policy_detail))
    found += _connectors(connectors or {}, live)
    found += [Step(StepKind.FILL_GRANT, move.grant, move.reason) for move in moves if move.move is Move.FILL]
    order = list(StepKind)
    steps = sorted(found, key=lambda step: order.index(step.kind))
    return Plan(tuple(steps), tuple(_refusals(desired, live)), tuple(notes))


def _withdrawals(moves: Iterable[Transition]) -> Iterable[Step]:
    for move in moves:
        if move.move is Move.WITHDRAW:
            yield Step(StepKind.WITHDRAW_GRANT, move.grant, move.reason)


def _topics(desired: DesiredState, live: LiveState) -> Iterable[Step]:
    for name, topic in sorted(desired.topics.items()):
        if name not in live.topics:
            settings = " ".join(f"{key}={value}" for key, value in sorted(topic.configs.items()))
            yield Step(StepKind.CREATE_TOPIC, name, f"partitions={topic.partitions} {settings}")
            continue
        found = live.topics[name].configs
        changed = {key: value for key, value in topic.configs.items() if found.get(key) != value}
        if changed:
            texts = [f"{key}: {found.get(key)} → {value}" for key, value in sorted(changed.items())]
            yield Step(StepKind.ALTER_TOPIC, name, ", ".join(texts))


def _users(desired: DesiredState, live: LiveState) -> Iterable[Step]:
    for user in desired.users:
        if user not in live.users:
            yield Step(StepKind.CREATE_USER, user)
    for user in sorted(live.credentials - set(desired.users)):
        yield Step(
            StepKind.WITHDRAW_USER, user, "no longer declared: a password that nobody knows, no rights"
        )


def _acls(desired: DesiredState, live: LiveState) -> Iterable[Step]:
    for acl in sorted(desired.acls - live.acls):
        yield Step(StepKind.CREATE_ACL, acl.user, str(acl), acl)
    for acl in sorted(live.acls - desired.acls):
        if not _kept_by_stack(acl):
            yield Step(StepKind.DELETE_ACL, acl.user, str(acl), acl)


def _kept_by_stack(acl: Acl) -> bool:
    """What the Connect worker needs for itself and what the doctor looks at is allowed where they start."""
    if acl.user == DOCTOR:
        return acl.allow and acl.right in {Right.DESCRIBE, Right.DESCRIBE_CONFIGS}
    return acl.user == CONNECT and acl.name.startswith(("_connect-", "connect-"))


def _quotas(desired: DesiredState, live: LiveState) -> Iterable[Step]:
    for user, quota in sorted(desired.quotas.items()):
        if live.quotas.get(user) != quota:
            detail = f"read {quota.fetch_bytes} B/s, write {quota.produce_bytes} B/s"
            yield Step(StepKind.SET_QUOTA, user, detail)


def _schemas(desired: DesiredState, live: LiveState) -> Iterable[Step]:
    for subject, schema in desired.subjects.items():
        if subject not in live.subjects:
            yield Step(StepKind.REGISTER_SCHEMA, subject, str(schema["name"]))


def _credentials(desired: DesiredState, live: LiveState) -> Iterable[Step]:
    for user in departments(desired):
        if user not in live.credentials or user in live.outdated_credentials or user not in live.users:
            yield Step(StepKind.WRITE_CREDENTIALS, user, "an owner-only file")


def departments(desired: DesiredState) -> list[str]:
    """The users that get a file of credentials; the bus's own users read theirs from the stack's secrets."""
    return [user for user in desired.users if user.startswith(("provider-", "consumer-"))]


def _connectors(wanted: Mapping[str, Mapping[str, str]], live: LiveState) -> Iterable[Step]:
    for name in sorted(set(live.connectors) - set(wanted)):
        # A capture that is not declared holds a slot of its provider: a person decides about that.
        if name.startswith(SINK_PREFIX):
            yield Step(StepKind.DELETE_CONNECTOR, name, "no grant and declaration ask for it")
    for name, config in sorted(wanted.items()):
        if name not in live.connectors:
            yield Step(StepKind.PUT_CONNECTOR, name, "new")
        elif dict(live.connectors[name]) != dict(config):
            keys = sorted(
                key
                for key in {*config, *live.connectors[name]}
                if config.get(key) != live.connectors[name].get(key)
            )
            yield Step(StepKind.PUT_CONNECTOR, name, f"changes {', '.join(keys)}")


def _refusals(desired: DesiredState, live: LiveState) -> Iterable[Refusal]:
    for name, topic in sorted(desired.topics.items()):
        found = live.topics.get(name)
        if found is not None and found.partitions != topic.partitions:
            yield Refusal(
                name,
                f"has {found.partitions} partitions and {topic.partitions} are declared: a count never "
                "changes in place, because keys would move to others; declare a new version of the resource",
            )
    for subject, messages in sorted(live.incompatible.items()):
        yield Refusal(subject, f"the schema may not follow the registered one: {'; '.join(messages)}")
