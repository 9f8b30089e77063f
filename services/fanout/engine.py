"""The engine of a canonical topic; the reference is the fan-out's own line, whom the others ask."""

from collections.abc import Mapping, Sequence

from services.fanout.line import GrantOutcome, fan_out, internal_defect
from services.fanout.plan import FanoutPlan, ResourcePlan, spec_of
from topics.engine import native
from topics.engine.choose import Implementation
from topics.engine.fanout import Before, Decided, FanoutEngine, GrantCount, Reference, remember
from topics.engine.generated_fanout import GeneratedFanout
from topics.engine.lanes import into_lanes
from topics.engine.records import Records
from topics.engine.reference import ReferenceCodec
from topics.engine.schema import AvroType
from topics.event import GrantId, KafkaRecord, OutputRecord, SchemaId


def make_engine(
    wanted: Implementation,
    plan: FanoutPlan,
    resource: ResourcePlan,
    codecs: Mapping[SchemaId, ReferenceCodec],
) -> FanoutEngine:
    """The engine of one canonical topic; ``codecs`` are those of the writer schemas known so far."""
    reference = LineReference(plan, resource, codecs)
    spec = spec_of(plan, resource)
    if wanted is Implementation.NATIVE:
        made: FanoutEngine = native.module("topics.engine.native_fanout").NativeFanout(spec, reference)
        return made
    if wanted is Implementation.GENERATED:
        return GeneratedFanout(spec, reference)
    return ReferenceFanout(resource, reference)


class LineReference:
    """The fan-out's line as ``topics.engine.fanout.Reference``."""

    def __init__(
        self, plan: FanoutPlan, resource: ResourcePlan, codecs: Mapping[SchemaId, ReferenceCodec]
    ) -> None:
        self._plan, self._resource, self._codecs = plan, resource, codecs

    def __call__(self, record: KafkaRecord, before: Before | None) -> Sequence[GrantOutcome]:
        """Decide a record that has a value; a defect of ours delivers nothing, and is counted as such."""
        try:
            return fan_out(record, self._plan, self._codecs, before) or ()
        except Exception:  # noqa: BLE001 - see above
            return internal_defect(record, self._plan)


class ReferenceFanout:
    """The fan-out's line as an engine."""

    implementation = Implementation.REFERENCE

    def __init__(self, resource: ResourcePlan, reference: Reference) -> None:
        self._resource, self._reference = resource, reference

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
