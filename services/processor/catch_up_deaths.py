"""What a process died over while it delivered the rest to a new grant: tried in a child first."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from services.processor.attempts import AttemptLog, Suspect
from services.processor.contract import Batch, CatchUp, InputPartition, Processor, Steps
from services.processor.decisions import ALONE_FROM, PROCESS_DIED
from services.processor.metrics import Metrics
from services.processor.pieces import Pieces
from services.processor.probe import deadly_records
from topics.engine.records import PartitionRecords, Records
from topics.event import GrantId, KafkaRecord, SchemaId

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _AsCatchUp:
    """A processor that delivers a catch-up where it would decide a batch."""

    processor: Processor
    part: CatchUp

    def process_in_steps(self, batch: Batch, schemas: Mapping[SchemaId, Any]) -> Steps:
        """Deliver the records to the grants that lack them."""
        [records] = batch
        return self.processor.catch_up_in_steps(self.part, records, schemas)


class CatchUpDeaths:
    """Suspect records before the committed offset; see ``services.processor.decisions`` for those after it.

    At most three attempts here too: the slice, and the record twice in a child, or alone.
    """

    def __init__(self, processor: Processor, attempts: AttemptLog, metrics: Metrics) -> None:
        self._processor, self._attempts, self._metrics = processor, attempts, metrics
        self._suspects: dict[InputPartition, set[Suspect]] = {}
        self._tried_to: dict[tuple[InputPartition, tuple[GrantId, ...]], int] = {}
        """Of a catch-up: before this offset nothing is left to be tried."""
        for suspect in attempts.suspects:
            self._suspects.setdefault(suspect.source, set()).add(suspect)
        self._keep()

    def given(self, source: InputPartition) -> None:
        """A slice of the partition is about to be read: what other instances died over there counts."""
        found = {suspect for suspect in self._attempts.others() if suspect.source == source}
        if found - self._suspects.get(source, set()):
            self._suspects.setdefault(source, set()).update(found)
            self._keep()

    def suspect(self, part: CatchUp, records: Sequence[KafkaRecord]) -> Records | None:
        """Those of the records that are to be delivered in a child first."""
        start = self._tried_to.get((part.source, part.grants), 0)
        found = [each for each in records if each.offset >= start and self._about(part.source, each.offset)]
        return PartitionRecords(*part.source, found) if found else None

    async def try_in_child(
        self, part: CatchUp, records: Records, schemas: Mapping[Any, Any], pieces: Pieces
    ) -> None:
        """Have those that end a process stopped, and those that may do so delivered one by one."""
        which = f"{records[0].coordinates} and {len(records) - 1} after it"
        _log.warning("the process died over a catch-up, %s: tried in a child process first", which)
        self._metrics.counts["probes"] += 1
        alone = {each.offset for each in records if self._stood_alone(part.source, each.offset)}
        rest = [each for each in records if each.offset not in alone]
        deadly = await deadly_records(
            _AsCatchUp(self._processor, part), PartitionRecords(*part.source, rest), schemas
        )
        for record in records:
            if record.offset in alone | deadly:
                _log.error("record %s ends the process in a catch-up: withheld", record.coordinates)
                pieces.stop(record.offset, PROCESS_DIED)
            elif self._deaths(part.source, record.offset) >= ALONE_FROM:
                pieces.set_apart(record.offset)
        self._tried_to[part.source, part.grants] = records[-1].offset + 1

    @contextmanager
    def noted(self, records: Records) -> Iterator[Callable[[], None]]:
        """Around a decision: the file says what is being decided, for the so many-th time.

        Gives what is to be called after each of its steps.
        """
        source = InputPartition(records.topic, records.partition)
        first, end = records[0].offset, records[-1].offset + 1
        known = self._suspects.get(source, ())
        deaths = max((each.attempts for each in known if each.first < end and first < each.end), default=0)
        self._attempts.begin([records], 1 + deaths)
        try:
            yield self._attempts.goes_on
        finally:
            self._attempts.end()

    def committed(self, source: InputPartition, end: int) -> None:
        """Everything of the catch-up before that offset is committed."""
        known = self._suspects.pop(source, set())
        left = {suspect for suspect in known if suspect.end > end}
        if left:
            self._suspects[source] = left
        if left != known:
            self._keep()

    def over(self, source: InputPartition) -> None:
        """The partition lacks nothing any more."""
        for key in [key for key in self._tried_to if key[0] == source]:
            del self._tried_to[key]

    def _keep(self) -> None:
        self._attempts.keep(suspect for known in self._suspects.values() for suspect in known)

    def _about(self, source: InputPartition, offset: int) -> list[Suspect]:
        known = self._suspects.get(source, ())
        return [suspect for suspect in known if suspect.first <= offset < suspect.end]

    def _deaths(self, source: InputPartition, offset: int) -> int:
        return max((suspect.attempts for suspect in self._about(source, offset)), default=0)

    def _stood_alone(self, source: InputPartition, offset: int) -> bool:
        return any(
            suspect.end - suspect.first == 1 and suspect.attempts >= ALONE_FROM
            for suspect in self._about(source, offset)
        )
