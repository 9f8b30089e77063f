"""Works on orders for receipts: asked for, tried, made or refused, and forgotten after a while."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, delete, func, select, update

from services.control.accounts.decision import Whose
from services.control.evidence.ordering import Obstacle, Order, State, Subject, Wish
from services.control.store.outbox import Act, Fact, append
from services.control.store.parties import Parties
from services.control.store.receipts.tables import RECEIPTS

KIND: Final = "evidence"
"""What an act calls evidence that is handed out."""
RECEIPT: Final = "evidence.receipt"
ASKED: Final = "evidence.ask"
_SHOWN: Final = [each for each in RECEIPTS.c if each.name not in ("content", "due_at")]


def ask(connection: Connection, wish: Wish, now: datetime) -> Order:
    """Ask for a receipt; the control process makes it."""
    subject = wish.subject
    row = {
        "grant_id": subject.grant,
        "topic": subject.topic,
        "partition": subject.partition,
        "offset": subject.offset,
        "withdrawn": subject.withdrawn,
        "shown": sorted(wish.shown),
        "asked_by": wish.asked_by,
        "department": wish.department,
        "provider": wish.whose.provider,
        "consumer": wish.whose.consumer,
        "witness": wish.witness,
        "asked_at": now,
        "state": State.ASKED.value,
        "detail": "",
        "attempts": 0,
        "due_at": now,
        "digest": "",
        "size": 0,
    }
    number = connection.execute(RECEIPTS.insert().values(row).returning(RECEIPTS.c.number)).scalar_one()
    facts: Mapping[str, Fact] = {"of": str(subject), "withdrawn": subject.withdrawn}
    append(connection, Act(wish.asked_by, ASKED, KIND, str(number), now, facts=facts))
    return _found(connection, number)


def load(connection: Connection, number: int) -> Order | None:
    """An order; None where there is none of that number."""
    row = connection.execute(select(*_SHOWN).where(RECEIPTS.c.number == number)).one_or_none()
    return None if row is None else _order(row)


def content(connection: Connection, number: int) -> bytes | None:
    """The receipt; None where there is none yet, or not any more."""
    found: bytes | None = connection.execute(
        select(RECEIPTS.c.content).where(RECEIPTS.c.number == number)
    ).scalar_one_or_none()
    return found


def listed(
    connection: Connection,
    department: str | None,
    visible_to: Parties | None = None,
    before: int | None = None,
    limit: int = 50,
) -> list[Order]:
    """Orders from the newest on, of a department or of all; ``before`` is the last one of the page before."""
    wanted: Select[Any] = select(*_SHOWN).order_by(RECEIPTS.c.number.desc()).limit(limit)
    if department is not None:
        wanted = wanted.where(RECEIPTS.c.department == department)
    if visible_to is not None:
        wanted = wanted.where(visible_to.among(RECEIPTS.c.consumer, RECEIPTS.c.provider))
    if before is not None:
        wanted = wanted.where(RECEIPTS.c.number < before)
    return [_order(row) for row in connection.execute(wanted)]


def waiting(connection: Connection, department: str) -> int:
    """How many of a department's orders are neither made nor refused."""
    asked = (RECEIPTS.c.department == department, RECEIPTS.c.state == State.ASKED.value)
    return int(connection.execute(select(func.count()).where(*asked)).scalar_one())


def due(connection: Connection, now: datetime, limit: int) -> Sequence[Order]:
    """What is to be tried now, what has waited longest first."""
    asked = (RECEIPTS.c.state == State.ASKED.value, RECEIPTS.c.due_at <= now)
    wanted = select(*_SHOWN).where(*asked).order_by(RECEIPTS.c.due_at, RECEIPTS.c.number).limit(limit)
    return [_order(row) for row in connection.execute(wanted)]


def begun(connection: Connection, number: int, again_at: datetime) -> None:
    """Note before it is tried when it comes again, should whoever tries it die."""
    _change(connection, number, {"attempts": RECEIPTS.c.attempts + 1, "due_at": again_at})


def waits(connection: Connection, number: int, obstacle: Obstacle, detail: str, again_at: datetime) -> None:
    """Time removes what is in the way."""
    values = {"obstacle": obstacle.value, "detail": detail, "attempts": 0, "due_at": again_at}
    _change(connection, number, values)


def refused(connection: Connection, number: int, obstacle: Obstacle, detail: str, now: datetime) -> None:
    """There will be no receipt."""
    values = {"obstacle": obstacle.value, "detail": detail, "state": State.REFUSED.value}
    _change(connection, number, {**values, "ended_at": now})


def made(connection: Connection, order: Order, receipt: bytes, now: datetime) -> None:
    """Keep the receipt, and owe the ledger that it is handed out; its digest names it."""
    digest, wish = sha256(receipt).hexdigest(), order.wish
    values = {"state": State.MADE.value, "obstacle": None, "detail": "", "content": receipt}
    ended = {"ended_at": now, "digest": digest, "size": len(receipt)}
    if not _change(connection, order.number, {**values, **ended}):
        # Another process was quicker: its receipt is the one that is kept.
        return
    subject = wish.subject
    facts: Mapping[str, Fact] = {"of": str(subject), "withdrawn": subject.withdrawn, "open": wish.open}
    append(connection, Act(wish.asked_by, RECEIPT, KIND, digest, now, facts=facts))


def forget(connection: Connection, before: datetime, limit: int = 1_000) -> int:
    """Delete so many at most of those that ended before; returns how many."""
    old = select(RECEIPTS.c.number).where(RECEIPTS.c.ended_at < before).limit(limit)
    return connection.execute(delete(RECEIPTS).where(RECEIPTS.c.number.in_(old.scalar_subquery()))).rowcount


def _change(connection: Connection, number: int, values: Mapping[str, Any]) -> bool:
    """Change an order that is neither made nor refused; says whether it still was so."""
    asked = (RECEIPTS.c.number == number, RECEIPTS.c.state == State.ASKED.value)
    return bool(connection.execute(update(RECEIPTS).where(*asked).values(values)).rowcount)


def _found(connection: Connection, number: int) -> Order:
    found = load(connection, number)
    assert found is not None  # noqa: S101 - it was inserted in this transaction
    return found


def _order(row: Row[Any]) -> Order:
    subject = Subject(row.partition, row.offset, row.grant_id, row.topic, row.withdrawn)
    whose = Whose(row.provider, row.consumer)
    return Order(
        number=row.number,
        wish=Wish(subject, frozenset(row.shown), row.asked_by, row.department, whose, row.witness),
        asked_at=row.asked_at,
        state=State(row.state),
        obstacle=None if row.obstacle is None else Obstacle(row.obstacle),
        detail=row.detail,
        attempts=row.attempts,
        ended_at=row.ended_at,
        digest=row.digest,
        size=row.size,
    )
