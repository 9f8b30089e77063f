"""Delivers what grants still lack of a partition before it goes on: the bounded rest after a fill."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from services.processor.consumer import GroupInput, Owned
from services.processor.contract import BatchResult, CatchUp, InputPartition, Processor
from services.processor.decisions import OUTPUT_REFUSED
from services.processor.errors import AbortTransaction, OutputRefused
from services.processor.health import Health
from services.processor.metrics import Metrics
from services.processor.partition_reader import PartitionReader
from services.processor.pieces import Piece, Pieces
from services.processor.positions import Positions
from services.processor.schema_source import SchemaSource
from topics.engine.lanes import Lane
from topics.event import KafkaRecord, SchemaId

Write = Callable[[Sequence[Iterable[Lane]], Mapping[InputPartition, int]], Awaitable[None]]
"""Writes portion after portion and commits, in one transaction."""


class CatchUps:
    """Reads the rest, has it decided and writes it; the group is served while Kafka is asked.

    The rest of a partition is one transaction. If it breaks the processor, or Kafka refuses what would be
    written, it comes again in pieces, until the record that is to blame stands alone. That one is stopped.
    """

    def __init__(
        self,
        group_input: GroupInput,
        processor: Processor,
        positions: Positions,
        *,
        reader: PartitionReader,
        schemas: SchemaSource,
        metrics: Metrics,
        health: Health,
        write: Write,
    ) -> None:
        self._input, self._processor, self._positions = group_input, processor, positions
        self._reader, self._schemas, self._metrics = reader, schemas, metrics
        self._health, self._write = health, write
        self._pieces: dict[CatchUp, Pieces] = {}
        """Of the catch-ups that are under way."""
        self._writing: Callable[[str], None] | None = None
        """To be told if what is being written is refused."""

    async def deliver(self, source: InputPartition, owned: Owned) -> bool:
        """Deliver what grants lack of a partition; says whether it is still ours afterwards.

        Raises:
            WaitAndRetry: Kafka or the registry does not answer now.
            AbortTransaction, RecreateProducer, StopInstance: as a batch's transaction raises them.
        """
        due = self._processor.catch_ups(source, owned.position, owned.applied_version)
        self._keep(source, due)
        if not due:
            return True
        portions: list[Iterable[Lane]] = []
        records = 0
        for catch_up in due:
            reading = self._reader.read(catch_up.source, catch_up.from_offset, catch_up.to_offset)
            found = await self._positions.meanwhile(reading)
            if self._input.owned.get(source) is not owned:
                return False
            records += len(found)
            portions += [portion async for portion in self._decided(catch_up, found)]
        # The unchanged position is committed with the new version: after a crash this is not done twice.
        await self._written(portions, {source: owned.position})
        self._metrics.counts["catch_up_records"] += records
        # Where nothing comes after it, no batch would say that the trouble is over.
        self._health.problems.pop("transaction", None)
        self._keep(source, ())
        return True

    def _keep(self, source: InputPartition, due: Sequence[CatchUp]) -> None:
        """Forget what is known of the partition's catch-ups that are not due any more."""
        others = {known: pieces for known, pieces in self._pieces.items() if known.source != source}
        self._pieces = others | {each: self._pieces.get(each, Pieces()) for each in due}

    async def _decided(
        self, catch_up: CatchUp, found: Sequence[KafkaRecord]
    ) -> AsyncIterator[Iterable[Lane]]:
        pieces = self._pieces[catch_up]
        for piece in pieces.of(catch_up, found):
            schemas = await self._schemas.resolve(self._processor.needed_schemas(piece.records))
            yield self._told(pieces, piece, self._decide(pieces, piece, schemas).lanes)
            await asyncio.sleep(0)

    def _decide(self, pieces: Pieces, piece: Piece, schemas: Mapping[SchemaId, Any]) -> BatchResult:
        try:
            if piece.defect is not None:
                return self._processor.stop_catch_up(piece.catch_up, piece.records[0], piece.defect)
            return self._processor.process_catch_up(piece.catch_up, piece.records, schemas)
        except Exception as error:
            self._metrics.counts["defects"] += 1
            pieces.broke(piece, type(error).__name__)
            raise AbortTransaction(f"{type(error).__name__} over a catch-up") from error

    def _told(self, pieces: Pieces, piece: Piece, lanes: Iterable[Lane]) -> Iterator[Lane]:
        """The lanes; when the first is asked for, whatever was written before it is accepted."""
        self._writing = lambda how: pieces.broke(piece, how)
        yield from lanes

    async def _written(
        self, portions: Sequence[Iterable[Lane]], positions: Mapping[InputPartition, int]
    ) -> None:
        self._writing = None
        try:
            await self._write(portions, positions)
        except OutputRefused:
            self._metrics.counts["defects"] += 1
            if self._writing is not None:
                self._writing(OUTPUT_REFUSED)
            raise
