"""Delivers what grants still lack of a partition before it goes on: the rest after a fill, in slices."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from services.processor.applied import Applied
from services.processor.batch_limit import BatchLimit
from services.processor.catch_up_deaths import CatchUpDeaths
from services.processor.consumer import GroupInput, Owned
from services.processor.contract import BatchResult, CatchUp, InputPartition, Processor
from services.processor.decisions import OUTPUT_REFUSED
from services.processor.errors import AbortTransaction, OutputRefused, WaitAndRetry
from services.processor.health import Health
from services.processor.metrics import Metrics
from services.processor.partition_reader import PartitionReader
from services.processor.pieces import Piece, Pieces
from services.processor.schema_source import SchemaSource
from services.processor.settings import ProcessorSettings
from services.processor.turns import in_turns
from topics.engine.lanes import Lane
from topics.engine.records import Records
from topics.event import GrantId, KafkaRecord, SchemaId

Write = Callable[[Sequence[Iterable[Lane]], Mapping[InputPartition, int], Applied], Awaitable[None]]
"""Writes portion after portion and commits, in one transaction."""

_WAIT_SECONDS: Final = 0.02
"""How long a turn waits for what is being read: mostly it is here, and the live records wait too."""
_PAUSE_SECONDS: Final = 0.5
"""After Kafka or the registry did not answer."""


@dataclass(slots=True)
class _Reading:
    """A slice on its way."""

    source: InputPartition
    owned: Owned
    start: int
    end: int
    task: "asyncio.Task[tuple[list[KafkaRecord], int]]"
    told: bool = False
    """Whether somebody who waited knows that it is here."""


class CatchUps:
    """Reads the rest slice by slice, has each decided and writes it; live records go on in between.

    A slice is as large as a batch may be, and one transaction, which also records how far the catch-up has
    come (``services.processor.applied``). If a slice breaks the processor, or Kafka refuses what would be
    written, it comes again in pieces, until the record that is to blame stands alone. That one is stopped.
    One partition is read at a time.
    """

    def __init__(
        self,
        group_input: GroupInput,
        processor: Processor,
        settings: ProcessorSettings,
        *,
        reader: PartitionReader,
        schemas: SchemaSource,
        metrics: Metrics,
        health: Health,
        deaths: CatchUpDeaths,
        write: Write,
    ) -> None:
        self._input, self._processor, self._reader = group_input, processor, reader
        self._schemas, self._metrics = schemas, metrics
        self._health, self._deaths, self._write = health, deaths, write
        self._limit, self._most_bytes = BatchLimit(settings.batch_records), settings.batch_bytes
        self._reading: _Reading | None = None
        self._waiting: dict[InputPartition, tuple[float, str]] = {}
        """Until when nothing is asked for these, and why."""
        self._trying: asyncio.Task[None] | None = None
        """What a process died over, in a child."""
        self._pieces: dict[tuple[InputPartition, tuple[GrantId, ...]], Pieces] = {}
        """Of the catch-ups that are under way."""
        self._writing: Callable[[str], None] | None = None
        """To be told if what is being written is refused."""

    def adopted(self) -> None:
        """Another policy counts, and with it other grants: nobody knows what a record costs."""
        self._limit.begin()

    def due(self, source: InputPartition) -> tuple[CatchUp, ...]:
        """What grants lack of the partition, at the front of it; nothing where it may go on."""
        owned = self._input.owned[source]
        for region in owned.applied.regions(owned.position):
            found = (
                replace(each, from_offset=max(each.from_offset, region.start), to_offset=end)
                for each in self._processor.catch_ups(source, region.end, region.version)
                for end in [min(each.to_offset, region.end)]
            )
            lacking = tuple(each for each in found if each.from_offset < each.to_offset)
            if lacking:
                return lacking
        # Where nothing comes after it, no batch would say that the trouble is over.
        self._deaths.over(source)
        if self._forget(source):
            self._health.problems.pop("transaction", None)
        return ()

    async def deliver(self, lacking: Sequence[InputPartition], version: int) -> None:
        """Deliver a slice of what grants lack of one of these partitions, if it is here.

        Raises:
            AbortTransaction, RecreateProducer, StopInstance: as a batch's transaction raises them.
        """
        now = time.monotonic()
        # One that has to wait holds up no other.
        source = next((each for each in lacking if self._waiting.get(each, (0.0, ""))[0] <= now), None)
        if source is None:
            return
        reading = self._read(source)
        await asyncio.wait([reading.task], timeout=_WAIT_SECONDS)
        if not reading.task.done() or self._input.owned.get(source) is not reading.owned:
            return
        try:
            found, reached = reading.task.result()
            parts = self._parts(source, reached)
            if not await self._tried(parts, found):
                return
            self._reading = None
            portions = await self._decided(parts, found)
        except WaitAndRetry as error:
            self._reading = None
            self._waits(source, str(error))
            return
        self._waits(source, None)
        await self._commit(reading, portions, version, reached)
        self._deaths.committed(source, reached)
        self._limit.passed()
        self._metrics.counts["catch_up_records"] += len(found)
        if self.due(source):
            self._read(source)

    async def wait(self, seconds: float) -> bool:
        """Until the slice that is being read is here, but not for longer; False where there is none."""
        reading = self._reading
        if reading is None or reading.told:
            return False
        reading.told = reading.task.done()
        await asyncio.wait([reading.task], timeout=seconds)
        return True

    def cancel(self) -> None:
        """Nothing is lacking: what is being read is not, and what was waited for is not."""
        self._waiting.clear()
        self._health.tell("catch-up", None)
        if self._trying is not None:
            self._trying.cancel()
            self._trying = None
        if self._reading is not None:
            self._reading.task.cancel()
            self._reading = None

    def _waits(self, source: InputPartition, why: str | None) -> None:
        self._waiting.pop(source, None)
        if why is not None:
            self._waiting[source] = (time.monotonic() + _PAUSE_SECONDS, why)
        told = {why for each, (_, why) in self._waiting.items() if each in self._input.owned}
        self._health.tell("catch-up", "; ".join(sorted(told)) or None)

    # --- one slice ----------------------------------------------------------------------------------------

    def _read(self, source: InputPartition) -> _Reading:
        """The reading of the slice that is due; begun, unless it is under way."""
        due = self.due(source)
        owned = self._input.owned[source]
        start, end = min(each.from_offset for each in due), max(each.to_offset for each in due)
        known = self._reading
        if known is not None:
            if known.owned is owned and (known.source, known.start, known.end) == (source, start, end):
                return known
            known.task.cancel()
        self._deaths.given(source)
        coming = self._reader.read_some(source, start, end, self._limit.value, self._most_bytes)
        self._reading = _Reading(source, owned, start, end, asyncio.ensure_future(coming))
        return self._reading

    def _parts(self, source: InputPartition, reached: int) -> list[CatchUp]:
        """What is due, up to there."""
        due = (replace(each, to_offset=min(each.to_offset, reached)) for each in self.due(source))
        return [each for each in due if each.from_offset < each.to_offset]

    async def _decided(self, parts: Sequence[CatchUp], found: Sequence[KafkaRecord]) -> list[Iterable[Lane]]:
        portions: list[Iterable[Lane]] = []
        for part in parts:
            pieces = self._pieces_of(part)
            for piece in pieces.of(part, _of(part, found)):
                schemas = await self._resolved(piece.records)
                result = await self._decide(pieces, piece, schemas)
                portions.append(self._told(pieces, piece, result.lanes))
                await asyncio.sleep(0)
        return portions

    def _pieces_of(self, part: CatchUp) -> Pieces:
        return self._pieces.setdefault((part.source, part.grants), Pieces())

    async def _tried(self, parts: Sequence[CatchUp], found: Sequence[KafkaRecord]) -> bool:
        """Whether nothing of it has to be tried in a child any more; a turn does not wait for the child."""
        if self._trying is None:
            suspects = ((part, self._deaths.suspect(part, _of(part, found))) for part in parts)
            part, records = next((each for each in suspects if each[1] is not None), (None, None))
            if part is None or records is None:
                return True
            trying = self._deaths.try_in_child(
                part, records, await self._resolved(records), self._pieces_of(part)
            )
            self._trying = asyncio.create_task(trying)
        await asyncio.wait([self._trying], timeout=_WAIT_SECONDS)
        if self._trying.done():
            trying_is_over, self._trying = self._trying, None
            trying_is_over.result()
        return False

    async def _resolved(self, records: Records) -> Mapping[SchemaId, Any]:
        """The schemas that these records need.

        Raises:
            WaitAndRetry: the registry does not answer, or denies one that it must have.
        """
        needed = self._processor.needed_schemas(records)
        schemas = await self._schemas.resolve(needed)
        absent = sorted(needed - schemas.keys())
        if absent and getattr(self._processor, "reads_own_writers", False):
            where = f"{records[0].coordinates} or a record after it"
            raise WaitAndRetry(f"the registry denies schema {absent[0]}, which {where} is written by")
        return schemas

    async def _decide(self, pieces: Pieces, piece: Piece, schemas: Mapping[SchemaId, Any]) -> BatchResult:
        try:
            if piece.defect is not None:
                return self._processor.stop_catch_up(piece.catch_up, piece.records[0], piece.defect)
            with self._deaths.noted(piece.records) as goes_on:
                steps = self._processor.catch_up_in_steps(piece.catch_up, piece.records, schemas)
                result, seconds = await in_turns(steps, goes_on=goes_on)
        except Exception as error:
            self._metrics.counts["defects"] += 1
            pieces.broke(piece, type(error).__name__)
            raise AbortTransaction(f"{type(error).__name__} over a catch-up") from error
        self._limit.took(len(piece.records), seconds)
        return result

    def _told(self, pieces: Pieces, piece: Piece, lanes: Iterable[Lane]) -> Iterator[Lane]:
        """The lanes; when the first is asked for, whatever was written before it is accepted."""
        self._writing = lambda how: pieces.broke(piece, how)
        yield from lanes

    async def _commit(
        self, reading: _Reading, portions: Sequence[Iterable[Lane]], version: int, reached: int
    ) -> None:
        """The position does not move; beside it stands how far the catch-up has come."""
        source, owned = reading.source, reading.owned
        done = reached >= owned.position
        applied = Applied(version) if done else owned.applied.caught_up(version, reached)
        self._writing = None
        try:
            await self._write(portions, {source: owned.position}, applied)
        except OutputRefused:
            self._metrics.counts["defects"] += 1
            if self._writing is not None:
                self._writing(OUTPUT_REFUSED)
            raise
        self._health.problems.pop("transaction", None)

    def _forget(self, source: InputPartition) -> bool:
        """Whether something was known of a catch-up of the partition, which is over."""
        known = [key for key in self._pieces if key[0] == source]
        for key in known:
            del self._pieces[key]
        return bool(known)


def _of(part: CatchUp, found: Sequence[KafkaRecord]) -> list[KafkaRecord]:
    return [each for each in found if part.from_offset <= each.offset < part.to_offset]
