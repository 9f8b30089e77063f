"""Reads a source's table at the cut, in a process of its own: the other processor core reads the topic."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from producers.connector import TableName
from producers.debezium import record_id_of
from producers.provider_setup import quoted_table
from services.control.access import CaptureSource
from services.gate.plan import SourcePlan, compile_gate
from services.reconcile.columns import COLUMNS_SQL, Column, in_order, query
from services.reconcile.cut import Connection, connect, join_cut
from services.reconcile.judge import moment, take
from services.reconcile.rows import RowForm, key_bytes
from services.reconcile.spill import NOTHING, Spill, State
from topics.event import KafkaRecord, Record, RecordId, ResourceId, Stopped
from topics.policy import Policy, ResourcePolicy
from topics.resource import CapturedTable

PROGRESS: Final = "progress"
_AT_ONCE: Final = 5_000


@dataclass(frozen=True, slots=True)
class Scan:
    """What the other process needs to read the table."""

    source: CaptureSource = field(repr=False)
    token: str
    policy: str
    """The policy version's JSON text."""
    resource: ResourceId
    folder: Path
    ranges: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Scanned:
    """The table's rows are in the folder; count and sum of each range, and how long it took."""

    totals: list[tuple[int, int]]
    rows: int
    stopped: int
    """Rows that the gate stops before it judges their quality."""
    seconds: float


def scan(job: Scan) -> Scanned:
    """Read every row at the cut.

    Raises:
        psycopg2.Error: the database cannot be read.
    """
    began = time.monotonic()
    policy = Policy.model_validate_json(job.policy)
    entry = policy.resources[job.resource]
    plan = compile_gate(policy).sources[entry.resource.raw_topic]
    spill = Spill(job.folder, job.ranges)
    stopped = rows = 0
    with closing(connect(job.source)) as connection:
        join_cut(connection, job.token)
        table = SourceTable(connection, plan)
        form, at = form_of(entry, plan), moment(plan, job.at_ms)
        for batch in table.batches():
            stopped += sum(_add(spill, row, plan, form, at) for row in batch)
            rows += len(batch)
            (job.folder / PROGRESS).write_text(str(rows), encoding="ascii")
    spill.flush()
    return Scanned(spill.totals(), rows, stopped, time.monotonic() - began)


def form_of(entry: ResourcePolicy, plan: SourcePlan) -> RowForm:
    """How rows of the resource are compared: without the items that are other departments'."""
    return RowForm(_schema(entry), plan.not_ours)


def _schema(entry: ResourcePolicy) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(entry.item_schema)
    return found


def _add(spill: Spill, row: Record, plan: SourcePlan, form: RowForm, at: KafkaRecord) -> bool:
    """Add a row; whether the gate would stop it."""
    record_id = record_id_of(row, plan.primary_key) or RecordId("")
    taken = take(row, record_id, plan, at)
    if isinstance(taken, Stopped):
        spill.add(record_id.encode(), NOTHING, state=State.UNFIT)
        return True
    digest = form.digest(key_bytes(taken.identity, record_id), taken.items)
    if digest is None:
        spill.add(record_id.encode(), NOTHING, state=State.UNFIT)
        return True
    spill.add(record_id.encode(), digest)
    return False


class SourceTable:
    """The captured table, read through one session at the cut."""

    def __init__(self, connection: Connection, plan: SourcePlan) -> None:
        """Look at its columns.

        Raises:
            TypeError: the resource is not captured from a table.
        """
        source = plan.resource.source
        if not isinstance(source, CapturedTable):
            raise TypeError(f"{plan.resource.id} is not captured from a table")
        self._connection, self._name = connection, TableName(source.schema_name, source.table)
        found = self._columns()
        wanted = dict.fromkeys((*plan.primary_key, *(item.column for item in plan.items)))
        self.columns: tuple[Column, ...] = in_order(found, wanted)
        self.primary_key: tuple[Column, ...] = in_order(found, plan.primary_key)
        self._names = tuple(column.name for column in self.columns)
        self._binary = any(column.type == "bytea" for column in self.columns)

    def batches(self) -> Iterator[list[Record]]:
        """All rows, so many at a time, in the values that travel."""
        with self._connection.cursor("govbus_reconcile") as cursor:
            cursor.itersize = _AT_ONCE
            cursor.execute(query(self._name, self.columns))
            while found := cursor.fetchmany(_AT_ONCE):
                yield [self._row(values) for values in found]

    def some(self, where: str) -> list[Record]:
        """The rows for which a condition is true."""
        with self._connection.cursor() as cursor:
            cursor.execute(query(self._name, self.columns, where))
            return [self._row(values) for values in cursor.fetchall()]

    def about(self) -> int:
        """How many rows the server believes that it has; zero where it never counted."""
        with self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = to_regclass(%s)",
                (quoted_table(self._name),),
            )
            row = cursor.fetchone()
        return int(row[0]) if row else 0

    def _columns(self) -> dict[str, Column]:
        with self._connection.cursor() as cursor:
            cursor.execute(COLUMNS_SQL, (quoted_table(self._name),))
            return {name: Column(name, kind, modifier) for name, kind, modifier in cursor.fetchall()}

    def _row(self, values: tuple[Any, ...]) -> Record:
        if self._binary:
            values = tuple(bytes(one) if isinstance(one, memoryview) else one for one in values)
        return dict(zip(self._names, values, strict=True))
