"""What a runner works with, without Kafka: a partition as a list, transactions as notes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from services.processor.applied import Applied, Mark
from services.processor.attempts import Suspect
from services.processor.batch_limit import BatchLimit
from services.processor.consumer import Owned, Stage
from services.processor.contract import Batch, InputPartition, Processor
from services.processor.decisions import Decisions
from services.processor.health import Health
from services.processor.metrics import Metrics
from services.processor.observation import Observation
from services.processor.runner import Runner
from services.processor.settings import ProcessorSettings
from services.processor.tracing import Tracer
from tests.support.policy import sample_policy
from tests.unit.processor.copying_processor import OUT, SOURCE, Copying
from topics.engine.lanes import Lane
from topics.engine.records import Records, by_partition
from topics.event import Headers, KafkaRecord, OutputRecord, SchemaId, TopicName
from topics.policy import Policy


class FakeInput:
    """One partition that is ours; committed offsets move with ``advance``, reading with ``collect``."""

    def __init__(self, records: list[KafkaRecord]) -> None:
        self.records = records
        self.owned: dict[InputPartition, Owned] = {}
        self.topics: frozenset[TopicName] = frozenset()
        self.joined, self.problem = False, None
        self.stored: dict[InputPartition, tuple[int | None, int]] = {}
        self.marks: dict[InputPartition, tuple[Mark, ...]] = {}
        """Of catch-ups under way, as they are committed beside the offset."""
        self.taken: list[int] = []
        """How many records each batch had."""
        self.pauses = False
        """Whether nothing more is here after each batch, so that a turn has one."""
        self._paused = False
        self.served = 0
        self.ends: dict[InputPartition, int] = {}
        self._next: dict[InputPartition, int] = {}

    def subscribe(self, topics: frozenset[TopicName]) -> None:
        if topics and not self.topics:
            places = {InputPartition(record.topic, record.partition) for record in self.records} or {SOURCE}
            self.owned = {place: Owned() for place in places}
            self.joined = True
        self.topics = topics

    def in_stage(self, stage: Stage) -> list[InputPartition]:
        return sorted(source for source, owned in self.owned.items() if owned.stage is stage)

    def suspend(self) -> None:
        for source in self.in_stage(Stage.READY):
            self.owned[source].stage = Stage.BEHIND

    def later(self, source: InputPartition) -> None:
        self.owned[source].stage = Stage.BEHIND

    def hold(self, source: InputPartition) -> None:
        self.owned[source].stage = Stage.HELD

    def release(self, source: InputPartition) -> None:
        self.owned[source].stage = Stage.BEHIND

    def forget_positions(self) -> None:
        for owned in self.owned.values():
            owned.stage = Stage.FRESH

    def resume(self, source: InputPartition) -> None:
        self.owned[source].stage = Stage.READY
        self._next[source] = self.owned[source].position

    def advance(self, positions: Mapping[InputPartition, int], applied: Applied) -> None:
        for source, offset in positions.items():
            self.owned[source].position, self.owned[source].applied = offset, applied
            self.stored[source], self.marks[source] = (offset, applied.version), applied.marks

    def serve(self) -> None:
        self.served += 1

    def lags(self) -> dict[InputPartition, int]:
        return {
            source: self.ends.get(source, len(self.records)) - owned.position
            for source, owned in self.owned.items()
        }

    def note_end(self, source: InputPartition, end: int) -> None:
        self.ends[source] = end

    def collect(self, max_records: int, _max_bytes: int) -> Batch:
        self._paused = self.pauses and not self._paused
        if self.pauses and not self._paused:
            return []
        ready = self.in_stage(Stage.READY)
        here = [(InputPartition(record.topic, record.partition), record) for record in self.records]
        due = [record for source, record in here if source in ready and record.offset >= self._next[source]]
        batch = by_partition(due[:max_records])
        if batch:
            self.taken.append(sum(map(len, batch)))
        for records in batch:
            self._next[InputPartition(records.topic, records.partition)] = records[-1].offset + 1
        return batch

    def due(self, batch: Batch) -> Batch:
        ready = self.in_stage(Stage.READY)
        return [records for records in batch if InputPartition(records.topic, records.partition) in ready]

    async def committed(
        self, sources: Iterable[InputPartition]
    ) -> dict[InputPartition, tuple[int | None, Applied]]:
        found = {source: self.stored.get(source, (None, 0)) for source in sources}
        return {
            source: (offset, Applied(version, self.marks.get(source, ())))
            for source, (offset, version) in found.items()
        }

    def group_metadata(self) -> Any:
        return None

    async def close(self) -> None:
        return


class FakeTransactions:
    """Keeps what was committed; raises what a test has laid ready for a call, once each."""

    def __init__(self) -> None:
        self.usable = False
        self.opened_at: float | None = None
        self.committed: list[OutputRecord] = []
        self.calls: list[str] = []
        self.failures: dict[str, list[Exception]] = {}
        self._open: list[OutputRecord] = []

    def _called(self, call: str) -> None:
        self.calls.append(call)
        if self.failures.get(call):
            raise self.failures[call].pop(0)

    async def open(self) -> None:
        self._called("open")
        self.usable = True

    def begin(self) -> None:
        self._called("begin")
        self._open = []

    async def write(self, portions: Sequence[Iterable[Lane]], trace: bytes | None = None) -> None:
        for number, lanes in enumerate(portions):
            if number:
                await self.flush()
            await self.produce(lanes, trace)

    async def flush(self) -> None:
        self._called("flush")

    async def produce(self, lanes: Iterable[Lane], trace: bytes | None = None) -> None:
        self._called("produce")
        more: Headers = () if trace is None else (("traceparent", trace),)
        self._open += [replace(each, headers=each.headers + more) for each in chain.from_iterable(lanes)]

    async def commit(self, *_: Any) -> None:
        self._called("commit")
        self.committed += self._open

    async def abort(self) -> None:
        self._called("abort")

    def close(self) -> None:
        self.usable = False


class FakeReader:
    """State partitions and bounds; the log begins at 0 unless told otherwise."""

    def __init__(self, low: int = 0, high: int = 1_000_000) -> None:
        self.low, self.high = low, high
        self.pieces: list[tuple[InputPartition, int, int]] = []

    async def bounds(self, _source: InputPartition) -> tuple[int, int]:
        return self.low, self.high

    async def last_values(self, _source: InputPartition) -> dict[bytes, bytes]:
        return {}

    async def read(self, source: InputPartition, start: int, end: int) -> list[KafkaRecord]:
        self.pieces.append((source, start, end))
        return [
            KafkaRecord(source.topic, source.partition, offset, 0, None, b"old")
            for offset in range(start, end)
        ]

    async def read_some(
        self, source: InputPartition, start: int, end: int, most_records: int, _most_bytes: int
    ) -> tuple[list[KafkaRecord], int]:
        whole = await self.read(source, start, end)
        found = whole[:most_records]
        return found, end if len(found) == len(whole) else found[-1].offset + 1


class FakePolicy:
    """The policy topic, read to its end."""

    def __init__(self, newest: Policy | None) -> None:
        self.newest = newest
        self.caught_up = True
        self.blocked: str | None = None
        self.problem: str | None = None if newest else "the policy topic is empty"
        self.takes_time = False
        """Whether reading it again takes more than a moment."""

    def read_again(self) -> None:
        self.caught_up = not self.takes_time


class FakeSchemas:
    """Answers nothing; raises what a test has laid ready, once each."""

    def __init__(self) -> None:
        self.failures: list[Exception] = []

    def unknown(self, ids: Iterable[SchemaId]) -> frozenset[SchemaId]:
        return frozenset(ids)

    async def resolve(self, ids: Iterable[SchemaId]) -> dict[SchemaId, Any]:
        if list(ids) and self.failures:
            raise self.failures.pop(0)
        return {}


class FakeAttempts:
    """Notes what is being decided; nothing died before unless a test says so."""

    def __init__(self, *suspects: Suspect) -> None:
        self.suspects = suspects
        self.kept: set[Suspect] = set()
        self.begun: list[tuple[int, int, int]] = []
        self.open = False
        self.steps = 0

    def others(self) -> tuple[Suspect, ...]:
        return ()

    def keep(self, suspects: Iterable[Suspect]) -> None:
        self.kept = set(suspects)

    def begin(self, batch: Iterable[Records], attempt: int) -> None:
        self.begun += [(records[0].offset, records[-1].offset + 1, attempt) for records in batch]
        self.open = True

    def goes_on(self) -> None:
        assert self.open
        self.steps += 1

    def end(self) -> None:
        self.open = False


class Bench:
    """A runner with all its parts, at a test's hand."""

    def __init__(
        self,
        processor: Processor,
        records: list[KafkaRecord],
        policy: Policy | None,
        suspects: tuple[Suspect, ...] = (),
        tracer: Tracer | None = None,
        attempts: Any = None,
        catch_up_attempts: Any = None,
        **settings: Any,
    ) -> None:
        self.settings = ProcessorSettings(
            group=processor.group, data_dir=Path("unused"), web_port=1, **settings
        )
        self.input = FakeInput(records)
        self.transactions, self.reader = FakeTransactions(), FakeReader()
        self.policy, self.schemas = FakePolicy(policy), FakeSchemas()
        self.health, self.metrics = Health(10.0, 15.0), Metrics("copying.0")
        make: Callable[..., Any] = lambda _on_revoked: self.input  # noqa: E731
        parts: dict[str, Any] = {
            "transactions": self.transactions,
            "reader": self.reader,
            "policy": self.policy,
            "schemas": self.schemas,
            "observation": Observation(self.metrics, tracer),
            "catch_up_attempts": catch_up_attempts or FakeAttempts(),
        }
        log: Any = FakeAttempts(*suspects) if attempts is None else attempts
        self.attempts = log
        limit = BatchLimit(self.settings.batch_records)
        decisions = Decisions(processor, limit, self.attempts, self.metrics)
        self.runner = Runner(decisions, self.settings, make_input=make, health=self.health, **parts)

    async def turn(self) -> int:
        """One turn, its batches processed; returns how many records they had."""
        self.runner._not_before = 0.0  # pauses are for the real world
        batches = await self.runner.next_batches()
        if batches:
            await self.runner.process(batches)
        return sum(map(len, chain.from_iterable(batches)))

    async def run(self, turns: int = 100) -> None:
        """So many turns."""
        for _ in range(turns):
            await self.turn()

    def written(self, topic: str = OUT) -> list[tuple[bytes | None, bytes | None]]:
        """Key and value of the committed records of a topic."""
        return [(each.key, each.value) for each in self.transactions.committed if each.topic == topic]


def numbered(*values: bytes, source: InputPartition = SOURCE) -> list[KafkaRecord]:
    """Records of a partition with these values, from offset 0 on."""
    return [
        KafkaRecord(source.topic, source.partition, offset, 1_000 + offset, b"k", value)
        for offset, value in enumerate(values)
    ]


def bench_with(*values: bytes, processor: Copying | None = None, batch_records: int = 16) -> Bench:
    return Bench(processor or Copying(), numbered(*values), sample_policy(1), batch_records=batch_records)


def live(*values: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"live", value) for value in values]
