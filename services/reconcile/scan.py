"""Reads a source's table at the cut, a part of it in each process: meanwhile the caller reads the topic."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from producers.columns import COLUMNS_SQL, Column, in_order, query
from producers.connector import TableName
from producers.provider_setup import quoted_table
from services.control.access import CaptureSource
from services.gate.plan import GatePlan, SourcePlan, compile_gate
from services.ledger.decode import SchemaSource
from services.reconcile.cut import Connection, connect, join_cut
from services.reconcile.judge import RowJudge, moment
from services.reconcile.rows import WHOLE, RowForm
from services.reconcile.spill import NOTHING, Spill, State
from services.reconcile.values import CanonicalValues
from topics.engine.choose import choose
from topics.event import Record, ResourceId, SchemaId
from topics.policy import Policy, ResourcePolicy
from topics.resource import CapturedTable

PROGRESS: Final = "progress"
_AT_ONCE: Final = 5_000
_PAGES_TO_DIVIDE: Final = 256
"""Two megabytes: less is read sooner than another process begins."""


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
    part: str = "true"
    """Which rows, as a condition of SQL."""


@dataclass(frozen=True, slots=True)
class Scanned:
    """Rows of the table are in the folder; count and sum of each range, and how long it took."""

    totals: list[tuple[int, int]]
    rows: int
    stopped: int
    """Rows that the gate stops before it judges their quality."""
    seconds: float


def together(parts: Iterable[Scanned]) -> Scanned:
    """The parts of one table as one; they were read side by side."""
    found = list(parts)
    totals = [
        (sum(count for count, _ in each), sum(total for _, total in each) % WHOLE)
        for each in zip(*(part.totals for part in found), strict=True)
    ]
    rows, stopped = sum(part.rows for part in found), sum(part.stopped for part in found)
    return Scanned(totals, rows, stopped, max(part.seconds for part in found))


def scan(job: Scan) -> Scanned:
    """Read the rows of a part at the cut.

    Raises:
        psycopg2.Error: the database cannot be read.
    """
    began = time.monotonic()
    policy = Policy.model_validate_json(job.policy)
    entry, plan = policy.resources[job.resource], compile_gate(policy)
    spill = Spill(job.folder, job.ranges)
    stopped = rows = 0
    with closing(connect(job.source)) as connection:
        join_cut(connection, job.token)
        table = SourceTable(connection, plan.sources[entry.resource.raw_topic])
        judge = _judge(plan, entry, table.columns, job.at_ms)
        for batch in table.batches(job.part):
            for record_id, digest in judge.judged(batch):
                spill.add(record_id, digest or NOTHING, state=State.ROW if digest else State.UNFIT)
                stopped += digest is None
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


def values_of(entry: ResourcePolicy, form: RowForm, schemas: SchemaSource) -> CanonicalValues:
    """What opens the resource's canonical records."""
    envelope, raw_topic = json.loads(entry.envelope_schema), entry.resource.raw_topic
    return CanonicalValues(envelope, entry.canonical_value_schema_id, raw_topic, form, schemas)


class _NoOther:
    """What the judge's own engine writes has no other schema than the policy's."""

    def schema(self, schema_id: SchemaId) -> Mapping[str, Any]:
        raise KeyError(schema_id)


def _judge(plan: GatePlan, entry: ResourcePolicy, columns: Sequence[Column], at_ms: int) -> RowJudge:
    source = plan.sources[entry.resource.raw_topic]
    form = form_of(entry, source)
    values = values_of(entry, form, _NoOther())
    return RowJudge(plan, source, columns, values, form, moment(source, at_ms), choose())


def _between(first: str | None, end: str | None) -> str:
    found = [f"ctid >= {first}"] if first else []
    found += [f"ctid < {end}"] if end else []
    return " AND ".join(found) or "true"


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

    def parts(self, most: int) -> list[str]:
        """Conditions of SQL that divide the table by where its rows lie; a single one where that is not told.

        A scan of a range of row identifiers reads just these pages (PostgreSQL 14 and later). Within one
        snapshot a row that is seen has one place.
        """
        with self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_relation_size(oid) / current_setting('block_size')::bigint FROM pg_class"
                " WHERE oid = to_regclass(%s) AND relkind = 'r'",
                (quoted_table(self._name),),
            )
            row = cursor.fetchone()
        pages = int(row[0]) if row else 0
        cuts = [pages * number // most for number in range(1, most)] if pages >= _PAGES_TO_DIVIDE else []
        places = [None, *(f"'({cut},0)'::tid" for cut in cuts), None]
        return [_between(first, end) for first, end in pairwise(places)]

    def batches(self, part: str = "true") -> Iterator[list[Record]]:
        """The rows of a part, so many at a time, in the values that travel."""
        with self._connection.cursor("govbus_reconcile") as cursor:
            cursor.itersize = _AT_ONCE
            cursor.execute(query(self._name, self.columns, part))
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
