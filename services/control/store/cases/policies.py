"""Keeps the policies that cases are bound to, and which one new cases get."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from services.control.docket.bound import Bound, bound_document, bound_of
from services.control.store.cases.tables import ADOPTIONS, POLICIES


@dataclass(frozen=True, slots=True)
class Adopted:
    """The policy that new cases are bound to; ``number`` counts the adoptions."""

    number: int
    digest: str
    policy: Bound
    at: datetime
    by: str
    reason: str


def keep(connection: Connection, policy: Bound, now: datetime) -> str:
    """Keep a policy under its digest, which is returned; one that is kept already stays as it is."""
    digest = policy.digest
    row = {"digest": digest, "document": bound_document(policy), "recorded_at": now}
    connection.execute(insert(POLICIES).values(row).on_conflict_do_nothing())
    return digest


def adopt(connection: Connection, policy: Bound, by: str, now: datetime, reason: str) -> Adopted:
    """Bind the cases that are opened from now on to a policy; those that are open keep theirs."""
    digest = keep(connection, policy, now)
    row = {"digest": digest, "adopted_at": now, "adopted_by": by, "reason": reason}
    number = connection.execute(ADOPTIONS.insert().values(row).returning(ADOPTIONS.c.number)).scalar_one()
    return Adopted(number, digest, policy, now, by, reason)


def adopted(connection: Connection) -> Adopted | None:
    """The policy that new cases are bound to; None before the first was adopted."""
    wanted = (
        select(ADOPTIONS, POLICIES.c.document)
        .join(POLICIES, POLICIES.c.digest == ADOPTIONS.c.digest)
        .order_by(ADOPTIONS.c.number.desc())
        .limit(1)
    )
    row = connection.execute(wanted).one_or_none()
    if row is None:
        return None
    policy = bound_of(row.document)
    return Adopted(row.number, row.digest, policy, row.adopted_at, row.adopted_by, row.reason)
