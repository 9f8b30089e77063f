"""Reads in one pass what a provider's database is like; nothing is judged and nothing is changed here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg2.extensions

from producers.connector import TableName
from producers.slots import SlotReport, slot_report


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """The capture role."""

    name: str
    can_replicate: bool
    is_superuser: bool
    bypasses_row_security: bool


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """The server's settings that capture depends on; sizes in the server's own words (``-1`` is no limit)."""

    version: int
    database: str
    wal_level: str
    slot_wal_keep: str
    synchronous_commit: str
    is_standby: bool
    max_slots: int
    used_slots: int
    max_senders: int
    used_senders: int


@dataclass(frozen=True, slots=True)
class TableFacts:
    """One table that exists."""

    kind: str
    persistence: str
    replica_identity: str
    has_row_security: bool
    readable: bool
    schema_usable: bool
    columns: tuple[str, ...]
    primary_key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PublicationFacts:
    """The publication: its operations, its tables, and those of which it holds back rows or columns."""

    for_all_tables: bool
    operations: frozenset[str]
    tables: frozenset[TableName]
    narrowed: frozenset[TableName]


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """Everything that the rules of preflight judge."""

    role: RoleFacts
    server: ServerFacts
    tables: dict[TableName, TableFacts]
    publication: PublicationFacts | None
    slots: tuple[SlotReport, ...]


_ROLE: Final = """
    SELECT rolname, rolreplication, rolsuper, rolbypassrls
      FROM pg_roles WHERE rolname = current_user
"""
_SERVER: Final = """
    SELECT current_setting('server_version_num')::int, current_database(), current_setting('wal_level'),
           current_setting('max_slot_wal_keep_size'), current_setting('synchronous_commit'),
           pg_is_in_recovery(),
           current_setting('max_replication_slots')::int, (SELECT count(*) FROM pg_replication_slots),
           current_setting('max_wal_senders')::int, (SELECT count(*) FROM pg_stat_replication)
"""
_TABLE: Final = """
    SELECT c.relkind::text, c.relpersistence::text, c.relreplident::text, c.relrowsecurity,
           has_table_privilege(c.oid, 'SELECT'), has_schema_privilege(n.oid, 'USAGE'),
           ARRAY(SELECT attname::text FROM pg_attribute
                  WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum),
           ARRAY(SELECT a.attname::text
                   FROM pg_index i, unnest(i.indkey::int[]) WITH ORDINALITY AS k(num, place)
                   JOIN pg_attribute a ON a.attnum = k.num
                  WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid ORDER BY k.place)
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = %s AND c.relname = %s
"""
_PUBLICATION: Final = """
    SELECT puballtables, pubinsert, pubupdate, pubdelete, pubtruncate FROM pg_publication WHERE pubname = %s
"""
_PUBLISHED: Final = """
    SELECT n.nspname::text, c.relname::text,
           EXISTS (SELECT FROM pg_publication_rel r
                    WHERE r.prpubid = p.oid AND r.prrelid = c.oid
                      AND (r.prqual IS NOT NULL OR r.prattrs IS NOT NULL))
      FROM pg_publication p, LATERAL pg_get_publication_tables(p.pubname) t
      JOIN pg_class c ON c.oid = t.relid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE p.pubname = %s
"""


def read_facts(
    connection: psycopg2.extensions.connection, publication: str, tables: Sequence[TableName]
) -> DatabaseFacts:
    """Look at the database as the capture role; catalogues only, in one read-only pass.

    Raises:
        psycopg2.Error: the database cannot be asked.
    """
    with connection.cursor() as cursor:
        role = RoleFacts(*_one(cursor, _ROLE))
        server = ServerFacts(*_one(cursor, _SERVER))
        found: dict[TableName, TableFacts] = {}
        for table in tables:
            row = _first(cursor, _TABLE, (table.schema, table.table))
            if row is not None:
                found[table] = TableFacts(*row[:6], *(tuple(names) for names in row[6:]))
        published = _publication(cursor, publication)
    return DatabaseFacts(role, server, found, published, tuple(slot_report(connection)))


def _publication(cursor: psycopg2.extensions.cursor, name: str) -> PublicationFacts | None:
    row = _first(cursor, _PUBLICATION, (name,))
    if row is None:
        return None
    cursor.execute(_PUBLISHED, (name,))
    entries = cursor.fetchall()
    operations = zip(("insert", "update", "delete", "truncate"), row[1:], strict=True)
    return PublicationFacts(
        for_all_tables=row[0],
        operations=frozenset(operation for operation, on in operations if on),
        tables=frozenset(TableName(schema, table) for schema, table, _ in entries),
        narrowed=frozenset(TableName(schema, table) for schema, table, narrowed in entries if narrowed),
    )


def _first(
    cursor: psycopg2.extensions.cursor, query: str, values: tuple[str, ...] = ()
) -> tuple[Any, ...] | None:
    cursor.execute(query, values)
    return cursor.fetchone()


def _one(cursor: psycopg2.extensions.cursor, query: str) -> tuple[Any, ...]:
    row = _first(cursor, query)
    return () if row is None else row
