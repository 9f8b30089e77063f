"""The persons of the sample city as an epoch sees them: table, connector and topics in memory, the real gate,
and a clock that moves only when somebody waits.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from producers.connect_status import Health
from producers.debezium import INCARNATION_HEADER
from services.control.epoch_markers import Marker
from services.control.epochs.patience import Clock
from services.control.framing import decode
from services.ledger.counts import Place
from tests.support.debezium import PERSON_TOPIC, raw
from tests.support.memory_bus import MemoryCity
from topics.event import KafkaRecord, OutputRecord, RecordId, ResourceId, SchemaId, TopicName
from topics.policy import Policy
from topics.resource import CapturedTable, Provider, Resource

PERSONS = ResourceId("population.person.v1")
TABLE = "public.person"


def person(row: int, address: str = "平江路1号") -> dict[str, Any]:
    """A row of the source table."""
    return {
        "id": row,
        "id_number": "11010519491231002X",
        "name": "王小明",
        "birth_date": -7306,
        "sex": "2",
        "address": address,
        "household_district": "320508",
        "updated_at": 1_790_000_000_000,
    }


@dataclass
class Hours:
    """A clock that moves when somebody waits."""

    seconds: float = 5_000.0

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.seconds, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class MemoryEpochBus:
    """See ``services.control.epochs.bus.EpochBus``."""

    city: MemoryCity = field(default_factory=MemoryCity)
    incarnation: int = 1
    rows: dict[int, dict[str, Any]] = field(default_factory=dict)
    """The source table."""
    health: Health = Health.RUNNING
    answers: bool = True
    """Whether the connector takes signals."""
    marked: list[dict[str, Any]] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    """Notifications."""
    signals: list[tuple[str, str]] = field(default_factory=list)
    lost: set[int] = field(default_factory=set)
    """Rows that the next scan counts and does not bring."""
    clock_ms: int = 1_790_000_000_000

    @property
    def policy(self) -> Policy:
        policy = self.city.policy
        known = {**policy.providers, self.provider.id: self.provider}
        return policy.model_copy(update={"providers": known})

    @property
    def resource(self) -> Resource:
        return self.city.policy.resources[PERSONS].resource

    @property
    def source(self) -> CapturedTable:
        source = self.resource.source
        assert isinstance(source, CapturedTable)
        return source

    @property
    def provider(self) -> Provider:
        provider = self.city.policy.providers[self.resource.provider]
        return provider.model_copy(update={"incarnation": self.incarnation})

    @property
    def raw(self) -> TopicName:
        return PERSON_TOPIC

    @property
    def table(self) -> str:
        return TABLE

    @property
    def marker_schema(self) -> SchemaId:
        return self.city.policy.control_schemas.epoch_marker

    # The source and its connector.

    def change(self, operation: str, row: int, after: dict[str, Any] | None) -> KafkaRecord:
        """A change that the connector captures, and that the gate decides."""
        before = self.rows.get(row) if operation in "ud" else None
        memory = self.city.memory
        made = raw(operation, memory.ends[Place(PERSON_TOPIC, 0)], before, after)
        headers = ((INCARNATION_HEADER, str(self.incarnation).encode()),)
        record = memory.add(PERSON_TOPIC, 0, made.key, made.value, headers, made.timestamp_ms)
        if after is None:
            self.rows.pop(row, None)
        else:
            self.rows[row] = after
        self.city.pump()
        return record

    def takes_its_own_snapshot(self, *, ends: bool = True) -> None:
        """As a connector does that begins: every row, and what it tells of that."""
        self._tell("", "Initial Snapshot", "STARTED")
        for row, after in list(self.rows.items()):
            self.change("r", row, after)
        if ends:
            self._tell("", "Initial Snapshot", "TABLE_SCAN_COMPLETED", len(self.rows))
            self._tell("", "Initial Snapshot", "COMPLETED")

    def captured_anew(self) -> None:
        """The next incarnation, with its snapshot."""
        self.incarnation += 1
        self.takes_its_own_snapshot()

    def signal(self, signal_id: str, kind: str, _data: Mapping[str, Any]) -> None:
        self.signals.append((kind, signal_id))
        if self.answers and kind == "execute-snapshot":
            self._tell(signal_id, "Incremental Snapshot", "STARTED")
            lost, self.lost = self.lost, set()
            for row, after in [each for each in self.rows.items() if each[0] not in lost]:
                self.change("r", row, after)
            self._tell(signal_id, "Incremental Snapshot", "TABLE_SCAN_COMPLETED", len(self.rows))
            self._tell(signal_id, "Incremental Snapshot", "COMPLETED")

    def notifications(self, since: int) -> tuple[list[dict[str, Any]], int]:
        return self.told[since:], len(self.told)

    def capture_health(self) -> Health:
        return self.health

    def estimated_rows(self) -> int:
        return len(self.rows)

    def present(self, records: Collection[RecordId]) -> int:
        return sum(int(each) in self.rows for each in records)

    # The topics.

    def markers(self, resource: ResourceId | None = None) -> list[dict[str, Any]]:
        return list(self.marked) if resource in (None, PERSONS) else []

    def fence(self) -> None:
        """Nobody else runs."""

    def mark(self, marker: Marker) -> None:
        self.marked.append(decode("EpochMarker", marker.output(self.marker_schema).value or b""))

    def append(self, records: Sequence[OutputRecord]) -> None:
        self.city.write(records)

    def ends(self, topic: str, *, stable: bool = True) -> dict[int, int]:
        assert stable in (True, False)
        memory = self.city.memory
        return {place.partition: memory.ends[place] for place in memory.places(TopicName(topic))}

    def read(self, topic: str, starts: Mapping[int, int], ends: Mapping[int, int]) -> Iterator[KafkaRecord]:
        for partition, end in ends.items():
            place = Place(TopicName(topic), partition)
            yield from self.city.memory.read(place, starts.get(partition, 0), end)

    def raw_key(self, partition: int, offset: int) -> bytes | None:
        found = self.read(self.raw, {partition: offset}, {partition: offset + 1})
        return next((record.key for record in found), None)

    def committed(self) -> dict[int, int]:
        return self.ends(self.raw)

    def key_values(self, key: bytes) -> Mapping[str, Any]:
        return self.city.lookup.decoder.key(KafkaRecord(self.raw, 0, 0, 0, key, None)) or {}

    def standing(self) -> set[int]:
        """The rows that stand on the canonical topic."""
        found: set[int] = set()
        topic, decoder = self.resource.canonical_topic, self.city.lookup.decoder
        for record in self.read(topic, {}, self.ends(topic)):
            key, value = decoder.key(record) or {}, decoder.value(record)
            row = int(key["record_id"])
            found.discard(row)
            if value is not None and value["operation"] != "delete":
                found.add(row)
        return found

    def _tell(self, signal_id: str, of: str, kind: str, rows: int | None = None) -> None:
        self.clock_ms += 1_000
        scanned = {"scanned_collection": f"police.{TABLE}", "status": "SUCCEEDED"}
        data = {} if rows is None else {**scanned, "total_rows_scanned": str(rows)}
        said = {"id": signal_id, "aggregate_type": of, "type": kind, "additional_data": data}
        self.told.append({**said, "timestamp": self.clock_ms, "incarnation": self.incarnation})
