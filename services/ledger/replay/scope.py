"""What a replay is about: of which resource or party, and which stretch of time or offsets; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from services.ledger.replay.recorded import Recorded
from topics import names
from topics.event import ConsumerId, GrantId, ProviderId, ResourceId, TopicName
from topics.policy import Policy


class WrongScope(ValueError):  # noqa: N818 - the caller narrows or corrects it
    """The scope says nothing, contradicts itself, or names something that no policy version knows."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which blocks; what is not set does not matter. Times in ms since 1970, ends excluded."""

    resource: ResourceId | None = None
    provider: ProviderId | None = None
    consumer: ConsumerId | None = None
    grant: GrantId | None = None
    subject: str | None = None
    """Keyed hash of one canonical record, never the record's own key."""
    from_ms: int | None = None
    to_ms: int | None = None
    topic: TopicName | None = None
    partition: int | None = None
    from_offset: int | None = None
    to_offset: int | None = None

    def record(self) -> dict[str, Any]:
        """What is set, as JSON's own types."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def scope_from(record: Mapping[str, Any]) -> Scope:
    """The inverse of ``Scope.record``."""
    return Scope(**record)


def checked(scope: Scope) -> Scope:
    """The scope, if it can be meant.

    Raises:
        WrongScope: it cannot.
    """
    if (scope.from_offset is not None or scope.to_offset is not None) and (
        scope.topic is None or scope.partition is None
    ):
        raise WrongScope("offsets count within one partition: name topic and partition")
    if scope.partition is not None and scope.topic is None:
        raise WrongScope("a partition is one of a topic: name the topic")
    for begin, end in ((scope.from_ms, scope.to_ms), (scope.from_offset, scope.to_offset)):
        if begin is not None and end is not None and begin >= end:
            raise WrongScope("the stretch ends where it begins, or before")
    if not scope.record():
        raise WrongScope("a replay names what it is about: a resource, a party, a time or a range of offsets")
    return scope


@dataclass(frozen=True, slots=True)
class Wanted:
    """A scope over the policy versions that there are: which input topics, grants and blocks it means."""

    scope: Scope
    raw: frozenset[TopicName]
    canonical: frozenset[TopicName]
    grants: frozenset[GrantId] | None
    """None where no consumer and no grant is named: then every grant counts."""

    def reads(self, ledger: TopicName, topic: TopicName, partition: int) -> bool:
        """Whether blocks of that ledger about that input partition may be in scope."""
        if topic not in (self.raw if ledger == names.LEDGER_INTAKE else self.canonical):
            return False
        return self.scope.topic in (None, topic) and self.scope.partition in (None, partition)

    def covers(self, block: Recorded) -> bool:
        """Whether the block is in scope."""
        scope = self.scope
        if not self.reads(block.place.topic, block.chain.topic, block.chain.partition):
            return False
        # A block without records has only the time at which it was written.
        times = (block.first_ms, block.last_ms) if block.records else (block.written_ms, block.written_ms)
        if not _meets(times[0], times[1] + 1, scope.from_ms, scope.to_ms):
            return False
        if not _meets(block.from_offset, block.to_offset, scope.from_offset, scope.to_offset):
            return False
        return block.intake or self.grants is None or not self.grants.isdisjoint(block.grants)


def _meets(begin: int, end: int, from_: int | None, to: int | None) -> bool:
    return (from_ is None or end > from_) and (to is None or begin < to)


def wanted(scope: Scope, policies: Iterable[Policy]) -> Wanted:
    """Resolve a scope; every policy version counts, since a topic may have had another source.

    Raises:
        WrongScope: no policy version knows what it names.
    """
    checked(scope)
    known = list(policies)
    entries = [entry for policy in known for entry in policy.resources.values()]
    grants = [entry.grant for policy in known for entry in policy.grants.values()]
    resources = {entry.resource.id for entry in entries}
    chosen = frozenset(
        grant.id
        for grant in grants
        if scope.consumer in (None, grant.consumer) and scope.grant in (None, grant.id)
    )
    narrowed = scope.consumer is not None or scope.grant is not None
    if narrowed:
        resources &= {grant.resource for grant in grants if grant.id in chosen}
    if scope.resource is not None:
        resources &= {scope.resource}
    found = [
        entry.resource
        for entry in entries
        if entry.resource.id in resources and scope.provider in (None, entry.resource.provider)
    ]
    if not found:
        raise WrongScope(f"no policy version knows what is meant by {_said(scope)}")
    return Wanted(
        scope,
        frozenset(each.raw_topic for each in found),
        frozenset(names.canonical(each.id) for each in found),
        chosen if narrowed else None,
    )


def _said(scope: Scope) -> str:
    kinds = ("resource", "provider", "consumer", "grant")
    found = [f"{kind} {value}" for kind, value in scope.record().items() if kind in kinds]
    return ", ".join(found) or "the scope"
