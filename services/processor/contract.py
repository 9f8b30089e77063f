"""What a processor gives the runner: pure decisions over whole batches; the runner does all that waits."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

from topics.engine.lanes import Lane
from topics.engine.records import Records
from topics.event import GrantId, KafkaRecord, SchemaId, TopicName
from topics.policy import Policy

Batch = Sequence[Records]
"""Records of any assigned partitions, one sequence per partition."""


class InputPartition(NamedTuple):
    """A topic and partition that this instance reads."""

    topic: TopicName
    partition: int


def next_offsets(batch: Batch) -> dict[InputPartition, int]:
    """Per partition the offset after the batch's last record."""
    return {InputPartition(found.topic, found.partition): found[-1].offset + 1 for found in batch}


def size_of(batch: Batch) -> int:
    """How many records it has."""
    return sum(map(len, batch))


@dataclass(frozen=True, slots=True)
class CatchUp:
    """Canonical records of a partition that a grant still lacks: from its copier's end to our position."""

    source: InputPartition
    from_offset: int
    to_offset: int
    grants: tuple[GrantId, ...]


@dataclass(frozen=True, slots=True)
class BatchResult:
    """Everything that one transaction writes, ledger blocks included; what the metrics count."""

    lanes: tuple[Lane, ...]
    outcomes: Mapping[str, int]
    """Outcome or reason code → count, for metrics only."""


Steps = Generator[None, None, BatchResult]
"""A decision with pauses, in which everybody else may have the event loop; ends with its result."""
Result = TypeVar("Result")


def finished(steps: Generator[None, None, Result]) -> Result:
    """The result, without a pause."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            result: Result = done.value
            return result


class Processor(Protocol):
    """The decisions of one processor; no I/O, one caller at a time, and no clock but to size its steps.

    The runner calls, in this order: ``adopt_in_steps`` with the first policy; for each assigned partition
    ``assign`` and, where ``state_partition`` names one, ``load`` with what it holds; then
    ``process_in_steps`` per batch. A policy is adopted only when no transaction is open.

    What pauses is run to its end before anything else is asked, but for ``revoke`` during an adoption. A step
    takes some hundredths of a second (``services.processor.step_size``), whatever the records are.

    A result counts once it is returned: the next one builds on it while its transaction is still under way.
    If that transaction fails, every partition is revoked, and assigned and loaded anew.
    """

    @property
    def group(self) -> str:
        """Consumer group; the instance ids are ``<group>.<n>``."""
        ...

    def adopt_in_steps(self, policy: Policy) -> Generator[None, None, None]:
        """Use this policy from the next batch on; until the end, or if it fails, the one before counts."""
        ...

    def topics(self) -> frozenset[TopicName]:
        """The input topics under the adopted policy."""
        ...

    def state_partition(self, source: InputPartition) -> InputPartition | None:
        """The compacted partition to be read whole before this input partition starts, or None."""
        ...

    def assign(self, source: InputPartition, position: int) -> None:
        """The partition is ours from this offset on (the stable committed offset, or the beginning)."""
        ...

    def load(self, source: InputPartition, remembered: dict[bytes, bytes]) -> None:
        """What the state partition holds, read committed: the last value of each key, as it was written.

        The mapping is the processor's from now on. This returns at once, however much it is.
        """
        ...

    def revoke(self, source: InputPartition) -> None:
        """The partition is no longer ours."""
        ...

    def catch_ups(self, source: InputPartition, position: int, applied_version: int) -> tuple[CatchUp, ...]:
        """What must be delivered before the partition goes on under the adopted policy.

        ``applied_version`` is the policy version recorded with the committed offset (0 where there is none).
        """
        ...

    def catch_up_in_steps(
        self, catch_up: CatchUp, records: Records, schemas: Mapping[SchemaId, Any]
    ) -> Steps:
        """Deliver a slice of the bounded rest to the grants that lack it; no input offsets move.

        The rest comes in slices, each a ``CatchUp`` of its own offsets and a transaction that records beside
        the unchanged position how far it came; see ``services.processor.applied``.
        """
        ...

    def stop_catch_up(self, catch_up: CatchUp, record: KafkaRecord, defect: str) -> BatchResult:
        """Withhold the one record of a catch-up from its grants; see ``stop_internal``."""
        ...

    def needed_schemas(self, records: Records) -> frozenset[SchemaId]:
        """Schema ids that deciding these records needs and that were not given yet."""
        ...

    def process_in_steps(self, batch: Batch, schemas: Mapping[SchemaId, Any]) -> Steps:
        """Decide a batch.

        ``schemas`` holds a parsed JSON schema per id of ``needed_schemas``; an id that the registry does not
        know is absent. Never raises for data: a defect becomes a stopped event with reason INTERNAL.
        """
        ...

    def stop_internal(self, record: KafkaRecord, defect: str) -> BatchResult:
        """Quarantine a record that could not be decided even alone; ``defect`` is the exception's class.

        Called instead of ``process_in_steps`` for exactly this record, after partitions were assigned anew.
        """
        ...
