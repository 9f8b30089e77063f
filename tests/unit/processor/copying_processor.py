"""A processor that copies values and breaks on demand, for whoever tests what runs it."""

from collections.abc import Generator, Mapping
from itertools import chain
from typing import Any

from services.processor.contract import Batch, BatchResult, CatchUp, InputPartition, Steps
from topics.engine.lanes import into_lanes
from topics.engine.records import Records
from topics.event import KafkaRecord, OutputRecord, SchemaId, TopicName
from topics.policy import Policy

SOURCE = InputPartition(TopicName("in"), 0)
OUT = TopicName("out")


class Copying:
    """Copies values; raises for ``break``, and for ``hopeless`` even when told to stop it."""

    group = "copying"

    def __init__(self) -> None:
        self.due: tuple[CatchUp, ...] = ()
        self.revoked: list[InputPartition] = []
        self.needed: frozenset[SchemaId] = frozenset()

    def adopt_in_steps(self, policy: Policy) -> Generator[None, None, None]:
        yield
        self.version = policy.version

    def topics(self) -> frozenset[TopicName]:
        return frozenset({SOURCE.topic})

    def state_partition(self, _source: InputPartition) -> InputPartition | None:
        return None

    def assign(self, _source: InputPartition, _position: int) -> None:
        return

    def load(self, _source: InputPartition, _remembered: dict[bytes, bytes]) -> None:
        return

    def revoke(self, source: InputPartition) -> None:
        self.revoked.append(source)

    def catch_ups(self, _source: InputPartition, _position: int, applied: int) -> tuple[CatchUp, ...]:
        return self.due if applied < self.version else ()

    def catch_up_in_steps(
        self, catch_up: CatchUp, records: Records, schemas: Mapping[SchemaId, Any]
    ) -> Steps:
        yield
        return self.process_catch_up(catch_up, records, schemas)

    def process_catch_up(
        self, _catch_up: CatchUp, records: Records, _schemas: Mapping[SchemaId, Any]
    ) -> BatchResult:
        return _result([OutputRecord(OUT, 0, b"caught up", record.value) for record in records], {})

    def stop_catch_up(self, _catch_up: CatchUp, record: KafkaRecord, defect: str) -> BatchResult:
        return _result([OutputRecord(OUT, 0, b"caught up: " + defect.encode(), record.value)], {})

    def needed_schemas(self, _records: Records) -> frozenset[SchemaId]:
        return self.needed

    def process_in_steps(self, batch: Batch, schemas: Mapping[SchemaId, Any]) -> Steps:
        yield
        return self.process(batch, schemas)

    def process(self, batch: Batch, _schemas: Mapping[SchemaId, Any]) -> BatchResult:
        records = list(chain.from_iterable(batch))
        if any(record.value in (b"break", b"hopeless") for record in records):
            raise LookupError("a defect")
        outputs = [OutputRecord(OUT, 0, b"live", record.value) for record in records]
        return _result(outputs, {"copied": len(outputs)})

    def stop_internal(self, record: KafkaRecord, defect: str) -> BatchResult:
        if record.value == b"hopeless":
            raise LookupError("a defect here too")
        return _result([OutputRecord(OUT, 0, defect.encode(), record.value)], {"stopped": 1})


def _result(outputs: list[OutputRecord], outcomes: dict[str, int]) -> BatchResult:
    return BatchResult(tuple(into_lanes(outputs)), outcomes)
