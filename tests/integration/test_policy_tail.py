"""On a real broker: the start of a processor costs as much with hundreds of policy versions as with ten."""

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer

from services.control.policy_topic import PolicyWriter
from services.processor.kafka_settings import groupless_consumer
from services.processor.policy_reader import PolicyReader
from services.processor.schema_source import SchemaSource
from tests.integration.processor_bus import GROUP, Bus, eventually
from tests.integration.processor_echo import POLICY_SCHEMA, Registry
from topics.event import PolicyNumber, SchemaId
from topics.names import POLICY
from topics.policy import ControlSchemas, Policy

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

FEW, MANY = 10, 400
VERSION_BYTES = 20_000
ABORTED = 12
PATIENCE_SECONDS = 30


class Writer:
    """The one writer of policies, as apply has it; all versions are of one size, and nothing repeats."""

    def __init__(self, bus: Bus) -> None:
        self._writer = PolicyWriter(bus.kafka, POLICY_SCHEMA)
        self._newest: Policy | None = None

    def write_up_to(self, version: int) -> None:
        for number in range(self._newest.version + 1 if self._newest else 1, version + 1):
            made = Policy(
                version=PolicyNumber(number),
                issued_ms=0,
                providers={},
                consumers={},
                resources={},
                grants={},
                code_lists={"filler": (secrets.token_hex(VERSION_BYTES // 2),)},
                control_schemas=ControlSchemas(**{name: SchemaId(2) for name in ControlSchemas.model_fields}),
            )
            self._newest = self._writer.write(made, self._newest)


@dataclass(frozen=True)
class Start:
    """What a starting processor knew in the end, and how many records and bytes came for it."""

    version: int | None
    blocked: str | None
    records: int
    wire: int


async def start(bus: Bus) -> Start:
    """Let a policy reader read until it is caught up; the client itself counts what came."""
    told: list[dict[str, Any]] = []
    settings = groupless_consumer(bus.kafka, GROUP) | {
        "statistics.interval.ms": 50,
        "stats_cb": lambda text: told.append(json.loads(text)),
    }
    reader = PolicyReader(lambda: Consumer(settings), SchemaSource(Registry(bus.folder)))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not reader.caught_up:
        await reader.step()
        assert time.monotonic() < deadline, reader.problem
    known = len(told)
    while len(told) < known + 2:
        await reader.step()
        assert time.monotonic() < deadline
    await reader.close()
    version = reader.newest.version if reader.newest else None
    return Start(version, reader.blocked, int(told[-1]["rxmsgs"]), int(told[-1]["rx_bytes"]))


def abort_some(bus: Bus) -> None:
    """What an apply leaves that was stopped again and again before it could commit."""
    producer = Producer(bus.kafka | {"transactional.id": "aborting"})
    producer.init_transactions(20)
    for _ in range(ABORTED):
        producer.begin_transaction()
        producer.produce(POLICY, b"never committed", partition=0)
        producer.flush(20)
        producer.abort_transaction(20)


async def test_what_is_read_at_the_start_does_not_grow_with_the_number_of_versions(bus: Bus) -> None:
    writer = Writer(bus)
    writer.write_up_to(FEW)
    few = await start(bus)
    writer.write_up_to(MANY)
    many = await start(bus)
    assert (few.version, many.version) == (FEW, MANY)
    assert few.records == many.records == 4, "two versions, two marks of transactions"
    assert many.wire < few.wire + VERSION_BYTES
    assert many.wire < 4 * VERSION_BYTES, "of a topic that holds a hundred times as much"
    abort_some(bus)
    behind = await start(bus)
    assert behind.version == MANY
    assert behind.records <= 4 * 2 * (2 + ABORTED)
    instance = bus.start(0)
    eventually(lambda: instance.ready() and instance.status()["policy"]["acknowledged"] == MANY)


async def test_a_start_at_an_end_that_cannot_be_read_decides_nothing_until_a_higher_version(bus: Bus) -> None:
    writer = Writer(bus)
    writer.write_up_to(FEW)
    bus.producer.produce(POLICY, b"not framed", partition=0)
    assert bus.producer.flush(10) == 0
    found = await start(bus)
    assert found.version == FEW
    assert found.blocked is not None
    bus.put([b"waiting"])
    instance = bus.start(0)
    eventually(lambda: any("policy record" in reason for reason in instance.reasons() or ()))
    assert bus.out() == []
    writer.write_up_to(FEW + 1)
    eventually(bus.out)
    assert [(value, headers["policy"]) for *_, value, headers in bus.out()] == [(b"waiting", b"11")]
