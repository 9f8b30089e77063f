"""From definitions to the topics, users, rights, quotas and schemas that they ask for; pure.

Numbers come from the design: compacted topics keep 7 days uncompacted so that a reader may be away that
long, tombstones a day longer, and whatever proves a decision stays for the audit period.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from producers.publication import publication_schema
from schemas.load import control_schema
from services.control.rights import rights
from services.control.state import DesiredState, Quota, Topic
from topics import names
from topics.canonical import CANONICAL_KEY_SCHEMA, envelope_schema
from topics.event import ConsumerId, GrantId, ProviderId, ResourceId, TopicName
from topics.grants.declaration import Grant
from topics.grants.keys import key_schema
from topics.grants.projection import projected_schema
from topics.resource import CapturedTable, Consumer, DirectPublication, Provider, Resource
from topics.sink import Sink

DAY_MS: Final = 86_400_000
AUDIT_DAYS: Final = 400
COMPACTION_LAG_MS: Final = 7 * DAY_MS
REDELIVERED_DAYS: Final = 7
DELETE_RETENTION_MS: Final = 8 * DAY_MS
RAW_RECORD_BYTES: Final = 1_048_588
"""The largest raw record batch: Kafka's own limit, written down because the others are set against it."""
STATE_RECORD_BYTES: Final = 2 * 1_048_576
"""A canonical record and what is delivered of it hold the row once more, with positions and headers."""
WRAPPED_RECORD_BYTES: Final = 4 * 1_048_576
"""A quarantined record or a claim holds a raw record whole, with its headers and the reason."""
POLICY_BYTES: Final = 64 * 1_048_576
"""The largest policy version: it holds every grant, about a kilobyte each."""
ACT_BYTES: Final = 32 * 1_048_576
"""The largest act: the receipt of an order on everything names each grant with the cut of its partitions."""
CHECKPOINT_BYTES: Final = 4 * 1_048_576
"""The largest checkpoint: it holds the digests of its own leaves, of which it has a bounded number."""
STATE_SEGMENT_BYTES: Final = 32 * 1_048_576
GATE_FAUST_ID: Final = "faust-gate"
CONTROL_SUBJECTS: Final[Mapping[str, tuple[str, ...]]] = {
    "DecisionBlock": (names.LEDGER_INTAKE, names.LEDGER_DELIVERY),
    "PolicyVersion": (names.POLICY,),
    "ControlAct": (names.LEDGER_ACTS,),
    "DisputeChange": (names.DISPUTES,),
    "PolicyAcknowledgement": (names.POLICY_ACKNOWLEDGEMENTS,),
    "EpochMarker": ("epochs",),
    "QuarantinedEvent": ("quarantine",),
    "StoppedKey": ("stopped",),
    "AcceptedVersion": ("versions",),
    "Claim": ("claims",),
}
"""Control record → topics, or the prefix of topics that all carry it; the subject is ``<that>-value``."""


@dataclass(frozen=True, slots=True)
class Declared:
    """Everything that is declared, with grants that were taken out of the definitions kept as revoked."""

    providers: Mapping[ProviderId, Provider]
    consumers: Mapping[ConsumerId, Consumer]
    resources: Mapping[ResourceId, Resource]
    grants: Mapping[GrantId, Grant]
    code_lists: Mapping[str, tuple[str, ...]]
    item_schemas: Mapping[ResourceId, dict[str, Any]]
    day: date | None = None
    """Today in official time, on which a grant is in force or not; None where the days do not count."""
    sinks: Mapping[GrantId, Sink] = field(default_factory=dict)


def desired_state(declared: Declared) -> DesiredState:
    """What should exist."""
    topics = {topic.name: topic for topic in _topics(declared)}
    return DesiredState(
        topics=topics,
        acls=rights(
            declared.providers,
            declared.consumers,
            declared.resources,
            declared.grants.values(),
            declared.day,
            declared.sinks,
        ),
        users=tuple(
            [f"provider-{provider}" for provider in sorted(declared.providers)]
            + [f"consumer-{consumer}" for consumer in sorted(declared.consumers)]
        ),
        quotas={
            f"consumer-{consumer.id}": Quota(
                consumer.fetch_quota_bytes_per_second, consumer.produce_quota_bytes_per_second
            )
            for consumer in declared.consumers.values()
        },
        subjects=dict(_subjects(declared)),
    )


def topic_of_grant(grant: Grant, resource: Resource) -> Topic:
    """The topic that a grant of that resource is delivered on."""
    return Topic(grant.topic, resource.partitions, _limited(_compacted(), STATE_RECORD_BYTES))


def redelivered_topic(topic: TopicName, partitions: int) -> Topic:
    """A separate topic of a redelivery: it keeps everything for as long as a grant's topic does at least."""
    configs = _dated_by_broker(_limited(_deleted(REDELIVERED_DAYS), STATE_RECORD_BYTES))
    return Topic(topic, partitions, configs)


def topics_of_grant(grant: Grant, resource: Resource) -> tuple[Topic, ...]:
    """Everything that must exist for one grant: what it delivers on, its epochs, its fan-out group's own."""
    return (
        topic_of_grant(grant, resource),
        Topic(names.epochs(grant.id), names.EPOCHS_PARTITIONS, _deleted(AUDIT_DAYS)),
        Topic(assignor_topic(faust_fanout_id(grant.group)), 1, _deleted(1)),
    )


def faust_fanout_id(group: str) -> str:
    """The Faust application of one grant group's fan-out."""
    return f"faust-{names.fanout_group(group)}"


def assignor_topic(faust_id: str) -> str:
    """The topic by which Faust elects a leader; it must exist before the application starts."""
    return f"{faust_id}-__assignor-__leader"


def control_subject(name: str) -> str:
    """The subject whose id processors write for that control record."""
    return f"{CONTROL_SUBJECTS[name][0]}-value"


def _topics(declared: Declared) -> Iterable[Topic]:
    yield Topic(names.POLICY, 1, _dated_by_broker(_limited(_deleted(None), POLICY_BYTES)))
    yield Topic(names.POLICY_ACKNOWLEDGEMENTS, 1, _deleted(AUDIT_DAYS))
    yield from _ledger_topics()
    yield Topic(names.DISPUTES, names.DISPUTES_PARTITIONS, _deleted(None))
    yield Topic(assignor_topic(GATE_FAUST_ID), 1, _deleted(1))
    for group in sorted({grant.group for grant in declared.grants.values()}):
        yield Topic(assignor_topic(faust_fanout_id(group)), 1, _deleted(1))
    for provider in declared.providers.values():
        yield from _provider_topics(provider, declared)
    for resource in declared.resources.values():
        yield from _resource_topics(resource)
    for grant in declared.grants.values():
        if grant.resource in declared.resources:
            yield topic_of_grant(grant, declared.resources[grant.resource])
        yield Topic(names.epochs(grant.id), names.EPOCHS_PARTITIONS, _deleted(AUDIT_DAYS))
    for consumer in declared.consumers:
        yield Topic(names.parked(consumer), 1, _limited(_deleted(AUDIT_DAYS), WRAPPED_RECORD_BYTES))


def _ledger_topics() -> Iterable[Topic]:
    """What is proven later is dated by the broker, not by whoever says it."""
    for name in (names.LEDGER_INTAKE, names.LEDGER_DELIVERY):
        yield Topic(name, names.LEDGER_PARTITIONS, _dated_by_broker(_deleted(AUDIT_DAYS)))
    acts, checkpoints = _limited(_deleted(None), ACT_BYTES), _limited(_deleted(None), CHECKPOINT_BYTES)
    yield Topic(names.LEDGER_ACTS, names.ACTS_PARTITIONS, _dated_by_broker(acts))
    yield Topic(names.LEDGER_CHECKPOINTS, names.CHECKPOINTS_PARTITIONS, _dated_by_broker(checkpoints))


def _provider_topics(provider: Provider, declared: Declared) -> Iterable[Topic]:
    own = [resource for resource in declared.resources.values() if resource.provider == provider.id]
    wraps = _limited(_deleted(AUDIT_DAYS), WRAPPED_RECORD_BYTES)
    yield Topic(names.quarantine(provider.id), names.QUARANTINE_PARTITIONS, wraps)
    yield Topic(names.claims(provider.id), names.CLAIMS_PARTITIONS, wraps)
    if any(isinstance(resource.source, CapturedTable) for resource in own):
        yield Topic(names.heartbeat(provider.id), 1, _dated_by_broker(_deleted(7)))
        yield Topic(names.signal(provider.id), 1, _dated_by_broker(_deleted(7)))
        yield Topic(names.notifications(provider.id), 1, _dated_by_broker(_deleted(AUDIT_DAYS)))


def _resource_topics(resource: Resource) -> Iterable[Topic]:
    raw = _limited(_dated_by_broker(_deleted(resource.retention_days)), RAW_RECORD_BYTES)
    yield Topic(resource.raw_topic, resource.partitions, raw)
    yield _remembered_keys(resource)
    yield Topic(resource.canonical_topic, resource.partitions, _limited(_compacted(), STATE_RECORD_BYTES))
    yield Topic(names.epochs(resource.id), names.EPOCHS_PARTITIONS, _deleted(AUDIT_DAYS))


def _remembered_keys(resource: Resource) -> Topic:
    """What the gate remembers of raw keys, and reads whole before it decides."""
    if isinstance(resource.source, CapturedTable):
        return Topic(names.stopped_keys(resource.raw_topic), resource.partitions, _compacted(lag_ms=0))
    # Every accepted publication adds a record, and only closed segments are compacted: they must be small.
    configs = _compacted(lag_ms=0) | {"segment.bytes": str(STATE_SEGMENT_BYTES)}
    return Topic(names.accepted_versions(resource.raw_topic), resource.partitions, configs)


def _deleted(days: int | None) -> dict[str, str]:
    retention = -1 if days is None else days * DAY_MS
    return {"cleanup.policy": "delete", "retention.ms": str(retention), "retention.bytes": "-1"}


def _dated_by_broker(configs: dict[str, str]) -> dict[str, str]:
    """The broker's clock dates what comes in: a decision uses that time and no other, and so does a proof."""
    return configs | {"message.timestamp.type": "LogAppendTime"}


def _limited(configs: dict[str, str], record_bytes: int) -> dict[str, str]:
    return configs | {"max.message.bytes": str(record_bytes)}


def _compacted(lag_ms: int = COMPACTION_LAG_MS) -> dict[str, str]:
    return {
        "cleanup.policy": "compact",
        "min.compaction.lag.ms": str(lag_ms),
        "delete.retention.ms": str(DELETE_RETENTION_MS),
    }


def _subjects(declared: Declared) -> Iterable[tuple[str, dict[str, Any]]]:
    for name, topics in CONTROL_SUBJECTS.items():
        for topic in topics:
            yield f"{topic}-value", control_schema(name)
    for resource in declared.resources.values():
        schema = declared.item_schemas[resource.id]
        yield names.key_subject(resource.canonical_topic), CANONICAL_KEY_SCHEMA
        yield names.value_subject(resource.canonical_topic), envelope_schema(schema, resource.scope_items)
        if isinstance(resource.source, DirectPublication):
            # Connect registers what it captures; a provider's application may only read the registry.
            yield names.value_subject(resource.raw_topic), publication_schema(schema)
    for grant in declared.grants.values():
        if grant.resource in declared.resources:
            resource = declared.resources[grant.resource]
            schema = declared.item_schemas[resource.id]
            yield names.key_subject(grant.topic), key_schema(resource, grant)
            yield names.value_subject(grant.topic), projected_schema(schema, grant)
