"""What the tests of a running processor share: a broker, its topics, instances of the echo processor."""

import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import fastavro
import requests
from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
)

from schemas.load import control_schema
from services.chaos.own_stack import ProxiedKafka
from services.chaos.proxy import KafkaProxy
from services.processor.requirements import faust_app_id, faust_topics
from services.processor.settings import ProcessorSettings
from services.stack.api import Stack
from services.stack.component import Component
from tests.integration.processor_echo import OTHER, OUT, POLICY_SCHEMA, SOURCE, STATE
from tests.stack_fixture import settings_for, temporary_home
from tests.support import waiting
from tests.support.ports import free_ports
from topics.event import PolicyNumber, SchemaId
from topics.names import POLICY, POLICY_ACKNOWLEDGEMENTS
from topics.policy import ControlSchemas, Policy
from topics.wire import frame

GROUP = "echo"
PARTITIONS = 2
QUEUED_AT_ONCE = 50_000


class KafkaOnly(Stack):
    """Only the broker of the embedded stack, and a proxy before its second listener."""

    def __init__(self) -> None:
        super().__init__(settings_for(temporary_home()))
        listener_port, proxy_port = free_ports(2)
        self.kafka = ProxiedKafka(self.context, listener_port, proxy_port)
        self.proxy = KafkaProxy(proxy_port, listener_port)

    @property
    def infrastructure(self) -> tuple[Component, ...]:
        return (self.kafka,)


@contextmanager
def kafka_only() -> Iterator[KafkaOnly]:
    """A started broker, stopped and removed at the end."""
    stack = KafkaOnly()
    stack.proxy.start()
    try:
        stack.up()
        waiting.eventually(lambda: begins_transactions(stack), 60.0, lambda: "the first transaction")
        yield stack
    finally:
        stack.reset()
        stack.proxy.stop()
        shutil.rmtree(stack.settings.home, ignore_errors=True)


def begins_transactions(stack: KafkaOnly) -> bool:
    """Whether the coordinator is ready, whose topic a new broker makes when it is first asked for."""
    producer = Producer(stack.kafka_config("admin") | {"transactional.id": "first", "log_level": 0})
    try:
        producer.init_transactions(10)
    except KafkaException:
        return False
    return True


class Bus:
    """Topics, policy writer, records in, records out, and the instances that a test started."""

    def __init__(self, stack: KafkaOnly, folder: Path) -> None:
        self.kafka = stack.kafka_config("admin")
        self.proxy = stack.proxy
        self.proxied = f"127.0.0.1:{stack.proxy.port}"
        self.folder = folder
        self.admin = AdminClient(self.kafka)
        self.producer = Producer(self.kafka | {"linger.ms": 5, "enable.idempotence": True})
        self.instances: list[subprocess.Popen[bytes]] = []
        self._ports = iter(free_ports(6))

    def make_topics(self) -> None:
        names = dict.fromkeys((SOURCE, OTHER, OUT, STATE), PARTITIONS) | {
            POLICY: 1,
            POLICY_ACKNOWLEDGEMENTS: 1,
        }
        known = self.admin.list_topics(timeout=10).topics
        if SOURCE in known:
            for future in self.admin.delete_topics(
                [name for name in known if not name.startswith("__")]
            ).values():
                future.result()
            groups = [GROUP, faust_app_id(GROUP)]
            for future in self.admin.delete_consumer_groups(groups).values():
                future.exception()
            eventually(lambda: SOURCE not in self.admin.list_topics(timeout=10).topics)
        names |= dict(faust_topics(faust_app_id(GROUP)).topics)
        new = [NewTopic(name, partitions, 1) for name, partitions in names.items()]
        for future in self.admin.create_topics(new).values():
            future.result()

    def policy(self, version: int, *flags: str) -> float:
        """Write a policy version; its flags are code lists. Returns the time."""
        policy = Policy(
            version=PolicyNumber(version),
            issued_ms=0,
            providers={},
            consumers={},
            resources={},
            grants={},
            code_lists=dict.fromkeys(flags, ()),
            control_schemas=ControlSchemas(**{name: SchemaId(2) for name in ControlSchemas.model_fields}),
        )
        document = policy.model_dump_json(by_alias=True)
        content = {"version": version, "issued_ms": 0, "digest": policy.digest(), "document": document}
        body = io.BytesIO()
        fastavro.schemaless_writer(body, fastavro.parse_schema(control_schema("PolicyVersion")), content)
        self.producer.produce(POLICY, frame(POLICY_SCHEMA, body.getvalue()), partition=0)
        assert self.producer.flush(10) == 0
        return time.monotonic()

    def limit(self, topic: str, most_bytes: int) -> None:
        """From now on the topic takes no larger batch."""
        entry = ConfigEntry("max.message.bytes", str(most_bytes), incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
        [altered] = self.admin.incremental_alter_configs([resource]).values()
        altered.result(10)

    def put(self, values: list[bytes], topic: str = SOURCE) -> None:
        for number, value in enumerate(values):
            self.producer.produce(topic, value, partition=number % PARTITIONS)
            if number % QUEUED_AT_ONCE == QUEUED_AT_ONCE - 1:
                self.producer.flush(10)
        assert self.producer.flush(10) == 0

    def put_into(self, partition: int, values: list[bytes]) -> None:
        """Records of one partition alone."""
        for value in values:
            self.producer.produce(SOURCE, value, partition=partition)
        assert self.producer.flush(10) == 0

    def start(
        self, instance: int, *, proxied: bool = False, transport: str = "", **settings: Any
    ) -> "Instance":
        port = next(self._ports)
        given = ProcessorSettings(
            group=GROUP,
            instance=instance,
            data_dir=self.folder,
            web_port=port,
            **settings,
        )
        kafka = self.kafka | ({"bootstrap.servers": self.proxied} if proxied else {})
        argument = json.dumps({"settings": given.model_dump(mode="json"), "kafka": kafka})
        log = (self.folder / f"instance-{instance}-{port}.log").open("wb")
        command = [sys.executable, "-m", "tests.integration.processor_echo", argument]
        with log:
            environment = os.environ | {"GOVBUS_TRANSPORT": transport}
            process = subprocess.Popen(command, stderr=log, stdout=log, env=environment)
        self.instances.append(process)
        return Instance(process, f"http://127.0.0.1:{port}")

    def out(self, topic: str = OUT) -> list[tuple[int, str, bytes, dict[str, bytes]]]:
        """Everything that a read_committed reader sees now: partition, key, value, headers."""
        consumer = Consumer(
            self.kafka
            | {"group.id": "test", "enable.partition.eof": True, "isolation.level": "read_committed"}
        )
        parts = len(self.admin.list_topics(topic, timeout=10).topics[topic].partitions)
        consumer.assign([TopicPartition(topic, part, OFFSET_BEGINNING) for part in range(parts)])
        found: list[Any] = []
        ended: set[Any] = set()
        while len(ended) < parts:
            for message in consumer.consume(1000, 0.2):
                error = message.error()
                if error is not None:
                    assert error.code() == KafkaError._PARTITION_EOF
                    ended.add(message.partition())
                    continue
                key = (message.key() or b"").decode()
                found.append((message.partition(), key, message.value(), dict(message.headers() or [])))
        consumer.close()
        return found

    def acknowledgements(self) -> list[dict[str, Any]]:
        schema = fastavro.parse_schema(control_schema("PolicyAcknowledgement"))
        values = [value for _, _, value, _ in self.out(POLICY_ACKNOWLEDGEMENTS)]
        return [fastavro.schemaless_reader(io.BytesIO(value[5:]), schema, None) for value in values]  # type: ignore[misc]

    def close(self) -> None:
        for process in self.instances:
            if process.poll() is None:
                process.kill()
            process.wait(10)


class Instance:
    """A running processor."""

    def __init__(self, process: "subprocess.Popen[bytes]", url: str) -> None:
        self.process = process
        self.url = url

    def reasons(self) -> list[str] | None:
        """Why it is not ready (empty: it is), or None while it does not answer."""
        try:
            return list(requests.get(f"{self.url}/readyz", timeout=2).json()["reasons"])
        except requests.RequestException:
            return None

    def ready(self) -> bool:
        return self.reasons() == []

    def status(self) -> Any:
        return requests.get(f"{self.url}/status", timeout=2).json()


eventually = partial(waiting.eventually, seconds=40.0)


@contextmanager
def open_bus(broker: KafkaOnly, folder: Path) -> Iterator[Bus]:
    """A bus with fresh topics; its instances end with it and their logs are shown."""
    bus = Bus(broker, folder)
    bus.make_topics()
    try:
        yield bus
    finally:
        bus.close()
        for log in sorted(folder.glob("*.log")):
            sys.stdout.write(f"--- {log.name}\n{log.read_text()[-6000:]}\n")


def numbered(first: int, count: int) -> list[bytes]:
    return [str(number).encode() for number in range(first, first + count)]


def values(bus: Bus) -> list[bytes]:
    return [value for _, _, value, _ in bus.out()]


def values_of(bus: Bus, partition: int) -> list[bytes]:
    return [value for part, _, value, _ in bus.out() if part == partition]


def assert_once_and_in_order(bus: Bus, expected: list[bytes]) -> None:
    found = bus.out()
    for partition in range(PARTITIONS):
        seen = [value for part, _, value, _ in found if part == partition]
        assert seen == expected[partition::PARTITIONS]
