"""The fan-out's engines: what goes in and comes out, alike for compiled, generated and reference."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from topics.engine.choose import Implementation
from topics.engine.lanes import Lane
from topics.engine.records import Records
from topics.engine.schema import AvroType, RecordType
from topics.event import (
    GrantId,
    KafkaRecord,
    OutputRecord,
    PolicyNumber,
    ResourceId,
    SchemaId,
    TopicName,
    WithheldReason,
)
from topics.grants.declaration import GrantState, Mask
from topics.grants.rows import RowPredicate


@dataclass(frozen=True, slots=True)
class GrantSpec:
    """What an engine must know of one grant."""

    grant: GrantId
    generation: int
    topic: TopicName
    state: GrantState
    valid_from_ms: int
    valid_until_ms: int
    starts_at: Mapping[int, int]
    rows: RowPredicate
    masks: Mapping[str, Mask]
    canonical_key: bool
    secret_key: bytes = field(repr=False)
    key_schema_id: SchemaId
    value_schema_id: SchemaId
    value_type: RecordType


@dataclass(frozen=True, slots=True)
class FanoutSpec:
    """One canonical topic, the policy's schema of its items, and the grants of one group on it."""

    resource: ResourceId
    policy_version: PolicyNumber
    items: RecordType
    grants: tuple[GrantSpec, ...]


class Outcome(Protocol):
    """What became of one canonical record under one grant: an output, or the reason why there is none."""

    @property
    def withheld(self) -> WithheldReason | None:
        """Why nothing is written."""
        ...

    @property
    def output(self) -> OutputRecord | None:
        """What is written; without a value it is a tombstone."""
        ...


Before = set[bytes]
"""The grant keys that an epoch has delivered so far; engines keep it up to date."""

Reference = Callable[[KafkaRecord, Before | None], Sequence[Outcome]]
"""Decides a record that has a value; one outcome per grant of the spec, in order. Raises nothing."""


def remember(output: OutputRecord, before: Before | None) -> None:
    """Keep the keys that an epoch has delivered up to date."""
    if before is not None and output.key is not None:
        if output.value is None:
            before.discard(output.key)
        else:
            before.add(output.key)


@dataclass(slots=True)
class GrantCount:
    """What one grant got out of a batch."""

    grant: GrantId
    generation: int
    delivered: int = 0
    tombstoned: int = 0
    withheld: Counter[str] = field(default_factory=Counter)

    def note(self, outcome: Outcome) -> None:
        """Count one outcome."""
        if outcome.output is None:
            self.withheld[outcome.withheld or WithheldReason.INTERNAL] += 1
        elif outcome.output.value is None:
            self.tombstoned += 1
        else:
            self.delivered += 1


def summed(counts: Sequence[GrantCount]) -> GrantCount:
    """What one grant got out of the parts of a batch."""
    return GrantCount(
        counts[0].grant,
        counts[0].generation,
        sum(count.delivered for count in counts),
        sum(count.tombstoned for count in counts),
        sum((count.withheld for count in counts), Counter()),
    )


@dataclass(frozen=True, slots=True)
class Decided:
    """What the records of one partition lead to."""

    canonical: int
    """Records with a value; each has one outcome under every grant."""
    control: int
    """Tombstones after deletes."""
    grants: tuple[GrantCount, ...]
    lanes: tuple[Lane, ...]
    """One per grant that anything is written for, in the order of the grants."""
    by_reference: int = 0
    """Records that needed the reference, for one grant at least."""


class FanoutEngine(Protocol):
    """Decides the records of one canonical topic under one spec; pure."""

    @property
    def implementation(self) -> Implementation:
        """Which one it is."""
        ...

    def learn(self, schema_id: SchemaId, writer: AvroType) -> bool:
        """Compile for a writer's schema; says whether the reference is asked about every record of it.

        ``decide`` compiles what it meets and was not given, which takes longer than deciding.
        """
        ...

    def decide(
        self, records: Records, writers: Mapping[SchemaId, AvroType], before: Before | None = None
    ) -> Decided:
        """Decide all records of one partition, in order.

        Args:
            records: what was read.
            writers: the writer schemas that are known; a record of another one is withheld with INTERNAL.
            before: given in an epoch of one grant only, see ``Before``.
        """
        ...

    def fallbacks(self, writer: AvroType) -> Mapping[GrantId, str]:
        """Grants that the reference decides for records of that writer's schema, each with the reason."""
        ...
