"""Decides recorded batches again, by the live processors themselves: pure, no group, no transaction.

A batch is what one decision block covers. Each is given to ``GateProcessor`` or ``FanoutProcessor`` with the
block's boundaries, policy version and disputes; what the processor would have written comes back, with the
block that it drafts.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from services.fanout.processor import FanoutProcessor
from services.gate.processor import GateProcessor
from services.ledger.blocks import CATCH_UP_SUFFIX, BlockKind, Chain
from services.ledger.replay.recorded import Recorded
from services.processor.contract import BatchResult, CatchUp, InputPartition
from services.processor.decisions import OUTPUT_REFUSED, PROCESS_DIED
from topics.disputes import Disputes
from topics.engine.choose import Implementation
from topics.engine.records import PartitionRecords, Records
from topics.event import GrantId, KafkaRecord, OutputRecord, SchemaId
from topics.names import LEDGER_DELIVERY, LEDGER_INTAKE, fanout_group
from topics.policy import Policy

Schemas = Callable[[frozenset[SchemaId]], Mapping[SchemaId, Any]]
"""The parsed schemas of some ids; one that the registry does not know is absent."""
_LEDGERS: Final = frozenset({LEDGER_INTAKE, LEDGER_DELIVERY})
_DEFECTS: Final = (PROCESS_DIED, OUTPUT_REFUSED)
"""What the bus itself gives as the defect of a record over which nothing could be decided."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """What a batch came to now."""

    result: BatchResult

    @property
    def block(self) -> OutputRecord:
        """The block that was drafted."""
        return next(record for lane in self.result.lanes if lane.topic in _LEDGERS for record in lane)

    def outputs(self, topic: str, partition: int) -> Iterator[OutputRecord]:
        """What goes to one partition."""
        for lane in self.result.lanes:
            if (lane.topic, lane.partition) == (topic, partition):
                yield from lane


class Rerun(Protocol):
    """One chain, decided again block by block."""

    def repeat(self, block: Recorded, records: Records, policy: Policy, disputes: Disputes) -> Repeated:
        """Decide what a block covers; blocks come in their order."""
        ...

    def instead(self, block: Recorded, record: KafkaRecord) -> Iterator[Repeated]:
        """The other ends that a record may have had over which the processor broke, one after another."""
        ...


@dataclass(slots=True)
class GateRerun:
    """Raw records again; remembers stopped keys and versions as the gate does, from nothing on."""

    chain: Chain
    schemas: Schemas
    implementation: Implementation | None = None
    _gate: GateProcessor = field(init=False)
    _version: int = 0
    _position: int = -1
    """Where the gate stands; -1 where it has to be told."""
    _remembered: dict[bytes, bytes] = field(default_factory=dict)
    _before: dict[bytes, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._gate = GateProcessor(implementation=self.implementation)

    @property
    def _source(self) -> InputPartition:
        return InputPartition(self.chain.topic, self.chain.partition)

    def repeat(
        self,
        block: Recorded,
        records: Records,
        policy: Policy,
        disputes: Disputes,  # noqa: ARG002 - the gate knows none
    ) -> Repeated:
        """See ``Rerun.repeat``."""
        if policy.version != self._version:
            self._gate.adopt(policy)
            self._version = policy.version
        self._before = dict(self._remembered) if block.records == 1 else self._remembered
        if block.from_offset != self._position:
            self._begin(block)
        self._position = block.to_offset
        schemas = self.schemas(self._gate.needed_schemas(records))
        return self._kept(self._gate.process([records], schemas))

    def instead(self, block: Recorded, record: KafkaRecord) -> Iterator[Repeated]:
        """See ``Rerun.instead``."""
        before = self._before
        for defect in _DEFECTS:
            self._remembered = dict(before)
            self._begin(block)
            yield self._kept(self._gate.stop_internal(record, defect))

    def _begin(self, block: Recorded) -> None:
        source = self._source
        self._gate.assign(source, block.from_offset)
        if self._remembered:
            self._gate.load(source, dict(self._remembered))

    def _kept(self, result: BatchResult) -> Repeated:
        state = self._gate.state_partition(self._source)
        for lane in result.lanes:
            if state is not None and (lane.topic, lane.partition) == state:
                for record in lane:
                    self._keep(record)
        return Repeated(result)

    def _keep(self, record: OutputRecord) -> None:
        if record.key is None:
            return
        if record.value is None:
            self._remembered.pop(record.key, None)
        else:
            self._remembered[record.key] = record.value


@dataclass(slots=True)
class FanoutRerun:
    """Canonical records again, live or the bounded rest of a catch-up."""

    chain: Chain
    schemas: Schemas
    master_secrets: Mapping[int, bytes] = field(repr=False)
    implementation: Implementation | None = None
    _fanout: FanoutProcessor = field(init=False)
    _version: int = 0
    _disputes: int = 0

    def __post_init__(self) -> None:
        group = self.chain.group.removesuffix(CATCH_UP_SUFFIX).removeprefix(fanout_group(""))
        self._fanout = FanoutProcessor(group, self.master_secrets, implementation=self.implementation)

    def repeat(self, block: Recorded, records: Records, policy: Policy, disputes: Disputes) -> Repeated:
        """See ``Rerun.repeat``."""
        if policy.version != self._version:
            self._fanout.adopt(policy)
            self._version = policy.version
        if disputes.number != self._disputes:
            self._fanout.adopt_disputes(disputes)
            self._disputes = disputes.number
        source = InputPartition(self.chain.topic, self.chain.partition)
        schemas = self.schemas(self._fanout.needed_schemas(records))
        if block.kind is BlockKind.CATCH_UP:
            return Repeated(self._fanout.process_catch_up(self._catch_up(block), records, schemas))
        self._fanout.assign(source, block.from_offset)
        return Repeated(self._fanout.process([records], schemas))

    def instead(self, block: Recorded, record: KafkaRecord) -> Iterator[Repeated]:
        """See ``Rerun.instead``."""
        if block.kind is BlockKind.CATCH_UP:
            yield Repeated(self._fanout.stop_catch_up(self._catch_up(block), record, PROCESS_DIED))
            return
        self._fanout.assign(InputPartition(self.chain.topic, self.chain.partition), block.from_offset)
        yield Repeated(self._fanout.stop_internal(record, PROCESS_DIED))

    def _catch_up(self, block: Recorded) -> CatchUp:
        source = InputPartition(self.chain.topic, self.chain.partition)
        grants = tuple(GrantId(grant) for grant in sorted(block.grants))
        return CatchUp(source, block.from_offset, block.to_offset, grants)


def batches(
    blocks: Sequence[Recorded], records: Iterator[KafkaRecord]
) -> Iterator[tuple[Recorded, PartitionRecords]]:
    """Cut a stream of one partition's records into the batches of these blocks, which are in order.

    What lies between two of them belongs to none and is passed over.
    """
    waiting: KafkaRecord | None = next(records, None)
    for block in blocks:
        found: list[KafkaRecord] = []
        while waiting is not None and waiting.offset < block.to_offset:
            if waiting.offset >= block.from_offset:
                found.append(waiting)
            waiting = next(records, None)
        yield block, PartitionRecords(block.chain.topic, block.chain.partition, found)
