"""Tries what the process died over in a child first, while its partition waits and the others go on."""

import asyncio
from collections.abc import Mapping

from services.processor.consumer import GroupInput, Stage
from services.processor.contract import Batch, InputPartition
from services.processor.decisions import Decisions
from services.processor.metrics import Metrics
from topics.engine.records import Records
from topics.event import SchemaId


class Suspects:
    """Holds partitions back and lets them go on."""

    def __init__(self, decisions: Decisions, group_input: GroupInput, metrics: Metrics) -> None:
        self._decisions, self._input, self._metrics = decisions, group_input, metrics
        self._probes: dict[InputPartition, asyncio.Task[None]] = {}

    def positioned(self) -> None:
        """Partitions have just come to us: learn what others died over there."""
        behind = self._input.in_stage(Stage.BEHIND)
        self._decisions.given({source: self._input.owned[source].position for source in behind})

    def held_back(self, batch: Batch, schemas: Mapping[SchemaId, object]) -> Batch:
        """Begin to try what is suspect; return the records that may be decided now."""
        due: list[Records] = []
        for records in batch:
            source = InputPartition(records.topic, records.partition)
            suspect = self._decisions.unprobed(source, records)
            if suspect is None:
                due.append(records)
                continue
            self._input.hold(source)
            if source not in self._probes:
                self._probes[source] = asyncio.create_task(self._probe(source, suspect, schemas))
        return due

    def cancel(self) -> None:
        """Try nothing any more."""
        for probe in self._probes.values():
            probe.cancel()

    async def _probe(
        self, source: InputPartition, records: Records, schemas: Mapping[SchemaId, object]
    ) -> None:
        self._metrics.counts["probes"] += 1
        try:
            await self._decisions.probe(records, schemas)
        finally:
            del self._probes[source]
            self._input.release(source)
