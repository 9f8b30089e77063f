"""A processor that copies, run as a process of its own by test_processor.py; settings are JSON in argv."""

import json
import os
import sys
from collections.abc import Generator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from schemas.load import control_schema
from schemas.registry import RegistryCredentials, RegistryUnavailable, SchemaNotFound
from services.processor.contract import Batch, BatchResult, CatchUp, InputPartition, Steps
from services.processor.run import run
from services.processor.settings import Clients, ProcessorSettings
from topics.engine.lanes import into_lanes
from topics.engine.records import Records
from topics.event import KafkaRecord, OutputRecord, SchemaId, TopicName
from topics.policy import Policy

POLICY_SCHEMA = SchemaId(1)
DIED = 77
SOURCE, OTHER, OUT, STATE = (TopicName(name) for name in ("echo.in", "echo.other", "echo.out", "echo.state"))


class Registry:
    """Knows the policy's schema and 7; a file named ``down`` beside the settings takes it away."""

    def __init__(self, folder: Path) -> None:
        self._down = folder / "down"

    def schema(self, schema_id: SchemaId) -> dict[str, Any]:
        if self._down.exists():
            raise RegistryUnavailable("taken away by the test")
        if schema_id not in (POLICY_SCHEMA, 7):
            raise SchemaNotFound(str(schema_id))
        return control_schema("PolicyVersion")


class Echo:
    """Copies every record, its offset and policy version as headers.

    ``break`` raises, ``die`` ends the process, ``hang`` never ends.
    """

    def __init__(self, group: str) -> None:
        self._group = group
        self._policy: Policy | None = None
        self._loaded: dict[InputPartition, int] = {}

    @property
    def group(self) -> str:
        return self._group

    def adopt_in_steps(self, policy: Policy) -> Generator[None, None, None]:
        yield
        self._policy = policy

    def topics(self) -> frozenset[TopicName]:
        return frozenset({SOURCE, OTHER} if "other" in self._adopted.code_lists else {SOURCE})

    @property
    def _adopted(self) -> Policy:
        assert self._policy is not None
        return self._policy

    def state_partition(self, source: InputPartition) -> InputPartition | None:
        return InputPartition(STATE, source.partition) if source.topic == SOURCE else None

    def assign(self, source: InputPartition, position: int) -> None:
        self._loaded[source] = -1

    def load(self, source: InputPartition, remembered: dict[bytes, bytes]) -> None:
        self._loaded[source] = max(map(int, remembered.values()), default=-1)

    def revoke(self, source: InputPartition) -> None:
        del self._loaded[source]

    def catch_ups(self, source: InputPartition, position: int, applied_version: int) -> tuple[CatchUp, ...]:
        if "fill" not in self._adopted.code_lists or applied_version >= self._adopted.version:
            return ()
        return (CatchUp(source, 0, position, ()),)

    def catch_up_in_steps(
        self, catch_up: CatchUp, records: Records, schemas: Mapping[SchemaId, Any]
    ) -> Steps:
        yield
        return BatchResult(tuple(into_lanes(self._copy(record, b"fill") for record in records)), {})

    def stop_catch_up(self, catch_up: CatchUp, record: KafkaRecord, defect: str) -> BatchResult:
        stopped = self._copy(replace(record, value=b"stopped"), b"stopped " + defect.encode())
        return BatchResult(tuple(into_lanes([stopped])), {"stopped": 1})

    def needed_schemas(self, records: Records) -> frozenset[SchemaId]:
        return frozenset({SchemaId(7)} if any(record.value == b"schema" for record in records) else ())

    def process_in_steps(self, batch: Batch, schemas: Mapping[SchemaId, Any]) -> Steps:
        outputs = []
        for record in chain.from_iterable(batch):
            source = InputPartition(record.topic, record.partition)
            if record.value == b"break":
                raise LookupError("a defect")
            if record.value == b"die":
                os._exit(DIED)
            while record.value == b"hang":
                pass
            if record.topic == SOURCE:
                if record.offset <= self._loaded[source]:
                    raise AssertionError("the state is ahead of the position")
                outputs.append(OutputRecord(STATE, record.partition, b"last", str(record.offset).encode()))
            outputs.append(self._copy(record, b"live"))
        yield
        return BatchResult(tuple(into_lanes(outputs)), {"copied": sum(map(len, batch))})

    def stop_internal(self, record: KafkaRecord, defect: str) -> BatchResult:
        stopped = self._copy(record, b"stopped " + defect.encode())
        return BatchResult(tuple(into_lanes([stopped])), {"stopped": 1})

    def _copy(self, record: KafkaRecord, how: bytes) -> OutputRecord:
        headers = (
            ("how", how),
            ("offset", str(record.offset).encode()),
            ("policy", str(self._adopted.version).encode()),
        )
        return OutputRecord(OUT, record.partition, record.topic.encode(), record.value, headers)


def main() -> None:
    given = json.loads(sys.argv[1])
    settings = ProcessorSettings.model_validate(given["settings"])
    clients = Clients(given["kafka"], RegistryCredentials("http://127.0.0.1:1", "reader", "unused"))
    run(Echo(settings.group), clients, settings, Registry(settings.data_dir))


if __name__ == "__main__":
    main()
