"""Keeps a table of a SQLite file in step with a grant: one row per key, gone with its tombstone."""

import json
import sqlite3
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from consumers.positions import SqlitePositions
from consumers.received import Received

KEY_COLUMN: Final = "govbus_key"


class SqliteTable:
    """Upserts and deletes rows; each effect and its position are one transaction, so it happens once.

    ``apply`` is the subscriber's handler and ``positions`` its position store. The table and a column per
    item are made as they are met. Dates and times are kept as ISO 8601 text, decimals as text, lists and
    records as JSON text. Used by one thread at a time.
    """

    def __init__(self, path: Path | str, table: str) -> None:
        self.connection = sqlite3.connect(path, check_same_thread=False)
        self.positions = SqlitePositions(self.connection)
        self._table = table
        self._columns = self._prepare()

    def apply(self, received: Received) -> None:
        """Bring the row of the record's key to the record's state."""
        key = key_text(received.key)
        if received.value is None:
            self._run(f"DELETE FROM {_quoted(self._table)} WHERE {KEY_COLUMN} = ?", (key,))  # noqa: S608 - quoted
            return
        self._add_columns(received.value)
        row = {KEY_COLUMN: key, **{name: _storable(item) for name, item in received.value.items()}}
        columns = ", ".join(map(_quoted, row))
        marks = ", ".join("?" * len(row))
        # REPLACE writes the whole row: a record is the full state, so an item that it lacks has no value.
        self._run(
            f"INSERT OR REPLACE INTO {_quoted(self._table)} ({columns}) VALUES ({marks})",  # noqa: S608 - quoted
            tuple(row.values()),
        )

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _prepare(self) -> set[str]:
        table = _quoted(self._table)
        self._run(f"CREATE TABLE IF NOT EXISTS {table} ({KEY_COLUMN} TEXT PRIMARY KEY NOT NULL)")
        return self._known_columns()

    def _known_columns(self) -> set[str]:
        return {row[1].lower() for row in self._run(f"PRAGMA table_info({_quoted(self._table)})").fetchall()}

    def _add_columns(self, value: dict[str, Any]) -> None:
        if all(name.lower() in self._columns for name in value):
            return
        # A column added here is remembered with the next record only: this transaction may be rolled back.
        self._columns = self._known_columns()
        for name in value:
            if name.lower() not in self._columns:
                self._run(f"ALTER TABLE {_quoted(self._table)} ADD COLUMN {_quoted(name)}")

    def _run(self, statement: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        return self.connection.execute(statement, values)


def key_text(key: dict[str, Any]) -> str:
    """A key as one text: the pseudonym, or the identity and the record id as a JSON array."""
    if set(key) == {"pseudonym"}:
        return str(key["pseudonym"])
    return json.dumps([key[name] for name in sorted(key)], ensure_ascii=False, separators=(",", ":"))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _storable(item: Any) -> Any:
    if isinstance(item, (datetime, date, time)):
        return item.isoformat()
    if isinstance(item, Decimal):
        return str(item)
    if isinstance(item, (dict, list)):
        return json.dumps(item, ensure_ascii=False, default=str)
    return item
