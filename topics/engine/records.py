"""Records of one input partition, in offset order: what an engine decides at once.

The compiled form (native_batch.NativeRecords) holds bytes and makes a ``KafkaRecord`` only when it is asked
for one; everybody else sees both kinds as the same sequence.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from topics.event import KafkaRecord, SchemaId, TopicName
from topics.wire import NotFramed, split


class Records(Protocol):
    """Records of one partition of one topic; never empty."""

    @property
    def topic(self) -> TopicName:
        """Where they were read."""
        ...

    @property
    def partition(self) -> int:
        """Which partition of it."""
        ...

    def __len__(self) -> int:
        """How many."""
        ...

    def __getitem__(self, index: int) -> KafkaRecord:
        """One of them; a negative index counts from the end."""
        ...

    def __iter__(self) -> Iterator[KafkaRecord]:
        """All of them."""
        ...

    def part(self, first: int, end: int) -> "Records":
        """Those from one number to before another; at least one."""
        ...

    def schema_ids(self) -> frozenset[SchemaId]:
        """The writer schemas of the values; what is not framed has none."""
        ...


class PartitionRecords:
    """Records that are ready."""

    def __init__(self, topic: TopicName, partition: int, records: Sequence[KafkaRecord]) -> None:
        self.topic = topic
        self.partition = partition
        self._records = records

    def __len__(self) -> int:
        """How many records."""
        return len(self._records)

    def __getitem__(self, index: int) -> KafkaRecord:
        """One record."""
        return self._records[index]

    def __iter__(self) -> Iterator[KafkaRecord]:
        """All records."""
        return iter(self._records)

    def part(self, first: int, end: int) -> "PartitionRecords":
        """See ``Records.part``."""
        return PartitionRecords(self.topic, self.partition, self._records[first:end])

    def schema_ids(self) -> frozenset[SchemaId]:
        """See ``Records.schema_ids``."""
        found = {schema_id_of(record.value) for record in self._records}
        return frozenset(schema_id for schema_id in found if schema_id is not None)


def by_partition(records: Iterable[KafkaRecord]) -> list[PartitionRecords]:
    """Sort records of any partitions into one sequence per partition; each keeps its order."""
    found: dict[tuple[TopicName, int], list[KafkaRecord]] = {}
    for record in records:
        found.setdefault((record.topic, record.partition), []).append(record)
    return [PartitionRecords(*place, members) for place, members in found.items()]


def schema_id_of(value: bytes | None) -> SchemaId | None:
    """The writer's schema id of a framed value, or None for a tombstone or unframed bytes."""
    if value is None:
        return None
    try:
        return split(value)[0]
    except NotFramed:
        return None
