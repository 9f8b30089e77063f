"""Judges Debezium's snapshots: COMPLETED alone is no proof that anything was copied, or that it was all.

A snapshot whose table scan failed still ends with COMPLETED; so a snapshot counts as complete only if every
table that it resolved was scanned with status SUCCEEDED. A scan that succeeded may still have seen too few
rows (a policy on the table hides them, a statement narrows them); so the rows that the source has are
compared with those that came since the snapshot began.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

SUCCEEDED: Final = "SUCCEEDED"
_BY_SIGNAL: Final = "Incremental Snapshot"
STALLED_AFTER_S: Final = 300
"""So long a snapshot that is under way may show no progress: waiting for a lock or a slow first row is over
sooner, and a person who waits for a full volume wants to know."""


class SnapshotState(StrEnum):
    """How the newest snapshot of a capture stands."""

    NONE = "none"
    RUNNING = "running"
    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    """It ended, and at least one table was not copied."""
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The newest snapshot: rows per scanned table, and what was not copied and why."""

    state: SnapshotState = SnapshotState.NONE
    rows: Mapping[str, int] | None = None
    failed: Mapping[str, str] | None = None
    """Table → status of its scan, or ``NOT_SCANNED``."""
    began_ms: int = 0
    told_ms: int = 0
    """When it last told anything."""

    def is_stalled(self, now_ms: int, *, records_came: bool, after_s: float = STALLED_AFTER_S) -> bool:
        """Whether it is under way and for ``after_s`` seconds neither told anything nor wrote a record."""
        silent = now_ms - self.told_ms > after_s * 1000
        return self.state is SnapshotState.RUNNING and silent and not records_came


@dataclass(frozen=True, slots=True)
class Written:
    """What a table's raw topic got since the snapshot began.

    Args:
        reads: rows of the snapshot.
        creates: rows that came into being afterwards.
        deletes: rows that were deleted afterwards; zero after a truncate, which deletes any number.
        at_most: offsets instead of records, where there are too many to read: more than came, never fewer.
    """

    reads: int = 0
    creates: int = 0
    deletes: int = 0
    at_most: int | None = None


@dataclass(frozen=True, slots=True)
class TableVolume:
    """One table: the rows that the source has, and those that the snapshot and the changes since brought.

    Args:
        table: the table's name, with its schema.
        rows: counted at the source, before ``written`` was.
        scanned: what the snapshot says of the table; None where it never scanned it.
        written: what the raw topic got; None where the topic keeps less than the time since the snapshot.
        settled: whether all that was committed when the rows were counted is in the raw topic.
    """

    table: str
    rows: int
    scanned: int | None
    written: Written | None
    settled: bool

    @property
    def missing(self) -> int:
        """How many rows of the source never came; a lower bound, and zero where it cannot be told.

        A row that is there now was read by the snapshot or created since, so what was written since only
        adds: rows ≤ reads + creates − deletes. Where offsets stand for records it is rows ≤ offsets.
        """
        if self.written is None:
            return 0
        came = self.written.reads + self.written.creates - self.written.deletes
        return max(0, self.rows - (came if self.written.at_most is None else self.written.at_most))

    @property
    def lost(self) -> int:
        """How many rows the snapshot says that it scanned and that are not in the raw topic."""
        if self.written is None or self.scanned is None:
            return 0
        reads = self.written.reads if self.written.at_most is None else self.written.at_most
        return max(0, self.scanned - reads)


@dataclass(slots=True)
class _Draft:
    began_ms: int
    told_ms: int
    resolved: set[str]
    rows: dict[str, int]
    statuses: dict[str, str]
    end: str | None = None


def newest_snapshot(notifications: Iterable[Mapping[str, Any]]) -> Snapshot:
    """Fold the notifications of one capture, oldest first; a start skipped by Debezium changes nothing.

    Of snapshots that were asked for by signal, each of a table or of some of its rows, this tells nothing.
    """
    draft: _Draft | None = None
    for notification in notifications:
        if notification.get("aggregate_type") == _BY_SIGNAL:
            continue
        kind, data = str(notification["type"]), notification.get("additional_data") or {}
        at_ms = int(notification.get("timestamp") or 0)
        if kind == "STARTED":
            draft = _Draft(at_ms, at_ms, set(), {}, {})
        elif draft is not None and draft.end is None:
            draft.told_ms = max(draft.told_ms, at_ms)
            _note(draft, kind, data)
    return Snapshot() if draft is None else _judged(draft)


def _note(draft: _Draft, kind: str, data: Mapping[str, str]) -> None:
    if kind == "DATA_COLLECTIONS_RESOLVED":
        draft.resolved.update(_tables(data))
    elif kind == "TABLE_SCAN_COMPLETED":
        table = data["scanned_collection"]
        draft.statuses[table] = data.get("status", "UNKNOWN")
        draft.rows[table] = int(data.get("total_rows_scanned", "0"))
    elif kind in ("COMPLETED", "ABORTED"):
        draft.end = kind


def _tables(data: Mapping[str, str]) -> list[str]:
    return [name.strip() for name in data.get("data_collections", "").split(",") if name.strip()]


def _judged(draft: _Draft) -> Snapshot:
    wanted = draft.resolved | draft.statuses.keys()
    failed = {table: draft.statuses.get(table, "NOT_SCANNED") for table in sorted(wanted)}
    failed = {table: status for table, status in failed.items() if status != SUCCEEDED}
    if draft.end is None:
        state = SnapshotState.RUNNING
        failed = {table: status for table, status in failed.items() if status != "NOT_SCANNED"}
    elif draft.end == "ABORTED":
        state = SnapshotState.ABORTED
    else:
        state = SnapshotState.INCOMPLETE if failed or not draft.rows else SnapshotState.COMPLETE
    return Snapshot(state, draft.rows, failed, draft.began_ms, draft.told_ms)
