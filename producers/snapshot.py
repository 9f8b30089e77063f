"""Judges Debezium's snapshot notifications: COMPLETED alone is no proof that anything was copied.

A snapshot whose table scan failed still ends with COMPLETED; so a snapshot counts as complete only if every
table that it resolved was scanned with status SUCCEEDED.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

SUCCEEDED: Final = "SUCCEEDED"


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


@dataclass(slots=True)
class _Draft:
    began_ms: int
    resolved: set[str]
    rows: dict[str, int]
    statuses: dict[str, str]
    end: str | None = None


def newest_snapshot(notifications: Iterable[Mapping[str, Any]]) -> Snapshot:
    """Fold the notifications of one capture, oldest first; a start skipped by Debezium changes nothing."""
    draft: _Draft | None = None
    for notification in notifications:
        kind, data = str(notification["type"]), notification.get("additional_data") or {}
        if kind == "STARTED":
            draft = _Draft(int(notification.get("timestamp") or 0), set(), {}, {})
        elif draft is not None:
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
    return Snapshot(state, draft.rows, failed, draft.began_ms)
