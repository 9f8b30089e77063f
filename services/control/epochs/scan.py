"""How Debezium's scan for one epoch stands, from its notifications; pure.

Every notification of an incremental snapshot carries the id of the signal that asked for it. COMPLETED alone
proves nothing (``producers/snapshot.py``): the table's own status and its count of rows do.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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


def initial_scan_of(notifications: Iterable[Mapping[str, Any]], table: str) -> Scan:
    """The same for the newest snapshot that the connector took by itself when it began."""
    mine: list[Mapping[str, Any]] = []
    for each in notifications:
        if each.get("aggregate_type") != _INITIAL:
            continue
        mine = [each] if each["type"] == "STARTED" else [*mine, each]
    return _folded(mine, table)


def _folded(notifications: list[Mapping[str, Any]], table: str) -> Scan:
    status, rows, ended = None, 0, None
    for each in notifications:
        data = each.get("additional_data") or {}
        if each["type"] == "TABLE_SCAN_COMPLETED" and data.get("scanned_collection", "").endswith(table):
            status, rows = str(data.get("status", "UNKNOWN")), int(data.get("total_rows_scanned", "0"))
        elif each["type"] in (COMPLETED, ABORTED):
            ended = str(each["type"])
    return Scan(bool(notifications), status, rows, ended, len(notifications))
