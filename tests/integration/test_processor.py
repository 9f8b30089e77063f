"""The Faust shell on a real broker: nothing lost, nothing twice, policy adopted in time, fencing, health."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fastavro
import pytest
import requests
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.load import control_schema
from services.processor.errors import ExitCode
from services.processor.requirements import faust_app_id, faust_topics
from services.processor.settings import ProcessorSettings
from services.stack.api import Stack
from services.stack.component import Component
from tests.integration.processor_echo import OTHER, OUT, POLICY_SCHEMA, SOURCE, STATE
from tests.stack_fixture import free_ports, settings_for, temporary_home
from topics.event import PolicyNumber, SchemaId
from topics.names import POLICY, POLICY_ACKNOWLEDGEMENTS
from topics.policy import ControlSchemas, Policy
from topics.wire import frame

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

GROUP = "echo"
PARTITIONS = 2


class KafkaOnly(Stack):
    """Only the broker of the embedded stack."""

    @property
    def infrastructure(self) -> tuple[Component, ...]:
        return (self.kafka,)


@pytest.fixture(scope="module")
def broker() -> Iterator[KafkaOnly]:
    stack = KafkaOnly(settings_for(temporary_home()))
    try:
        stack.up()
        yield stack
    finally:
        stack.reset()
        shutil.rmtree(stack.settings.home, ignore_errors=True)


class Bus:
    """Topics, policy writer, records in, records out, and the instances that a test started."""

    def __init__(self, stack: KafkaOnly, folder: Path) -> None:
        self.kafka = stack.kafka_config("admin")
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

    def put(self, values: list[bytes], topic: str = SOURCE) -> None:
        for number, value in enumerate(values):
            self.producer.produce(topic, value, partition=number % PARTITIONS)
        assert self.producer.flush(10) == 0

    def start(self, instance: int, **settings: Any) -> "Instance":
        port = next(self._ports)
        given = ProcessorSettings(
            group=GROUP,
            instance=instance,
            data_dir=self.folder,
            web_port=port,
            **settings,
        )
        argument = json.dumps({"settings": given.model_dump(mode="json"), "kafka": self.kafka})
        log = (self.folder / f"instance-{instance}-{port}.log").open("wb")
        command = [sys.executable, "-m", "tests.integration.processor_echo", argument]
        with log:
            process = subprocess.Popen(command, stderr=log, stdout=log)
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


def eventually(condition: Callable[[], Any], seconds: float = 40) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    pytest.fail("the condition did not come true in time")


@pytest.fixture
def bus(broker: KafkaOnly, tmp_path: Path) -> Iterator[Bus]:
    bus = Bus(broker, tmp_path)
    bus.make_topics()
    try:
        yield bus
    finally:
        bus.close()
        for log in sorted(tmp_path.glob("*.log")):
            sys.stdout.write(f"--- {log.name}\n{log.read_text()[-6000:]}\n")


def numbered(first: int, count: int) -> list[bytes]:
    return [str(number).encode() for number in range(first, first + count)]


def values(bus: Bus) -> list[bytes]:
    return [value for _, _, value, _ in bus.out()]


def assert_once_and_in_order(bus: Bus, expected: list[bytes]) -> None:
    found = bus.out()
    for partition in range(PARTITIONS):
        seen = [value for part, _, value, _ in found if part == partition]
        assert seen == expected[partition::PARTITIONS]


def test_without_a_policy_nothing_is_decided_and_readiness_says_why(bus: Bus) -> None:
    bus.put(numbered(0, 10))
    instance = bus.start(0)
    reasons = eventually(instance.reasons)
    assert "no policy is adopted" in reasons
    assert eventually(lambda: any("empty" in reason for reason in instance.reasons() or []))
    assert values(bus) == []
    bus.policy(1)
    eventually(lambda: len(values(bus)) == 10)
    assert_once_and_in_order(bus, numbered(0, 10))


def test_an_idle_instance_acknowledges_a_new_policy_within_two_seconds(bus: Bus) -> None:
    bus.policy(1)
    bus.put(numbered(0, 20))
    instance = bus.start(0)
    eventually(instance.ready)
    eventually(lambda: len(values(bus)) == 20)
    for version in (2, 3, 4):
        written = bus.policy(version)
        eventually(lambda: instance.status()["policy"]["acknowledged"] == version)  # noqa: B023
        assert time.monotonic() - written < 2
    last = bus.acknowledgements()[-1]
    assert (last["group"], last["instance"], last["version"]) == (GROUP, f"{GROUP}.0", 4)
    assert {(each["topic"], each["partition"], each["offset"]) for each in last["positions"]} == {
        (SOURCE, partition, 10) for partition in range(PARTITIONS)
    }
    bus.policy(2)
    bus.put([b"after"])
    eventually(lambda: b"after" in values(bus))
    assert bus.out()[-1][3]["policy"] == b"4" or (b"4" in {headers["policy"] for *_, headers in bus.out()})


def test_a_killed_instance_loses_nothing_and_repeats_nothing(bus: Bus) -> None:
    bus.policy(1)
    expected: list[bytes] = []
    for turn in range(4):
        more = numbered(turn * 3000, 3000)
        bus.put(more)
        expected += more
        instance = bus.start(0, batch_records=100)
        eventually(lambda: len(values(bus)) > turn * 3000 + 300)  # noqa: B023
        instance.process.kill()
        instance.process.wait(10)
    last = bus.start(0)
    eventually(lambda: len(values(bus)) >= len(expected))
    eventually(last.ready)
    assert_once_and_in_order(bus, expected)


def test_a_frozen_instance_that_wakes_up_after_another_took_over_changes_nothing_and_stops(bus: Bus) -> None:
    bus.policy(1)
    bus.put(numbered(0, 4000))
    frozen = bus.start(0, batch_records=50)
    eventually(lambda: len(values(bus)) > 500)
    os.kill(frozen.process.pid, signal.SIGSTOP)
    successor = bus.start(0)
    eventually(lambda: len(values(bus)) == 4000)
    os.kill(frozen.process.pid, signal.SIGCONT)
    assert frozen.process.wait(30) == ExitCode.FENCED
    bus.put(numbered(4000, 100))
    eventually(lambda: len(values(bus)) >= 4100)
    assert_once_and_in_order(bus, numbered(0, 4100))
    assert successor.ready()


def test_two_instances_share_the_partitions_without_loss_or_repetition(bus: Bus) -> None:
    bus.policy(1)
    bus.put(numbered(0, 3000))
    first = bus.start(0, batch_records=50)
    eventually(lambda: len(values(bus)) > 300)
    second = bus.start(1, batch_records=50)
    eventually(lambda: second.ready() and second.status()["partitions"] == 1)
    bus.put(numbered(3000, 1000))
    eventually(lambda: len(values(bus)) >= 4000)
    first.process.kill()
    first.process.wait(10)
    bus.put(numbered(4000, 1000))
    eventually(lambda: len(values(bus)) >= 5000)
    assert_once_and_in_order(bus, numbered(0, 5000))


def test_a_record_that_breaks_the_processor_is_isolated_and_the_others_go_on(bus: Bus) -> None:
    bus.policy(1)
    content = numbered(0, 400)
    content[137] = content[300] = b"break"
    bus.put(content)
    instance = bus.start(0)
    eventually(lambda: len(values(bus)) >= 400)
    eventually(instance.ready)
    assert_once_and_in_order(bus, content)
    stopped = [headers["how"] for *_, headers in bus.out() if headers["how"] != b"live"]
    assert stopped == [b"stopped LookupError"] * 2


def test_while_the_registry_is_down_records_wait_and_readiness_says_so(bus: Bus) -> None:
    bus.policy(1)
    bus.put(numbered(0, 10))
    instance = bus.start(0)
    eventually(instance.ready)
    eventually(lambda: len(values(bus)) == 10)
    (bus.folder / "down").touch()
    bus.put([b"schema", b"schema", *numbered(12, 8)])
    eventually(lambda: any("schema registry" in reason for reason in instance.reasons() or []))
    assert requests.get(f"{instance.url}/healthz", timeout=2).status_code == 200
    assert len(values(bus)) == 10
    (bus.folder / "down").unlink()
    eventually(lambda: len(values(bus)) >= 20)
    eventually(instance.ready)
    assert_once_and_in_order(bus, [*numbered(0, 10), b"schema", b"schema", *numbered(12, 8)])


def test_a_policy_may_add_a_topic_and_demand_a_bounded_catch_up_exactly_once(bus: Bus) -> None:
    bus.policy(1)
    bus.put(numbered(0, 40))
    instance = bus.start(0)
    eventually(lambda: len(values(bus)) == 40)
    bus.put([b"o0", b"o1"], OTHER)
    bus.policy(2, "other", "fill")
    eventually(lambda: instance.status()["policy"]["acknowledged"] == 2 and instance.ready())
    eventually(lambda: {b"o0", b"o1"} <= set(values(bus)))
    assert sorted(values(bus)) == sorted(numbered(0, 40) * 2 + [b"o0", b"o1"])
    instance.process.kill()
    instance.process.wait(10)
    again = bus.start(0)
    eventually(again.ready)
    assert sorted(values(bus)) == sorted(numbered(0, 40) * 2 + [b"o0", b"o1"])


def test_a_stop_signal_ends_the_process_within_five_seconds_and_loses_nothing(bus: Bus) -> None:
    bus.policy(1)
    bus.put(numbered(0, 3000))
    instance = bus.start(0, batch_records=50)
    eventually(lambda: len(values(bus)) > 200)
    asked = time.monotonic()
    instance.process.terminate()
    assert instance.process.wait(10) == ExitCode.STOPPED
    assert time.monotonic() - asked < 5
    bus.start(0)
    eventually(lambda: len(values(bus)) >= 3000)
    assert_once_and_in_order(bus, numbered(0, 3000))


def test_the_web_server_shows_no_data_and_only_its_own_pages(bus: Bus) -> None:
    bus.policy(1)
    instance = bus.start(0)
    eventually(instance.ready)
    assert "govbus_transactions_total" in requests.get(f"{instance.url}/metrics", timeout=2).text
    for page in ("/table/", "/router/", "/stats/", "/graph/", "/performance/"):
        assert requests.get(instance.url + page, timeout=2).status_code == 404
