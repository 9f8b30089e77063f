"""How Debezium's scan for one epoch stands, from its notifications; pure.

Every notification of an incremental snapshot carries the id of the signal that asked for it. COMPLETED alone
proves nothing (``producers/snapshot.py``): the table's own status and its count of rows do.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

SUCCEEDED: Final = "SUCCEEDED"
EMPTY: Final = "EMPTY"
"""No row of the table, or none within the filter; what that would withdraw, the shrink guard looks at."""
SQL_EXCEPTION: Final = "SQL_EXCEPTION"
"""An exception of any kind ended it."""
COMPLETED: Final = "COMPLETED"
ABORTED: Final = "ABORTED"
_WHOLE: Final = (SUCCEEDED, EMPTY)
_INITIAL: Final = "Initial Snapshot"
_STARTED: Final = "STARTED"


@dataclass(frozen=True, slots=True)
class Scan:
    """What was told of a table's scan so far."""

    began: bool = False
    """Whether the connector has taken the signal."""
    status: str | None = None
    """Debezium's status of the table's scan, once it ended."""
    rows: int = 0
    """Rows scanned, once it ended; a row that a live change replaced is counted too."""
    ended: str | None = None
    """``COMPLETED`` or ``ABORTED``."""
    told: int = 0
    """How many notifications there were: it rises while the scan gets on."""
    began_ms: int = 0
    """When it began, by the connector's clock; only of what the connector took by itself."""
    beginnings: int = 0
    """How often the connector began it: more than once where it was interrupted; only of the same."""

    @property
    def succeeded(self) -> bool:
        """Whether the table was scanned to its end."""
        return self.ended == COMPLETED and self.status in _WHOLE

    @property
    def failed(self) -> str | None:
        """Why it ended without the whole table; None while it goes on and where it did not."""
        if self.ended is None or self.succeeded:
            return None
        return self.status if self.status not in (None, *_WHOLE) else f"{self.ended}, the table not scanned"

    @property
    def may_be_asked_again(self) -> bool:
        """Whether what ended it need not happen again: an exception, or a stop that was meant for another."""
        return self.failed == SQL_EXCEPTION or self.ended == ABORTED


def scan_of(notifications: Iterable[Mapping[str, Any]], signal: str, table: str) -> Scan:
    """Fold a capture's notifications, oldest first, to the scan that this signal asked for."""
    mine = [each for each in notifications if str(each.get("id")) == signal]
    return _folded(mine, table)


def initial_scan_of(notifications: Iterable[Mapping[str, Any]], table: str, incarnation: int) -> Scan:
    """The same for the newest snapshot that the connector took by itself under an incarnation."""
    mine: list[Mapping[str, Any]] = []
    beginnings = 0
    for each in notifications:
        if each.get("aggregate_type") != _INITIAL or each.get("incarnation") != incarnation:
            continue
        if each["type"] == _STARTED:
            mine, beginnings = [each], beginnings + 1
        elif mine:
            mine.append(each)
    began_ms = int(mine[0].get("timestamp") or 0) if mine else 0
    return replace(_folded(mine, table), began_ms=began_ms, beginnings=beginnings)


def _folded(notifications: list[Mapping[str, Any]], table: str) -> Scan:
    status, rows, ended = None, 0, None
    for each in notifications:
        data = each.get("additional_data") or {}
        if each["type"] == "TABLE_SCAN_COMPLETED" and data.get("scanned_collection", "").endswith(table):
            status, rows = str(data.get("status", "UNKNOWN")), int(data.get("total_rows_scanned", "0"))
        elif each["type"] in (COMPLETED, ABORTED):
            ended = str(each["type"])
    return Scan(bool(notifications), status, rows, ended, len(notifications))
