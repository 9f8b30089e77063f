"""Every topic, group and transactional id of the bus, once: its name, who writes it and who reads it.

| topic                                | written by        | read by                                        |
|--------------------------------------|-------------------|------------------------------------------------|
| raw.<provider>.<schema>.<table>      | Connect, operator | gate, replay, audit, doctor                    |
| raw.<provider>.publish.<domain>.<name> | that provider, operator | gate, replay, audit |
| resource.<domain>.<name>.v<N>        | gate              | fan-out, copier, replay, audit, control, trace |
| quarantine.<provider>                | gate, operator    | that provider, operator                        |
| stopped.<captured raw topic without "raw."> | gate | gate, operator, replay, audit |
| versions.<published raw topic without "raw."> | gate | gate, operator, replay, audit |
| claims.<provider>                    | gate              | operator                                       |
| sub.<consumer>.<resource>.<grant>    | fan-out, copier   | that consumer, copier, replay, audit, trace    |
| <topic of the grant>.replay.<N>      | fan-out, copier   | that consumer, copier, replay, audit, trace    |
| epochs.<grant>                       | copier            | that consumer, copier, operator, replay, audit |
| epochs.<resource> | gate, copier | copier, operator, replay, audit, doctor, control |
| ledger.intake                        | gate              | replay, audit, control                         |
| ledger.delivery                      | fan-out, copier   | replay, audit, control                         |
| ledger.acts                          | apply, control    | apply, control, replay, audit                  |
| ledger.checkpoints                   | control           | control, replay, audit                         |
| policy | apply | apply, gate, fan-out, copier, control, operator, replay, audit, doctor, trace |
| disputes                             | apply             | apply, fan-out, copier, replay, audit          |
| policy-acks                          | gate, fan-out     | apply, gate, fan-out, operator, audit          |
| heartbeat.raw.<provider>             | Connect           | operator, audit, doctor                        |
| signal.<provider>                    | operator          | Connect                                        |
| notify.<provider>                    | Connect           | operator, audit, doctor, control               |
| parked.<consumer>                    | that consumer     | that consumer                                  |

Only a redelivery writes a topic ``.replay.<N>``, as the copier; the fan-out's right on grants' topics covers
it, too. The operator writes raw records only to release what was stopped. Commands that count or show
quarantine and claims read them as the operator and everything else as audit (services/ledger/two_logins.py).
"""

import re
from typing import Final

from topics.event import ConsumerId, GrantId, ProviderId, ResourceId, TopicName

POLICY: Final = TopicName("policy")
POLICY_ACKNOWLEDGEMENTS: Final = TopicName("policy-acks")
LEDGER_INTAKE: Final = TopicName("ledger.intake")
LEDGER_DELIVERY: Final = TopicName("ledger.delivery")
LEDGER_ACTS: Final = TopicName("ledger.acts")
LEDGER_CHECKPOINTS: Final = TopicName("ledger.checkpoints")
DISPUTES: Final = TopicName("disputes")
HEARTBEAT_PREFIX: Final = "heartbeat"
SINK_PREFIX: Final = "sink."
GRANT_PREFIX: Final = "sub."
"""What the topics begin with that departments read under their grants."""
_REDELIVERED: Final = re.compile(r"(?P<of>sub\..+)\.replay\.(?P<number>[0-9]+)")

LEDGER_PARTITIONS: Final = 4
ACTS_PARTITIONS: Final = 1
CHECKPOINTS_PARTITIONS: Final = 1
DISPUTES_PARTITIONS: Final = 1
QUARANTINE_PARTITIONS: Final = 1
CLAIMS_PARTITIONS: Final = 1
EPOCHS_PARTITIONS: Final = 1

GATE_GROUP: Final = "gate"
APPLY_TRANSACTIONAL_ID: Final = "apply.policy"
DISPUTES_TRANSACTIONAL_ID: Final = "disputes.sender"
CONTROL_ACTS_TRANSACTIONAL_ID: Final = "control.acts"
CONTROL_CHECKPOINTS_TRANSACTIONAL_ID: Final = "control.checkpoints"
TRACE_GROUP: Final = "trace.reader"
"""A name only, as the next one."""
CONTROL_GROUP: Final = "control.reader"
"""A name only: the control process reads without a group."""


def raw_prefix(provider: ProviderId) -> str:
    """Debezium's ``topic.prefix`` for that provider; also the prefix of its write rights."""
    return f"raw.{provider}"


def raw_captured(provider: ProviderId, schema: str, table: str) -> TopicName:
    """The topic that Debezium gives a captured table."""
    return TopicName(f"raw.{provider}.{schema}.{table}")


def raw_published(provider: ProviderId, domain: str, name: str, version: int = 1) -> TopicName:
    """The topic that a provider's application publishes to directly.

    Each version after the first has one of its own, so that both can be published side by side.
    """
    topic = f"raw.{provider}.publish.{domain}.{name}"
    return TopicName(topic if version == 1 else f"{topic}.v{version}")


def canonical(resource: ResourceId) -> TopicName:
    """The one true state of a resource."""
    return TopicName(f"resource.{resource}")


def quarantine(provider: ProviderId) -> TopicName:
    """Stopped events of that provider, with their original bytes."""
    return TopicName(f"quarantine.{provider}")


def stopped_keys(raw: TopicName) -> TopicName:
    """Captured keys whose last change was stopped; partition n goes with partition n of ``raw``."""
    return TopicName("stopped." + raw.removeprefix("raw."))


def accepted_versions(raw: TopicName) -> TopicName:
    """The accepted version of every published key; partition n goes with partition n of ``raw``."""
    return TopicName("versions." + raw.removeprefix("raw."))


def claims(provider: ProviderId) -> TopicName:
    """Items that the provider published though another owns them."""
    return TopicName(f"claims.{provider}")


def grant_topic(consumer: ConsumerId, resource: ResourceId, grant: GrantId) -> TopicName:
    """What one grant delivers; it has one reader."""
    return TopicName(f"sub.{consumer}.{resource}.{grant}")


def redelivered_prefix(topic: TopicName) -> str:
    """What the separate topics of a grant's redeliveries begin with; its reader may read all that do."""
    return f"{topic}.replay."


def redelivered(topic: TopicName, replay: int) -> TopicName:
    """The separate topic of one redelivery, beside the topic of its grant."""
    return TopicName(f"{redelivered_prefix(topic)}{replay}")


def redelivery_of(topic: str) -> int | None:
    """The number of the replay that made the topic; None where none did."""
    found = _REDELIVERED.fullmatch(topic)
    return None if found is None else int(found["number"])


def grant_topic_of(topic: str) -> TopicName:
    """The topic of the grant under which a separate one was written; any other topic as it is."""
    found = _REDELIVERED.fullmatch(topic)
    return TopicName(topic if found is None else found["of"])


def epochs(subject: GrantId | ResourceId) -> TopicName:
    """Begin and end of full-volume epochs of a grant or a resource."""
    return TopicName(f"epochs.{subject}")


def heartbeat(provider: ProviderId) -> TopicName:
    """Debezium's heartbeat of that provider's connector."""
    return TopicName(f"{HEARTBEAT_PREFIX}.{raw_prefix(provider)}")


def signal(provider: ProviderId) -> TopicName:
    """Snapshot signals to that provider's connector."""
    return TopicName(f"signal.{provider}")


def notifications(provider: ProviderId) -> TopicName:
    """Snapshot progress of that provider's connector."""
    return TopicName(f"notify.{provider}")


def parked(consumer: ConsumerId) -> TopicName:
    """The department's own dead-letter topic: records that its handler keeps refusing."""
    return TopicName(f"parked.{consumer}")


def sink_group(grant: GrantId) -> str:
    """The consumer group in which Connect reads for the sink of a grant: ``connect-`` and its connector."""
    return f"connect-{sink_connector(grant)}"


def sink_connector(grant: GrantId) -> str:
    """The connector that copies a grant into its department's database."""
    return f"{SINK_PREFIX}{grant}"


def fanout_group(group: str) -> str:
    """The consumer group of one grant group's fan-out."""
    return f"fanout.{group}"


def instance_id(group: str, instance: int) -> str:
    """Static membership id and transactional id of one processor instance, e.g. ``fanout.default.0``."""
    return f"{group}.{instance}"


def copier_transactional_id(subject: GrantId | ResourceId) -> str:
    """Who writes the markers of one grant's or one resource's epochs."""
    return f"copier.{subject}"


def sweeper_transactional_id(resource: ResourceId) -> str:
    """Who appends the withdrawals of one resource's epochs to its raw topic."""
    return f"operator.epoch.{resource}"


def copier_group(grant: GrantId, generation: int) -> str:
    """Where the copier of one epoch commits the offsets it has copied up to."""
    return f"copier.{grant}.{generation}"


def value_subject(topic: TopicName) -> str:
    """The registry subject of a topic's values."""
    return f"{topic}-value"


def key_subject(topic: TopicName) -> str:
    """The registry subject of a topic's keys."""
    return f"{topic}-key"
