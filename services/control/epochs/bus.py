"""What an epoch asks of the running bus and writes to it: as auditor, copier and operator, each its part."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg2
from confluent_kafka import ConsumerGroupTopicPartitions, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from producers.columns import COLUMNS_SQL, Column, in_order, rows_with_keys
from producers.connect_client import ConnectClient
from producers.connect_errors import ConnectError
from producers.connect_status import Health
from producers.connector import TableName, connector_name
from producers.debezium import incarnation_of
from producers.provider_setup import quoted_table
from schemas.registry import SchemaRegistry
from services.control.access import Access
from services.control.copy_transactions import CopyTransactions
from services.control.epoch_markers import Marker, read_markers
from services.control.gaps import open_source
from services.control.kafka_topics import end_offsets, reached_ends
from services.control.reading import read_whole, whole_reader
from topics import names
from topics.engine.reference import ReferenceCodec
from topics.event import KafkaRecord, OutputRecord, RecordId, ResourceId, SchemaId, TopicName
from topics.resource import CapturedTable, Provider, Resource
from topics.wire import split

AUDITOR: Final = "ledger"
COPIER: Final = "copier"
OPERATOR: Final = "operator"
_BATCH: Final = 2_000
_TIMEOUT_S: Final = 30.0
_READER: Final = "ledger.epochs"


@dataclass(slots=True)
class EpochBus:
    """One resource's topics, its capture, and who may write what of an epoch."""

    access: Access
    resource: Resource
    source: CapturedTable
    marker_schema: SchemaId
    provider: Provider
    admin: AdminClient = field(init=False)
    _registry: SchemaRegistry = field(init=False)
    _codecs: dict[SchemaId, ReferenceCodec] = field(default_factory=dict)
    _markers: CopyTransactions | None = None
    _raw: CopyTransactions | None = None
    _connect: ConnectClient | None = None

    def __post_init__(self) -> None:
        self.admin = self.access.admin()
        self._registry = SchemaRegistry(self.access.registry_credentials(AUDITOR))

    @property
    def raw(self) -> TopicName:
        """The raw topic of the source."""
        return self.resource.raw_topic

    @property
    def table(self) -> str:
        """The source table with its schema."""
        return f"{self.source.schema_name}.{self.source.table}"

    def markers(self, resource: ResourceId | None = None) -> list[dict[str, Any]]:
        """The markers of a resource, the epoch's own if none is named; what was written just now included."""
        subject = resource or self.resource.id
        topic = names.epochs(subject)
        end = reached_ends(self.admin, topic, names.EPOCHS_PARTITIONS, _TIMEOUT_S)[0]
        return read_markers(self.access, subject, end)

    def fence(self) -> None:
        """From here on no earlier run of an epoch of this resource writes a marker or a withdrawal."""
        self._markers = CopyTransactions(
            self.access.kafka_config(COPIER), names.copier_transactional_id(self.resource.id)
        )
        self._raw = CopyTransactions(
            self.access.kafka_config(OPERATOR), names.sweeper_transactional_id(self.resource.id)
        )

    def mark(self, marker: Marker) -> None:
        """Write a marker; ``fence`` came before.

        Raises:
            EpochInterrupted: another run has taken over.
        """
        if self._markers is None:
            raise RuntimeError("fence() comes before mark()")
        self._markers.write([marker.output(self.marker_schema)])

    def append(self, records: Sequence[OutputRecord]) -> None:
        """Append to the raw topic; raises as ``mark`` does."""
        if self._raw is None:
            raise RuntimeError("fence() comes before append()")
        for first in range(0, len(records), _BATCH):
            self._raw.write(records[first : first + _BATCH])

    def signal(self, signal_id: str, kind: str, data: Mapping[str, Any]) -> None:
        """Ask the provider's connector for something."""
        producer = Producer({**self.access.kafka_config(OPERATOR), "acks": "all"})
        value = json.dumps({"id": signal_id, "type": kind, "data": data}, ensure_ascii=False)
        topic, key = names.signal(self.provider.id), names.raw_prefix(self.provider.id)
        producer.produce(topic, value.encode(), key.encode(), partition=0)
        if producer.flush(_TIMEOUT_S):
            raise TimeoutError(f"{topic} took no signal within {_TIMEOUT_S:.0f} s")

    def notifications(self, since: int) -> tuple[list[dict[str, Any]], int]:
        """The capture's notifications from that offset on, and where the next ones will be.

        Each says as ``incarnation`` under which one the connector told it.
        """
        topic = names.notifications(self.provider.id)
        end = end_offsets(self.admin, topic, 1, stable=True)
        found = [
            {**self._decoded(each.value), "incarnation": incarnation_of(each.headers)}
            for each in self.read(topic, {0: since}, end)
            if each.value
        ]
        return found, end[0]

    def ends(self, topic: str, *, stable: bool = True) -> dict[int, int]:
        """The end of each partition of one of the resource's topics; stable ones hold all written before."""
        if stable:
            return reached_ends(self.admin, topic, self.resource.partitions, _TIMEOUT_S)
        return end_offsets(self.admin, topic, self.resource.partitions, stable=False)

    def read(self, topic: str, starts: Mapping[int, int], ends: Mapping[int, int]) -> Iterator[KafkaRecord]:
        """The committed records in the range; each partition in offset order."""
        reader = whole_reader(self.access.kafka_config(AUDITOR), _READER)
        try:
            for batch in read_whole(reader, topic, ends, _BATCH, starts):
                yield from batch
        finally:
            reader.close()

    def raw_key(self, partition: int, offset: int) -> bytes | None:
        """The key of one raw record; None where the topic keeps it no more."""
        for record in self.read(self.raw, {partition: offset}, {partition: offset + 1}):
            return record.key
        return None

    def committed(self) -> dict[int, int]:
        """How far the gate has decided each partition of the raw topic."""
        asked = [TopicPartition(self.raw, number) for number in range(self.resource.partitions)]
        group = ConsumerGroupTopicPartitions(names.GATE_GROUP, asked)
        answer = self.admin.list_consumer_group_offsets([group], request_timeout=_TIMEOUT_S)
        found = answer[names.GATE_GROUP].result().topic_partitions or []
        return {place.partition: max(0, place.offset) for place in found}

    def key_values(self, key: bytes) -> Mapping[str, Any]:
        """A raw key's columns."""
        return self._decoded(key)

    def capture_health(self) -> Health | None:
        """How the provider's connector is; None where Connect does not answer."""
        try:
            self._connect = self._connect or self.access.connect()
            return self._connect.health(connector_name(self.provider.id))
        except ConnectError:
            return None

    def estimated_rows(self) -> int | None:
        """How many rows the provider's planner believes that the table has; None where it cannot be told."""
        query = "SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%s)"
        rows = self._asked(query)
        return int(rows[0][0]) if rows and rows[0][0] > 0 else None

    def column_types(self) -> Mapping[str, str]:
        """The names of the types of the table's columns; empty where the provider's database is silent."""
        return {name: kind for name, kind, _ in self._asked(COLUMNS_SQL)}

    def present(self, records: Collection[RecordId]) -> int | None:
        """How many of these rows the provider's table has now; None where that cannot be asked."""
        source = self.access.capture_source(self.provider.database or self.provider.id)
        if source is None:
            return None
        keys = [self._key_texts(record) for record in records]
        try:
            with closing(open_source(source)) as connection, connection.cursor() as cursor:
                cursor.execute(COLUMNS_SQL, (self.table,))
                known = {name: Column(name, kind, modifier) for name, kind, modifier in cursor.fetchall()}
                primary_key, found = in_order(known, self.source.primary_key), 0
                for first in range(0, len(keys), _BATCH):
                    where = rows_with_keys(primary_key, keys[first : first + _BATCH])
                    cursor.execute(f"SELECT count(*) FROM {quoted_table(self._name)} WHERE {where}")  # noqa: S608
                    found += (cursor.fetchone() or (0,))[0]
                return found
        except psycopg2.Error:
            return None

    @property
    def _name(self) -> TableName:
        return TableName(self.source.schema_name, self.source.table)

    def _key_texts(self, record: RecordId) -> tuple[str, ...]:
        return (record,) if len(self.source.primary_key) == 1 else tuple(json.loads(record))

    def _asked(self, query: str) -> list[tuple[Any, ...]]:
        """What the provider's database says of the table; nothing where it does not answer."""
        source = self.access.capture_source(self.provider.database or self.provider.id)
        if source is None:
            return []
        try:
            with closing(open_source(source)) as connection, connection.cursor() as cursor:
                cursor.execute(query, (self.table,))
                return list(cursor.fetchall())
        except psycopg2.Error:
            return []

    def _decoded(self, framed: bytes | None) -> dict[str, Any]:
        schema_id, avro = split(framed or b"")
        if schema_id not in self._codecs:
            self._codecs[schema_id] = ReferenceCodec(self._registry.schema(schema_id))
        return dict(self._codecs[schema_id].decode(avro))
