"""One transaction after the other: what is written, what is committed with it, and who is told."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from services.processor.applied import Applied
from services.processor.consumer import GroupInput
from services.processor.contract import InputPartition
from services.processor.health import Health
from services.processor.observation import Observation, Observed
from services.processor.transactions import Transactions
from topics.engine.lanes import Lane


class Writing:
    """Begins and ends transactions; there is never more than one."""

    def __init__(
        self, transactions: Transactions, group_input: GroupInput, health: Health, observation: Observation
    ) -> None:
        self._transactions, self._input = transactions, group_input
        self._health, self._observation = health, observation

    async def begin(
        self,
        portions: Sequence[Iterable[Lane]],
        positions: Mapping[InputPartition, int],
        applied: Applied,
        observed: Observed,
    ) -> "asyncio.Task[float]":
        """Write in a transaction and begin its commit; see ``Commit.task``."""
        self._transactions.begin()
        self._health.transaction_since = time.monotonic()
        with observed.stage("produce"):
            await self._transactions.write(portions, observed.traceparent)
        task = asyncio.create_task(self._end(positions, applied, self._input.group_metadata(), observed))
        # It is under way before anything else has the loop.
        await asyncio.sleep(0)
        return task

    async def whole(
        self,
        portions: Sequence[Iterable[Lane]],
        positions: Mapping[InputPartition, int],
        applied: Applied,
    ) -> None:
        """Write and commit, beside any batch; a portion begins when those before it are accepted."""
        await (await self.begin(portions, positions, applied, self._observation.beside()))

    async def _end(
        self, positions: Mapping[InputPartition, int], applied: Applied, group: Any, observed: Observed
    ) -> float:
        began = self._health.transaction_since or time.monotonic()
        with observed.stage("commit"):
            await self._transactions.commit(positions, applied, group)
        self._health.transaction_since = None
        self._observation.metrics.counts["transactions"] += 1
        self._input.advance(positions, applied)
        return time.monotonic() - began
