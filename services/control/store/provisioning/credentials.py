"""The versions of departments' credentials with their dates: entered, replaced, ended; never a password.

Whoever changes those of a department holds its turn first (``hold``): a credential that is fetched at the
moment in which the one before it expires must not be locked out with it.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, func, select, tuple_, update

from services.control.credential_life import Credential, Ended
from services.control.store.provisioning.tables import DEPARTMENT_CREDENTIALS
from topics.event import ConsumerId

_TURN: Final = 4_207_006
"""Of PostgreSQL's advisory locks those for the credentials of one department each."""
_C: Final = DEPARTMENT_CREDENTIALS.c


def hold(connection: Connection, consumer: ConsumerId) -> None:
    """Keep everybody else from the department's credentials until the transaction ends."""
    connection.execute(select(func.pg_advisory_xact_lock(_TURN, func.hashtext(consumer))))


def newest(connection: Connection, consumer: ConsumerId) -> Credential | None:
    """The department's last version, ended or not; None before its first."""
    return next(iter(versions(connection, consumer)), None)


def versions(connection: Connection, consumer: ConsumerId) -> list[Credential]:
    """Every version of a department's credential, the newest first."""
    wanted = select(DEPARTMENT_CREDENTIALS).where(_C.consumer == consumer)
    return list(_read(connection, wanted.order_by(_C.version.desc())))


def listed(connection: Connection, consumers: Iterable[str] | None = None) -> list[Credential]:
    """The last version of each department's credential, by the department; of all, or of these."""
    last = select(_C.consumer, func.max(_C.version)).group_by(_C.consumer)
    wanted = select(DEPARTMENT_CREDENTIALS).where(tuple_(_C.consumer, _C.version).in_(last))
    if consumers is not None:
        wanted = wanted.where(_C.consumer.in_(sorted(consumers)))
    return list(_read(connection, wanted.order_by(_C.consumer)))


def open_ones(connection: Connection) -> list[Credential]:
    """Those that open the bus, by the department."""
    wanted = select(DEPARTMENT_CREDENTIALS).where(_C.ended_at.is_(None))
    return list(_read(connection, wanted.order_by(_C.consumer)))


def enter(
    connection: Connection, consumer: ConsumerId, issued_at: datetime, expires_at: datetime
) -> Credential | None:
    """Enter a credential that was issued; None where the department has one that has not ended."""
    hold(connection, consumer)
    before = newest(connection, consumer)
    if before is not None and before.ended is None:
        return None
    return _added(connection, consumer, before, issued_at, expires_at)


def replace(connection: Connection, consumer: ConsumerId, now: datetime, expires_at: datetime) -> Credential:
    """Let the next version begin, and the one before it end if it has not."""
    hold(connection, consumer)
    before = newest(connection, consumer)
    if before is not None and before.ended is None:
        end(connection, before, before.ends_as(now), now)
    return _added(connection, consumer, before, now, expires_at)


def end(connection: Connection, credential: Credential, how: Ended, now: datetime) -> None:
    """Note that a version has ended, and how."""
    which = (_C.consumer == credential.consumer, _C.version == credential.version)
    connection.execute(update(DEPARTMENT_CREDENTIALS).where(*which).values(ended=how.value, ended_at=now))


def _added(
    connection: Connection,
    consumer: ConsumerId,
    before: Credential | None,
    issued_at: datetime,
    expires_at: datetime,
) -> Credential:
    found = Credential(consumer, 1 if before is None else before.version + 1, issued_at, expires_at)
    row = {
        "consumer": consumer,
        "version": found.version,
        "issued_at": issued_at,
        "expires_at": expires_at,
    }
    connection.execute(DEPARTMENT_CREDENTIALS.insert().values(row))
    return found


def _read(connection: Connection, wanted: Select[Any]) -> Iterator[Credential]:
    return map(_of, connection.execute(wanted))


def _of(row: Row[Any]) -> Credential:
    return Credential(
        ConsumerId(row.consumer),
        row.version,
        row.issued_at,
        row.expires_at,
        row.ended_at,
        None if row.ended is None else Ended(row.ended),
    )
