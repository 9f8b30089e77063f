"""Runs an epoch of a resource from wherever it stands to its end; whoever runs it again goes on with it.

``start_epoch(access, resource, where=(), reason=…, by=…)`` is what everybody calls: the command, a fence that
saw a slot made anew, a reconciliation that repairs by a filter. The journal is ``epochs.<resource>``: BEGIN
holds the offsets and what was asked, so a run that died is gone on with, by anybody, from the topics alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from producers.connect_status import Health
from services.control.access import Access
from services.control.copy_transactions import EpochInterrupted
from services.control.epoch_markers import MarkerKind
from services.control.epochs.acts import Owe, Step, What, nobody
from services.control.epochs.bus import EpochBus
from services.control.epochs.errors import (
    AbortFirst,
    ConfirmShrink,
    CorrectOrder,
    RowsMissed,
    ScanFailed,
    ScanStalled,
    StartAgain,
)
from services.control.epochs.filters import HASHED_TYPES, Filter, cannot_hash
from services.control.epochs.initial import Beginning, beginning
from services.control.epochs.opening import epoch_status as epoch_status
from services.control.epochs.opening import marker_of, open_epochs
from services.control.epochs.patience import MACHINE, Clock, Patience
from services.control.epochs.progress import Phase, Progress
from services.control.epochs.scan import Scan, initial_scan_of, scan_of
from services.control.epochs.scanning import CanonicalScan, RawScan
from services.control.epochs.settings import EpochSettings
from services.control.epochs.state import EpochState, Newest, asked_text, newest_epoch
from services.control.epochs.sweeping import Sweeper
from services.control.epochs.volume import Verdict
from services.control.store.outbox import Fact
from topics.event import ResourceId
from topics.policy import Policy
from topics.resource import CapturedTable

Told = Callable[[Progress], None]
_FILTERED: Final = "filtered"
_ATTEMPTS: Final = 10
"""Debezium reads the first part in the thread that takes the signal; where a change comes at that moment, the
thread that streams reads it too, and the scan ends with an exception or counts the part twice. And a stop
that a connector takes late, because it stood still, ends whatever scans then."""


@dataclass(frozen=True, slots=True)
class Ended:
    """An epoch that is proven whole: what was scanned, seen, swept, and what stands now."""

    resource: ResourceId
    number: int
    rows_scanned: int
    keys_seen: int
    candidates: int
    swept: int
    records: int
    digest: str
    """Of everything that stands on the canonical topic, in hexadecimal."""


def start_epoch(
    access: Access,
    resource: ResourceId,
    where: tuple[str, ...] = (),
    *,
    reason: str,
    by: str,
    initial: bool = False,
    confirm_shrink: bool = False,
    told: Told = lambda _progress: None,
    owe: Owe = nobody,
    settings: EpochSettings | None = None,
    clock: Clock = MACHINE,
) -> Ended:
    """Begin an epoch, or go on with the open one, and return when it has ended.

    Args:
        access: how the bus is reached.
        resource: a captured one.
        where: as ``Filter.parsed`` takes it, over the source's primary key; empty for the whole table.
        reason: why, for the record; no personal data.
        by: who asks.
        initial: prove the snapshot that the connector took by itself instead of asking for another.
        confirm_shrink: an operator has seen the numbers and means it.
        told: is called as it gets on, at least once a second.
        owe: owes the ledger each step; what a large removal owes is owed before anything goes.
        settings: patience and the shrink guard; from the environment if not given.
        clock: what time it is, and how to wait.

    Raises:
        CorrectOrder: the order cannot be carried out as it is.
        AbortFirst: another epoch is open on the resource's capture.
        ScanStalled: it does not get on; the epoch stays open.
        ScanFailed: the connector gave up, or passed over rows; the epoch is aborted.
        ConfirmShrink: the sweep waits for an operator; nothing was swept.
        StartAgain: the topics did not come to rest; the epoch stays open.
        EpochInterrupted: another run or an abort has taken over.
    """
    bus, policy = open_epochs(access, resource)
    settings = settings or EpochSettings.from_environment()
    run = _Run(bus, policy, told, owe, settings, clock, confirmed=confirm_shrink)
    try:
        wanted = Filter.parsed(where, bus.source.primary_key)
    except ValueError as error:
        raise CorrectOrder(str(error)) from error
    _require_hashable(bus, wanted)
    return run.run(wanted, reason, by, initial=initial)


def _require_hashable(bus: EpochBus, wanted: Filter | None) -> None:
    """What the source hashes otherwise than we do would be swept though it is there."""
    if wanted is None or not wanted.hashes:
        return
    columns = cannot_hash(wanted, bus.column_types())
    if columns:
        raise CorrectOrder(
            f"{', '.join(columns)} cannot be filtered by hash: the source does not say that it is of one of "
            f"the types {', '.join(sorted(HASHED_TYPES))}"
        )


def abort_epoch(access: Access, resource: ResourceId, *, by: str, owe: Owe = nobody) -> Newest:
    """Give the open epoch up: tell the connector to stop, end whoever runs it, sweep nothing more.

    What is owed for it is owed as ``start_epoch`` does it.

    Raises:
        CorrectOrder: no epoch is open.
    """
    bus, policy = open_epochs(access, resource)
    newest = newest_epoch(bus.markers(), bus.raw)
    if not newest.is_open:
        raise CorrectOrder(f"no epoch of {resource} is open")
    bus.fence()
    newest = newest_epoch(bus.markers(), bus.raw)
    if newest.is_open:
        stop = {"data-collections": [bus.table], "type": "INCREMENTAL"}
        bus.signal(f"stop.{resource}.{newest.number}", "stop-snapshot", stop)
        bus.mark(marker_of(bus, policy, newest.number, MarkerKind.ABORTED, f"aborted by {by}"))
        owe(Step(What.ABORTED, resource, newest.number, newest.reason))
    return newest_epoch(bus.markers(), bus.raw)


@dataclass(slots=True)
class _Run:
    """One run of one epoch."""

    bus: EpochBus
    policy: Policy
    told: Told
    owe: Owe
    settings: EpochSettings
    clock: Clock
    confirmed: bool
    newest: Newest = field(default_factory=Newest)
    attempt: int = 1
    """Which scan of this epoch is asked for."""

    def run(self, wanted: Filter | None, reason: str, by: str, *, initial: bool) -> Ended:
        where = wanted.texts if wanted is not None else ()
        self._refuse_another(where)
        self.bus.fence()
        self.newest = newest_epoch(self.bus.markers(), self.bus.raw)
        if not self.newest.is_open:
            self._begin(where, reason, by, initial=initial)
        raw = RawScan(self.bus, dict(self.newest.begins))
        scan = self._await_scan(raw)
        while not self._has_all(raw, scan):
            scan = self._scanned_again(raw, scan)
        self._await_gate(raw)
        return self._sweep(raw, scan, wanted)

    def _refuse_another(self, where: tuple[str, ...]) -> None:
        """One at a time on a capture: Debezium merges what is asked of it meanwhile."""
        mine = newest_epoch(self.bus.markers(), self.bus.raw)
        if mine.is_open and mine.where != where:
            asked = " ".join(mine.where) or "the whole table"
            raise AbortFirst(self.bus.resource.id, f"an epoch over {asked} is open")
        for other in self.policy.resources.values():
            resource = other.resource
            is_other = resource.id != self.bus.resource.id and resource.provider == self.bus.provider.id
            if is_other and isinstance(resource.source, CapturedTable):
                found = newest_epoch(self.bus.markers(resource.id), resource.raw_topic)
                if found.is_open:
                    raise AbortFirst(resource.id, f"an epoch of {resource.id}, of the same capture, is open")

    def _begin(self, where: tuple[str, ...], reason: str, by: str, *, initial: bool) -> None:
        """Whatever the raw topic holds already does not count as seen, its transaction ended or not."""
        begun = beginning(self.bus) if initial else Beginning(self.bus.ends(self.bus.raw, stable=False))
        raw: str = self.bus.raw
        offsets = {(raw, partition): offset for partition, offset in begun.offsets.items()}
        detail = asked_text(where, reason, by, initial=initial)
        number = self.newest.number + 1
        self._owe(What.BEGUN, {"filtered": bool(where), "initial": initial}, number=number, reason=reason)
        self._mark(MarkerKind.BEGIN, detail, number=number, at_ms=begun.at_ms, offsets=offsets)
        self.newest = newest_epoch(self.bus.markers(), self.bus.raw)
        if self.newest.number != number:
            raise StartAgain(self.bus.resource.id, f"the begin of epoch {number} cannot be read back")

    def _signal_id(self, attempt: int) -> str:
        first = f"{self.bus.resource.id}.{self.newest.number}"
        return first if attempt == 1 else f"{first}.{attempt}"

    def _ask(self) -> None:
        wanted = Filter.parsed(self.newest.where, self.bus.source.primary_key)
        data: dict[str, object] = {"data-collections": [self.bus.table], "type": "INCREMENTAL"}
        if wanted is not None:
            condition = {"data-collection": self.bus.table, "filter": wanted.condition}
            data["additional-conditions"] = [condition]
        self.bus.signal(self._signal_id(self.attempt), "execute-snapshot", data)

    def _await_scan(self, raw: RawScan) -> Scan:
        """Until the connector says that it has scanned the table; asks again while it has not begun."""
        expected = None if self.newest.where else self.bus.estimated_rows()
        notices, at = self.bus.notifications(0)
        patience = Patience(self.settings.stalled_after_s, self.clock)
        asked: float | None = None
        attempt = 0
        while True:
            scan = self._scan(notices)
            if attempt != self.attempt:
                attempt, asked = self.attempt, None
            if scan.ended is not None:
                return self._succeeded(scan)
            now = self.clock.seconds()
            waited = asked is None or now - asked > self.settings.ask_again_s
            if waited and not scan.began and not self.newest.initial:
                self._ask()
                asked = now
            raw.advance()
            self._tell(Phase.SCANNING if scan.began else Phase.ASKED, raw.came, expected)
            health = self.bus.capture_health() if patience.is_silent else Health.RUNNING
            if patience.is_over((scan.told, raw.came)):
                raise ScanStalled(self.bus.resource.id, self.bus.provider.id, patience.limit_s, health)
            self.clock.sleep(self.settings.look_s)
            more, at = self.bus.notifications(at)
            notices += more

    def _scan(self, notices: list[dict[str, object]]) -> Scan:
        """Of the newest attempt: what ended one scan need not end another."""
        if self.newest.initial:
            return self._initial_scan(notices)
        scan = scan_of(notices, self._signal_id(self.attempt), self.bus.table)
        while scan.may_be_asked_again and self.attempt < _ATTEMPTS:
            self._require_open()
            self.attempt += 1
            scan = scan_of(notices, self._signal_id(self.attempt), self.bus.table)
        return scan

    def _initial_scan(self, notices: list[dict[str, object]]) -> Scan:
        """Of the snapshot that the epoch began with, and no other."""
        scan = initial_scan_of(notices, self.bus.table, self.bus.provider.incarnation)
        if scan.began_ms != self.newest.begin_ms:
            raise self._given_up("the connector has begun its snapshot anew")
        return scan

    def _require_open(self) -> None:
        """An epoch that somebody gave up has ended, and with it its scan."""
        now = newest_epoch(self.bus.markers(), self.bus.raw)
        if not now.is_open or now.number != self.newest.number:
            raise EpochInterrupted(f"epoch {self.newest.number} of {self.bus.resource.id} was given up")

    def _succeeded(self, scan: Scan) -> Scan:
        if scan.failed is None:
            return scan
        raise self._given_up(f"the scan of {self.bus.table} ended with {scan.failed}")

    def _given_up(self, detail: str) -> ScanFailed:
        self._mark(MarkerKind.ABORTED, detail)
        self._owe(What.ABORTED, reason=detail)
        return ScanFailed(self.bus.resource.id, self.bus.provider.id, detail)

    def _has_all(self, raw: RawScan, scan: Scan) -> bool:
        """COMPLETED overtakes rows that are still unread, and a count says when all have come."""
        patience = Patience(self.settings.late_after_s, self.clock)
        while True:
            raw.advance()
            self._tell(Phase.COUNTING, len(raw.seen), scan.rows)
            if len(raw.seen) >= scan.rows:
                return True
            if patience.is_over((len(raw.seen),)):
                return False
            self.clock.sleep(self.settings.look_s)

    def _scanned_again(self, raw: RawScan, scan: Scan) -> Scan:
        """A part that Debezium read twice counts twice, and no more keys will come: another scan tells."""
        if self.newest.initial or self.attempt == _ATTEMPTS:
            what = f"{scan.rows} rows were scanned and {len(raw.seen)} keys came"
            raise StartAgain(self.bus.resource.id, what, self.newest.where)
        self._require_open()
        self.attempt += 1
        return self._await_scan(raw)

    def _await_gate(self, raw: RawScan) -> None:
        patience = Patience(self.settings.stalled_after_s, self.clock)
        while not raw.decided():
            committed = sum(self.bus.committed().values())
            self._tell(Phase.DECIDING, committed, sum(at + 1 for at in raw.last.values()))
            if patience.is_over((committed,)):
                what = "the gate does not get on (`govbus status` says why)"
                raise StartAgain(self.bus.resource.id, what, self.newest.where)
            self.clock.sleep(self.settings.look_s)

    def _sweep(self, raw: RawScan, scan: Scan, wanted: Filter | None) -> Ended:
        standing = CanonicalScan(self.bus, dict(self.newest.begins))
        self._tell(Phase.COMPARING, 0, None)
        standing.advance()
        verdict = standing.judged(raw, wanted)
        if verdict.unseen and verdict.waits(self.settings.shrink_percent):
            self._require_confirmed(verdict)
        sweeper = Sweeper(self.bus, raw, standing, wanted, self._await_gate)
        self._tell(Phase.SWEEPING, 0, len(verdict.unseen))
        try:
            swept = sweeper.sweep(verdict)
        except RowsMissed as error:
            raise self._given_up(str(error)) from error
        counts = {
            "rows_scanned": scan.rows,
            "keys_seen": len(raw.seen),
            "candidates": verdict.candidates,
            "swept": swept,
            "records": standing.records,
            _FILTERED: int(wanted is not None),
        }
        self._end(raw, standing, counts)
        counts.pop(_FILTERED)
        return Ended(self.bus.resource.id, self.newest.number, digest=standing.digest, **counts)

    def _require_confirmed(self, verdict: Verdict) -> None:
        """Who means it stands in the ledger before anything goes."""
        unseen, candidates = len(verdict.unseen), verdict.candidates
        numbers = {"unseen": unseen, "candidates": candidates}
        if self.confirmed:
            self._owe(What.CONFIRMED, numbers)
            return
        detail = f"{unseen} of {candidates} records would go: the source does not have them any more"
        if self.newest.state is not EpochState.WAITING or self.newest.detail != detail:
            self._mark(MarkerKind.WAITING, detail, counts=numbers)
        percent, where = self.settings.shrink_percent, self.newest.where
        raise ConfirmShrink(self.bus.resource.id, unseen, candidates, percent, where)

    def _end(self, raw: RawScan, standing: CanonicalScan, counts: Mapping[str, int]) -> None:
        topic: str = self.bus.raw
        offsets = {(topic, partition): offset + 1 for partition, offset in raw.last.items()}
        canonical: str = self.bus.resource.canonical_topic
        offsets |= {(canonical, partition): offset for partition, offset in standing.ends.items()}
        digest = standing.digest
        self._mark(MarkerKind.END, self.newest.reason, counts=counts, offsets=offsets, digest=digest)
        self._owe(What.ENDED, {**counts, "digest": digest})

    def _mark(
        self,
        kind: MarkerKind,
        detail: str,
        *,
        number: int | None = None,
        at_ms: int | None = None,
        counts: Mapping[str, int] | None = None,
        offsets: Mapping[tuple[str, int], int] | None = None,
        digest: str = "",
    ) -> None:
        """Of the newest epoch, or of another number."""
        number = self.newest.number if number is None else number
        marker = marker_of(self.bus, self.policy, number, kind, detail, at_ms=at_ms)
        self.bus.mark(replace(marker, counts=counts or {}, offsets=offsets or {}, digest=digest))

    def _owe(
        self,
        what: What,
        facts: Mapping[str, Fact] | None = None,
        *,
        number: int | None = None,
        reason: str | None = None,
    ) -> None:
        number = self.newest.number if number is None else number
        reason = self.newest.reason if reason is None else reason
        self.owe(Step(what, self.bus.resource.id, number, reason, facts or {}))

    def _tell(self, phase: Phase, done: int, of: int | None) -> None:
        self.told(Progress(self.bus.resource.id, self.newest.number, phase, done, of))
