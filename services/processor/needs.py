"""The schemas of a batch; where records name very many that nobody knows, the rest of them waits its turn."""

from collections.abc import Mapping
from typing import Any, Final

from services.processor.consumer import GroupInput
from services.processor.contract import Batch, InputPartition, Processor
from services.processor.schema_source import SchemaSource
from topics.engine.records import PartitionRecords, Records
from topics.event import SchemaId

_LOOK_UPS: Final = 64
"""Of one batch: about as many as are answered within a tenth of a second."""
_FEWEST: Final = 4
"""Of one partition, however many share the batch."""


class Needs:
    """Meets what a processor needs of the registry, a bounded part at a time.

    Anybody who may write to a topic can name an id with each record that was never registered. Such records
    are stopped one by one like others, but the other partitions do not wait until all of them were asked for.
    """

    def __init__(self, processor: Processor, schemas: SchemaSource, group_input: GroupInput) -> None:
        self._processor, self._schemas, self._input = processor, schemas, group_input
        self._lacking: frozenset[SchemaId] = frozenset()

    async def lacking(self) -> None:
        """Ask again for what the last batch lacked.

        Raises:
            WaitAndRetry: the registry still does not answer.
        """
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
        self._lacking = frozenset()
        return due, schemas

    def _beginning(self, records: Records, most: int) -> tuple[Records, frozenset[SchemaId]]:
        part, needed = records, self._processor.needed_schemas(records)
        while len(part) > 1 and len(self._schemas.unknown(needed)) > most:
            first = [part[number] for number in range((len(part) + 1) // 2)]
            part = PartitionRecords(records.topic, records.partition, first)
            needed = self._processor.needed_schemas(part)
        self._input.later(InputPartition(records.topic, records.partition))
        return part, needed
