"""The group's input: who owns which partition, from which offset, and batches of bounded size."""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from confluent_kafka import OFFSET_BEGINNING, OFFSET_INVALID, KafkaError, KafkaException, TopicPartition

from services.processor.applied import Applied, read_applied
from services.processor.clients import Source
from services.processor.contract import Batch, InputPartition
from services.processor.errors import ExitCode, StopInstance, WaitAndRetry
from topics.event import TopicName

_log = logging.getLogger(__name__)

_AT_ONCE: Final = 250
_SERVED_BYTES: Final = 1_000_000
_WAKE_BYTES: Final = 4096
_LEAVE_SECONDS: Final = 1.0
_LEAVE_STEP_SECONDS: Final = 0.005
_FATAL: Final = (KafkaError._FATAL, KafkaError.FENCED_INSTANCE_ID)
"""As an event of the consumer, an error that is fatal has this code and says no more of itself."""
_LOST: Final = (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)


class Stage(Enum):
    """How far a partition that we own has come; only READY ones give records, the others are paused."""

    FRESH = "fresh"
    """Its position is not known."""
    BEHIND = "behind"
    """Positioned and loaded; catch-ups are to be looked at and the fetch position to be set."""
    READY = "ready"
    HELD = "held"
    """Its next records are tried in a child process first."""


@dataclass(slots=True)
class Owned:
    """One partition of ours: next offset to decide, and under what those before it were decided."""

    stage: Stage = Stage.FRESH
    position: int = 0
    applied: Applied = field(default_factory=lambda: Applied(0))
    given_to: int = 0
    """The offset after the last record that was given since the partition went on; at least the position."""


class GroupInput:
    """The consumer of the group; every method but ``committed`` and ``close`` is instant.

    Callbacks of a rebalance come only inside ``collect`` and ``serve``, so never within a transaction.
    """

    def __init__(self, consumer: Source, on_revoked: Callable[[InputPartition], None]) -> None:
        self._consumer = consumer
        self._on_revoked = on_revoked
        self._topics: frozenset[TopicName] = frozenset()
        self._woken: asyncio.Event | None = None
        self._ends: dict[InputPartition, int] = {}
        self.owned: dict[InputPartition, Owned] = {}
        self.joined = False
        """Whether the group has told us our part (which may be nothing) since we last joined."""
        self.problem: str | None = None
        self._unproven: set[InputPartition] = set()
        """Which of ours have given nothing since the problem came up."""

    def subscribe(self, topics: frozenset[TopicName]) -> None:
        """Read these topics; the group shares them out anew if they changed."""
        if topics == self._topics:
            return
        self._topics, self.joined = topics, False
        if topics:
            self._consumer.subscribe(
                sorted(topics), on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._revoked
            )
        else:
            self._consumer.unsubscribe()

    @property
    def topics(self) -> frozenset[TopicName]:
        """What is subscribed."""
        return self._topics

    def in_stage(self, stage: Stage) -> list[InputPartition]:
        """Our partitions in that stage, in a stable order."""
        return sorted(source for source, owned in self.owned.items() if owned.stage is stage)

    def suspend(self) -> None:
        """Pause every ready partition; it goes on from its position through ``resume``."""
        self._lay_by(self.in_stage(Stage.READY), Stage.BEHIND)

    def forget_positions(self) -> None:
        """Pause everything and take the committed offsets again before going on."""
        self._lay_by(list(self.owned), Stage.FRESH)

    def later(self, source: InputPartition) -> None:
        """Give nothing more of the partition now; what is not committed comes again by ``resume``."""
        if source in self.in_stage(Stage.READY):
            self._lay_by([source], Stage.BEHIND)

    def hold(self, source: InputPartition) -> None:
        """Pause the partition until ``release``; the others go on."""
        if source in self.owned:
            self._lay_by([source], Stage.HELD)

    def release(self, source: InputPartition) -> None:
        """Let a held partition go on from its position."""
        owned = self.owned.get(source)
        if owned is not None and owned.stage is Stage.HELD:
            owned.stage = Stage.BEHIND

    def resume(self, source: InputPartition) -> None:
        """Fetch the partition from its position on.

        Raises:
            WaitAndRetry: the client does not take the position now.
        """
        owned = self.owned[source]
        part = TopicPartition(source.topic, source.partition, owned.position)
        try:
            # Placed before it is resumed, so that nothing is asked for at an old place. And placed once more:
            # a seek wakes the client's thread, which by itself looks only once a second for what it may
            # fetch, and a resume does not.
            self._consumer.seek(part)
            self._consumer.resume([part])
            self._consumer.seek(part)
        except KafkaException as error:
            self._consumer.pause([part])
            raise WaitAndRetry(f"{source.topic}:{source.partition}: {error.args[0].name()}") from error
        owned.stage, owned.given_to = Stage.READY, owned.position

    def advance(self, positions: Mapping[InputPartition, int], applied: Applied) -> None:
        """These offsets are committed with that beside them."""
        for source, offset in positions.items():
            if source in self.owned:
                self.owned[source].position = offset
                self.owned[source].applied = applied

    def serve(self) -> None:
        """Let the group rebalance while all partitions are paused.

        Raises:
            StopInstance: see ``collect``.
        """
        for error in self._consumer.fetch({}, _AT_ONCE, _SERVED_BYTES)[1]:
            self._note(error)

    def collect(self, max_records: int, max_bytes: int) -> Batch:
        """What is already here, without waiting: up to that many records and, nearly, bytes.

        No record is given twice before the partition goes on anew: librdkafka may begin to read it from its
        first record again by itself, where the answer to an older question for that comes after a seek.

        Raises:
            StopInstance: fenced, or a position is no longer in the log.
        """
        if self._woken is not None:
            self._woken.clear()
        positions = {source: self.owned[source].given_to for source in self.in_stage(Stage.READY)}
        found, errors = self._consumer.fetch(positions, max_records, max_bytes)
        if self._unproven:
            self.gave(InputPartition(records.topic, records.partition) for records in found)
        for error in errors:
            self._note(error)
        # A rebalance in the middle may have taken away what was fetched before it.
        due = self.due(found)
        for records in due:
            owned = self.owned[InputPartition(records.topic, records.partition)]
            owned.given_to = records[-1].offset + 1
        return due

    def gave(self, sources: Iterable[InputPartition]) -> None:
        """Kafka has answered a fetch of these; once it has of all that are ours, the problem is over.

        Not before: an error is told once, however long it lasts, and does not say whom it concerns.
        """
        if self._unproven:
            self._unproven.difference_update(sources)
            self.problem = self.problem if self._unproven else None

    def due(self, batch: Batch) -> Batch:
        """Those of the records whose partition is still to be decided from them on."""
        return [
            records for records in batch if self._is_due(InputPartition(records.topic, records.partition))
        ]

    async def wait(self, seconds: float) -> None:
        """Until something has come since the last ``collect``, but not for longer than that."""
        if self._consumer.wake_fd is None:
            await asyncio.sleep(seconds)
            return
        if self._woken is None:
            self._woken = asyncio.Event()
            asyncio.get_running_loop().add_reader(self._consumer.wake_fd, self._wake)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), seconds)

    async def committed(
        self, sources: Iterable[InputPartition]
    ) -> dict[InputPartition, tuple[int | None, Applied]]:
        """The stable committed offset (None where there is none) and what was applied before it.

        Raises:
            WaitAndRetry: Kafka does not say, or a transaction over these offsets is undecided.
        """
        wanted = [TopicPartition(source.topic, source.partition) for source in sources]
        try:
            found = await asyncio.to_thread(lambda: self._consumer.committed(wanted, timeout=5.0))
        except KafkaException as error:
            raise WaitAndRetry(f"committed offsets: {error.args[0].name()}") from error
        answer: dict[InputPartition, tuple[int | None, Applied]] = {}
        for part in found:
            if part.error is not None:
                raise WaitAndRetry(f"committed offset of {part.topic}:{part.partition}: {part.error.name()}")
            offset = None if part.offset == OFFSET_INVALID else part.offset
            source = InputPartition(TopicName(part.topic), part.partition)
            answer[source] = (offset, read_applied(part.metadata))
        return answer

    def group_metadata(self) -> Any:
        """Member and generation, by which the coordinator knows whether the partitions are still ours."""
        return self._consumer.consumer_group_metadata()

    def lags(self) -> dict[InputPartition, int]:
        """How far each partition of ours is behind its end, as the last fetch or ``note_end`` told it."""
        found = {}
        for source, owned in self.owned.items():
            fetched = self._consumer.end_of(TopicPartition(source.topic, source.partition))
            end = max(fetched, self._ends.get(source, fetched))
            if end >= 0 and owned.stage is not Stage.FRESH:
                found[source] = max(0, end - owned.position)
        return found

    def note_end(self, source: InputPartition, end: int) -> None:
        """The end of a partition that fetches nothing now."""
        self._ends[source] = end

    async def close(self) -> None:
        """Leave the group, so that its partitions move at once, then the data path.

        A member with a static id does not leave by closing: it would keep its partitions until its session
        ends. It does by giving up what it subscribes to.
        """
        if self._topics:
            self._consumer.unsubscribe()
            deadline = time.monotonic() + _LEAVE_SECONDS
            while self.owned and time.monotonic() < deadline:
                self._consumer.fetch({}, _AT_ONCE, _SERVED_BYTES)
                await asyncio.sleep(_LEAVE_STEP_SECONDS)
        if self._woken is not None and self._consumer.wake_fd is not None:
            asyncio.get_running_loop().remove_reader(self._consumer.wake_fd)
        await asyncio.to_thread(self._consumer.close)

    def _wake(self) -> None:
        if self._woken is not None and self._consumer.wake_fd is not None:
            os.read(self._consumer.wake_fd, _WAKE_BYTES)
            self._woken.set()

    def _lay_by(self, sources: list[InputPartition], stage: Stage) -> None:
        if sources:
            self._consumer.pause([TopicPartition(source.topic, source.partition) for source in sources])
        for source in sources:
            self.owned[source].stage = stage

    def _is_due(self, source: InputPartition) -> bool:
        owned = self.owned.get(source)
        return owned is not None and owned.stage is Stage.READY

    def _assigned(self, _consumer: Any, parts: list[TopicPartition]) -> None:
        self._consumer.incremental_assign(
            [TopicPartition(part.topic, part.partition, OFFSET_BEGINNING) for part in parts]
        )
        if parts:
            self._consumer.pause(parts)
        for part in parts:
            self.owned[InputPartition(TopicName(part.topic), part.partition)] = Owned()
        self.joined, self.problem = True, None
        self._unproven.clear()
        _log.info("assigned %d partitions, %d owned", len(parts), len(self.owned))

    def _revoked(self, _consumer: Any, parts: list[TopicPartition]) -> None:
        for part in parts:
            source = InputPartition(TopicName(part.topic), part.partition)
            owned = self.owned.pop(source, None)
            self._ends.pop(source, None)
            self._unproven.discard(source)
            if owned is not None and owned.stage is not Stage.FRESH:
                self._on_revoked(source)
        _log.info("revoked %d partitions, %d owned", len(parts), len(self.owned))

    def _note(self, error: Any) -> None:
        if error.fatal() or error.code() in _FATAL:
            raise StopInstance(
                ExitCode.FENCED, f"the group does not know this instance any more: {error.name()}"
            )
        if error.code() in _LOST:
            raise StopInstance(ExitCode.POSITION_LOST, f"a position is no longer in the log: {error.str()}")
        self.problem = f"{time.strftime('%H:%M:%S')} {error.name()}: {error.str()}"
        self._unproven = set(self.owned)
        _log.warning("input: %s", error.str())
