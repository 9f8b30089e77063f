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


class Policies:
    """Every policy that was adopted, and since when: what has begun keeps the one that it began under.

    Adoptions are only ever added, so that what is asked of a moment that has passed never changes.
    """

    def __init__(self, connection: Connection) -> None:
        wanted = select(ADOPTIONS.c.digest, ADOPTIONS.c.adopted_at).order_by(ADOPTIONS.c.number)
        self._connection = connection
        self._adoptions = [(row.adopted_at, row.digest) for row in connection.execute(wanted)]
        self._read: dict[str, Bound] = {}

    @property
    def since(self) -> datetime | None:
        """When the first policy was adopted."""
        return self._adoptions[0][0] if self._adoptions else None

    def at(self, moment: datetime) -> Bound | None:
        """The policy that counts for what began at a moment; None where none was ever adopted.

        For what began before the first adoption, the first counts: what its packs demand was law before.
        """
        if not self._adoptions:
            return None
        before = [digest for since, digest in self._adoptions if since <= moment]
        digest = before[-1] if before else self._adoptions[0][1]
        if digest not in self._read:
            wanted = select(POLICIES.c.document).where(POLICIES.c.digest == digest)
            self._read[digest] = bound_of(self._connection.execute(wanted).scalar_one())
        return self._read[digest]
