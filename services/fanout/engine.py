"""The engine of a canonical topic; the reference is the fan-out's own line, whom the others ask."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from services.fanout.line import GrantOutcome, fan_out, internal_defect
from services.fanout.plan import FanoutPlan, ResourcePlan, spec_of
from topics.disputes import DisputeMarks
from topics.engine import native
from topics.engine.choose import Implementation
from topics.engine.fanout import Before, Decided, FanoutEngine, GrantCount, Reference, remember, summed
from topics.engine.generated_fanout import GeneratedFanout
from topics.engine.lanes import into_lanes
from topics.engine.records import Records
from topics.engine.reference import ReferenceCodec
from topics.engine.schema import AvroType
from topics.event import GrantId, KafkaRecord, OutputRecord, SchemaId
from topics.wire import PREFIX_LENGTH

_log = logging.getLogger(__name__)


def make_engine(
    wanted: Implementation,
    plan: FanoutPlan,
    resource: ResourcePlan,
    codecs: Mapping[SchemaId, ReferenceCodec],
) -> FanoutEngine:
    """The engine of one canonical topic; ``codecs`` are those of the writer schemas known so far."""
    reference = LineReference(plan, resource, codecs)
    if wanted is Implementation.REFERENCE:
        return ReferenceFanout(resource, reference)
    spec = spec_of(plan, resource)
    if wanted is Implementation.NATIVE:
        made: FanoutEngine = native.module("topics.engine.native_fanout").NativeFanout(spec, reference)
        return made
    return GeneratedFanout(spec, reference)


def made_or_line(
    wanted: Implementation,
    plan: FanoutPlan,
    resource: ResourcePlan,
    codecs: Mapping[SchemaId, ReferenceCodec],
) -> FanoutEngine:
    """The engine; one that cannot be made leaves the topic to the line, and the others as they are."""
    try:
        return make_engine(wanted, plan, resource, codecs)
    except Exception as error:
        if wanted is Implementation.REFERENCE:
            raise
        why = type(error).__name__
        _log.error("%s: no %s engine can be made (%s), the line decides", resource.topic, wanted.value, why)
        return make_engine(Implementation.REFERENCE, plan, resource, codecs)


def marking(
    made: FanoutEngine,
    plan: FanoutPlan,
    resource: ResourcePlan,
    codecs: Mapping[SchemaId, ReferenceCodec],
    disputes: DisputeMarks,
) -> FanoutEngine:
    """The engine, marking what is disputed; the engine itself where no record of the resource is."""
    if not disputes.about(resource.resource):
        return made
    line = ReferenceFanout(resource, LineReference(plan, resource, codecs, disputes))
    return MarkingFanout(made, line, resource, disputes)


def runs(engine: FanoutEngine, records: Records) -> Iterable[tuple[FanoutEngine, Records]]:
    """The records in their order, in runs that one engine decides at about one price."""
    return engine.runs(records) if isinstance(engine, MarkingFanout) else ((engine, records),)


class LineReference:
    """The fan-out's line as ``topics.engine.fanout.Reference``."""

    def __init__(
        self,
        plan: FanoutPlan,
        resource: ResourcePlan,
        codecs: Mapping[SchemaId, ReferenceCodec],
        disputes: DisputeMarks | None = None,
    ) -> None:
        self._plan, self._resource, self._codecs, self._disputes = plan, resource, codecs, disputes

    def __call__(self, record: KafkaRecord, before: Before | None) -> Sequence[GrantOutcome]:
        """Decide a record that has a value; a defect of ours delivers nothing, and is counted as such."""
        try:
            return fan_out(record, self._plan, self._codecs, before, self._disputes) or ()
        except Exception:  # noqa: BLE001 - see above
            return internal_defect(record, self._plan)


class ReferenceFanout:
    """The fan-out's line as an engine."""

    implementation = Implementation.REFERENCE

    def __init__(self, resource: ResourcePlan, reference: Reference) -> None:
        self._resource, self._reference = resource, reference

    def learn(self, schema_id: SchemaId, writer: AvroType) -> bool:  # noqa: ARG002
        """Nothing is compiled: it is the reference."""
        return True

    def decide(
        self,
        records: Records,
        writers: Mapping[SchemaId, AvroType],  # noqa: ARG002 - the line has codecs of its own
        before: Before | None = None,
    ) -> Decided:
        """See ``topics.engine.fanout.FanoutEngine``."""
        counts = tuple(GrantCount(grant.grant, grant.generation) for grant in self._resource.grants)
        outputs: dict[GrantId, list[OutputRecord]] = {count.grant: [] for count in counts}
        canonical = 0
        for record in records:
            if record.value is None:
                continue
            canonical += 1
            for count, outcome in zip(counts, self._reference(record, before), strict=True):
                count.note(outcome)
                if outcome.output is not None:
                    outputs[count.grant].append(outcome.output)
                    remember(outcome.output, before)
        lanes = tuple(lane for found in outputs.values() for lane in into_lanes(found))
        return Decided(canonical, len(records) - canonical, counts, lanes)

    def fallbacks(self, writer: AvroType) -> Mapping[GrantId, str]:  # noqa: ARG002
        """Everything, on purpose: there is nothing to fall back from."""
        return {}


class MarkingFanout:
    """An engine that leaves disputed records to the line; both decide alike, so nothing but the mark changes.

    Where no record of the partition is disputed, nothing is asked of any.
    """

    def __init__(
        self, made: FanoutEngine, line: FanoutEngine, resource: ResourcePlan, disputes: DisputeMarks
    ) -> None:
        self._made, self._line = made, line
        self._resource, self._disputes = resource, disputes

    def learn(self, schema_id: SchemaId, writer: AvroType) -> bool:
        """See ``topics.engine.fanout.FanoutEngine``."""
        return self._made.learn(schema_id, writer)

    def runs(self, records: Records) -> Iterator[tuple[FanoutEngine, Records]]:
        """The records in their order, in runs of disputed ones and of others, each with who decides it."""
        disputed = self._disputed(records)
        if not disputed:
            yield self._made, records
            return
        first = 0
        for is_disputed, run in groupby(range(len(records)), lambda place: place in disputed):
            end = first + sum(1 for _ in run)
            yield (self._line if is_disputed else self._made), records.part(first, end)
            first = end

    @property
    def implementation(self) -> Implementation:
        """See ``topics.engine.fanout.FanoutEngine``."""
        return self._made.implementation

    def decide(
        self, records: Records, writers: Mapping[SchemaId, AvroType], before: Before | None = None
    ) -> Decided:
        """See ``topics.engine.fanout.FanoutEngine``."""
        found = [engine.decide(part, writers, before) for engine, part in self.runs(records)]
        return found[0] if len(found) == 1 else self._together(found)

    def fallbacks(self, writer: AvroType) -> Mapping[GrantId, str]:
        """See ``topics.engine.fanout.FanoutEngine``."""
        return self._made.fallbacks(writer)

    def _disputed(self, records: Records) -> frozenset[int]:
        """Which of the records are disputed, by their place."""
        if not self._disputes.touches(self._resource.resource, records.partition):
            return frozenset()
        met, resource, partition = self._disputes.met, self._resource.resource, records.partition
        # What is no framed key is the key of no record, and meets no dispute.
        return frozenset(
            place
            for place, record in enumerate(records)
            if record.key
            and record.value is not None
            and met(resource, partition, record.key[PREFIX_LENGTH:])
        )

    def _together(self, parts: Sequence[Decided]) -> Decided:
        """What the parts of a batch lead to, in their order."""
        order = {grant.topic: place for place, grant in enumerate(self._resource.grants)}
        lanes = into_lanes(output for part in parts for lane in part.lanes for output in lane)
        return Decided(
            sum(part.canonical for part in parts),
            sum(part.control for part in parts),
            tuple(map(summed, zip(*(part.grants for part in parts), strict=True))),
            tuple(sorted(lanes, key=lambda lane: order[lane.topic])),
            sum(part.by_reference for part in parts),
        )
