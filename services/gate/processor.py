"""The gate as a processor: runs the line over batches, remembers keys, drafts decision blocks."""

import time
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from typing import Any, Final

from services.gate.desk import PartitionDesk, Staged
from services.gate.effects import remembered_keys
from services.gate.engine import GateEngines
from services.gate.line import decide, stop_internal
from services.gate.outcome import Decision
from services.gate.plan import GatePlan, gate_in_steps
from services.gate.stopped import entry_from_record
from services.gate.versions import AcceptedVersion, Remembered, version_from_record
from services.processor.blocks import BlockDraft
from services.processor.codecs import CodecCache
from services.processor.contract import Batch, BatchResult, CatchUp, InputPartition, Steps, finished
from services.processor.step_size import StepSize, in_parts
from topics import names
from topics.engine.choose import Implementation, choose
from topics.engine.gate_engine import GateEngine, ReferenceEngine
from topics.engine.records import PartitionRecords, Records
from topics.engine.reference import Undecodable
from topics.event import KafkaRecord, OutputRecord, SchemaId, TopicName
from topics.policy import Policy
from topics.wire import NotFramed, frame, split

Entries = dict[bytes, bytes]
"""Raw key → entry as in Kafka: every published key has one, and objects would take twice the room."""
_GONE: Final = None
_AT_ONCE: Final = 250
"""Records of one step at the most: the dearest take a fifth of a millisecond each."""


class GateProcessor:
    """Decides raw records; see ``services.processor.contract.Processor`` for the order of calls."""

    def __init__(
        self,
        instance: str = "",
        implementation: Implementation | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """``clock`` sizes the steps; nothing that is decided depends on it."""
        self._instance = instance or names.instance_id(names.GATE_GROUP, 0)
        self._plan: GatePlan | None = None
        self._codecs = CodecCache()
        self._engines = GateEngines(implementation or choose())
        self._entries: dict[InputPartition, Entries] = {}
        self._positions: dict[InputPartition, int] = {}
        self._clock, self._size = clock, StepSize(_AT_ONCE)
        self._staged: dict[InputPartition, Staged] = {}
        """What the batch that is being decided made of entries."""

    @property
    def group(self) -> str:
        """The gate's one consumer group."""
        return names.GATE_GROUP

    @property
    def engine(self) -> str:
        """Which engine decides."""
        return self._engines.implementation.value

    @property
    def plan(self) -> GatePlan:
        """The compiled policy.

        Raises:
            RuntimeError: no policy was adopted yet.
        """
        if self._plan is None:
            raise RuntimeError("the gate decides nothing before it has a policy")
        return self._plan

    def adopt(self, policy: Policy) -> None:
        """Use this policy from the next batch on."""
        finished(self.adopt_in_steps(policy))

    def adopt_in_steps(self, policy: Policy) -> Generator[None, None, None]:
        """The same, with a pause after each source."""
        plan = yield from gate_in_steps(policy)
        yield from self._engines.adopt_in_steps(plan)
        self._plan, self._size = plan, StepSize(_AT_ONCE)

    def topics(self) -> frozenset[TopicName]:
        """The raw topics of every declared source."""
        return frozenset(self.plan.sources)

    def state_partition(self, source: InputPartition) -> InputPartition | None:
        """What is remembered of keys, in the same partition number."""
        topic = remembered_keys(source.topic, published=self._published(source))
        return InputPartition(topic, source.partition)

    def assign(self, source: InputPartition, position: int) -> None:
        """The partition is ours from this offset on."""
        self._positions[source] = position
        self._entries[source] = {}

    def load(self, source: InputPartition, remembered: Entries) -> None:
        """Take the entries over as they are: one is decoded when its key comes, and most never do."""
        self._entries[source] = remembered

    def revoke(self, source: InputPartition) -> None:
        """The partition is no longer ours."""
        self._positions.pop(source, None)
        self._entries.pop(source, None)

    def catch_ups(self, source: InputPartition, position: int, applied_version: int) -> tuple[CatchUp, ...]:  # noqa: ARG002
        """The gate never catches up: it has no grants."""
        return ()

    def catch_up_in_steps(
        self,
        catch_up: CatchUp,
        records: Records,
        schemas: Mapping[SchemaId, Any],
    ) -> Steps:
        """Never asked of the gate.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(f"the gate has nothing to catch up on {catch_up.source}")

    def stop_catch_up(self, catch_up: CatchUp, record: KafkaRecord, defect: str) -> BatchResult:
        """Never asked of the gate.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(f"the gate has nothing to catch up on {catch_up.source}")

    def needed_schemas(self, records: Records) -> frozenset[SchemaId]:
        """Writer schemas that were not met before."""
        return self._codecs.missing(records)

    def process(self, batch: Batch, schemas: Mapping[SchemaId, Any]) -> BatchResult:
        """Decide a batch."""
        return finished(self.process_in_steps(batch, schemas))

    def process_in_steps(self, batch: Batch, schemas: Mapping[SchemaId, Any]) -> Steps:
        """The same, with a pause after each few records."""
        self._codecs.learn(schemas)
        return self._decide_all(batch, self._decide, self._engine_for)

    def stop_internal(self, record: KafkaRecord, defect: str) -> BatchResult:
        """Quarantine the one record that ``process`` raises on."""
        alone = PartitionRecords(record.topic, record.partition, [record])
        return finished(
            self._decide_all(
                [alone],
                lambda one: self._stopped(one, defect),
                lambda _: ReferenceEngine(),
            )
        )

    def _decide_all(
        self,
        batch: Batch,
        decide_one: Callable[[KafkaRecord], Decision],
        engine_for: Callable[[Records], GateEngine],
    ) -> Steps:
        self._staged = {}
        positions: dict[InputPartition, int] = {}
        lanes = self._engines.lane_book()
        outcomes: Counter[str] = Counter()
        blocks = []
        for records in batch:
            lanes.begin()
            source = InputPartition(records.topic, records.partition)
            draft = self._draft(source)
            draft.covers(records)
            desk = self._desk(source, draft, decide_one)
            engine = engine_for(records)

            def decide_part(part: Records, engine: GateEngine = engine, desk: PartitionDesk = desk) -> None:
                desk.count(engine.decide(part, desk, lanes))

            yield from in_parts(records, decide_part, self._size, self._clock)
            draft.digested(lanes.written())
            outcomes += desk.outcomes
            positions[source] = draft.to_offset
            blocks.append(self._block(draft))
        lanes.extend(blocks)
        self._positions.update(positions)
        yield from self._keep_staged()
        return BatchResult(lanes.lanes(), outcomes)

    def _keep_staged(self) -> Generator[None, None, None]:
        for source, staged in self._staged.items():
            entries = self._entries.setdefault(source, {})
            for number, (key, entry) in enumerate(staged.items()):
                if number % _AT_ONCE == _AT_ONCE - 1:
                    yield
                if entry is _GONE:
                    entries.pop(key, None)
                else:
                    written_by = self.plan.control.remembered(published=isinstance(entry, AcceptedVersion))
                    entries[key] = frame(written_by[0], written_by[1].encode(entry.record()))
        self._staged = {}

    def _engine_for(self, records: Records) -> GateEngine:
        return self._engines.engine_for(records, self._codecs.types)

    def _desk(
        self, source: InputPartition, draft: BlockDraft, decide_one: Callable[[KafkaRecord], Decision]
    ) -> PartitionDesk:
        staged = self._staged.setdefault(source, {})
        return PartitionDesk(self.plan, decide_one, draft, self._entries.get(source, {}), staged)

    def _decide(self, record: KafkaRecord) -> Decision:
        try:
            return decide(record, self.plan, self._codecs.codecs, self._entry(record))
        except Exception as error:  # noqa: BLE001 - a defect of ours must not lose the record: it is quarantined
            return self._stopped(record, type(error).__name__)

    def _stopped(self, record: KafkaRecord, defect: str) -> Decision:
        try:
            entry = self._entry(record)
        except (NotFramed, Undecodable):
            # What is remembered cannot be read: nothing is known of the key, and nothing is guessed.
            entry = None
        return stop_internal(record, self.plan, entry, defect)

    def _entry(self, record: KafkaRecord) -> Remembered | None:
        """What is remembered of the record's key.

        Raises:
            NotFramed, Undecodable: it cannot be read.
        """
        if record.key is None:
            return None
        source = InputPartition(record.topic, record.partition)
        staged = self._staged.get(source, {})
        if record.key in staged:
            return staged[record.key]
        kept = self._entries.get(source, {}).get(record.key)
        if kept is None or source.topic not in self.plan.sources:
            return None
        _, entry = split(kept)
        if self._published(source):
            return version_from_record(self.plan.control.accepted_version.decode(entry))
        return entry_from_record(self.plan.control.stopped_key.decode(entry))

    def _published(self, source: InputPartition) -> bool:
        found = self.plan.sources.get(source.topic)
        return found is not None and found.published

    def _draft(self, source: InputPartition) -> BlockDraft:
        return BlockDraft(
            group=self.group,
            instance=self._instance,
            topic=source.topic,
            partition=source.partition,
            from_offset=self._positions.get(source, 0),
            policy_version=self.plan.policy_version,
        )

    def _block(self, draft: BlockDraft) -> OutputRecord:
        return self.plan.control.decision_block.output(names.LEDGER_INTAKE, draft)
