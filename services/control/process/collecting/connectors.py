"""The snapshots of connectors and of the watch's alarms; texts of errors lose whatever a row could be in."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from producers.connect_status import ConnectorStatus
from producers.snapshot import Snapshot, SnapshotState

_LONGEST_TRACE: Final = 40
_THROWN: Final = re.compile(r"(?:Caused by: |Suppressed: )?[\w.$]+(?:Exception|Error)\b")
_FRAME: Final = re.compile(r"\s+at [\w.$/<>@-]+\([\w.: ]*\)")


def connector_documents(
    statuses: Iterable[ConnectorStatus], snapshots: Mapping[str, Snapshot]
) -> dict[str, dict[str, Any]]:
    """The snapshots of all connectors.

    Args:
        statuses: as Connect tells them, all at once.
        snapshots: the newest full volume of each capture, by its connector.
    """
    return {one.name: _document(one, snapshots.get(one.name)) for one in statuses}


def alarm_documents(alarms: Iterable[Mapping[str, str]]) -> dict[str, dict[str, Any]]:
    """The watch's alarms, each under its kind and subject."""
    return {f"{one['kind']}:{one['subject']}": dict(one) for one in alarms}


def safe_trace(trace: str) -> str:
    """What was thrown and where; messages are left out, since they quote statements and rows."""
    kept = []
    for line in trace.splitlines():
        thrown = _THROWN.match(line)
        if thrown is not None:
            kept.append(thrown.group())
        elif _FRAME.fullmatch(line):
            kept.append(line)
    return "\n".join(kept[:_LONGEST_TRACE])


def _document(status: ConnectorStatus, snapshot: Snapshot | None) -> dict[str, Any]:
    return {
        "state": status.health.name,
        "connector_state": status.state,
        "trace": None if status.trace is None else safe_trace(status.trace),
        "tasks": [
            {
                "id": task.id,
                "state": task.state,
                "trace": None if task.trace is None else safe_trace(task.trace),
            }
            for task in status.tasks
        ],
        "snapshot": None if snapshot is None else _progress(snapshot),
    }


def _progress(snapshot: Snapshot) -> dict[str, Any] | None:
    if snapshot.state is SnapshotState.NONE:
        return None
    return {
        "state": snapshot.state.value,
        "rows": dict(snapshot.rows or {}),
        "failed": dict(snapshot.failed or {}),
        "began_ms": snapshot.began_ms,
        "told_ms": snapshot.told_ms,
    }
