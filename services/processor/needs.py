"""The schemas of a batch; where records name very many that nobody knows, the rest of them waits its turn."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, Final

from services.processor.consumer import GroupInput
from services.processor.contract import Batch, InputPartition, Processor
from services.processor.health import Health
from services.processor.schema_source import SchemaSource
from topics.engine.records import PartitionRecords, Records
from topics.event import KafkaRecord, SchemaId
from topics.wire import NotFramed, split

_LOOK_UPS: Final = 64
"""Of one batch: about as many as are answered within a tenth of a second."""
_FEWEST: Final = 4
"""Of one partition, however many share the batch."""
_AGAIN_SECONDS: Final = 1.0


class Needs:
    """Meets what a processor needs of the registry, a bounded part at a time.

    Anybody who may write to a topic can name an id with each record that was never registered. Such records
    are stopped one by one like others, but the other partitions do not wait until all of them were asked for.

    Where only the bus itself writes, an id that the registry denies says that the registry lost something:
    nothing is decided from there on, the other partitions go on, and it is asked again.
    """

    def __init__(
        self, processor: Processor, schemas: SchemaSource, group_input: GroupInput, health: Health
    ) -> None:
        self._processor, self._schemas, self._input = processor, schemas, group_input
        self._health = health
        self._lacking: frozenset[SchemaId] = frozenset()
        self._may_be_absent = not getattr(processor, "reads_own_writers", False)
        self._waiting: set[InputPartition] = set()
        """At a record whose schema the registry must have and denies."""

    async def lacking(self) -> None:
        """Ask again for what the last batch lacked.

        Raises:
            WaitAndRetry: the registry still does not answer.
        """
        for source in [source for source in self._waiting if source not in self._input.owned]:
            self._goes_on(source)
        await self._schemas.resolve(self._lacking)
        self._lacking = frozenset()

    async def met(self, batch: Batch) -> tuple[Batch, Mapping[SchemaId, Any]]:
        """So much of the batch as may be asked for now, and its schemas; the rest comes again.

        Raises:
            WaitAndRetry: the registry does not answer.
        """
        most = max(_FEWEST, _LOOK_UPS // len(batch))
        due: list[Records] = []
        for records in batch:
            needed = self._processor.needed_schemas(records)
            if len(needed) > most and len(self._schemas.unknown(needed)) > most:
                records, needed = self._beginning(records, most)
            due.append(records)
            self._lacking |= needed
        schemas = await self._schemas.resolve(self._lacking)
        absent, self._lacking = self._lacking - schemas.keys(), frozenset()
        if self._waiting or (absent and not self._may_be_absent):
            due = [part for part in (self._before(records, absent) for records in due) if part]
        return due, schemas

    def _beginning(self, records: Records, most: int) -> tuple[Records, frozenset[SchemaId]]:
        part, needed = records, self._processor.needed_schemas(records)
        while len(part) > 1 and len(self._schemas.unknown(needed)) > most:
            first = [part[number] for number in range((len(part) + 1) // 2)]
            part = PartitionRecords(records.topic, records.partition, first)
            needed = self._processor.needed_schemas(part)
        self._input.later(InputPartition(records.topic, records.partition))
        return part, needed

    def _before(self, records: Records, absent: Collection[SchemaId]) -> Records | None:
        """What comes before the first record of such a schema; the partition waits there."""
        source = InputPartition(records.topic, records.partition)
        ids = [_schema_of(record) for record in records]
        first = next((number for number, each in enumerate(ids) if each in absent), None)
        if first is None:
            self._goes_on(source)
            return records
        self._waiting.add(source)
        why = f"the registry denies schema {ids[first]}, which {records[first].coordinates} is written by"
        self._health.tell(_part(source), why)
        self._input.hold(source)
        asyncio.get_running_loop().call_later(_AGAIN_SECONDS, self._input.release, source)
        before = [records[number] for number in range(first)]
        return PartitionRecords(records.topic, records.partition, before) if before else None

    def _goes_on(self, source: InputPartition) -> None:
        self._waiting.discard(source)
        self._health.tell(_part(source), None)


def _part(source: InputPartition) -> str:
    return f"{source.topic}:{source.partition}"


def _schema_of(record: KafkaRecord) -> SchemaId | None:
    try:
        return split(record.value)[0] if record.value is not None else None
    except NotFramed:
        return None
