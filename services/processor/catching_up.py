"""Delivers what grants still lack of a partition before it goes on: the bounded rest after a fill."""

from collections.abc import Awaitable, Callable, Iterable, Mapping

from services.processor.consumer import GroupInput, Owned
from services.processor.contract import InputPartition, Processor
from services.processor.metrics import Metrics
from services.processor.partition_reader import PartitionReader
from services.processor.positions import Positions
from services.processor.schema_source import SchemaSource
from topics.engine.lanes import Lane
from topics.engine.records import PartitionRecords

Write = Callable[[Iterable[Lane], Mapping[InputPartition, int]], Awaitable[None]]
"""Writes and commits, in one transaction."""


class CatchUps:
    """Reads the rest, has it decided and writes it; the group is served while Kafka is asked."""

    def __init__(
        self,
        group_input: GroupInput,
        processor: Processor,
        positions: Positions,
        *,
        reader: PartitionReader,
        schemas: SchemaSource,
        metrics: Metrics,
        write: Write,
    ) -> None:
        self._input, self._processor, self._positions = group_input, processor, positions
        self._reader, self._schemas, self._metrics = reader, schemas, metrics
        self._write = write

    async def deliver(self, source: InputPartition, owned: Owned) -> bool:
        """Deliver what grants lack of a partition; says whether it is still ours afterwards.

        Raises:
            WaitAndRetry: Kafka or the registry does not answer now.
            AbortTransaction, RecreateProducer, StopInstance: as a batch's transaction raises them.
        """
        due = self._processor.catch_ups(source, owned.position, owned.applied_version)
        if not due:
            return True
        lanes: list[Lane] = []
        for catch_up in due:
            reading = self._reader.read(catch_up.source, catch_up.from_offset, catch_up.to_offset)
            found = await self._positions.meanwhile(reading)
            if self._input.owned.get(source) is not owned:
                return False
            records = PartitionRecords(*catch_up.source, found)
            schemas = await self._schemas.resolve(self._processor.needed_schemas(records))
            result = self._processor.process_catch_up(catch_up, records, schemas)
            lanes.extend(result.lanes)
            self._metrics.counts["catch_up_records"] += len(records)
        # The unchanged position is committed with the new version: after a crash this is not done twice.
        await self._write(lanes, {source: owned.position})
        return True
