"""Who may do what in Kafka: everything is refused but what stands here; pure.

A right on a prefix ends with a dot, so that no name that merely begins alike is covered.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Final

from services.control.state import Acl, Pattern, ResourceType, Right
from services.control.validity import in_force
from topics import names
from topics.event import ConsumerId, GrantId, ProviderId, ResourceId, TopicName
from topics.grants.declaration import Grant, GrantState
from topics.resource import CapturedTable, Consumer, DirectPublication, Provider, Resource

GATE: Final = "gate"
FANOUT: Final = "fanout"
COPIER: Final = "copier"
APPLY: Final = "apply"
LEDGER: Final = "ledger"
REPLAY: Final = "replay"
OPERATOR: Final = "operator"
DOCTOR: Final = "doctor"
CONNECT: Final = "connect"
CONTROL: Final = "control"
TRACE: Final = "trace"
OWN_USERS: Final = frozenset(
    {GATE, FANOUT, COPIER, APPLY, LEDGER, REPLAY, OPERATOR, DOCTOR, CONNECT, CONTROL, TRACE}
)
"""Users of the bus itself: what they may read does not depend on grants."""
_EVIDENCE: Final = ("raw.", "resource.", "stopped.", "versions.", "sub.")
WITHDRAWN_STATES: Final = frozenset({GrantState.SUSPENDED, GrantState.REVOKED})


def rights(
    providers: Mapping[ProviderId, Provider],
    consumers: Mapping[ConsumerId, Consumer],
    resources: Mapping[ResourceId, Resource],
    grants: Iterable[Grant],
    day: date | None = None,
    sinks: Collection[GrantId] = (),
) -> frozenset[Acl]:
    """Every right of every user; a suspended or revoked grant has none and forbids its writers.

    ``day`` is today in official time: a grant that is not in force then has no reader. Without it the days
    of grants do not count. ``sinks`` are the grants that Connect copies into a database.
    """
    found: set[Acl] = {
        *_gate(resources),
        *_fanout(),
        *_copier(),
        *_apply(),
        *_ledger(),
        *_replay(),
        *_operator(),
        *_doctor(resources),
        *_control(resources),
        *_trace(),
    }
    found.update(_connect(providers, resources))
    for provider in providers:
        found.update(_provider(provider, resources))
    for consumer in consumers:
        found.update(consumer_rights(consumer))
    for grant in grants:
        found.update(grant_rights(grant, day) if grant.consumer in consumers else grant_denials(grant))
        if grant.id in sinks and grant.consumer in consumers and is_readable(grant, day):
            # A sink logs in as its department and reads in a group that Connect names.
            found.add(_group(f"consumer-{grant.consumer}", names.sink_group(grant.id)))
    return frozenset(found)


def grant_rights(grant: Grant, day: date | None = None) -> set[Acl]:
    """The consumer's rights under the grant, or, where it is withdrawn, what is forbidden to its writers.

    Outside its days a grant has no reader, and its writers, who withhold by themselves, stay allowed: a
    refused record would fail a whole transaction of other grants.
    """
    if grant.state in WITHDRAWN_STATES:
        return grant_denials(grant)
    if not is_readable(grant, day):
        return set()
    return reading_rights(grant.consumer, grant.topic, grant.id)


def reading_rights(consumer: ConsumerId, topic: TopicName, grant: GrantId) -> set[Acl]:
    """What the consumer of a grant reads: its topic, the separate ones of its redeliveries, its epochs."""
    user = f"consumer-{consumer}"
    return {
        _topic(user, topic, Right.READ),
        _topics(user, names.redelivered_prefix(topic), Right.READ),
        _topic(user, names.epochs(grant), Right.READ),
    }


def is_readable(grant: Grant, day: date | None) -> bool:
    """Whether the grant's consumer may read its topic that day."""
    return grant.state not in WITHDRAWN_STATES and in_force(grant, day)


def grant_denials(grant: Grant) -> set[Acl]:
    """Nobody writes to a withdrawn grant's topics, whichever policy version he believes in."""
    places = (
        (Pattern.LITERAL, str(grant.topic)),
        (Pattern.PREFIXED, names.redelivered_prefix(grant.topic)),
    )
    return {
        Acl(writer, ResourceType.TOPIC, pattern, name, Right.WRITE, allow=False)
        for writer in (FANOUT, COPIER)
        for pattern, name in places
    }


def _topic(user: str, name: str, right: Right) -> Acl:
    return Acl(user, ResourceType.TOPIC, Pattern.LITERAL, name, right)


def _topics(user: str, prefix: str, right: Right) -> Acl:
    return Acl(user, ResourceType.TOPIC, Pattern.PREFIXED, prefix, right)


def _group(user: str, name: str, right: Right = Right.READ) -> Acl:
    return Acl(user, ResourceType.GROUP, Pattern.LITERAL, name, right)


def _groups(user: str, prefix: str, right: Right = Right.READ) -> Acl:
    return Acl(user, ResourceType.GROUP, Pattern.PREFIXED, prefix, right)


def _transactions(user: str, prefix: str) -> Acl:
    return Acl(user, ResourceType.TRANSACTIONAL_ID, Pattern.PREFIXED, prefix, Right.WRITE)


def _transaction(user: str, name: str) -> Acl:
    return Acl(user, ResourceType.TRANSACTIONAL_ID, Pattern.LITERAL, name, Right.WRITE)


def _processor(user: str) -> set[Acl]:
    """What gate and fan-out share: policy in, acknowledgements out, Faust's own group and topics."""
    return {
        _topic(user, names.POLICY, Right.READ),
        _topic(user, names.POLICY_ACKNOWLEDGEMENTS, Right.READ),
        _topic(user, names.POLICY_ACKNOWLEDGEMENTS, Right.WRITE),
        _transactions(user, f"{user}."),
    }


def _gate(resources: Mapping[ResourceId, Resource]) -> set[Acl]:
    faust = {_group(GATE, "faust-gate")}
    faust |= {_topics(GATE, "faust-gate-", right) for right in (Right.READ, Right.WRITE)}
    reads = {_topics(GATE, prefix, Right.READ) for prefix in ("raw.", "stopped.", "versions.")}
    written = ("resource.", "quarantine.", "stopped.", "versions.", "claims.")
    writes = {_topics(GATE, prefix, Right.WRITE) for prefix in written}
    writes |= {_topic(GATE, names.epochs(resource), Right.WRITE) for resource in resources}
    writes.add(_topic(GATE, names.LEDGER_INTAKE, Right.WRITE))
    return _processor(GATE) | faust | reads | writes | {_group(GATE, names.GATE_GROUP)}


def _fanout() -> set[Acl]:
    faust = {_groups(FANOUT, "faust-fanout.")}
    faust |= {_topics(FANOUT, "faust-fanout.", right) for right in (Right.READ, Right.WRITE)}
    return (
        _processor(FANOUT)
        | faust
        | {
            _groups(FANOUT, "fanout."),
            _topics(FANOUT, "resource.", Right.READ),
            _topic(FANOUT, names.DISPUTES, Right.READ),
            _topics(FANOUT, "sub.", Right.WRITE),
            _topic(FANOUT, names.LEDGER_DELIVERY, Right.WRITE),
        }
    )


def _copier() -> set[Acl]:
    return {
        _topic(COPIER, names.POLICY, Right.READ),
        _topic(COPIER, names.DISPUTES, Right.READ),
        _topics(COPIER, "resource.", Right.READ),
        _topics(COPIER, "sub.", Right.READ),
        _topics(COPIER, "sub.", Right.WRITE),
        _topics(COPIER, "epochs.", Right.READ),
        _topics(COPIER, "epochs.", Right.WRITE),
        _topic(COPIER, names.LEDGER_DELIVERY, Right.WRITE),
        _groups(COPIER, "copier."),
        _transactions(COPIER, "copier."),
    }


def _apply() -> set[Acl]:
    """The one writer of policy and of disputes; it may also end what an instance that is silent has open."""
    return {
        _topic(APPLY, names.POLICY, Right.READ),
        _topic(APPLY, names.POLICY, Right.WRITE),
        _topic(APPLY, names.POLICY_ACKNOWLEDGEMENTS, Right.READ),
        _topic(APPLY, names.LEDGER_ACTS, Right.READ),
        _topic(APPLY, names.LEDGER_ACTS, Right.WRITE),
        _topic(APPLY, names.DISPUTES, Right.READ),
        _topic(APPLY, names.DISPUTES, Right.WRITE),
        _transaction(APPLY, names.APPLY_TRANSACTIONAL_ID),
        _transaction(APPLY, names.DISPUTES_TRANSACTIONAL_ID),
        _transactions(APPLY, "gate."),
        _transactions(APPLY, "fanout."),
        _transactions(APPLY, "copier."),
        _groups(APPLY, "apply."),
    }


def _ledger() -> set[Acl]:
    """The auditor reads all but quarantine and claims, which are the operator's, and writes nothing."""
    prefixes = (*_EVIDENCE, "epochs.", "ledger.")
    return {
        *(_topics(LEDGER, prefix, Right.READ) for prefix in prefixes),
        *(_topics(LEDGER, prefix, Right.READ) for prefix in ("heartbeat.", "notify.")),
        _topic(LEDGER, names.POLICY, Right.READ),
        _topic(LEDGER, names.DISPUTES, Right.READ),
        _topic(LEDGER, names.POLICY_ACKNOWLEDGEMENTS, Right.READ),
        _groups(LEDGER, "ledger."),
        Acl(LEDGER, ResourceType.GROUP, Pattern.LITERAL, "*", Right.DESCRIBE),
    }


def _replay() -> set[Acl]:
    """Replay decides again what was decided: it reads inputs, outputs and the ledger, and writes nothing.

    What a decision quarantined or claimed it makes anew from the input, and needs to read of nobody.
    """
    prefixes = (*_EVIDENCE, "epochs.", "ledger.")
    return {
        *(_topics(REPLAY, prefix, Right.READ) for prefix in prefixes),
        _topic(REPLAY, names.POLICY, Right.READ),
        _topic(REPLAY, names.DISPUTES, Right.READ),
        _groups(REPLAY, "replay."),
    }


def _operator() -> set[Acl]:
    """The operator works quarantine: reads it, notes dispositions in it, releases into the raw topics."""
    reads = ("quarantine.", "stopped.", "versions.", "claims.", "epochs.", "heartbeat.", "notify.")
    return {
        *(_topics(OPERATOR, prefix, Right.READ) for prefix in reads),
        *(_topics(OPERATOR, prefix, Right.WRITE) for prefix in ("raw.", "quarantine.", "signal.")),
        _topics(OPERATOR, "raw.", Right.DESCRIBE),
        _topic(OPERATOR, names.POLICY, Right.READ),
        _topic(OPERATOR, names.POLICY_ACKNOWLEDGEMENTS, Right.READ),
        _groups(OPERATOR, "operator."),
        _transactions(OPERATOR, "operator."),
        Acl(OPERATOR, ResourceType.GROUP, Pattern.LITERAL, "*", Right.DESCRIBE),
    }


def _doctor(resources: Mapping[ResourceId, Resource]) -> set[Acl]:
    """The doctor reads what tells how the bus is, and of captured tables how many records came.

    Describing topics, groups, users and rights is the stack's to allow: it must work before the first apply.
    """
    found = {_topics(DOCTOR, prefix, Right.READ) for prefix in ("heartbeat.", "notify.")}
    found.add(_topic(DOCTOR, names.POLICY, Right.READ))
    for resource in resources.values():
        found.add(_topic(DOCTOR, names.epochs(resource.id), Right.READ))
        if isinstance(resource.source, CapturedTable):
            found.add(_topic(DOCTOR, resource.raw_topic, Right.READ))
    return found


def _control(resources: Mapping[ResourceId, Resource]) -> set[Acl]:
    """The control process: it owes acts to the ledger, seals it, and sees how the bus is.

    It reads canonical records to find those that a ticket is about, decision blocks to count, and the
    progress of full volumes with the markers of resources' epochs. Of all other topics and groups it may ask
    for offsets only.
    """
    return {
        *(_topic(CONTROL, names.epochs(resource), Right.READ) for resource in resources),
        *(_topics(CONTROL, prefix, Right.READ) for prefix in ("resource.", "notify.")),
        *(_topic(CONTROL, topic, Right.READ) for topic in (names.LEDGER_INTAKE, names.LEDGER_DELIVERY)),
        _topic(CONTROL, names.LEDGER_ACTS, Right.READ),
        _topic(CONTROL, names.LEDGER_ACTS, Right.WRITE),
        _topic(CONTROL, names.LEDGER_CHECKPOINTS, Right.READ),
        _topic(CONTROL, names.LEDGER_CHECKPOINTS, Right.WRITE),
        _topic(CONTROL, names.POLICY, Right.READ),
        _groups(CONTROL, "control."),
        _transactions(CONTROL, "control."),
        Acl(CONTROL, ResourceType.TOPIC, Pattern.LITERAL, "*", Right.DESCRIBE),
        Acl(CONTROL, ResourceType.GROUP, Pattern.LITERAL, "*", Right.DESCRIBE),
    }


def _trace() -> set[Acl]:
    """Who makes the index of the person trace: it reads whom records are about and whose they became."""
    return {
        *(_topics(TRACE, prefix, Right.READ) for prefix in ("resource.", "sub.")),
        _topic(TRACE, names.POLICY, Right.READ),
        _groups(TRACE, "trace."),
    }


def _connect(providers: Mapping[ProviderId, Provider], resources: Mapping[ResourceId, Resource]) -> set[Acl]:
    """What connectors write and read; the worker's own topics and groups are the stack's to allow."""
    found: set[Acl] = set()
    for resource in resources.values():
        if isinstance(resource.source, CapturedTable):
            found.add(_topic(CONNECT, resource.raw_topic, Right.WRITE))
    for provider in providers:
        if _captures(provider, resources):
            found.add(_topic(CONNECT, names.heartbeat(provider), Right.WRITE))
            found.add(_topic(CONNECT, names.notifications(provider), Right.WRITE))
            found.add(_topic(CONNECT, names.signal(provider), Right.READ))
            # Debezium reads signals in a group that is named like the topic (connect-configs/).
            found.add(_group(CONNECT, names.signal(provider)))
    return found


def _captures(provider: ProviderId, resources: Mapping[ResourceId, Resource]) -> bool:
    own = (resource for resource in resources.values() if resource.provider == provider)
    return any(isinstance(resource.source, CapturedTable) for resource in own)


def _provider(provider: ProviderId, resources: Mapping[ResourceId, Resource]) -> set[Acl]:
    user = f"provider-{provider}"
    own = [resource for resource in resources.values() if resource.provider == provider]
    found = {_topic(user, names.quarantine(provider), Right.READ), _groups(user, f"{provider}.")}
    if any(isinstance(resource.source, DirectPublication) for resource in own):
        found.add(_topics(user, f"{names.raw_prefix(provider)}.publish.", Right.WRITE))
    return found


def consumer_rights(consumer: ConsumerId) -> set[Acl]:
    """Whatever its grants are: a department's own groups, and its own topic for what it parks."""
    user = f"consumer-{consumer}"
    return {
        _group(user, consumer),
        _groups(user, f"{consumer}."),
        _topic(user, names.parked(consumer), Right.READ),
        _topic(user, names.parked(consumer), Right.WRITE),
    }
