"""What a suspension proves: who ordered it and why, which grants, when each step, where topics end."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, Self

from services.control.acknowledgements import Acknowledgement
from topics.event import ConsumerId, GrantId, ResourceId, TopicName
from topics.grants.hold import HoldScope
from topics.names import canonical, fanout_group
from topics.policy import GrantPolicy

OUTSIDE: Final = (
    "What the consumer's client had already fetched is outside the bus: it may still hand those records to "
    "its application. A request that the broker had accepted before the right was removed may be answered "
    "once more, with records before the cut, when its own waiting time ends. No record after the cut can be "
    "read by anybody."
)


class Step(StrEnum):
    """The steps of a suspension, in their order."""

    READ_REMOVED = "read_removed"
    """No department has a right to read the grants' topics."""
    POLICY_WRITTEN = "policy_written"
    """A policy version holds the grants."""
    ANSWERED = "answered"
    """Each fan-out instance of the groups applies that version, or its lease is over."""
    WRITE_DENIED = "write_denied"
    """The broker refuses whoever still believes in an older version."""
    FENCED = "fenced"
    """Open transactions of the silent, and of copiers, are ended."""
    CUT = "cut"
    """No transaction is open on the topics: here they end."""
    RECORDED = "recorded"
    """The receipt stands in the ledger."""

    @property
    def is_proof(self) -> bool:
        """Whether the receipt itself tells of the step."""
        return self is not Step.RECORDED


@dataclass(frozen=True, slots=True)
class HeldGrant:
    """One grant that was suspended, and where its topic ends."""

    grant: GrantId
    consumer: ConsumerId
    resource: ResourceId
    topic: TopicName
    group: str
    generation: int
    partitions: int
    cut: Mapping[int, int] = field(default_factory=dict)
    """Partition → the offset that follows the last one that was written; empty before the cut."""

    def as_json(self) -> dict[str, Any]:
        """For files, commands and the ledger."""
        return {
            "grant": self.grant,
            "consumer": self.consumer,
            "resource": self.resource,
            "topic": self.topic,
            "group": self.group,
            "generation": self.generation,
            "partitions": self.partitions,
            "cut": {str(partition): offset for partition, offset in sorted(self.cut.items())},
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """What ``as_json`` gave."""
        cut = {int(partition): int(offset) for partition, offset in found["cut"].items()}
        return cls(**{**found, "cut": cut})


def held_grant(entry: GrantPolicy, partitions: int) -> HeldGrant:
    """A grant of the policy before its cut."""
    grant = entry.grant
    return HeldGrant(
        grant.id,
        grant.consumer,
        grant.resource,
        grant.topic,
        fanout_group(grant.group),
        entry.generation,
        partitions,
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """What the case of a grant is told besides: in which role somebody ordered it, and which reason it is."""

    role: str = ""
    department: str = ""
    stop: str = ""
    """One of the reasons for which cases are stopped; empty where none was chosen."""
    person: str = ""
    """The account in whose name it was ordered at a shell; empty where nobody stood between."""


@dataclass(frozen=True, slots=True)
class Again:
    """The same order, given once more while it was in force: nothing was done, and it stands all the same."""

    id: str
    by: str
    reason: str
    requested_ms: int
    standing: Standing = Standing()


@dataclass(frozen=True, slots=True)
class Receipt:
    """One suspension, as far as it has come; what is done stays as it was when it was done."""

    id: str
    scope: HoldScope
    name: str
    by: str
    reason: str
    requested_ms: int
    policy_version: int = 0
    grants: tuple[HeldGrant, ...] = ()
    members: tuple[str, ...] = ()
    """The fan-out instances that were members of the groups when the policy version was written."""
    acknowledgements: tuple[Acknowledgement, ...] = ()
    fenced: tuple[str, ...] = ()
    steps: Mapping[Step, int] = field(default_factory=dict)
    """Step → when it was done, in ms since 1970."""
    standing: Standing = Standing()
    """For the case of the grant; the journal alone keeps it."""
    again: tuple[Again, ...] = field(default=(), compare=False)

    @property
    def subject(self) -> str:
        """What was suspended, in words: ``consumer tax``, or ``all``."""
        return f"{self.scope.value} {self.name}".strip()

    @property
    def is_cut(self) -> bool:
        """Whether nothing more can be written: everything but the record of it is done."""
        return Step.CUT in self.steps

    @property
    def is_complete(self) -> bool:
        """Whether every step is done."""
        return Step.RECORDED in self.steps

    def groups(self) -> list[str]:
        """The consumer groups of fan-out that delivered the grants."""
        return sorted({held.group for held in self.grants})

    def done(self, step: Step, now_ms: int) -> Self:
        """The receipt with the step done; when it was done first counts."""
        return self if step in self.steps else replace(self, steps={**self.steps, step: now_ms})

    def as_json(self) -> dict[str, Any]:
        """The shape of docs/cli/grant-receipt.schema.json: what the ledger keeps, so without that it does."""
        sources = {canonical(held.resource) for held in self.grants}
        return {
            "id": self.id,
            "scope": self.scope.value,
            "name": self.name,
            "by": self.by,
            "reason": self.reason,
            "requested_ms": self.requested_ms,
            "policy_version": self.policy_version,
            "grants": [held.as_json() for held in self.grants],
            "members": list(self.members),
            "acknowledgements": [_answer(found, sources) for found in self.acknowledgements],
            "fenced": list(self.fenced),
            "steps": {step.value: self.steps[step] for step in Step if step in self.steps and step.is_proof},
            "outside": OUTSIDE,
        }

    def saved(self) -> dict[str, Any]:
        """The same with every step and what cases are told, for the journal."""
        return {
            **self.as_json(),
            "steps": {step.value: when for step, when in self.steps.items()},
            "standing": asdict(self.standing),
            "again": [asdict(each) for each in self.again],
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """What ``as_json`` or ``saved`` gave."""
        return cls(
            id=found["id"],
            scope=HoldScope(found["scope"]),
            name=found["name"],
            by=found["by"],
            reason=found["reason"],
            requested_ms=found["requested_ms"],
            policy_version=found["policy_version"],
            grants=tuple(HeldGrant.from_json(held) for held in found["grants"]),
            members=tuple(found["members"]),
            acknowledgements=tuple(_acknowledgement(answer) for answer in found["acknowledgements"]),
            fenced=tuple(found["fenced"]),
            steps={Step(step): when for step, when in found["steps"].items()},
            standing=Standing(**found.get("standing", {})),
            again=tuple(_again(each) for each in found.get("again", ())),
        )


def _again(found: Mapping[str, Any]) -> Again:
    return Again(**{**found, "standing": Standing(**found["standing"])})


def document(found: Mapping[str, Any]) -> str:
    """A receipt's JSON as one canonical text: the same receipt is always the same text."""
    return json.dumps(found, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(text: str) -> str:
    """SHA-256 of the text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def _answer(found: Acknowledgement, sources: set[TopicName]) -> dict[str, Any]:
    positions = [
        {"topic": topic, "partition": partition, "offset": offset}
        for topic, partition, offset in found.positions
        if topic in sources
    ]
    return {
        "group": found.group,
        "instance": found.instance,
        "version": found.version,
        "applied_ms": found.applied_ms,
        "positions": positions,
    }


def _acknowledgement(found: Mapping[str, Any]) -> Acknowledgement:
    places = [(place["topic"], place["partition"], place["offset"]) for place in found["positions"]]
    return Acknowledgement(
        found["group"], found["instance"], found["version"], found["applied_ms"], tuple(places)
    )
