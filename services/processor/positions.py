"""Finds out from where on new partitions are decided: committed offset, bounds of the log, state."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from services.processor.applied import Applied
from services.processor.consumer import GroupInput, Owned, Stage
from services.processor.contract import InputPartition, Processor
from services.processor.errors import ExitCode, StopInstance, WaitAndRetry
from services.processor.partition_reader import PartitionReader

_log = logging.getLogger(__name__)

_SERVE_SECONDS: Final = 0.05
_LOOK_SECONDS: Final = 1.0
_WORTH_TELLING_SECONDS: Final = 1.0
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a partition goes on, under which policy it was decided so far, and what is remembered of it."""

    position: int
    applied: Applied
    state: dict[bytes, bytes] | None


class Positions:
    """Positions what the group gave us; while Kafka is asked, the group is served.

    A rebalance that waits for one member stops all of them: a member that is busy with reading must answer.
    """

    def __init__(
        self,
        group_input: GroupInput,
        reader: PartitionReader,
        processor: Processor,
        report: Callable[[], None] = lambda: None,
    ) -> None:
        """``report`` is called after each time that the group was served: who reads for long is alive."""
        self._input = group_input
        self._report = report
        self._reader = reader
        self._processor = processor

    async def look_at_ends(self) -> None:
        """Ask where partitions end that are paused: they fetch nothing, and their lag would stand still."""
        paused = [source for source, owned in self._input.owned.items() if owned.stage is not Stage.READY]
        with suppress(TimeoutError, WaitAndRetry):
            async with asyncio.timeout(_LOOK_SECONDS):
                for source in paused:
                    _, end = await self._reader.bounds(source)
                    if source in self._input.owned:
                        self._input.note_end(source, end)

    async def take(self, policy_version: int) -> bool:
        """Position and load every fresh partition; says whether there was one.

        Raises:
            WaitAndRetry: Kafka does not say, or a partition was decided under a policy that we do not know.
            StopInstance: a position is no longer in the log.
        """
        fresh = {source: self._input.owned[source] for source in self._input.in_stage(Stage.FRESH)}
        if not fresh:
            return False
        begin = time.monotonic()
        committed = await self.meanwhile(self._input.committed(fresh))
        asked = time.monotonic()
        found = await self.meanwhile(self._look_up(committed, policy_version))
        for source, place in found.items():
            # A rebalance meanwhile may have taken it away, and even given it back.
            if self._input.owned.get(source) is fresh[source]:
                self._put(source, fresh[source], place)
        _tell(len(fresh), asked - begin, time.monotonic() - asked)
        return True

    async def meanwhile(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Suspend every partition and serve the group until the work is done; no transaction may be open.

        Raises:
            StopInstance: see ``GroupInput.serve``.
        """
        self._input.suspend()
        task = asyncio.ensure_future(work)
        try:
            while not (await asyncio.wait([task], timeout=_SERVE_SECONDS))[0]:
                if self._input.topics:
                    self._input.serve()
                self._report()
            return task.result()
        finally:
            task.cancel()

    async def _look_up(
        self, committed: Mapping[InputPartition, tuple[int | None, Applied]], policy_version: int
    ) -> dict[InputPartition, _Place]:
        """All at once: most of it is waiting."""
        asked = (self._place(source, *found, policy_version) for source, found in committed.items())
        places = await asyncio.gather(*asked, return_exceptions=True)
        return dict(zip(committed, _all_there(places), strict=True))

    async def _place(
        self, source: InputPartition, committed: int | None, applied: Applied, policy_version: int
    ) -> _Place:
        low, high = await self._reader.bounds(source)
        if committed is not None and not low <= committed <= high:
            raise StopInstance(
                ExitCode.POSITION_LOST,
                f"{source.topic}:{source.partition}: offset {committed} is committed but the log holds "
                f"{low} to {high}; nothing is skipped by itself, an operator must decide",
            )
        if applied.newest > policy_version:
            raise WaitAndRetry(
                f"{source.topic}:{source.partition} was decided under policy {applied.newest}, "
                f"this instance knows {policy_version} only"
            )
        state = self._processor.state_partition(source)
        # Taken after the stable committed offset, so it holds all that was written before that offset.
        remembered = None if state is None else await self._reader.last_values(state)
        return _Place(low if committed is None else committed, applied, remembered)

    def _put(self, source: InputPartition, owned: Owned, place: _Place) -> None:
        self._processor.assign(source, place.position)
        owned.position, owned.applied = place.position, place.applied
        if place.state is not None:
            self._processor.load(source, place.state)
        owned.stage = Stage.BEHIND


def _all_there(places: Iterable[_Place | BaseException]) -> list[_Place]:
    found = []
    for place in places:
        if isinstance(place, BaseException):
            raise place
        found.append(place)
    return found


def _tell(partitions: int, stable_after: float, read_after: float) -> None:
    """Who looks for the reason of a slow recovery finds its parts in the log."""
    if stable_after + read_after > _WORTH_TELLING_SECONDS:
        _log.info(
            "positions of %d partitions: stable offsets after %.1f s, bounds and state after %.1f s more",
            partitions,
            stable_after,
            read_after,
        )
