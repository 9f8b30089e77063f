"""Asks notification topics how each newest snapshot ended, sources and raw topics what it left out."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any, Final

import psycopg2
import psycopg2.errors
from psycopg2 import sql

from producers.connector import slot_name
from producers.snapshot import (
    STALLED_AFTER_S,
    Snapshot,
    SnapshotState,
    TableVolume,
    Written,
    newest_snapshot,
)
from schemas.registry import SchemaNotFound, SchemaRegistry
from services.control.access import CaptureSource
from services.control.connectors import captured
from services.doctor.ask_databases import Connection, open_database
from services.doctor.capture import Captured
from services.doctor.finding import Finding
from services.doctor.patient import Patient
from services.doctor.snapshots import judge_snapshot, judge_too_many, judge_uncounted, judge_volumes
from services.gate.releases import is_release
from services.ledger.counts import Place
from services.ledger.decode import Decoder, Undecodable
from services.ledger.reader import Bounds, KafkaTopicReader
from topics.event import KafkaRecord, TopicName
from topics.names import notifications
from topics.resource import CapturedTable

_TIMEOUT_S: Final = 8.0
_COUNT_S: Final = 5
_CATCH_UP_S: Final = 8.0
"""How long a shortage may turn out to be rows that are on their way: two heartbeats of a capture."""
_LOOK_S: Final = 0.5
_ALL_S: Final = 16.0
"""How long all captures together may be counted and waited for: the check-up gives up after 25 s."""
_MOST_READ: Final = 20_000
"""Beyond so many offsets a table's records are not read one by one."""
_MARGIN_MS: Final = 1_000
"""A snapshot's first rows may be written a moment before the notice that it began."""


def ask_snapshots(patient: Patient, stalled_after_s: float = STALLED_AFTER_S) -> list[Finding]:
    """Whether the newest snapshot of each capture got on and copied every row of every table."""
    decoder = Decoder(SchemaRegistry(patient.access.registry_credentials("doctor")))
    until = time.monotonic() + _ALL_S
    with KafkaTopicReader(patient.kafka_config, "doctor.reader", _TIMEOUT_S) as reader:
        return [
            finding
            for capture in patient.captures
            if capture.connector in patient.connector_configs
            for finding in _Volume(patient, capture, reader, decoder, until).judged(stalled_after_s)
        ]


class _Volume:
    """The full volume of one capture."""

    def __init__(
        self, patient: Patient, capture: Captured, reader: KafkaTopicReader, decoder: Decoder, until: float
    ) -> None:
        self.capture, self.reader, self.decoder, self.until = capture, reader, decoder, until
        self.source = patient.sources[capture.provider]
        resources = patient.definitions.resources.values() if patient.definitions else ()
        self.tables: dict[TopicName, CapturedTable] = {
            resource.raw_topic: table for resource, table in captured(capture.provider, resources)
        }

    def judged(self, stalled_after_s: float) -> Iterator[Finding]:
        """How the snapshot stands and, where it is complete, what of each table came."""
        snapshot = newest_snapshot(self._told())
        now_ms = int(time.time() * 1000)
        came = snapshot.state is SnapshotState.RUNNING and self._came_since(now_ms - stalled_after_s * 1000)
        stalled = snapshot.is_stalled(now_ms, records_came=came, after_s=stalled_after_s)
        yield judge_snapshot(self.capture, snapshot, stalled=stalled)
        if snapshot.state is SnapshotState.COMPLETE and self.source is not None:
            yield from self._compared(snapshot, self.source)

    def _told(self) -> list[dict[str, Any]]:
        """The notifications, with the broker's time instead of Connect's, as raw records have it."""
        told = []
        for place in self.reader.places(notifications(self.capture.provider)):
            for record in self.reader.read(place, *self.reader.bounds(place)):
                value = self.decoder.value(record)
                if value is not None:
                    told.append(value | {"timestamp": record.timestamp_ms})
        return told

    def _came_since(self, timestamp_ms: float) -> bool:
        layout = self.reader.layout()
        places = [place for topic in self.tables for place in layout.get(topic, [])]
        firsts, ends = self.reader.offsets_at(places, int(timestamp_ms)), self.reader.bounds_of(places)
        return any(firsts[place] < ends[place].end for place in places)

    def _compared(self, snapshot: Snapshot, source: CaptureSource) -> Iterator[Finding]:
        counted: dict[TopicName, int] = {}
        with closing(open_database(source)) as connection:
            connection.autocommit = True
            for topic, table in self.tables.items():
                found = self._count(connection, table)
                if isinstance(found, Finding):
                    yield found
                else:
                    counted[topic] = found
            yield from judge_volumes(self.capture, self._volumes(connection, snapshot, counted))

    def _count(self, connection: Connection, table: CapturedTable) -> int | Finding:
        name = f"{table.schema_name}.{table.table}"
        seconds = min(_COUNT_S, int(self.until - time.monotonic()))
        if seconds < 1:
            return judge_too_many(self.capture, name, int(_ALL_S))
        try:
            return _rows(connection, table, seconds)
        except psycopg2.errors.QueryCanceled:
            return judge_too_many(self.capture, name, seconds)
        except psycopg2.Error as error:
            return judge_uncounted(self.capture, name, type(error).__name__)

    def _volumes(
        self, connection: Connection, snapshot: Snapshot, counted: Mapping[TopicName, int]
    ) -> list[TableVolume]:
        """What is missing may be on its way: it is looked for until the capture has confirmed the count."""
        position, slot = _position(connection), slot_name(self.capture.provider)
        deadline = min(time.monotonic() + _CATCH_UP_S, self.until)
        while True:
            settled = _is_confirmed(connection, slot, position)
            found = [self._table(topic, rows, snapshot, settled) for topic, rows in counted.items()]
            if settled or time.monotonic() > deadline or not any(each.missing for each in found):
                return found
            time.sleep(_LOOK_S)

    def _table(self, topic: TopicName, rows: int, snapshot: Snapshot, settled: bool) -> TableVolume:
        table = self.tables[topic]
        name = f"{table.schema_name}.{table.table}"
        scanned = (snapshot.rows or {}).get(name)
        return TableVolume(name, rows, scanned, self._written(topic, snapshot.began_ms - _MARGIN_MS), settled)

    def _written(self, topic: TopicName, since_ms: int) -> Written | None:
        places = self.reader.places(topic)
        bounds, firsts = self.reader.bounds_of(places), self.reader.offsets_at(places, since_ms)
        if any(0 < bounds[place].low == firsts[place] for place in places):
            return None
        ranges = {place: Bounds(firsts[place], bounds[place].end) for place in places}
        offsets = sum(one.end - one.low for one in ranges.values())
        return Written(at_most=offsets) if offsets > _MOST_READ else self._read(ranges)

    def _read(self, ranges: Mapping[Place, Bounds]) -> Written:
        counts = Counter(self._operation(record) for record in self.reader.read_all(ranges))
        written = Written(counts["r"], counts["c"], counts["d"])
        return replace(written, deletes=0) if counts["t"] else written

    def _operation(self, record: KafkaRecord) -> str:
        """Debezium's letter; nothing for what is no change, cannot be read, or releases an older record."""
        if record.value is None or is_release(record):
            return ""
        try:
            return str(self.decoder.decode(record.value).get("op"))
        except (Undecodable, SchemaNotFound):
            return ""


def _rows(connection: Connection, table: CapturedTable, seconds: int) -> int:
    """Every row, or an error: without it a policy on the table would hide some from the count as well."""
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table.schema_name, table.table))
    with connection.cursor() as cursor:
        cursor.execute("SET row_security = off")
        cursor.execute("SET statement_timeout = %s", (f"{seconds}s",))
        cursor.execute(query)
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def _position(connection: Connection) -> str:
    """How far the server's log is: whatever was counted stands before it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()"
            " ELSE pg_current_wal_insert_lsn() END)::text"
        )
        row = cursor.fetchone()
    return str(row[0]) if row else "0/0"


def _is_confirmed(connection: Connection, slot: str, position: str) -> bool:
    """Whether the capture has in Kafka whatever stands before the position."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT confirmed_flush_lsn >= %s::pg_lsn FROM pg_replication_slots WHERE slot_name = %s",
            (position, slot),
        )
        row = cursor.fetchone()
    return bool(row and row[0])
