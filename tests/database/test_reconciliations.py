"""What reconciliations found is kept as it was, and the newest of each resource is its last proof."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.control.store.database import ControlDatabase
from services.control.store.reconciliations.proofs import Proof, keep, last_proofs, proofs_of

NOON = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)
FIRST = Proof(
    resource="population.person.v1",
    provider="police",
    at=NOON,
    cut="0/16B3748",
    same=False,
    source_rows=2**40,
    source_digest="0" * 32,
    canonical_rows=2**40 - 1,
    canonical_digest="1" * 32,
    differences=1,
    explained=3,
    document={"shown": [{"key": "a pseudonym"}]},
)
SECOND = replace(FIRST, at=NOON + timedelta(minutes=1), same=True, differences=0)
OTHER = replace(FIRST, resource="legal.enterprise.v1", provider="market_regulation")


def test_the_newest_reconciliation_of_each_resource_is_its_last_proof(
    control_database: ControlDatabase,
) -> None:
    with control_database.begin() as connection:
        assert last_proofs(connection) == {}
        for proof in (SECOND, FIRST, OTHER):
            keep(connection, proof)
    with control_database.reading() as connection:
        assert last_proofs(connection) == {SECOND.resource: SECOND, OTHER.resource: OTHER}
        assert last_proofs(connection, {"police"}) == {SECOND.resource: SECOND}
        assert proofs_of(connection, FIRST.resource) == [SECOND, FIRST]
        assert proofs_of(connection, FIRST.resource, most=1) == [SECOND]
