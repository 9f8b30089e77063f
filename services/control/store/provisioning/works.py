"""Takes requests for grants from the outbox, and keeps how far each is: whoever comes next goes on there."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from services.control.cases.provisioning import Step
from services.control.cases.words import State
from services.control.docket.requests import GrantRequest, Wanted
from services.control.store.cases.tables import CASES, STEPS
from services.control.store.outbox import Channel, mark_sent, pending
from services.control.store.provisioning.tables import GRANT_WORKS, Outcome
from topics.event import GrantId

_KIND: Final = "grant"
_MANY: Final = 200


@dataclass(frozen=True, slots=True)
class Work:
    """One request, and how far it is; ``entry`` is its number in the outbox."""

    entry: int
    case: UUID
    grant: GrantId
    wanted: Wanted
    round: int
    event: int
    document: Mapping[str, Any]
    outcome: Outcome
    attempts: int
    note: str
    taken_at: datetime
    next_at: datetime | None
    ended_at: datetime | None
    receipt: str
    """What proves that it stopped: of a suspension or of a withdrawal; empty where nothing was stopped."""
    records: int | None
    """How many records the epoch delivered; None where there was none."""
    withdrawn: int | None
    """How many it took away again."""


@dataclass(frozen=True, slots=True)
class FailedStep:
    """A step that failed, of a case that is being provisioned."""

    case: UUID
    step: Step
    attempts: int
    moved_at: datetime


def take(connection: Connection, now: datetime) -> int:
    """Take over what the outbox owes, and return how many requests that were; each is taken once."""
    entries = [each for each in pending(connection, Channel.POLICY, _MANY) if _is_request(each.document)]
    for entry in entries:
        document = entry.document or {}
        row = {
            "entry": entry.id,
            "case_id": UUID(document["case"]),
            "grant_id": document["id"],
            "wanted": document["wanted"],
            "round": document["round"],
            "event": document["event"],
            "document": document,
            "outcome": Outcome.OWED.value,
            "attempts": 0,
            "note": "",
            "taken_at": now,
        }
        connection.execute(insert(GRANT_WORKS).values(row).on_conflict_do_nothing())
    mark_sent(connection, [entry.id for entry in entries], now)
    for case in {UUID((entry.document or {})["case"]) for entry in entries}:
        _drop_overtaken(connection, case, now)
    return len(entries)


def next_owed(connection: Connection, wanted: Collection[Wanted], now: datetime) -> Work | None:
    """The oldest request of these kinds whose time has come."""
    table = GRANT_WORKS.c
    found = (
        select(GRANT_WORKS)
        .where(table.outcome == Outcome.OWED.value, table.wanted.in_([each.value for each in wanted]))
        .where(or_(table.next_at.is_(None), table.next_at <= now))
        .order_by(table.entry)
        .limit(1)
    )
    row = connection.execute(found).one_or_none()
    return None if row is None else _work(row)


def overtaken_by(connection: Connection, work: Work) -> int | None:
    """The number of the newest event for which the case has asked for something since, if there is one."""
    newest = select(func.max(GRANT_WORKS.c.event)).where(GRANT_WORKS.c.case_id == work.case)
    event = connection.execute(newest).scalar_one()
    return int(event) if event is not None and event > work.event else None


def ended(
    connection: Connection, work: Work, outcome: Outcome, note: str, now: datetime, receipt: str = ""
) -> None:
    """Note how a request ended; one that has ended already stays as it is."""
    values = {"outcome": outcome.value, "note": note, "ended_at": now, "next_at": None, "receipt": receipt}
    owed = GRANT_WORKS.c.outcome == Outcome.OWED.value
    connection.execute(update(GRANT_WORKS).where(GRANT_WORKS.c.entry == work.entry, owed).values(values))


def filled(connection: Connection, work: Work, records: int, withdrawn: int) -> None:
    """Note what the epoch of a request counted."""
    values = {"records": records, "withdrawn": withdrawn}
    connection.execute(update(GRANT_WORKS).where(GRANT_WORKS.c.entry == work.entry).values(values))


def put_off(connection: Connection, work: Work, note: str, next_at: datetime, *, failed: bool) -> None:
    """Note why a request waits and until when; ``failed`` counts it as an attempt."""
    values = {"note": note, "next_at": next_at, "attempts": work.attempts + failed}
    owed = GRANT_WORKS.c.outcome == Outcome.OWED.value
    connection.execute(update(GRANT_WORKS).where(GRANT_WORKS.c.entry == work.entry, owed).values(values))


def works_of(connection: Connection, case: UUID) -> list[Work]:
    """Every request of a case, the oldest first."""
    wanted = select(GRANT_WORKS).where(GRANT_WORKS.c.case_id == case).order_by(GRANT_WORKS.c.entry)
    return [_work(row) for row in connection.execute(wanted)]


def waiting(connection: Connection, limit: int = 500) -> list[Work]:
    """Requests that are owed still, the oldest first."""
    owed = select(GRANT_WORKS).where(GRANT_WORKS.c.outcome == Outcome.OWED.value)
    return [_work(row) for row in connection.execute(owed.order_by(GRANT_WORKS.c.entry).limit(limit))]


def owed_cases(connection: Connection) -> set[UUID]:
    """Cases of which something is still to be done on the bus, taken over already or not."""
    owed = select(GRANT_WORKS.c.case_id).where(GRANT_WORKS.c.outcome == Outcome.OWED.value)
    return set(connection.execute(owed).scalars())


def failed_steps(connection: Connection, fewer_than: int) -> list[FailedStep]:
    """Steps that failed fewer times than that, of cases that are being provisioned."""
    wanted = (
        select(STEPS.c.case_id, STEPS.c.step, STEPS.c.attempts, CASES.c.moved_at)
        .join(CASES, CASES.c.id == STEPS.c.case_id)
        .where(STEPS.c.progress == "failed", STEPS.c.attempts < fewer_than)
        .where(CASES.c.state == State.PROVISIONING.value)
        .order_by(CASES.c.moved_at)
    )
    rows = connection.execute(wanted)
    return [FailedStep(row.case_id, Step(row.step), row.attempts, row.moved_at) for row in rows]


def request_of(work: Work) -> GrantRequest:
    """The request as it was made."""
    return GrantRequest.from_document(work.document, work.taken_at)


def _is_request(document: Mapping[str, Any] | None) -> bool:
    return document is not None and document.get("kind") == _KIND


def _drop_overtaken(connection: Connection, case: UUID, now: datetime) -> None:
    """Of what a case owes the newest counts; what came before is dropped, and says so."""
    works = [each for each in works_of(connection, case) if each.outcome is Outcome.OWED]
    for work in works[:-1]:
        ended(connection, work, Outcome.DROPPED, f"overtaken by what event {works[-1].event} asks for", now)


def _work(row: Row[Any]) -> Work:
    return Work(
        entry=row.entry,
        case=row.case_id,
        grant=GrantId(row.grant_id),
        wanted=Wanted(row.wanted),
        round=row.round,
        event=row.event,
        document=row.document,
        outcome=Outcome(row.outcome),
        attempts=row.attempts,
        note=row.note,
        taken_at=row.taken_at,
        next_at=row.next_at,
        ended_at=row.ended_at,
        receipt=row.receipt,
        records=row.records,
        withdrawn=row.withdrawn,
    )
