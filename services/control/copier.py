"""Copies what a grant covers of a canonical topic into the grant's topic, by the fan-out's own engine.

It goes from the beginning to what was the stable end when it began. Each transaction carries the records, the
ledger's block and, the last one, the offsets from which the fan-out goes on.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from confluent_kafka import Consumer, TopicPartition

from schemas.registry import SchemaRegistry
from services.control.access import Access
from services.control.copy_transactions import CopyTransactions
from services.control.epoch_markers import Marker, MarkerKind
from services.control.reading import read_whole, whole_reader
from services.fanout.engine import made_or_line, marking
from services.fanout.plan import FanoutPlan, canonical_schemas, compile_grants
from services.fanout.processor import note_decided
from services.processor.blocks import BlockDraft, BlockWriter
from services.processor.codecs import CodecCache
from topics import names
from topics.disputes import DisputeMarks, Disputes, keys_from
from topics.engine.choose import Implementation, choose
from topics.engine.fanout import FanoutEngine
from topics.engine.records import by_partition
from topics.event import KafkaRecord, OutputRecord, TopicName
from topics.policy import GrantPolicy, Policy

_FOREVER_MS: Final = 2**62


@dataclass(slots=True)
class CopyLine:
    """Decides canonical records for one grant and drafts the copier's blocks; remembers what it delivered."""

    policy: Policy
    entry: GrantPolicy
    master_secrets: Mapping[int, bytes]
    now_ms: int
    tally: Counter[str] = field(default_factory=Counter)
    positions: dict[int, int] = field(default_factory=dict)
    codecs: CodecCache = field(default_factory=CodecCache)
    _delivered: set[bytes] = field(default_factory=set)
    implementation: Implementation = field(default_factory=choose)
    disputes: Disputes = field(default_factory=Disputes)
    """Those that were open when the epoch was begun; ``master_secrets`` has the keys of them, too."""
    _plan: FanoutPlan | None = None
    _engine: FanoutEngine | None = None
    _blocks: BlockWriter = field(init=False)

    def __post_init__(self) -> None:
        self._blocks = BlockWriter(self.policy.control_schemas)
        topic = self.policy.resources[self.entry.grant.resource].resource.canonical_topic
        self.codecs.learn(canonical_schemas(self.policy, {topic}))

    @property
    def group(self) -> str:
        """The copier's consumer group, which is its chain in the ledger too."""
        return names.copier_group(self.entry.grant.id, self.entry.generation)

    @property
    def plan(self) -> FanoutPlan:
        """The grant alone; whether its days have come is judged once, at the epoch's begin."""
        if self._plan is None:
            plan = compile_grants(self.policy, [self.entry], self.master_secrets)
            self._plan = replace(
                plan, resources={topic: self._opened(found) for topic, found in plan.resources.items()}
            )
        return self._plan

    @property
    def engine(self) -> FanoutEngine:
        """The fan-out's engine for the grant alone."""
        if self._engine is None:
            [resource] = self.plan.resources.values()
            codecs = self.codecs.codecs
            made = made_or_line(self.implementation, self.plan, resource, codecs)
            marks = DisputeMarks(self.disputes, keys_from(self.master_secrets))
            self._engine = marking(made, self.plan, resource, codecs, marks)
        return self._engine

    def _opened(self, resource: Any) -> Any:
        grants = tuple(
            replace(grant, valid_from_ms=0, valid_until_ms=_FOREVER_MS)
            if grant.valid_from_ms <= self.now_ms < grant.valid_until_ms
            else grant
            for grant in resource.grants
        )
        return replace(resource, grants=grants)

    def decide(self, records: Iterable[KafkaRecord]) -> list[OutputRecord]:
        """What the records of the resource lead to, ledger blocks last."""
        outputs: list[OutputRecord] = []
        blocks: dict[int, OutputRecord] = {}
        for found in by_partition(records):
            draft = self._draft(found.topic, found.partition)
            decided = self.engine.decide(found, self.codecs.types, self._delivered)
            note_decided(draft, found, decided, self.tally)
            draft.laid(decided.lanes)
            self.positions[found.partition] = draft.to_offset
            outputs += (output for lane in decided.lanes for output in lane)
            blocks[found.partition] = self._block(draft)
        return [*outputs, *(block for _, block in sorted(blocks.items()))]

    def closing_blocks(self, topic: TopicName, ends: Mapping[int, int]) -> list[OutputRecord]:
        """Blocks without records up to the ends: what lies there is Kafka's own control records."""
        found = []
        for partition, end in sorted(ends.items()):
            draft = self._draft(topic, partition)
            if draft.from_offset < end:
                draft.to_offset = end
                found.append(self._block(draft))
                self.positions[partition] = end
        return found

    def sweep_block(self, topic: TopicName, partition: int, tombstones: list[OutputRecord]) -> OutputRecord:
        """The block of tombstones for keys that the epoch did not see; it decides no canonical record."""
        draft = self._draft(topic, partition)
        draft.to_offset = draft.from_offset
        draft.grant(self.entry.grant.id, self.entry.generation).tombstoned += len(tombstones)
        draft.wrote(tombstones)
        return self._block(draft)

    def _draft(self, topic: TopicName, partition: int) -> BlockDraft:
        instance = names.copier_transactional_id(self.entry.grant.id)
        start = self.positions.get(partition, 0)
        draft = BlockDraft(self.group, instance, topic, partition, start, self.policy.version)
        draft.disputes = self.disputes.number
        return draft

    def _block(self, draft: BlockDraft) -> OutputRecord:
        return self._blocks.output(names.LEDGER_DELIVERY, draft)


def copy(
    access: Access,
    line: CopyLine,
    transactions: CopyTransactions,
    ends: Mapping[int, int],
    batch_records: int,
) -> None:
    """Copy everything below ``ends`` and commit them with the COPIED marker.

    Raises:
        EpochInterrupted: a later copier took over, or a transaction failed.
    """
    topic = line.policy.resources[line.entry.grant.resource].resource.canonical_topic
    registry = SchemaRegistry(access.registry_credentials("copier"))
    reader = whole_reader(access.kafka_config("copier"), line.group)
    try:
        for records in read_whole(reader, topic, ends, batch_records):
            missing = frozenset().union(*map(line.codecs.missing, by_partition(records)))
            line.codecs.learn({schema_id: registry.schema(schema_id) for schema_id in missing})
            transactions.write(line.decide(records))
        _finish(line, transactions, reader, topic, ends)
    finally:
        reader.close()


def _finish(
    line: CopyLine,
    transactions: CopyTransactions,
    reader: Consumer,
    topic: TopicName,
    ends: Mapping[int, int],
) -> None:
    marker = Marker(
        grant=line.entry.grant.id,
        generation=line.entry.generation,
        kind=MarkerKind.COPIED,
        policy_version=line.policy.version,
        timestamp_ms=line.now_ms,
        offsets={(topic, partition): end for partition, end in ends.items()},
        counts=dict(line.tally),
    )
    outputs = [
        *line.closing_blocks(topic, ends),
        marker.output(line.policy.control_schemas.epoch_marker),
    ]
    offsets = [TopicPartition(topic, partition, end) for partition, end in sorted(ends.items())]
    transactions.write(outputs, offsets, reader.consumer_group_metadata())
