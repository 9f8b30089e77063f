"""Checks a provider's database before its capture starts: one pass, with the SQL that mends each finding."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import psycopg2.extensions

from producers.connector import TableName
from producers.preflight_facts import DatabaseFacts, PublicationFacts, TableFacts, read_facts
from producers.provider_setup import (
    literal,
    publication_sql,
    quoted,
    quoted_table,
    replica_identity_sql,
    rights_sql,
)

OLDEST_VERSION: Final = 140_000
"""PostgreSQL 14: the first whose heartbeat messages pgoutput passes on."""
_OPERATIONS: Final = frozenset({"insert", "update", "delete", "truncate"})


class Level(StrEnum):
    """What a finding means: all well, worth knowing, or capture must not start."""

    OK = "ok"
    WARN = "warn"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class PreflightFinding:
    """One line of the report: what was checked, where, how it is, and the SQL that mends it."""

    level: Level
    check: str
    where: str
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class TableExpectation:
    """What a resource declares of its table.

    Args:
        table: the captured table.
        primary_key: its declared key, which becomes the record id.
        identity_column: the column that holds the identity.
        columns: every column that the resource reads.
    """

    table: TableName
    primary_key: tuple[str, ...]
    identity_column: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the bus expects of one provider's database."""

    publication: str
    slot: str
    tables: tuple[TableExpectation, ...]


def preflight(connection: psycopg2.extensions.connection, expected: Expectation) -> list[PreflightFinding]:
    """Check the database through a connection of the capture role.

    Raises:
        psycopg2.Error: the database cannot be asked.
    """
    tables = [each.table for each in expected.tables]
    return judge(read_facts(connection, expected.publication, tables), expected)


def judge(facts: DatabaseFacts, expected: Expectation) -> list[PreflightFinding]:
    """The rules: pure, in the order of the report."""
    return [
        *_server(facts),
        *_role(facts, expected),
        *_slots(facts, expected),
        *_publication(facts, expected),
        *(finding for each in expected.tables for finding in _table(facts, each)),
    ]


def refused(findings: Iterable[PreflightFinding]) -> list[PreflightFinding]:
    """The findings that keep capture from starting."""
    return [finding for finding in findings if finding.level is Level.REFUSE]


def _finding(
    well: bool,
    check: str,
    where: str,
    messages: tuple[str, str],
    remedy: str = "",
    otherwise: Level = Level.REFUSE,
) -> PreflightFinding:
    """Make a finding; ``messages`` are the one for good and the one for bad."""
    if well:
        return PreflightFinding(Level.OK, check, where, messages[0])
    return PreflightFinding(otherwise, check, where, messages[1], remedy)


def _server(facts: DatabaseFacts) -> Iterator[PreflightFinding]:
    server = facts.server
    where, version = f"database {server.database}", f"PostgreSQL {server.version // 10_000}"
    yield _finding(
        server.version >= OLDEST_VERSION, "version", where, (version, f"{version} is too old: 14 or later")
    )
    yield _finding(
        server.wal_level == "logical",
        "wal_level",
        where,
        ("wal_level is logical", f"wal_level is {server.wal_level}: changes cannot be captured"),
        "ALTER SYSTEM SET wal_level = 'logical';  -- then restart the server",
    )
    yield _finding(
        server.slot_wal_keep != "-1",
        "max_slot_wal_keep_size",
        where,
        (
            f"a slot may hold back {server.slot_wal_keep} of log",
            "a slot may hold back log until the disk is full",
        ),
        "ALTER SYSTEM SET max_slot_wal_keep_size = '10GB';  -- less than the free disk\n"
        "SELECT pg_reload_conf();",
    )
    yield _finding(
        server.synchronous_commit != "off",
        "synchronous_commit",
        where,
        ("commits are written at once", "synchronous_commit is off: changes arrive up to 0.2 s later"),
        otherwise=Level.WARN,
    )
    yield _finding(
        not server.is_standby,
        "primary",
        where,
        ("the server is the primary", "the server is a standby: a slot there ends with a promotion"),
        otherwise=Level.WARN,
    )


def _role(facts: DatabaseFacts, expected: Expectation) -> Iterator[PreflightFinding]:
    role, tables = facts.role, [each.table for each in expected.tables]
    where = f"role {role.name}"
    mend = rights_sql(role.name, facts.server.database, tables)
    yield _finding(
        role.can_replicate or role.is_superuser,
        "replication",
        where,
        ("the capture role may replicate", "the capture role may not replicate"),
        mend,
    )
    yield _finding(
        not role.is_superuser,
        "least rights",
        where,
        ("the capture role is no superuser", "the capture role is a superuser, which capture does not need"),
        f"ALTER ROLE {quoted(role.name)} NOSUPERUSER;",
        Level.WARN,
    )


def _slots(facts: DatabaseFacts, expected: Expectation) -> Iterator[PreflightFinding]:
    server, where = facts.server, f"database {facts.server.database}"
    ours = next((slot for slot in facts.slots if slot.name == expected.slot), None)
    slots = f"{server.used_slots} of {server.max_slots} replication slots are taken"
    yield _finding(
        ours is not None or server.used_slots < server.max_slots,
        "free slots",
        where,
        (slots, slots),
        f"ALTER SYSTEM SET max_replication_slots = {server.max_slots * 2};  -- then restart the server",
    )
    senders = f"{server.used_senders} of {server.max_senders} WAL senders are taken"
    yield _finding(
        (ours is not None and ours.active) or server.used_senders < server.max_senders,
        "free senders",
        where,
        (senders, senders),
        f"ALTER SYSTEM SET max_wal_senders = {server.max_senders * 2};  -- then restart the server",
    )
    if ours is not None:
        yield _finding(
            not ours.is_gap,
            "slot",
            f"slot {ours.name}",
            (f"nothing is lost ({ours.wal_status})", "changes were lost: the slot was invalidated"),
            f"SELECT pg_drop_replication_slot({literal(ours.name)});"
            "  -- then capture the full volume anew, under the next incarnation",
        )
    for slot in facts.slots:
        if slot.name != expected.slot and slot.database == server.database and not slot.active:
            yield PreflightFinding(
                Level.WARN,
                "orphaned slot",
                f"slot {slot.name}",
                f"nobody reads it, and it holds back {slot.retained_bytes or 0} bytes of log",
                f"SELECT pg_drop_replication_slot({literal(slot.name)});",
            )


def _publication(facts: DatabaseFacts, expected: Expectation) -> Iterator[PreflightFinding]:
    where = f"publication {expected.publication}"
    wanted = frozenset(each.table for each in expected.tables)
    mend = publication_sql(expected.publication, wanted)
    found = facts.publication
    if found is None:
        yield PreflightFinding(Level.REFUSE, "publication", where, "does not exist", mend)
        return
    if found.for_all_tables:
        drop = f"DROP PUBLICATION {quoted(expected.publication)};\n"
        yield PreflightFinding(Level.REFUSE, "publication", where, "publishes every table", drop + mend)
        return
    yield from _published(found, wanted, where, mend)


def _published(
    found: PublicationFacts, wanted: frozenset[TableName], where: str, mend: str
) -> Iterator[PreflightFinding]:
    missing, extra, narrowed = wanted - found.tables, found.tables - wanted, found.narrowed & wanted
    yield _finding(not missing, "publication", where, ("has every table", f"lacks: {_names(missing)}"), mend)
    yield _finding(
        not extra,
        "publication",
        where,
        ("has no other table", f"publishes what no resource declares: {_names(extra)}"),
        mend,
        Level.WARN,
    )
    yield _finding(
        not narrowed,
        "publication",
        where,
        ("has all rows and columns", f"holds back rows or columns of: {_names(narrowed)}"),
        mend,
    )
    silent = ", ".join(sorted(_OPERATIONS - found.operations))
    yield _finding(
        not silent, "publication", where, ("publishes every operation", f"does not publish: {silent}"), mend
    )


def _table(facts: DatabaseFacts, expected: TableExpectation) -> Iterator[PreflightFinding]:
    table, where = facts.tables.get(expected.table), f"table {expected.table}"
    if table is None:
        yield PreflightFinding(Level.REFUSE, "table", where, "does not exist, or in another schema")
        return
    yield _finding(
        table.kind == "r" and table.persistence == "p",
        "table",
        where,
        ("an ordinary, logged table", "not an ordinary, logged table: it cannot be captured"),
    )
    yield _finding(
        table.readable and table.schema_usable,
        "select",
        where,
        ("the capture role may read it", "the capture role may not read it"),
        rights_sql(facts.role.name, facts.server.database, [expected.table]),
    )
    hidden = table.has_row_security and not (facts.role.is_superuser or facts.role.bypasses_row_security)
    yield _finding(
        not hidden,
        "row security",
        where,
        ("no row is hidden from the capture role", "row security hides rows from a snapshot"),
        f"ALTER ROLE {quoted(facts.role.name)} BYPASSRLS;",
    )
    missing = ", ".join(column for column in expected.columns if column not in table.columns)
    yield _finding(
        not missing,
        "columns",
        where,
        ("has every declared column", f"lacks the columns: {missing}: no change of a row passes the gate"),
        "-- add them again and touch the rows, or take them out of the resource's definition",
    )
    yield from _keys(table, expected, where)


def _keys(table: TableFacts, expected: TableExpectation, where: str) -> Iterator[PreflightFinding]:
    declared = ", ".join(expected.primary_key)
    present = ", ".join(table.primary_key) or "none"
    columns = ", ".join(quoted(column) for column in expected.primary_key)
    yield _finding(
        set(table.primary_key) == set(expected.primary_key),
        "primary key",
        where,
        (f"the primary key is {present}", f"the primary key is {present}, but {declared} is declared"),
        ""
        if table.primary_key
        else f"ALTER TABLE {quoted_table(expected.table)} ADD PRIMARY KEY ({columns});",
    )
    mend = replica_identity_sql([expected.table])
    by_key = table.replica_identity == "d" and expected.identity_column in table.primary_key
    yield _finding(
        by_key or table.replica_identity == "f",
        "replica identity",
        where,
        ("a change shows the identity before it", "a change hides the identity before it"),
        mend,
    )
    if by_key:
        message = (
            "a change shows no more than the key before it: a deleted row's other values are not known, "
            "and an update that leaves a large value alone is stopped"
        )
        yield PreflightFinding(Level.WARN, "replica identity", where, message, mend)


def _names(tables: Iterable[TableName]) -> str:
    return ", ".join(str(table) for table in sorted(tables)) or "nothing"
