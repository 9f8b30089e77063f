"""The fan-out of one grant group as a processor: runs the line over batches and drafts decision blocks."""

import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from typing import Any

from services.fanout.line import DeliveryKind
from services.fanout.plan import FanoutPlan, ResourcePlan, canonical_schemas, plan_in_steps
from services.fanout.topic import FanoutTopic, Note
from services.processor.blocks import BlockDraft, BlockWriter
from services.processor.codecs import CodecCache
from services.processor.contract import Batch, BatchResult, CatchUp, InputPartition, Steps, finished
from topics import names
from topics.disputes import DisputeMarks, Disputes, keys_from
from topics.engine.choose import Implementation, choose
from topics.engine.fanout import Decided, GrantCount
from topics.engine.lane_book import WrittenLanes
from topics.engine.lanes import Lane, into_lanes
from topics.engine.records import PartitionRecords, Records
from topics.event import (
    GrantId,
    KafkaRecord,
    OutputRecord,
    PolicyNumber,
    SchemaId,
    TopicName,
    WithheldReason,
)
from topics.grants.declaration import GrantState
from topics.policy import Policy

Decide = Callable[[Records, Note], Iterator[None]]
"""Decides the records of one partition in steps, and has each noted."""


class FanoutProcessor:
    """Decides canonical records under one group's grants; see ``services.processor.contract.Processor``."""

    reads_own_writers = True
    """Only the gate writes what is read here: a schema that the registry denies is waited for."""

    def __init__(
        self,
        group: str,
        master_secrets: Mapping[int, bytes],
        instance: str = "",
        implementation: Implementation | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """``clock`` sizes the steps; nothing that is decided depends on it."""
        self._grant_group = group
        self._instance = instance or names.instance_id(names.fanout_group(group), 0)
        self._master_secrets = master_secrets
        self._plan: FanoutPlan | None = None
        self._disputes = DisputeMarks(Disputes(), keys_from(master_secrets))
        self._codecs = CodecCache()
        self._implementation = implementation or choose()
        self._clock = clock
        self._topics: dict[TopicName, FanoutTopic] = {}
        self._lacking: dict[tuple[TopicName, tuple[GrantId, ...]], FanoutTopic] = {}
        """What catch-ups are decided by, kept from one slice to the next."""
        self._blocks: BlockWriter | None = None
        self._positions: dict[InputPartition, int] = {}

    @property
    def group(self) -> str:
        """The consumer group of this grant group."""
        return names.fanout_group(self._grant_group)

    @property
    def _catch_up_group(self) -> str:
        """Under which the ledger counts the bounded rest."""
        return f"{self.group}.catch-up"

    @property
    def engine(self) -> str:
        """Which engine decides."""
        return self._implementation.value

    @property
    def plan(self) -> FanoutPlan:
        """The compiled policy.

        Raises:
            RuntimeError: no policy was adopted yet.
        """
        if self._plan is None:
            raise RuntimeError("the fan-out delivers nothing before it has a policy")
        return self._plan

    def adopt(self, policy: Policy) -> None:
        """Use this policy from the next batch on."""
        finished(self.adopt_in_steps(policy))

    def adopt_in_steps(self, policy: Policy) -> Generator[None, None, None]:
        """The same, with pauses: whatever can be compiled before the first batch is compiled here."""
        entries = policy.grants_of(self._grant_group)
        plan = yield from plan_in_steps(policy, entries, self._master_secrets)
        topics: dict[TopicName, FanoutTopic] = {}
        for topic in plan.resources:
            own = canonical_schemas(policy, {topic})
            self._codecs.learn(own)
            topics[topic] = self._topic(plan, topic)
            yield
            known = self._topics[topic].learnt if topic in self._topics else frozenset()
            yield from topics[topic].learn(own.keys() | known)
        self._plan, self._topics, self._lacking = plan, topics, {}
        self._blocks = BlockWriter(policy.control_schemas)

    def adopt_disputes(self, disputes: Disputes) -> None:
        """Mark the records of these disputes from the next batch on.

        Raises:
            DisputeKeyMissing: the ones before stay, and nothing that is delivered waits for the missing key.
        """
        self._disputes = DisputeMarks(disputes, keys_from(self._master_secrets))

    def topics(self) -> frozenset[TopicName]:
        """The canonical topics that the group's grants are about."""
        return frozenset(self.plan.resources)

    def state_partition(self, source: InputPartition) -> InputPartition | None:  # noqa: ARG002
        """The fan-out needs no state: the canonical record carries its previous scope."""
        return None

    def assign(self, source: InputPartition, position: int) -> None:
        """The partition is ours from this offset on."""
        self._positions[source] = position

    def load(self, source: InputPartition, remembered: dict[bytes, bytes]) -> None:
        """There is nothing to load."""

    def revoke(self, source: InputPartition) -> None:
        """The partition is no longer ours."""
        self._positions.pop(source, None)

    def catch_ups(self, source: InputPartition, position: int, applied_version: int) -> tuple[CatchUp, ...]:
        """The bounded rest for each grant that became active since ``applied_version``."""
        resource = self.plan.resources.get(source.topic)
        if resource is None:
            return ()
        found: dict[int, list[GrantId]] = {}
        for grant in resource.grants:
            start = grant.starts_at.get(source.partition)
            newly = grant.state is GrantState.ACTIVE and grant.active_since > applied_version
            if newly and start is not None and start < position:
                found.setdefault(start, []).append(grant.grant)
        return tuple(
            CatchUp(source, start, position, tuple(grants)) for start, grants in sorted(found.items())
        )

    def process_catch_up(
        self, catch_up: CatchUp, records: Records, schemas: Mapping[SchemaId, Any]
    ) -> BatchResult:
        """Deliver the bounded rest to the grants that lack it."""
        return finished(self.catch_up_in_steps(catch_up, records, schemas))

    def catch_up_in_steps(
        self, catch_up: CatchUp, records: Records, schemas: Mapping[SchemaId, Any]
    ) -> Steps:
        """The same, with a pause after each few records."""
        self._codecs.learn(schemas)
        known = (catch_up.source.topic, catch_up.grants)
        if known not in self._lacking:
            self._lacking[known] = self._topic(self._only(catch_up), catch_up.source.topic)
            yield
        lacking = self._lacking[known]
        decide: Decide = lambda found, note: lacking.decide(found, self._disputes, note)  # noqa: E731
        start = {catch_up.source: catch_up.from_offset}
        return (
            yield from self._decide_all([records], decide, self._catch_up_group, start, catch_up.to_offset)
        )

    def stop_catch_up(self, catch_up: CatchUp, record: KafkaRecord, defect: str) -> BatchResult:  # noqa: ARG002
        """Withhold the one record from the grants that lack it, with reason INTERNAL."""
        alone = PartitionRecords(record.topic, record.partition, [record])
        resource = self._only(catch_up).resources[record.topic]
        start = {catch_up.source: catch_up.from_offset}
        decide = noted_alone(withheld_from_all(record, resource))
        return finished(self._decide_all([alone], decide, self._catch_up_group, start, catch_up.to_offset))

    def needed_schemas(self, records: Records) -> frozenset[SchemaId]:
        """Canonical schemas that were not met before."""
        return self._codecs.missing(records)

    def process(self, batch: Batch, schemas: Mapping[SchemaId, Any]) -> BatchResult:
        """Decide a batch."""
        return finished(self.process_in_steps(batch, schemas))

    def process_in_steps(self, batch: Batch, schemas: Mapping[SchemaId, Any]) -> Steps:
        """The same, with a pause after each few records: under a hundred grants each leads to a hundred."""
        self._codecs.learn(schemas)
        decide: Decide = lambda records, note: self._topics[records.topic].decide(  # noqa: E731
            records, self._disputes, note
        )
        return self._decide_all(batch, decide, self.group, self._positions)

    def stop_internal(self, record: KafkaRecord, defect: str) -> BatchResult:  # noqa: ARG002
        """Withhold the one record that ``process`` raises on, from every grant, with reason INTERNAL."""
        alone = PartitionRecords(record.topic, record.partition, [record])
        decide = noted_alone(withheld_from_all(record, self.plan.resources[record.topic]))
        return finished(self._decide_all([alone], decide, self.group, self._positions))

    def _topic(self, plan: FanoutPlan, topic: TopicName) -> FanoutTopic:
        return FanoutTopic(self._implementation, plan, plan.resources[topic], self._codecs, self._clock)

    def _decide_all(
        self,
        batch: Batch,
        decide: Decide,
        group: str,
        starts: Mapping[InputPartition, int],
        ends_at: int | None = None,
    ) -> Steps:
        positions: dict[InputPartition, int] = {}
        lanes: list[Lane] = []
        blocks: list[OutputRecord] = []
        tally: Counter[str] = Counter()
        for records in filter(len, batch):
            source = InputPartition(records.topic, records.partition)
            draft, written = self._draft(source, group, starts.get(source, 0)), WrittenLanes()

            def note(
                part: Records,
                decided: Decided,
                draft: BlockDraft = draft,
                written: WrittenLanes = written,
            ) -> None:
                note_decided(draft, part, decided, tally)
                written.add(decided.lanes)
                lanes.extend(decided.lanes)

            yield from decide(records, note)
            draft.digested(written.written())
            draft.to_offset = draft.to_offset if ends_at is None else ends_at
            if group == self.group:
                positions[source] = draft.to_offset
            blocks.append(self._block(draft))
        self._positions.update(positions)
        return BatchResult((*lanes, *into_lanes(blocks)), tally)

    def _only(self, catch_up: CatchUp) -> FanoutPlan:
        """The plan with only the grants that lack the rest, from where their copier ended."""
        resource = self.plan.resources[catch_up.source.topic]
        grants = tuple(grant for grant in resource.grants if grant.grant in catch_up.grants)
        return replace(self.plan, resources={resource.topic: replace(resource, grants=grants)})

    def _draft(self, source: InputPartition, group: str, from_offset: int) -> BlockDraft:
        version: PolicyNumber = self.plan.policy_version
        draft = BlockDraft(group, self._instance, source.topic, source.partition, from_offset, version)
        draft.disputes = self._disputes.number
        return draft

    def _block(self, draft: BlockDraft) -> OutputRecord:
        if self._blocks is None:
            raise RuntimeError("the fan-out delivers nothing before it has a policy")
        return self._blocks.output(names.LEDGER_DELIVERY, draft)


def note_decided(draft: BlockDraft, records: Records, decided: Decided, tally: Counter[str]) -> None:
    """Count what the records of one partition led to, in the block and for the metrics."""
    draft.covers(records)
    kinds = {"canonical": decided.canonical, "control": decided.control}
    draft.outcomes.update({kind: count for kind, count in kinds.items() if count})
    for found in decided.grants if decided.canonical else ():
        counted = draft.grant(found.grant, found.generation)
        counted.delivered += found.delivered
        counted.tombstoned += found.tombstoned
        counted.withheld.update(found.withheld)
        kinds = {
            DeliveryKind.DELIVERED.value: found.delivered,
            DeliveryKind.TOMBSTONED.value: found.tombstoned,
        }
        tally.update({kind: count for kind, count in kinds.items() if count})
        tally.update(found.withheld)


def noted_alone(decided: Decided) -> Decide:
    """What was decided without an engine, for records that are given all at once."""

    def decide(records: Records, note: Note) -> Iterator[None]:
        note(records, decided)
        yield

    return decide


def withheld_from_all(record: KafkaRecord, resource: ResourcePlan) -> Decided:
    """A record that nothing can be done with: withheld with INTERNAL, from every grant."""
    withheld = 0 if record.value is None else 1
    counts = tuple(
        GrantCount(grant.grant, grant.generation, withheld=Counter({WithheldReason.INTERNAL.value: 1}))
        for grant in resource.grants
    )
    return Decided(withheld, 1 - withheld, counts, ())
