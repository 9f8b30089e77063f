"""Keeps what reconciliations found and reads it: the last proof of each resource, and those before it.

Each is owed to the ledger with its figures and the digest of what is kept, so that nobody alters it unseen.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row, insert, select
from sqlalchemy.dialects.postgresql import distinct_on

from services.control.store.ids import new_id
from services.control.store.outbox import Fact
from services.control.store.reconciliations.tables import RECONCILIATIONS

ACT: Final = "reconcile.proof"
KIND: Final = "resource"
_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Proof:
    """One reconciliation of a resource, as a page or a list shows it.

    Args:
        cut: the position of the source's log (PostgreSQL's LSN) at which both sides were compared.
        differences: rows that differ and that nothing explains, those of sinks among them.
        explained: rows that differ for a known reason, such as a stopped change.
        document: the whole answer (docs/cli/reconcile.schema.json), without any value of a row.
    """

    resource: str
    provider: str
    at: datetime
    cut: str
    same: bool
    source_rows: int
    source_digest: str
    canonical_rows: int
    canonical_digest: str
    differences: int
    explained: int
    document: Mapping[str, Any]


def keep(connection: Connection, proof: Proof) -> UUID:
    """Keep what a reconciliation found; it is never changed afterwards."""
    id_ = new_id(proof.at)
    connection.execute(
        insert(RECONCILIATIONS).values(
            id=id_,
            resource=proof.resource,
            provider=proof.provider,
            compared_at=proof.at,
            cut=proof.cut,
            same=proof.same,
            source_rows=proof.source_rows,
            source_digest=proof.source_digest,
            canonical_rows=proof.canonical_rows,
            canonical_digest=proof.canonical_digest,
            differences=proof.differences,
            explained=proof.explained,
            document=dict(proof.document),
        )
    )
    return id_


def digest_of(proof: Proof) -> str:
    """SHA-256 of the kept answer as JSON with sorted keys and no spaces, in hexadecimal."""
    text = json.dumps(proof.document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def facts_of(proof: Proof) -> dict[str, Fact]:
    """What the ledger is told of it."""
    return {
        "cut": proof.cut,
        "same": proof.same,
        "source_rows": proof.source_rows,
        "source_digest": proof.source_digest,
        "canonical_rows": proof.canonical_rows,
        "canonical_digest": proof.canonical_digest,
        "differences": proof.differences,
        "explained": proof.explained,
        "digest": digest_of(proof),
    }


def last_proofs(connection: Connection, providers: Collection[str] | None = None) -> dict[str, Proof]:
    """The newest reconciliation of each resource, by its id.

    Args:
        connection: inside the caller's transaction.
        providers: only resources of these departments; None for all.
    """
    table = RECONCILIATIONS.c
    # Documents are large: the newest are found by their ids, and only those are read.
    newest = select(table.id).ext(distinct_on(table.resource))
    newest = newest.order_by(table.resource, table.compared_at.desc(), table.id.desc())
    if providers is not None:
        newest = newest.where(table.provider.in_(sorted(providers)))
    wanted = select(RECONCILIATIONS).where(table.id.in_(newest)).order_by(table.resource)
    return {row.resource: _proof(row) for row in connection.execute(wanted)}


def proofs_of(connection: Connection, resource: str, most: int = _MOST) -> list[Proof]:
    """The reconciliations of a resource, the newest first."""
    table = RECONCILIATIONS.c
    wanted = select(RECONCILIATIONS).where(table.resource == resource)
    wanted = wanted.order_by(table.compared_at.desc(), table.id.desc()).limit(most)
    return [_proof(row) for row in connection.execute(wanted)]


def _proof(row: Row[Any]) -> Proof:
    return Proof(
        resource=row.resource,
        provider=row.provider,
        at=row.compared_at,
        cut=row.cut,
        same=row.same,
        source_rows=row.source_rows,
        source_digest=row.source_digest,
        canonical_rows=row.canonical_rows,
        canonical_digest=row.canonical_digest,
        differences=row.differences,
        explained=row.explained,
        document=row.document,
    )
