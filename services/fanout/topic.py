"""One canonical topic under a policy: its engine, and how much of it is decided without a pause."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from services.fanout.engine import made_or_line, marking, runs
from services.fanout.plan import FanoutPlan, ResourcePlan
from services.processor.codecs import CodecCache
from services.processor.step_size import StepSize, in_parts
from topics.disputes import DisputeMarks
from topics.engine.choose import Implementation
from topics.engine.fanout import Decided, FanoutEngine
from topics.engine.records import Records
from topics.engine.schema import AvroType
from topics.event import SchemaId

_log = logging.getLogger(__name__)
Note = Callable[[Records, Decided], None]
"""Counts and keeps what some records of a partition led to."""

_MOST: Final = 8_000
"""Outputs of one step of an engine that was compiled: up to ten microseconds each."""
_MOST_BY_LINE: Final = 500
"""And where the line decides: a tenth of a millisecond each."""


class FanoutTopic:
    """Decides the records of one canonical topic in steps that its engine and its grants allow."""

    def __init__(
        self,
        wanted: Implementation,
        plan: FanoutPlan,
        resource: ResourcePlan,
        codecs: CodecCache,
        clock: Callable[[], float],
    ) -> None:
        self._plan, self._resource, self._codecs, self._clock = plan, resource, codecs, clock
        self._engine = self._made(wanted)
        self._learnt: dict[SchemaId, bool] = {}
        """Per writer's schema whether the line decides each of its records."""
        self._quick, self._by_line = StepSize(_MOST), StepSize(_MOST_BY_LINE)

    @property
    def learnt(self) -> frozenset[SchemaId]:
        """The writer schemas that it is compiled for."""
        return frozenset(self._learnt)

    def learn(self, schema_ids: Iterable[SchemaId]) -> Iterator[None]:
        """Compile for those of these schemas that are known and new, with a pause after each."""
        types: Mapping[SchemaId, AvroType] = self._codecs.types
        for schema_id in sorted(schema_ids):
            if schema_id in types and schema_id not in self._learnt:
                self._learn(schema_id, types[schema_id])
                yield

    def _made(self, wanted: Implementation) -> FanoutEngine:
        return made_or_line(wanted, self._plan, self._resource, self._codecs.codecs)

    def _learn(self, schema_id: SchemaId, writer: AvroType) -> None:
        try:
            self._learnt[schema_id] = self._engine.learn(schema_id, writer)
        except Exception as error:  # noqa: BLE001 - as for an engine that cannot be made
            topic, why = self._resource.topic, type(error).__name__
            _log.error("%s: schema %d cannot be compiled (%s), the line decides", topic, schema_id, why)
            self._engine = self._made(Implementation.REFERENCE)
            self._learnt = dict.fromkeys((*self._learnt, schema_id), True)

    def decide(self, records: Records, disputes: DisputeMarks, note: Note) -> Iterator[None]:
        """Decide records of one partition, in order, with a pause after each step."""
        schema_ids = records.schema_ids()
        yield from self.learn(schema_ids)
        by_line = any(self._learnt.get(schema_id, False) for schema_id in schema_ids)
        engine = marking(self._engine, self._plan, self._resource, self._codecs.codecs, disputes)
        for chosen, run in runs(engine, records):
            quick = chosen is self._engine and not by_line

            def decide(part: Records, chosen: FanoutEngine = chosen) -> None:
                note(part, chosen.decide(part, self._codecs.types))

            size = self._quick if quick else self._by_line
            yield from in_parts(run, decide, size, self._clock, max(1, len(self._resource.grants)))
