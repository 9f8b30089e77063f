"""Real fan-out instances under traffic, a department that reads all the time, and the kill switch."""

import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import Consumer, Producer, TopicPartition

from services.cli import processes
from services.control.kafka_topics import end_offsets
from services.control.settings import ApplySettings
from services.control.suspension.finish import now_ms, suspend_on
from services.control.suspension.ids import new_id
from services.control.suspension.journal import FileJournal, resumptions_path
from services.control.suspension.receipt import Receipt
from services.control.suspension.resume import Resume
from services.control.suspension.resumption import Resumption
from services.control.suspension.suspend import Order, Suspend
from services.stack.settings import StackSettings
from tests.integration.apply_bench import HEALTH, PERSONS, Bench, envelope
from tests.support.waiting import eventually
from topics.canonical import CANONICAL_KEY_SCHEMA, partition_of
from topics.engine.reference import ReferenceCodec
from topics.event import GrantId, Operation
from topics.grants.hold import HoldScope
from topics.wire import frame

PARTITIONS: Final = 4
INSTANCES: Final = ("fanout.default.0", "fanout.default.1")
ON_HEALTH: Final = Order(HoldScope.GRANT, HEALTH, "operator-7", "data found on a market")
#: What the client asks the broker to wait for records, at most; its own default.
FETCH_WAIT_MS: Final = 500


@dataclass
class Writer:
    """Canonical records as the gate writes them, in short transactions."""

    bench: Bench
    written: int = 0
    more: dict[str, Any] = field(default_factory=dict)
    """Items that every record has from now on."""
    producer: Producer = field(init=False)

    def __post_init__(self) -> None:
        config = self.bench.stack.kafka_config("gate")
        self.producer = Producer({**config, "transactional.id": "gate.test", "linger.ms": 0})
        self.producer.init_transactions(30)
        entry = self.bench.policy().resources[PERSONS]
        self._entry = entry
        self._codec = ReferenceCodec(json.loads(entry.envelope_schema))
        self._keys = ReferenceCodec(CANONICAL_KEY_SCHEMA)

    def write(self, *changes: tuple[int, Operation, str | None]) -> None:
        """Person, operation, and the district where it now lives; None for the one where it always does."""
        self.producer.begin_transaction()
        for number, operation, district in changes:
            self.written += 1
            self._produce(number, operation, district)
        self.producer.commit_transaction(30)

    def write_as(self, resident: str, number: int, operation: Operation) -> None:
        """A change of a person who has this number instead of one that is only a count."""
        self.producer.begin_transaction()
        self.written += 1
        self._produce(number, operation, None, resident)
        self.producer.commit_transaction(30)

    def _produce(
        self, number: int, operation: Operation, district: str | None, resident: str | None = None
    ) -> None:
        record = envelope(number, operation)
        home = record["state"]["household_district"]
        record["commit"] += self.written * 1000
        record["previous"] = None if operation is Operation.CREATE else {"household_district": home}
        record["state"] |= {
            "household_district": district or home,
            "name": f"第{self.written}次",
            **self.more,
        }
        if resident is not None:
            # Each change has a raw record of its own.
            record["raw_offset"] = 1000 + self.written
        identity = f"resident_id:{resident or f'{number:018d}'}"
        key = self._keys.encode({"identity": identity, "record_id": str(number)})
        self.producer.produce(
            self._entry.resource.canonical_topic,
            key=frame(self._entry.canonical_key_schema_id, key),
            value=frame(self._entry.canonical_value_schema_id, self._codec.encode(record)),
            partition=partition_of(identity, self._entry.resource.partitions),
        )

    def remove(self, number: int) -> None:
        """Delete a person: a last record with its scope, then the tombstone."""
        self.write((number, Operation.DELETE, None))


@contextmanager
def traffic(writer: Writer, numbers: range) -> Iterator[None]:
    """Updates of these persons, all in one transaction, ten times a second until the body is done."""
    stop = threading.Event()
    failed: list[BaseException] = []

    def write() -> None:
        try:
            while not stop.is_set():
                writer.write(*((number, Operation.UPDATE, None) for number in numbers))
                stop.wait(0.1)
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            failed.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert failed == []


@dataclass
class Reader:
    """A department's client that never stops reading its grant's topic; what it got and when."""

    bench: Bench
    grant: GrantId
    department: str = "health"
    credential: dict[str, Any] | None = None
    """What it logs in with; what apply wrote for the department if it is not given."""
    got: list[tuple[int, int, float]] = field(default_factory=list)
    """Partition, offset, when it arrived in s since 1970."""
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> "Reader":
        topic = self.bench.policy().grants[self.grant].grant.topic
        ends = end_offsets(self.bench.access.admin(), topic, PARTITIONS, stable=True)
        consumer = Consumer(self._config())
        consumer.assign([TopicPartition(topic, partition, end) for partition, end in ends.items()])
        self._thread = threading.Thread(target=self._read, args=(consumer,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def last_ms(self) -> float:
        """When the last record arrived, in ms since 1970."""
        return max(when for *_, when in self.got) * 1000

    def _read(self, consumer: Consumer) -> None:
        while not self._stop.is_set():
            for message in consumer.consume(500, 0.02):
                if message.error() is None:
                    self.got.append((message.partition() or 0, message.offset() or 0, time.time()))
        consumer.close()

    def _config(self) -> dict[str, Any]:
        found = self.credential or self.bench.credentials(self.department)
        return {
            "bootstrap.servers": found["bootstrap"],
            "security.protocol": found["security_protocol"],
            "sasl.mechanism": found["sasl_mechanism"],
            "sasl.username": found["username"],
            "sasl.password": found["password"],
            "group.id": f"{found['group_prefix']}live",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": FETCH_WAIT_MS,
        }


def start_fanout(bench: Bench, instances: int = 2) -> None:
    """So many instances of the fan-out of the default group, with the partitions shared among them."""
    base = bench.stack.settings.processes_port
    group = bench.policy().groups().index("default")
    found = [processes.fanout(base, "default", group, number) for number in range(instances)]
    bench.stack.run_processes(found)


def pid_of(bench: Bench, name: str) -> int:
    """The process id of a part of the stack."""
    [pid] = [status.pid for status in bench.stack.status() if status.name == name]
    assert pid is not None
    return pid


def suspend(bench: Bench) -> Suspend:
    """The kill switch of the bench's bus."""
    return suspend_on(bench.access, bench.access.admin(), ApplySettings(), bench.said.append)


def suspended(bench: Bench, order: Order = ON_HEALTH) -> Receipt:
    """Carry out an order."""
    return suspend(bench).order(order, new_id("s", now_ms(), secrets.token_bytes(3)))


def resumed(bench: Bench, order: Order = ON_HEALTH, *confirmed: str) -> Resumption:
    """Lift what was ordered."""
    journal = FileJournal(resumptions_path(bench.access.home))
    admin, settings = bench.access.admin(), ApplySettings()
    run = Resume(bench.access, admin, settings, journal, now_ms, bench.said.append, confirmed)
    return run.order(order, new_id("r", now_ms(), secrets.token_bytes(3)))


def arrives(reader: Reader) -> None:
    """Wait until something new arrives."""
    before = len(reader.got)
    eventually(lambda: len(reader.got) > before, 30, lambda: "a record to arrive")


def silence(reader: Reader, seconds: float = 2 * FETCH_WAIT_MS / 1000) -> None:
    """Wait until nothing has arrived for longer than any request of the client waits."""
    eventually(lambda: time.time() * 1000 - reader.last_ms() > seconds * 1000, 30, lambda: "silence")


#: `govbus`, killed by the system once it has written its journal so many times.
KILLED_PROGRAM: Final = """
import os, signal, sys
from services.control.suspension.journal import FileJournal
nth, *arguments = sys.argv[1:]
original, calls = FileJournal.save, 0
def save(self, key, document):
    global calls
    original(self, key, document)
    calls += 1
    if calls == int(nth):
        os.kill(os.getpid(), signal.SIGKILL)
FileJournal.save = save
sys.argv = ["govbus", *arguments]
from services.cli.__main__ import main
main()
"""


def environment(bench: Bench) -> dict[str, str]:
    """What the program needs to find the bench's stack."""
    settings = bench.stack.settings
    found = {name: getattr(settings, name) for name in StackSettings.model_fields}
    given = {StackSettings.variable(name): str(value) for name, value in found.items() if value is not None}
    return {**os.environ, **given}


def govbus(
    bench: Bench, *arguments: str, killed_after: int | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the program in a process of its own, killed after so many writes of its journal if asked for."""
    program = [sys.executable, "-m", "services.cli", *arguments]
    if killed_after is not None:
        program = [sys.executable, "-c", KILLED_PROGRAM, str(killed_after), *arguments]
    return subprocess.run(
        program, env=environment(bench), capture_output=True, text=True, timeout=120, check=False
    )
