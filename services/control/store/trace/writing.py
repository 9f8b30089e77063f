"""Writes the index of the person trace: rows by COPY, and with them how far each partition was read."""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Table, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from services.control.store.trace.tables import (
    TRACE_ACQUIRED_STEPS,
    TRACE_DELIVERIES,
    TRACE_PLACES,
    TRACE_STATE,
    TRACE_SUBJECTS,
    TRACE_TERMS,
    TRACE_TOPICS,
)


@dataclass(frozen=True, slots=True)
class TraceState:
    """How far the index is."""

    key_version: int
    """Version of the master secret that its hashes are made with."""
    policy_next: int
    """The offset of the policy topic that is read next."""
    complete_until: datetime | None
    """Everything that was committed by then is in the index; None before the first whole turn."""
    incomplete_before: datetime | None
    """What was written before may be missing: compacted or removed before it was read; None for nothing."""
    untraceable: int
    """Records that say neither about whom they are nor from which change."""


class SubjectRow(NamedTuple):
    """One row of ``trace_subjects``, in the order of its columns."""

    subject: UUID
    entity: UUID
    change: int
    at_ms: int
    record_offset: int
    topic_id: int
    partition: int
    withdrawn: int


class DeliveryRow(NamedTuple):
    """One row of ``trace_deliveries``, in the order of its columns."""

    change: int
    at_ms: int
    record_offset: int
    policy_version: int
    topic_id: int
    generation: int
    partition: int
    written: int


@dataclass(frozen=True, slots=True)
class Terms:
    """What a grant says from a policy version on."""

    topic: str
    from_version: int
    grant_id: str
    consumer: str
    provider: str
    resource: str
    purpose: str
    legal_basis: str


_DATED: Final = (
    (TRACE_SUBJECTS.name, "at_ms", ":before"),
    (TRACE_DELIVERIES.name, "at_ms", ":before"),
    (TRACE_ACQUIRED_STEPS.name, "seen_at", "to_timestamp(:before / 1000.0)"),
)
"""Tables whose rows are forgotten: table, column, and the moment in milliseconds as that column has it."""
_STATE_COLUMNS: Final = ("key_version", "policy_next", "complete_until", "incomplete_before", "untraceable")


def state(connection: Connection) -> TraceState | None:
    """How far the index is; None before it was begun."""
    wanted = select(*(TRACE_STATE.c[name] for name in _STATE_COLUMNS))
    row = connection.execute(wanted).one_or_none()
    return None if row is None else TraceState(*row)


def begin(connection: Connection, key_version: int) -> TraceState:
    """Begin the index, if it was not; it keeps the version of the key that it began with."""
    connection.execute(insert(TRACE_STATE).values(one=1, key_version=key_version).on_conflict_do_nothing())
    found = state(connection)
    if found is None:
        raise LookupError("the row that was just made is there")
    return found


def lacks_before(connection: Connection, moment: datetime) -> None:
    """Note that what was written before that moment may be missing; a later moment stays."""
    later = func.greatest(func.coalesce(TRACE_STATE.c.incomplete_before, moment), moment)
    connection.execute(update(TRACE_STATE).values(incomplete_before=later))


def complete(connection: Connection, until: datetime) -> None:
    """Note that everything which was committed by then is in the index."""
    connection.execute(update(TRACE_STATE).values(complete_until=until))


def count_untraceable(connection: Connection, records: int) -> None:
    """Add to the records that could not be traced."""
    connection.execute(update(TRACE_STATE).values(untraceable=TRACE_STATE.c.untraceable + records))


def topic_ids(connection: Connection, topics: Iterable[str]) -> dict[str, int]:
    """The number of each topic; those that are new get one."""
    wanted = sorted(set(topics))
    if not wanted:
        return {}
    known = select(TRACE_TOPICS.c.topic, TRACE_TOPICS.c.id).where(TRACE_TOPICS.c.topic.in_(wanted))
    found = {row.topic: row.id for row in connection.execute(known)}
    fresh = [{"topic": topic} for topic in wanted if topic not in found]
    if fresh:
        connection.execute(insert(TRACE_TOPICS).on_conflict_do_nothing(), fresh)
        found = {row.topic: row.id for row in connection.execute(known)}
    return found


def positions(connection: Connection) -> dict[tuple[int, int], int]:
    """Topic's number and partition → the offset that is read next."""
    columns = (TRACE_PLACES.c.topic_id, TRACE_PLACES.c.partition, TRACE_PLACES.c.next_offset)
    return {(row[0], row[1]): row[2] for row in connection.execute(select(*columns))}


def move(connection: Connection, reached: Mapping[tuple[int, int], int]) -> None:
    """Note up to where partitions were read."""
    if not reached:
        return
    statement = insert(TRACE_PLACES)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["topic_id", "partition"],
            set_={"next_offset": statement.excluded.next_offset},
        ),
        [
            {"topic_id": topic, "partition": partition, "next_offset": offset}
            for (topic, partition), offset in reached.items()
        ],
    )


def put_subjects(connection: Connection, rows: Iterable[SubjectRow]) -> None:
    """Add canonical records."""
    _copy(connection, TRACE_SUBJECTS, rows)


def put_deliveries(connection: Connection, rows: Iterable[DeliveryRow]) -> None:
    """Add records of grants' topics."""
    _copy(connection, TRACE_DELIVERIES, rows)


def put_terms(connection: Connection, terms: Iterable[Terms], policy_next: int) -> None:
    """Add what grants say where it differs from what they said before, and how far the policy was read."""
    newest = _newest_terms(connection)
    for each in sorted(terms, key=lambda one: one.from_version):
        said = _said(each)
        if newest.get(each.topic) != said:
            row = {"topic": each.topic, "from_version": each.from_version, **said}
            connection.execute(insert(TRACE_TERMS).values(row).on_conflict_do_nothing())
            newest[each.topic] = said
    connection.execute(update(TRACE_STATE).values(policy_next=policy_next))


def forget(connection: Connection, before_ms: int, limit: int) -> int:
    """Remove rows of before that time, at most so many of each table; returns how many."""
    removed = 0
    for table, column, before in _DATED:
        statement = text(
            f"DELETE FROM {table} WHERE ctid IN "  # noqa: S608 - the names are ours
            f"(SELECT ctid FROM {table} WHERE {column} < {before} LIMIT :limit)"
        )
        removed += connection.execute(statement, {"before": before_ms, "limit": limit}).rowcount
    return removed


def holds_before(connection: Connection, before_ms: int) -> bool:
    """Whether there is a row of before that time."""
    return any(
        connection.execute(
            text(f"SELECT EXISTS (SELECT FROM {table} WHERE {column} < {before})"),  # noqa: S608 - ours
            {"before": before_ms},
        ).scalar_one()
        for table, column, before in _DATED
    )


def _newest_terms(connection: Connection) -> dict[str, dict[str, str]]:
    wanted = select(TRACE_TERMS).order_by(TRACE_TERMS.c.from_version)
    names = ("grant_id", "consumer", "provider", "resource", "purpose", "legal_basis")
    return {row.topic: {name: getattr(row, name) for name in names} for row in connection.execute(wanted)}


def _said(terms: Terms) -> dict[str, str]:
    return {
        "grant_id": terms.grant_id,
        "consumer": terms.consumer,
        "provider": terms.provider,
        "resource": terms.resource,
        "purpose": terms.purpose,
        "legal_basis": terms.legal_basis,
    }


def _copy(connection: Connection, table: Table, rows: Iterable[SubjectRow | DeliveryRow]) -> None:
    """All columns in their order; numbers and UUIDs need no escapes."""
    lines = "".join("\t".join(map(str, row)) + "\n" for row in rows)
    if not lines:
        return
    names = ", ".join(table.columns.keys())
    cursor: Any = connection.connection.cursor()
    try:
        cursor.copy_expert(f"COPY {table.name} ({names}) FROM STDIN", io.StringIO(lines))
    finally:
        cursor.close()
