"""The cut: one snapshot of the source, and for any transaction whether its changes are in it.

A transaction is asked by its number, and not by where its commit stands in the log: PostgreSQL may let a
later commit be seen before an earlier one (a session flushes its commit, waits for a standby, and leaves the
list of running transactions only then). Folding the changes that are seen, in the order of their commits,
still gives every row as the snapshot has it: who changes a row waits until who changed it before has left
that list, since locks are given up after it. So of the changes of one row, those that are seen come first.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Final

import psycopg2
import psycopg2.extensions

from services.control.access import CaptureSource

Connection = psycopg2.extensions.connection
_TIMEOUT_S: Final = 10
_HALF: Final = 1 << 31
_NUMBERS: Final = 1 << 32
MARK: Final = "govbus.reconcile"
"""Prefix of the message that follows a cut in the log; captures take no message (message.prefix.exclude)."""


@dataclass(frozen=True, slots=True)
class Visibility:
    """Which transactions a snapshot sees: ``pg_snapshot`` (PostgreSQL, System Information Functions)."""

    first_running: int
    first_future: int
    running: frozenset[int]

    @staticmethod
    def parse(text: str) -> "Visibility":
        """Read ``xmin:xmax:xip_list``."""
        low, high, running = text.split(":")
        return Visibility(int(low), int(high), frozenset(int(part) for part in running.split(",") if part))

    def sees(self, transaction: int) -> bool:
        """Whether the changes of a transaction are in the snapshot.

        Args:
            transaction: its number as replication tells it, in 32 bits; it is within two billions of now.
        """
        whole = self._whole(transaction)
        return whole < self.first_future and whole not in self.running

    def _whole(self, transaction: int) -> int:
        """The number with its epoch: the one that lies nearest to the snapshot."""
        near = self.first_future - self.first_future % _NUMBERS + transaction % _NUMBERS
        if near - self.first_future > _HALF:
            return near - _NUMBERS
        return near + _NUMBERS if self.first_future - near > _HALF else near


@dataclass(frozen=True, slots=True)
class Cut:
    """One snapshot: what it sees, its name for other sessions, where the log was, and when, in ms."""

    visibility: Visibility
    token: str
    position: str
    at_ms: int


@contextmanager
def open_cut(source: CaptureSource) -> Iterator[tuple[Connection, Cut]]:
    """A read-only transaction of the capture's role that stays at one snapshot; it locks no row."""
    with closing(connect(source)) as connection:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_current_snapshot()::text, pg_export_snapshot(), pg_current_wal_insert_lsn()::text,"
                " (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
            )
            seen, token, position, at_ms = cursor.fetchone() or ("", "", "", 0)
        yield connection, Cut(Visibility.parse(seen), token, position, at_ms)


def join_cut(connection: Connection, token: str) -> None:
    """Let a new session see what the cut sees; ``connection`` has done nothing yet."""
    connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION SNAPSHOT %s", (token,))


def mark(connection: Connection) -> str:
    """Write a message behind the cut; the position of the log after it. The connection commits by itself."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_logical_emit_message(true, %s, '')", (MARK,))
        cursor.execute("SELECT pg_current_wal_insert_lsn()::text")
        row = cursor.fetchone()
    return str(row[0]) if row else "0/0"


def confirmed(connection: Connection, slot: str, position: str) -> bool | None:
    """Whether the capture has in Kafka whatever stands before the position; None where there is no slot."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT confirmed_flush_lsn >= %s::pg_lsn FROM pg_replication_slots WHERE slot_name = %s",
            (position, slot),
        )
        row = cursor.fetchone()
    return None if row is None else bool(row[0])


def connect(source: CaptureSource) -> Connection:
    """Log in as the capture's role, with no row hidden and no limit to how long a scan takes.

    Raises:
        psycopg2.OperationalError: the database does not let it in.
    """
    return psycopg2.connect(
        host=source.host,
        port=source.port,
        dbname=source.database,
        user=source.user,
        password=source.password,
        connect_timeout=_TIMEOUT_S,
        application_name="govbus-reconcile",
        options="-c row_security=off -c statement_timeout=0 -c TimeZone=UTC -c DateStyle=ISO",
    )
