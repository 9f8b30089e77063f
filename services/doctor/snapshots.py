"""Judges the full volume that a capture took: how its snapshot ended, stands, and what it left out; pure."""

from collections.abc import Iterable
from typing import Final

from producers.snapshot import STALLED_AFTER_S, Snapshot, SnapshotState, TableVolume
from services.doctor.capture import Captured
from services.doctor.finding import Finding, failure, note, ok, warning

_CHECK: Final = "snapshot"
_LOGS: Final = "govbus logs connect"


def judge_snapshot(capture: Captured, snapshot: Snapshot, *, stalled: bool = False) -> Finding:
    """How the newest snapshot of a capture ended, or whether it gets on."""
    name, rows = capture.connector, sum((snapshot.rows or {}).values())
    match snapshot.state:
        case SnapshotState.COMPLETE:
            return ok(_CHECK, f"{name}: every table was scanned, {rows} rows")
        case SnapshotState.RUNNING if stalled:
            seen = f"{name}: under way, {rows} rows so far, and no progress for {STALLED_AFTER_S} s"
            return failure(_CHECK, f"{seen}: does a session hold a lock on the table?", _LOGS)
        case SnapshotState.RUNNING:
            return note(_CHECK, f"{name}: under way, {rows} rows so far")
        case SnapshotState.NONE:
            return warning(_CHECK, f"{name} has never taken one", _LOGS)
    failed = ", ".join(f"{table} {status}" for table, status in (snapshot.failed or {}).items())
    seen = f"{name}: {snapshot.state.value}, not copied: {failed or 'every table'}"
    return failure(_CHECK, seen, _anew(capture))


def judge_volumes(capture: Captured, volumes: Iterable[TableVolume]) -> list[Finding]:
    """Each table's rows at the source against those that came."""
    return [_volume(capture, each) for each in volumes]


def judge_uncounted(capture: Captured, table: str, reason: str) -> Finding:
    """A table whose rows could not be counted, so that nothing can be said of how many were copied."""
    return warning(_CHECK, f"{capture.connector}: the rows of {table} cannot be counted: {reason}", _LOGS)


def judge_too_many(capture: Captured, table: str, seconds: int) -> Finding:
    """A table that is too large to be counted while a person waits."""
    seen = f"{capture.connector}: the rows of {table} were not counted within {seconds} s: not compared"
    return note(_CHECK, seen)


def _volume(capture: Captured, volume: TableVolume) -> Finding:
    where = f"{capture.connector}: {volume.table} has {volume.rows} rows"
    if volume.written is None:
        return note(_CHECK, f"{where}; the snapshot is older than what its raw topic keeps: not compared")
    if volume.lost:
        seen = f"{where}; the snapshot scanned {volume.scanned}, {volume.lost} of which never reached Kafka"
        return failure(_CHECK, seen, _anew(capture))
    if not volume.missing:
        return ok(_CHECK, f"{where}, {_came(volume)}")
    seen = f"{where}, {_came(volume)}: {volume.missing} are missing"
    if volume.settled:
        return failure(_CHECK, seen, _anew(capture))
    return warning(_CHECK, f"{seen}; the capture has not confirmed them yet", "govbus doctor, in a minute")


def _came(volume: TableVolume) -> str:
    scanned = "none of it scanned" if volume.scanned is None else f"{volume.scanned} scanned"
    written = volume.written
    if written is None or written.at_most is not None:
        return f"{scanned}, at most {written.at_most if written else 0} records since"
    return f"{scanned}, {written.creates} created and {written.deletes} deleted since"


def _anew(capture: Captured) -> str:
    return f"govbus apply --recapture {capture.provider}"
