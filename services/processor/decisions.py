"""Gets decisions out of a processor that may break: in small batches, alone, or tried in a child first."""

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from services.processor.attempts import AttemptLog, Suspect
from services.processor.batch_limit import BatchLimit
from services.processor.contract import Batch, BatchResult, InputPartition, Processor, size_of
from services.processor.errors import ExitCode, OutputRefused, StopInstance
from services.processor.metrics import Metrics
from services.processor.probe import deadly_records
from services.processor.turns import in_turns
from topics.engine.records import PartitionRecords, Records
from topics.event import KafkaRecord

_log = logging.getLogger(__name__)

PROCESS_DIED: Final = "ProcessDied"
"""The defect of a record over which the process died."""
OUTPUT_REFUSED: Final = "OutputRefused"
"""The defect of a record of which something is written that Kafka refuses, as too large for instance."""
ALONE_FROM: Final = 2
"""After so many deaths the records are decided one by one."""


@dataclass(slots=True)
class _Suspicion:
    end: int
    attempts: int
    probed_to: int = -1
    """Before this offset a child has tried them: what one batch holds need not be all of them."""


class Decisions:
    """A processor with what is known of the records that break it.

    A record that raises, or whose outputs Kafka refuses, is found by smaller batches. One that ends the
    process (or never ends) is found after the next start, or by the instance that takes the partition over:
    what was being decided is decided in a child process first, while the other partitions go on. At most
    three attempts: the batch, and the record twice in a child, or alone.
    """

    def __init__(
        self, processor: Processor, limit: BatchLimit, attempts: AttemptLog, metrics: Metrics
    ) -> None:
        self.processor = processor
        self._attempts = attempts
        self._metrics = metrics
        self.limit = limit
        self._suspicions: dict[InputPartition, _Suspicion] = {}
        self._breaking: dict[InputPartition, dict[int, str]] = {}
        """Per partition: offset of a record that breaks the processor, and how."""
        self._failed_to: dict[InputPartition, int] = {}
        """Batches stay small until these offsets are committed: other partitions' successes say nothing."""
        self._known: dict[InputPartition, set[Suspect]] = {}
        """What the suspicions come from; it is left to who owns the partition next, until it is committed."""
        self._learn(attempts.suspects)

    # --- what an earlier process died over ----------------------------------------------------------------

    def unprobed(self, source: InputPartition, records: Records) -> Records | None:
        """Those of the records that are to be decided in a child before they are decided here."""
        suspicion = self._suspicions.get(source)
        if suspicion is None:
            return None
        found = [record for record in records if record.offset < suspicion.end]
        if not found or found[-1].offset < suspicion.probed_to:
            return None
        return PartitionRecords(*source, found)

    async def probe(self, records: Records, schemas: Mapping[Any, Any]) -> None:
        """Find those that end a process."""
        source = InputPartition(records.topic, records.partition)
        which = f"{records[0].coordinates} and {len(records) - 1} after it"
        _log.warning("the process died over %s: tried in a child process first", which)
        for offset in await deadly_records(self.processor, records, schemas):
            self._break(source, offset, PROCESS_DIED)
        suspicion = self._suspicions.get(source)
        if suspicion is not None:
            suspicion.probed_to = records[-1].offset + 1

    def given(self, positions: Mapping[InputPartition, int]) -> None:
        """These partitions are ours from these offsets on: what another instance died over there counts."""
        self._learn(
            suspect
            for suspect in self._attempts.others()
            if suspect.end > positions.get(suspect.source, suspect.end)
        )

    def _learn(self, suspects: Iterable[Suspect]) -> None:
        for suspect in sorted(suspects, key=lambda each: each.attempts):
            known = self._known.setdefault(suspect.source, set())
            if suspect not in known:
                known.add(suspect)
                self._suspect(suspect.source, suspect.first, suspect.end, suspect.attempts)
        self._keep()

    def _suspect(self, source: InputPartition, first: int, end: int, attempts: int) -> None:
        if end - first == 1 and attempts >= ALONE_FROM:
            self._break(source, first, PROCESS_DIED)
            return
        before = self._suspicions.get(source)
        if before is not None:
            end, attempts = max(end, before.end), max(attempts, before.attempts)
        self._suspicions[source] = _Suspicion(end, attempts)

    def _forget(self, source: InputPartition, end: int) -> None:
        """Everything before that offset is committed."""
        known = self._known.pop(source)
        left = {suspect for suspect in known if suspect.end > end}
        if left:
            self._known[source] = left
        if left != known:
            self._keep()

    def _keep(self) -> None:
        self._attempts.keep(suspect for known in self._known.values() for suspect in known)

    def _break(self, source: InputPartition, offset: int, how: str) -> None:
        _log.error("record %s:%d:%d breaks the processor: %s", *source, offset, how)
        self._breaking.setdefault(source, {})[offset] = how

    # --- deciding -----------------------------------------------------------------------------------------

    def portions(self, batch: Batch) -> Iterator[Batch]:
        """The batch in pieces of one transaction each: whole, or what breaks the processor set apart."""
        together: list[Records] = []
        for records in batch:
            cuts = self._cuts(records)
            if not cuts:
                together.append(records)
                continue
            for first, end in cuts:
                part = [records[number] for number in range(first, end)]
                yield [PartitionRecords(records.topic, records.partition, part)]
        if together:
            yield together

    def _cuts(self, records: Records) -> list[tuple[int, int]]:
        """Where to cut: before and after each record that has to stand alone; empty if none has."""
        source = InputPartition(records.topic, records.partition)
        breaking = self._breaking.get(source, {})
        suspicion = self._suspicions.get(source)
        alone_before = suspicion.end if suspicion is not None and suspicion.attempts >= ALONE_FROM else -1
        if not breaking and alone_before < 0:
            return []
        alone = [
            number
            for number, record in enumerate(records)
            if record.offset in breaking or record.offset < alone_before
        ]
        edges = sorted({0, len(records), *alone, *(number + 1 for number in alone)})
        return list(pairwise(edges)) if alone else []

    async def decide(self, batch: Batch, schemas: Mapping[Any, Any]) -> BatchResult | None:
        """The processor's result, or None after a defect: the batch comes again, in small pieces.

        Where it takes long, the event loop has its turn in between.

        Raises:
            StopInstance: a record breaks the processor and cannot be isolated.
        """
        size, first = sum(map(len, batch)), batch[0][0]
        defect = self._breaking.get(InputPartition(first.topic, first.partition), {}).get(first.offset)
        if size == 1 and defect is not None:
            return self._stop_internal(first, defect)
        self._attempts.begin(batch, 1 + max(map(self._deaths, batch)))
        try:
            steps = self.processor.process_in_steps(batch, schemas)
            result, seconds = await in_turns(steps, goes_on=self._attempts.goes_on)
        except Exception as error:  # noqa: BLE001 - a defect of ours must not stop the others' records
            self._failed(batch, size, type(error).__name__)
            return None
        finally:
            self._attempts.end()
        self.limit.took(size, seconds)
        return result

    def done(self, batch: Batch) -> None:
        """The batch is committed."""
        for records in batch:
            source, end = InputPartition(records.topic, records.partition), records[-1].offset + 1
            if end >= self._failed_to.get(source, 0):
                self._failed_to.pop(source, None)
            suspicion = self._suspicions.get(source)
            if suspicion is not None and end >= suspicion.end:
                del self._suspicions[source]
            if source in self._known:
                self._forget(source, end)
            for offset in [offset for offset in self._breaking.get(source, ()) if offset < end]:
                del self._breaking[source][offset]
        if not self._failed_to:
            self.limit.passed()

    @contextmanager
    def told_of_refusals(self, batch: Batch) -> Iterator[None]:
        """Around what writes the outputs of this batch: if Kafka refuses some, it is taken apart.

        Raises:
            OutputRefused: the transaction is to be aborted.
            StopInstance: even of one record alone that was stopped for it.
        """
        try:
            yield
        except OutputRefused as error:
            first = batch[0][0]
            known = self._breaking.get(InputPartition(first.topic, first.partition), {})
            if first.offset in known:
                why = f"{first.coordinates} cannot be isolated: {error}"
                raise StopInstance(ExitCode.DEFECT, why) from error
            self._failed(batch, size_of(batch), OUTPUT_REFUSED)
            raise

    def revoked(self, source: InputPartition) -> None:
        """The partition is another's; what is wrong with its records is too."""
        self._failed_to.pop(source, None)

    def _deaths(self, records: Records) -> int:
        suspicion = self._suspicions.get(InputPartition(records.topic, records.partition))
        return suspicion.attempts if suspicion is not None and records[0].offset < suspicion.end else 0

    def _failed(self, batch: Batch, size: int, name: str) -> None:
        self._metrics.counts["defects"] += 1
        first = batch[0][0]
        _log.error("%s over %d records from %s on", name, size, first.coordinates)
        if size == 1:
            self._break(InputPartition(first.topic, first.partition), first.offset, name)
        for records in batch:
            self._failed_to[InputPartition(records.topic, records.partition)] = records[-1].offset + 1
        self.limit.failed(size)

    def _stop_internal(self, record: KafkaRecord, defect: str) -> BatchResult:
        stop = getattr(self.processor, "stop_internal", None)
        if stop is None:
            raise StopInstance(ExitCode.DEFECT, f"{record.coordinates} breaks the processor: {defect}")
        try:
            result: BatchResult = stop(record, defect)
        except Exception as error:  # noqa: BLE001 - nothing left to try
            why = f"{record.coordinates} cannot be isolated: {type(error).__name__}"
            raise StopInstance(ExitCode.DEFECT, why) from None
        return result
