"""Codes with which a consumer's credential is fetched once: their digests, never the codes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, select, update

from services.control.store.provisioning.tables import CREDENTIAL_PICKUPS
from topics.event import ConsumerId


@dataclass(frozen=True, slots=True)
class PickUp:
    """What is kept of a code."""

    case: UUID | None
    """None where the department itself asked for a new credential."""
    consumer: ConsumerId
    rotates: bool
    """Whether it fetches a new credential in place of the one that there is."""
    issued_at: datetime
    expires_at: datetime
    collected_at: datetime | None


def issue(
    connection: Connection,
    id_: UUID,
    case: UUID | None,
    consumer: str,
    digest: str,
    by: str,
    now: datetime,
    expires_at: datetime,
    *,
    rotates: bool = False,
) -> None:
    """Keep a code's digest; codes of this consumer that nobody has used count no more."""
    table = CREDENTIAL_PICKUPS.c
    unused = delete(CREDENTIAL_PICKUPS).where(table.consumer == consumer, table.collected_at.is_(None))
    connection.execute(unused)
    row = {
        "id": id_,
        "case_id": case,
        "consumer": consumer,
        "rotates": rotates,
        "digest": digest,
        "issued_at": now,
        "issued_by": by,
        "expires_at": expires_at,
    }
    connection.execute(CREDENTIAL_PICKUPS.insert().values(row))


def collect(connection: Connection, digest: str, by: str, now: datetime) -> PickUp | None:
    """Use a code up, of two at once for one; None where there is none, it was used, or its time is over."""
    table = CREDENTIAL_PICKUPS.c
    used = (
        update(CREDENTIAL_PICKUPS)
        .where(table.digest == digest, table.collected_at.is_(None), table.expires_at > now)
        .values(collected_at=now, collected_by=by)
        .returning(CREDENTIAL_PICKUPS)
    )
    row = connection.execute(used).one_or_none()
    if row is None:
        return None
    return PickUp(
        row.case_id,
        ConsumerId(row.consumer),
        row.rotates,
        row.issued_at,
        row.expires_at,
        row.collected_at,
    )


def waiting(connection: Connection, now: datetime) -> dict[ConsumerId, datetime]:
    """Until when each code counts that nobody has used, by the consumer that it is for."""
    table = CREDENTIAL_PICKUPS.c
    unused = select(table.consumer, table.expires_at).where(
        table.collected_at.is_(None), table.expires_at > now
    )
    return {ConsumerId(row.consumer): row.expires_at for row in connection.execute(unused)}
