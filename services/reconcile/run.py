"""One reconciliation from the cut to the answer."""

import multiprocessing
import resource as machine
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Final

import psycopg2

from producers.connector import slot_name
from services.control.access import CaptureSource
from services.gate.plan import SourcePlan
from services.ledger.counts import Place
from services.ledger.quarantine import read_quarantine
from services.reconcile.bus import BusReader, NotSettled
from services.reconcile.canonical import CanonicalReader
from services.reconcile.compare import Compared, Kind, compare, of_topic
from services.reconcile.cut import Connection, Cut, confirmed, connect, mark, open_cut
from services.reconcile.differing import Kept, Looking, Shown, Why, condition, ranges_of
from services.reconcile.report import Answer, SinkAnswer, timeliness
from services.reconcile.scan import PROGRESS, Scan, Scanned, SourceTable, form_of, scan, together, values_of
from services.reconcile.sink import GrantTopic, SinkTable, compare_sink
from services.reconcile.spill import Entry, Spill, ranges_for, read_range
from services.reconcile.stopped import StoppedRow, stopped_at_cut
from services.reconcile.values import Unreadable
from services.reconcile.window import LOOK_BACK_MS, Behind, find_behind
from topics.event import KafkaRecord, Record, RecordId, TopicName
from topics.names import GATE_GROUP, sink_group, stopped_keys
from topics.policy import Policy, ResourcePolicy
from topics.quality.declaration import WITHIN_SECONDS

MOST_REPAIRED: Final = 10_000
"""Beyond so many rows a repair brings the whole table."""
SCANNERS: Final = 2
"""Processes that read the source: what a row takes is its judging, more than its reading."""
_EXPLAINABLE: Final = (Kind.LOST, Kind.DIFFERENT, Kind.EXTRA)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for.

    Args:
        shown: how many differences are told one by one.
        wait_s: how long capture, gate and sinks may take to come as far as the cut.
        reveal: whether the values of the rows that are told are told as well.
    """

    shown: int = 20
    wait_s: float = 60.0
    reveal: bool = False


@dataclass(frozen=True, slots=True)
class SinkSide:
    """A sink's table, and the grant topic that it copies."""

    table: SinkTable
    topic: TopicName


@dataclass(frozen=True, slots=True)
class Found:
    """The answer, and what a repair has to bring.

    Args:
        where: the rows that differ as a condition of SQL; None where they cannot be named, or are too many.
        ranges: the filter of an epoch that brings them, over ranges of hashes; empty for the whole table.
    """

    answer: Answer
    where: str | None
    ranges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A resource that is captured from a table, and where its sides are.

    Args:
        bus: Kafka.
        policy: the newest version.
        entry: the resource in it.
        plan: the same as the gate compiles it.
        source: how its table is read.
        sinks: the tables that keep copies of its grants.
        pseudonym: of a record id.
        say: told of what is going on.
        wish: what is asked for.
        mark: writes a message behind the cut and says how far the log is then.
    """

    bus: BusReader
    policy: Policy
    entry: ResourcePolicy
    plan: SourcePlan
    source: CaptureSource
    sinks: Sequence[SinkSide]
    pseudonym: Callable[[str], str]
    say: Callable[[str], None]
    wish: Wish = Wish()
    mark: Callable[[Connection], str] = mark

    def run(self, now: datetime) -> Found:
        """Compare at one cut.

        Raises:
            NotSettled: capture or gate did not come as far as the cut in time.
            psycopg2.Error: the source cannot be read.
        """
        began = time.monotonic()
        before = self.bus.ends(self.entry.resource.raw_topic)
        with (
            tempfile.TemporaryDirectory(prefix="govbus-reconcile.") as folder,
            open_cut(self.source) as (connection, cut),
        ):
            table = SourceTable(connection, self.plan)
            return _Work(self, Path(folder), cut, table, before).done(now, began)


@dataclass(slots=True)
class _Work:
    """The steps of one run, in their order."""

    of: Reconciliation
    folder: Path
    cut: Cut
    table: SourceTable
    before: Mapping[Place, int]
    sources: list[Path] = field(default_factory=list)
    """The folders that hold the source's rows."""

    def done(self, now: datetime, began: float) -> Found:
        of = self.of
        until = of.bus.clock() + of.wish.wait_s
        topic = of.entry.resource.canonical_topic
        ranges = ranges_for(max(self.table.about(), of.bus.size(topic)))
        with self._scanning(ranges) as scanning:
            settling = time.monotonic()
            behind = self._settled(until)
            waited_s = time.monotonic() - settling
            reader, spill = self._reader(behind), Spill(self.folder / "canonical", ranges)
            self._read_canonical(reader, spill)
            of.say("waiting for the rest of the source")
            scanned = together(each.result() for each in scanning)
        stopped = self._stopped(behind)
        compared, kept = self._compared(spill, scanned, stopped)
        shown = self._with_reasons(self._looking(reader, stopped).looked(kept.shown))
        sinks = tuple(self._sink(side, ranges) for side in of.sinks)
        where = condition(self.table, kept.ids) if kept.ids and not kept.too_many else None
        answer = self._answer(now, began, waited_s, behind, reader, scanned, compared, kept, shown, sinks)
        repair = () if kept.too_many else ranges_of(self.table.primary_key, kept.ids)
        return Found(answer, where, repair)

    @contextmanager
    def _scanning(self, ranges: int) -> Iterator[Sequence["Future[Scanned]"]]:
        """The source is read in processes of their own, which see the same snapshot."""
        of, parts = self.of, self.table.parts(SCANNERS)
        policy, resource = of.policy.model_dump_json(by_alias=True), of.entry.resource.id
        with ProcessPoolExecutor(len(parts), multiprocessing.get_context("spawn")) as pool:
            jobs = []
            for number, part in enumerate(parts):
                folder = self.folder / f"source.{number}"
                folder.mkdir()
                self.sources.append(folder)
                token, at_ms = self.cut.token, self.cut.at_ms
                job = Scan(of.source, token, policy, resource, folder, ranges, at_ms, part)
                jobs.append(pool.submit(scan, job))
            yield jobs

    def _source_range(self, at: int) -> Iterator[Entry]:
        return chain.from_iterable(read_range(folder, at) for folder in self.sources)

    def _rows_read(self) -> int:
        told = (folder / PROGRESS for folder in self.sources)
        return sum(int(path.read_text(encoding="ascii") or 0) for path in told if path.exists())

    def _settled(self, until: float) -> Behind:
        """Wait until whatever the cut sees is in the canonical topic; what lies behind it."""
        of, resource = self.of, self.of.entry.resource
        with closing(connect(of.source)) as connection:
            connection.autocommit = True
            position = of.mark(connection)
            of.say(f"waiting for the capture to confirm {position}")
            slot = slot_name(resource.provider)
            of.bus.wait(
                lambda: _confirmed(connection, slot, position),
                until,
                f"the capture of {resource.provider} has not confirmed {position}",
            )
        ends = of.bus.ends(resource.raw_topic)
        of.say("waiting for the gate")
        of.bus.await_group(GATE_GROUP, ends, resource.raw_topic, until)
        of.bus.await_readable(resource.canonical_topic, until)
        around = of.bus.around(ends, self.cut.at_ms)
        decoder, seen = of.bus.lookup.decoder, self.cut.visibility
        return find_behind(around, decoder, seen, self.before, ends, of.plan.primary_key)

    def _reader(self, behind: Behind) -> CanonicalReader:
        entry, form = self.of.entry, form_of(self.of.entry, self.of.plan)
        values = values_of(entry, form, self.of.bus.lookup.schemas)
        allowed_ms = WITHIN_SECONDS[entry.resource.update_cycle] * 1000
        return CanonicalReader(values, entry.resource.raw_topic, behind, allowed_ms)

    def _read_canonical(self, reader: CanonicalReader, spill: Spill) -> None:
        topic = self.of.entry.resource.canonical_topic

        def told(count: int) -> None:
            self.of.say(f"read: {count} records of {topic}, {self._rows_read()} rows of the source")

        reader.read(self.of.bus.whole(topic), spill, told)

    def _stopped(self, behind: Behind) -> dict[RecordId, StoppedRow]:
        topic = stopped_keys(self.of.entry.resource.raw_topic)
        since = self.cut.at_ms - LOOK_BACK_MS
        records, decoder = self.of.bus.whole(topic), self.of.bus.lookup.decoder
        return stopped_at_cut(records, decoder, behind, self.of.plan.primary_key, since)

    def _compared(
        self, canonical: Spill, scanned: Scanned, stopped: Mapping[RecordId, StoppedRow]
    ) -> tuple[Compared, Kept]:
        compared, kept = Compared(), Kept(self.of.wish.shown, MOST_REPAIRED)
        for each in compare(
            canonical.ranges,
            self._source_range,
            scanned.totals,
            of_topic(canonical),
            compared,
            table_is_right=True,
        ):
            stops = each.kind in _EXPLAINABLE and RecordId(each.id) in stopped
            kept.add(each, Why.STOPPED if stops else None)
        return compared, kept

    def _looking(self, reader: CanonicalReader, stopped: Mapping[RecordId, StoppedRow]) -> Looking:
        of = self.of
        return Looking(
            self.table,
            of.plan,
            form_of(of.entry, of.plan),
            self.cut.at_ms,
            stopped,
            lambda partition, offset: self._state_at(reader, partition, offset),
            of.pseudonym,
            of.wish.reveal,
        )

    def _state_at(self, reader: CanonicalReader, partition: int, offset: int) -> Record | None:
        place = Place(self.of.entry.resource.canonical_topic, partition)
        found: KafkaRecord | None = next(
            iter(self.of.bus.lookup.reader.read(place, offset, offset + 1)), None
        )
        if found is None or found.value is None:
            return None
        try:
            state: Record | None = reader.values.envelope(found.value, found.coordinates)["state"]
        except Unreadable:
            return None
        return state

    def _with_reasons(self, shown: Sequence[Shown]) -> tuple[Shown, ...]:
        """Why stopped rows were stopped, as their quarantine has it."""
        wanted = {each.raw for each in shown if each.raw is not None}
        if not wanted:
            return tuple(shown)
        entries = read_quarantine(self.of.bus.lookup, self.of.entry.resource.provider)
        reasons = {each.raw.coordinates: each.reason for each in entries if each.raw.coordinates in wanted}
        return tuple(
            each if each.raw is None else replace(each, reason=reasons.get(each.raw, each.reason))
            for each in shown
        )

    def _sink(self, side: SinkSide, ranges: int) -> SinkAnswer:
        of, table, topic = self.of, side.table, side.topic
        name = f"{table.target.schema}.{table.target.table}"
        of.say(f"comparing {name} with {topic}")
        compared, kept = Compared(), Kept(of.wish.shown, 0)
        asked = GrantTopic(
            lambda: self._sink_committed(table, topic),
            lambda: of.bus.whole(topic),
        )
        try:
            folder = self.folder / table.grant
            found = compare_sink(table, asked, of.bus.lookup.decoder, folder, ranges, compared)
            for each in found:
                kept.add(each, None)
        except (psycopg2.Error, NotSettled) as error:
            what = str(error) if isinstance(error, NotSettled) else f"cannot be read: {type(error).__name__}"
            return SinkAnswer(table.grant, name, None, None, trouble=what)
        pseudonym = of.pseudonym
        shown = tuple(
            Shown(
                each.kind,
                pseudonym(each.id),
                canonical=tuple(f"{topic}:{partition}:{offset}" for partition, offset in each.at),
                record_id=each.id if of.wish.reveal else None,
            )
            for each in kept.shown
        )
        return SinkAnswer(table.grant, name, compared, kept, shown)

    def _sink_committed(self, table: SinkTable, topic: TopicName) -> Mapping[Place, int]:
        """How far the sink has committed, once that is as far as the topic goes now."""
        bus, group = self.of.bus, sink_group(table.grant)
        ends = bus.ends(topic)
        bus.await_group(group, ends, topic, bus.clock() + self.of.wish.wait_s)
        return bus.committed(group, topic)

    def _answer(
        self,
        now: datetime,
        began: float,
        waited_s: float,
        behind: Behind,
        reader: CanonicalReader,
        scanned: Scanned,
        compared: Compared,
        kept: Kept,
        shown: tuple[Shown, ...],
        sinks: tuple[SinkAnswer, ...],
    ) -> Answer:
        resource = self.of.entry.resource
        cycle, allowed = resource.update_cycle, WITHIN_SECONDS[resource.update_cycle]
        return Answer(
            resource=resource.id,
            provider=resource.provider,
            at=now,
            cut=self.cut,
            compared=compared,
            kept=kept,
            shown=shown,
            not_compared=self.of.plan.not_ours,
            stopped_rows=scanned.stopped,
            behind=len(behind.offsets),
            waited_s=waited_s,
            snapshot_rows=behind.snapshot_rows,
            timeliness=timeliness(cycle.value, allowed, reader.delays, self.cut.at_ms),
            sinks=sinks,
            seconds=time.monotonic() - began,
            peak_mb=_peak_mb(),
        )


def _confirmed(connection: Connection, slot: str, position: str) -> bool:
    found = confirmed(connection, slot, position)
    if found is None:
        raise NotSettled(f"there is no replication slot {slot}: changes of the source are being lost")
    return found


def _peak_mb() -> float:
    """The largest of the two processes in memory so far."""
    both = (machine.RUSAGE_SELF, machine.RUSAGE_CHILDREN)
    return max(machine.getrusage(which).ru_maxrss for which in both) / 1024
