"""Reads the index of the person trace: from a hash to its records, from these to who received them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, Row, Select, select, text

from services.control.store.trace.tables import (
    TRACE_DELIVERIES,
    TRACE_SUBJECTS,
    TRACE_TERMS,
    TRACE_TOPICS,
)

_MANY: Final = 1_000
"""Hashes or changes that one question asks about."""


@dataclass(frozen=True, slots=True)
class SubjectFound:
    """A canonical record."""

    subject: UUID
    entity: UUID
    change: int
    topic: str
    partition: int
    offset: int
    at_ms: int
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class DeliveryFound:
    """A record of a grant's topic."""

    change: int
    topic: str
    partition: int
    offset: int
    at_ms: int
    generation: int
    policy_version: int
    delivered: bool
    """False where it took the record away from its consumer."""


@dataclass(frozen=True, slots=True)
class TermsFound:
    """What a grant said from a policy version on."""

    topic: str
    from_version: int
    grant: str
    consumer: str
    provider: str
    resource: str
    purpose: str
    legal_basis: str


@dataclass(frozen=True, slots=True)
class AcquiredFound:
    """A step of a group: up to where it had committed, and when that was seen first."""

    grant: str
    group: str
    partition: int
    committed: int
    seen_at: datetime


def of_subject(connection: Connection, subject: UUID, limit: int) -> list[SubjectFound]:
    """The newest canonical records under a subject's own hash."""
    return _subjects(connection, _SUBJECTS.where(TRACE_SUBJECTS.c.subject == subject), limit)


def of_entities(connection: Connection, entities: Collection[UUID], limit: int) -> list[SubjectFound]:
    """The newest canonical records of these rows of the source."""
    return _subjects(connection, _SUBJECTS.where(TRACE_SUBJECTS.c.entity.in_(list(entities))), limit)


def of_changes(connection: Connection, changes: Collection[int]) -> list[SubjectFound]:
    """Every canonical record of these changes: of a correction there are two."""
    found: list[SubjectFound] = []
    for some in _portions(sorted(changes)):
        found += map(_subject, connection.execute(_SUBJECTS.where(TRACE_SUBJECTS.c.change.in_(some))))
    return found


def deliveries(connection: Connection, changes: Collection[int], limit: int) -> list[DeliveryFound]:
    """The records of grants' topics that come from these changes, at most so many, the newest first."""
    found: list[DeliveryFound] = []
    for some in _portions(sorted(changes)):
        wanted = (
            select(TRACE_DELIVERIES, TRACE_TOPICS.c.topic)
            .join(TRACE_TOPICS, TRACE_TOPICS.c.id == TRACE_DELIVERIES.c.topic_id)
            .where(TRACE_DELIVERIES.c.change.in_(some))
            .order_by(TRACE_DELIVERIES.c.at_ms.desc())
            .limit(limit)
        )
        found += map(_delivery, connection.execute(wanted))
    return sorted(found, key=lambda each: (each.at_ms, each.topic, each.offset), reverse=True)[:limit]


def terms_of(connection: Connection, topics: Collection[str]) -> dict[str, list[TermsFound]]:
    """What the grants of these topics said, by the topic, in the order of policy versions."""
    wanted = select(TRACE_TERMS).where(TRACE_TERMS.c.topic.in_(list(topics)))
    found: dict[str, list[TermsFound]] = {}
    for row in connection.execute(wanted.order_by(TRACE_TERMS.c.from_version)):
        found.setdefault(row.topic, []).append(
            TermsFound(
                topic=row.topic,
                from_version=row.from_version,
                grant=row.grant_id,
                consumer=row.consumer,
                provider=row.provider,
                resource=row.resource,
                purpose=row.purpose,
                legal_basis=row.legal_basis,
            )
        )
    return found


_PAST: Final = text("""
    SELECT DISTINCT known.grant_id, known.consumer_group, known.partition, step.committed, step.seen_at
    FROM unnest(CAST(:grants AS text[]), CAST(:partitions AS int[]), CAST(:offsets AS bigint[]))
         AS wanted (grant_id, partition, record_offset)
    JOIN trace_acquired AS known ON known.grant_id = wanted.grant_id AND known.partition = wanted.partition
    CROSS JOIN LATERAL (
        SELECT committed, seen_at FROM trace_acquired_steps
        WHERE acquired_id = known.id AND committed > wanted.record_offset
        ORDER BY committed LIMIT 1
    ) AS step
""")
"""The first step past each record, of every group."""


def acquired_past(connection: Connection, records: Collection[tuple[str, int, int]]) -> list[AcquiredFound]:
    """The first step past each of these records of grants, of each group.

    Args:
        connection: inside the caller's transaction.
        records: grant, partition and offset in its topic.
    """
    grants, partitions, offsets = zip(*records, strict=True) if records else ((), (), ())
    given = {"grants": list(grants), "partitions": list(partitions), "offsets": list(offsets)}
    return [
        AcquiredFound(row.grant_id, row.consumer_group, row.partition, row.committed, row.seen_at)
        for row in connection.execute(_PAST, given)
    ]


_SUBJECTS: Final[Select[tuple[object, ...]]] = select(TRACE_SUBJECTS, TRACE_TOPICS.c.topic).join(
    TRACE_TOPICS, TRACE_TOPICS.c.id == TRACE_SUBJECTS.c.topic_id
)


def _subjects(connection: Connection, wanted: Select[tuple[object, ...]], limit: int) -> list[SubjectFound]:
    newest = wanted.order_by(TRACE_SUBJECTS.c.at_ms.desc(), TRACE_SUBJECTS.c.record_offset.desc())
    return [_subject(row) for row in connection.execute(newest.limit(limit))]


def _subject(row: Row[tuple[object, ...]]) -> SubjectFound:
    return SubjectFound(
        subject=row.subject,
        entity=row.entity,
        change=row.change,
        topic=row.topic,
        partition=row.partition,
        offset=row.record_offset,
        at_ms=row.at_ms,
        withdrawn=bool(row.withdrawn),
    )


def _delivery(row: Row[tuple[object, ...]]) -> DeliveryFound:
    return DeliveryFound(
        change=row.change,
        topic=row.topic,
        partition=row.partition,
        offset=row.record_offset,
        at_ms=row.at_ms,
        generation=row.generation,
        policy_version=row.policy_version,
        delivered=row.written == 1,
    )


def _portions(changes: Sequence[int]) -> Iterator[Sequence[int]]:
    return (changes[at : at + _MANY] for at in range(0, len(changes), _MANY))
