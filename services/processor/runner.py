"""Runs a processor: policy, assignment, batches and transactions, in numbered steps, in one event loop."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from services.processor.acknowledgement import acknowledgement
from services.processor.applied import Applied
from services.processor.attempts import AttemptLog
from services.processor.catch_up_deaths import CatchUpDeaths
from services.processor.catching_up import CatchUps
from services.processor.commit import Commit
from services.processor.consumer import GroupInput, Stage
from services.processor.contract import Batch, InputPartition, next_offsets, size_of
from services.processor.decisions import Decisions
from services.processor.errors import (
    AbortTransaction,
    RecreateProducer,
    StopInstance,
    WaitAndRetry,
)
from services.processor.health import Health
from services.processor.needs import Needs
from services.processor.observation import Observation
from services.processor.partition_reader import PartitionReader
from services.processor.policy_reader import PolicyReader
from services.processor.positions import Positions
from services.processor.schema_source import SchemaSource
from services.processor.settings import ProcessorSettings
from services.processor.suspects import Suspects
from services.processor.transactions import Transactions
from services.processor.turns import in_turns
from services.processor.writing import Writing
from topics.engine.lanes import into_lanes
from topics.policy import Policy

_log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 1.0
_BATCHES_A_TURN: Final = 4
_LONGEST_TURN_SECONDS: Final = 2.0
"""After this no further batch of a turn is begun: the group wants to be served."""


class Runner:
    """Everything that waits around one ``Processor``; nothing here looks into a record.

    A turn takes several batches. Each is decided while the transaction of the one before it is being
    committed; there is never more than one transaction. Rebalances and policies wait until the turn is over.
    """

    def __init__(
        self,
        decisions: Decisions,
        settings: ProcessorSettings,
        *,
        make_input: Callable[[Callable[[InputPartition], None]], GroupInput],
        transactions: Transactions,
        reader: PartitionReader,
        policy: PolicyReader,
        schemas: SchemaSource,
        health: Health,
        observation: Observation,
        catch_up_attempts: AttemptLog,
        may_decide: Callable[[Policy], bool] = lambda _: True,
    ) -> None:
        self._processor = processor = decisions.processor
        self._settings = settings
        self._input = make_input(self._revoked)
        self._transactions = transactions
        self._positions = Positions(self._input, reader, processor, self._report)
        self._policy_reader = policy
        self._may_decide = may_decide
        self._needs = Needs(processor, schemas, self._input, health)
        self._health = health
        self._observation = observation
        self._metrics = observation.metrics
        self._writing = Writing(transactions, self._input, health, observation)
        self._catch_ups = CatchUps(
            self._input,
            processor,
            settings,
            reader=reader,
            schemas=schemas,
            metrics=observation.metrics,
            health=health,
            deaths=CatchUpDeaths(processor, catch_up_attempts, observation.metrics),
            write=self._writing.whole,
        )
        self._policy: Policy | None = None
        self._to_acknowledge = False
        self._decisions = decisions
        self._commit: Commit | None = None
        self._suspects = Suspects(decisions, self._input, self._metrics)
        self._pause = 0.0
        self._not_before = 0.0

    # --- one turn of the transport ------------------------------------------------------------------------

    async def next_batches(self) -> Sequence[Batch]:
        """Begin a turn: everything that is due between transactions, then the next batches, if any.

        Raises:
            StopInstance: this instance may not go on.
        """
        batches: list[Batch] = []

        async def turn() -> None:
            batches.extend(await self._turn())

        await self._guarded(turn())
        self._report()
        return batches

    async def wait(self, seconds: float) -> None:
        """Until records may be here, but not for longer than that."""
        if not await self._catch_ups.wait(seconds):
            await self._input.wait(seconds)

    async def _turn(self) -> Sequence[Batch]:
        # 1. The policy first: without one, or with one that cannot be read, nothing is decided.
        if not await self._adopt_policy():
            return self._serve()
        # 2. After a failure, wait; the group is served meanwhile.
        if time.monotonic() < self._not_before:
            await self._acknowledge()
            return self._serve()
        # 3. A producer, initialised: whatever an older one with our id left open is aborted.
        if not self._transactions.usable:
            await self._open()
            # Who withdraws a grant fences the producer of a silent instance, and then nothing more may come.
            # This one may be opened after that: it decides by what the policy says from now on.
            self._policy_reader.read_again()
            if not await self._adopt_policy():
                return self._serve()
        # 4. What the last batch lacked.
        await self._needs.lacking()
        # 5. Position and load new partitions, deliver a slice of what grants lack, fetch what lacks nothing.
        await self._prepare()
        # 6. The acknowledgement: no transaction is open, all is decided under this policy from now on.
        await self._acknowledge()
        self._health.problems.pop("waiting", None)
        # 7. The batches.
        with self._observation.fetching():
            batches = self._collect()
        if not batches and not self._input.in_stage(Stage.FRESH):
            # The producer is open and nothing is left that it failed to write: nobody waits for it.
            self._health.problems.pop("transaction", None)
        return batches

    def _collect(self) -> Sequence[Batch]:
        most = self._decisions.limit.value
        batches: list[Batch] = []
        while len(batches) < _BATCHES_A_TURN:
            batch = self._input.collect(most, self._settings.batch_bytes)
            if not batch:
                break
            batches.append(batch)
            if size_of(batch) <= most // 2:
                break
        return batches

    async def _open(self) -> None:
        begin = time.monotonic()
        await self._positions.meanwhile(self._transactions.open())
        _log.info("the producer is initialised after %.1f s", time.monotonic() - begin)

    def _serve(self) -> Sequence[Batch]:
        self._input.suspend()
        if self._input.topics:
            self._input.serve()
        return []

    async def _adopt_policy(self) -> bool:
        reader = self._policy_reader
        self._health.tell("policy", reader.blocked or (None if self._policy else reader.problem))
        if reader.blocked is not None or not reader.caught_up or reader.newest is None:
            return False
        if self._policy is None or reader.newest.version > self._policy.version:
            newest = reader.newest
            await self._positions.meanwhile(in_turns(self._processor.adopt_in_steps(newest)))
            self._policy = newest
            self._decisions.limit.begin()
            self._catch_ups.adopted()
            self._input.subscribe(self._processor.topics())
            self._to_acknowledge = True
            _log.info("policy version %d adopted", self._policy.version)
        return self._may_decide(self._policy)

    def _revoked(self, source: InputPartition) -> None:
        self._processor.revoke(source)
        self._decisions.revoked(source)

    # --- assignment ---------------------------------------------------------------------------------------

    async def _prepare(self) -> None:
        if self._policy is not None and await self._positions.take(self._policy.version):
            self._to_acknowledge = True
            self._suspects.positioned()
        lacking = []
        for source in self._input.in_stage(Stage.BEHIND):
            if self._catch_ups.due(source):
                lacking.append(source)
            else:
                self._input.resume(source)
        # One slice of one partition a turn: all the others go on.
        if lacking and self._policy is not None:
            await self._catch_ups.deliver(lacking, self._policy.version)
        else:
            self._catch_ups.cancel()

    # --- the batches of a turn ----------------------------------------------------------------------------

    async def process(self, batches: Sequence[Batch]) -> None:
        """Decide and commit a turn's batches; on any doubt rewind, so that the records come again.

        Raises:
            StopInstance: this instance may not go on.
        """
        began = time.monotonic()
        for batch in batches:
            if self._turn_is_over(began):
                # What was fetched and not begun comes again from its position.
                self._input.suspend()
            # Nor is anything decided after records that were held or given back.
            due = self._input.due(batch)
            if due:
                await self._guarded(self._decide(due))
        await self._guarded(self._settle())
        self._report()

    def _turn_is_over(self, began: float) -> bool:
        reader, adopted = self._policy_reader, self._policy
        newer = adopted is None or reader.newest is None or reader.newest.version > adopted.version
        return newer or reader.blocked is not None or time.monotonic() - began > _LONGEST_TURN_SECONDS

    async def _guarded(self, step: Awaitable[None]) -> None:
        """A step, and what its failure asks for."""
        try:
            await step
        except WaitAndRetry as error:
            # Nothing was decided: keep the place, ask again later, lose nothing.
            self._input.suspend()
            self._wait("waiting", str(error))
        except AbortTransaction as error:
            await self._rewind("transaction", str(error))
        except RecreateProducer as error:
            await self._recreate(str(error))

    async def _decide(self, batch: Batch) -> None:
        """Decide one batch and leave it at the beginning of its commit."""
        observed = self._observation.batch(batch)
        try:
            # 1. The writer schemas.
            batch, schemas = await self._needs.met(batch)
            # 2. What the process died over before is tried in a child first; its partition waits.
            batch = self._suspects.held_back(batch, schemas)
            for portion in self._decisions.portions(batch):
                # 3. The decisions.
                with observed.stage("decide"):
                    result = await self._decisions.decide(portion, schemas)
                await asyncio.sleep(0)
                # 4. The transaction before this one.
                await self._settle()
                if result is None:
                    return await self._rewind("defect", None)
                # 5. One transaction: outputs, ledger blocks, input offsets.
                with self._decisions.told_of_refusals(portion):
                    task = await self._writing.begin(
                        [result.lanes], next_offsets(portion), self._applied(), observed
                    )
                outputs = sum(map(len, result.lanes))
                self._commit = Commit(task, portion, outputs, result.outcomes, observed)
                # Its bytes are the client's now.
                del result
        finally:
            if self._commit is not None and self._commit.observed is observed:
                self._commit.is_last = True
            else:
                observed.end()

    async def _settle(self) -> None:
        """Wait until what is being committed is so, if anything is."""
        commit, self._commit = self._commit, None
        if commit is None:
            return
        try:
            with self._decisions.told_of_refusals(commit.portion):
                seconds = await commit.task
            commit.observed.committed(size_of(commit.portion), seconds)
            self._done(commit)
        finally:
            if commit.is_last:
                commit.observed.end()

    def _done(self, commit: Commit) -> None:
        self._decisions.done(commit.portion)
        self._pause = 0.0
        self._health.problems.pop("transaction", None)
        self._health.problems.pop("defect", None)
        self._metrics.counts["records"] += size_of(commit.portion)
        self._metrics.counts["outputs"] += commit.outputs
        self._metrics.outcomes.update(commit.outcomes)

    # --- transactions -------------------------------------------------------------------------------------

    def _applied(self) -> Applied:
        if self._policy is None:
            raise WaitAndRetry("no policy is adopted")
        return Applied(self._policy.version)

    async def _acknowledge(self) -> None:
        unpositioned = self._input.in_stage(Stage.FRESH)
        if not self._to_acknowledge or self._policy is None or unpositioned or not self._transactions.usable:
            return
        positions = {source: owned.position for source, owned in self._input.owned.items()}
        record = acknowledgement(self._policy, self._settings, int(time.time() * 1000), positions)
        await self._writing.whole([into_lanes([record])], {}, self._applied())
        self._to_acknowledge = False
        self._health.acknowledged_version = self._policy.version
        _log.info("policy version %d acknowledged for %d partitions", self._policy.version, len(positions))

    async def _rewind(self, part: str, problem: str | None) -> None:
        """Abort what is open; forget what was decided since the committed offsets; take them again."""
        self._metrics.counts["rewinds"] += 1
        if problem is not None:
            _log.warning("%s: abort and rewind: %s", part, problem)
            self._wait(part, problem)
        try:
            await self._transactions.abort()
        except RecreateProducer as error:
            return await self._recreate(str(error))
        self._forget()
        return None

    async def _recreate(self, problem: str) -> None:
        _log.warning("the producer is closed and made anew: %s", problem)
        self._metrics.counts["producers_recreated"] += 1
        if self._transactions.opened_at is not None:
            self._decisions.limit.late()
        self._transactions.close()
        self._wait("transaction", problem)
        self._forget()

    def _forget(self) -> None:
        self._health.transaction_since = None
        for source, owned in self._input.owned.items():
            if owned.stage is not Stage.FRESH:
                self._processor.revoke(source)
        self._input.forget_positions()

    def _wait(self, part: str, problem: str) -> None:
        self._health.tell(part, problem)
        self._pause = min(_LONGEST_PAUSE_SECONDS, max(_FIRST_PAUSE_SECONDS, self._pause * 2))
        self._not_before = time.monotonic() + self._pause

    def _report(self) -> None:
        health = self._health
        health.turn()
        health.producer_open = self._transactions.usable
        health.joined = self._input.joined
        health.topics = len(self._input.topics)
        health.partitions = len(self._input.owned)
        health.paused_are(
            f"{source.topic}:{source.partition}"
            for source, owned in self._input.owned.items()
            if owned.stage is not Stage.READY
        )
        health.adopted_version = self._policy.version if self._policy else None
        health.tell("input", self._input.problem, logged=True)

    def lags(self) -> dict[InputPartition, int]:
        """Records between the next to be decided and the end, as far as this instance knows the end."""
        return self._input.lags()

    async def look_at_ends(self) -> None:
        """Ask where paused partitions end; see ``Positions.look_at_ends``."""
        await self._positions.look_at_ends()

    async def close(self) -> None:
        """End what is open and let go of Kafka; whatever is not committed comes again at the next start."""
        try:
            async with asyncio.timeout(1.5):
                await self._settle()
                await self._transactions.abort()
        except (TimeoutError, AbortTransaction, RecreateProducer, StopInstance) as error:
            _log.warning("the open transaction is left to the coordinator: %s", error)
        self._suspects.cancel()
        self._catch_ups.cancel()
        self._transactions.close()
        await self._input.close()
