"""How far departments' groups have committed, as the ledger was told: the newest, and each step to it."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from services.control.store.trace.tables import TRACE_ACQUIRED, TRACE_ACQUIRED_STEPS

Key = tuple[str, str, int]
"""Grant, group, partition."""


class Moved(NamedTuple):
    """Where a group is in one partition of a grant's topic."""

    grant: str
    group: str
    partition: int
    committed: int
    """The offset that it reads next."""

    @property
    def key(self) -> Key:
        """Whose position it is."""
        return self.grant, self.group, self.partition


def newest(connection: Connection) -> dict[Key, int]:
    """The furthest position of each group that the ledger was told."""
    columns = (
        TRACE_ACQUIRED.c.grant_id,
        TRACE_ACQUIRED.c.consumer_group,
        TRACE_ACQUIRED.c.partition,
        TRACE_ACQUIRED.c.committed,
    )
    return {(row[0], row[1], row[2]): row[3] for row in connection.execute(select(*columns))}


def note_moved(connection: Connection, moved: Iterable[Moved], seen_at: datetime) -> None:
    """Note what the ledger is told in the same transaction; a step stays when the next one is noted."""
    rows = [
        {
            "grant_id": each.grant,
            "consumer_group": each.group,
            "partition": each.partition,
            "committed": each.committed,
            "seen_at": seen_at,
        }
        for each in moved
    ]
    if not rows:
        return
    statement = insert(TRACE_ACQUIRED)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["grant_id", "consumer_group", "partition"],
            set_={"committed": statement.excluded.committed, "seen_at": statement.excluded.seen_at},
        ),
        rows,
    )
    table = TRACE_ACQUIRED.c
    taken = select(table.id, table.committed, table.seen_at).where(table.seen_at == seen_at)
    steps = insert(TRACE_ACQUIRED_STEPS).from_select(["acquired_id", "committed", "seen_at"], taken)
    connection.execute(steps.on_conflict_do_nothing())
