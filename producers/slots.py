"""Replication slots of a provider's database: who reads them, how much log they hold back, what was lost."""

from dataclasses import dataclass
from typing import Final

import psycopg2.extensions

PREFIX: Final = "govbus_"
"""Every slot of the bus begins with this; others are not ours to judge."""

_QUERY: Final = """
    SELECT slot_name, database, active, wal_status,
           pg_wal_lsn_diff(position.now, restart_lsn)::bigint,
           pg_wal_lsn_diff(position.now, confirmed_flush_lsn)::bigint,
           safe_wal_size,
           (confirmed_flush_lsn - '0/0'::pg_lsn)::bigint
      FROM pg_replication_slots,
           (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
                        ELSE pg_current_wal_lsn() END AS now) AS position
     WHERE slot_type = 'logical' AND starts_with(slot_name, %s)
     ORDER BY slot_name
"""
# On a standby the timeline is that of its last checkpoint; on a primary that of the log it writes now.
_SYSTEM: Final = """
    SELECT system_identifier::text || '/' ||
           CASE WHEN pg_is_in_recovery() THEN (SELECT timeline_id::text FROM pg_control_checkpoint())
                ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint::text END
      FROM pg_control_system()
"""


@dataclass(frozen=True, slots=True)
class SlotReport:
    """One slot of the bus.

    Args:
        name: of the slot.
        database: that it reads.
        active: whether somebody reads it now.
        wal_status: reserved, extended, unreserved or lost, as PostgreSQL says it.
        retained_bytes: log on the provider's disk held back for it; None once it is lost.
        lag_bytes: log that its reader has not confirmed; None once it is lost.
        safe_bytes: log that may still be written before it is in danger; None if without limit or lost.
        confirmed: up to where PostgreSQL will not send the log again, in bytes since the log began.
    """

    name: str
    database: str
    active: bool
    wal_status: str | None
    retained_bytes: int | None
    lag_bytes: int | None
    safe_bytes: int | None
    confirmed: int | None = None

    @property
    def is_gap(self) -> bool:
        """Whether changes were lost for good: only a new full volume under a new incarnation helps."""
        return self.wal_status == "lost" or self.retained_bytes is None

    @property
    def is_in_danger(self) -> bool:
        """Whether PostgreSQL may remove log that the slot still needs at the next checkpoint."""
        return self.wal_status == "unreserved"


def slot_report(connection: psycopg2.extensions.connection) -> list[SlotReport]:
    """Every slot of the bus on that server, by name; any role may ask."""
    with connection.cursor() as cursor:
        cursor.execute(_QUERY, (PREFIX,))
        return [SlotReport(*row) for row in cursor.fetchall()]


def system_of(connection: psycopg2.extensions.connection) -> str:
    """``<system identifier>/<timeline>`` of that server; any role may ask."""
    with connection.cursor() as cursor:
        cursor.execute(_SYSTEM)
        row = cursor.fetchone()
    return str(row[0]) if row else ""
