"""Faults of a running processor on a real broker: held commits, cut connections, poison, a large backlog."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
import requests

from services.chaos.proxy import Hold
from services.processor.errors import ExitCode
from services.processor.health import SILENT_SECONDS
from tests.integration.processor_bus import (
    GROUP,
    PARTITIONS,
    Bus,
    Instance,
    KafkaOnly,
    assert_once_and_in_order,
    eventually,
    numbered,
    values,
    values_of,
)
from tests.integration.processor_echo import DIED
from tests.integration.stack_checks import killed

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

HELD_SECONDS = 30
LONGEST_ANSWER_SECONDS = 2.0
LONGEST_DELAY_SECONDS = 4.0
"""Less than a decision may take, so that one that hangs would show."""
MOST_RESIDENT = 300_000_000


@contextmanager
def held_end(bus: Bus) -> Iterator[Hold]:
    """The first instance's transactions do not end while this is open; no other test may meet it after."""
    hold = bus.proxy.hold_end_txn(f"{GROUP}.0")
    try:
        yield hold
    finally:
        hold.release()


@pytest.mark.alone
def test_with_the_end_of_a_transaction_held_health_and_policy_still_answer(bus: Bus) -> None:
    bus.policy(1)
    bus.put(numbered(0, 100))
    instance = bus.start(0, proxied=True)
    eventually(lambda: len(values(bus)) == 100)
    with held_end(bus) as hold:
        bus.put(numbered(100, 100))
        assert hold.wait_until_met(20)
        bus.policy(2)
        held, slowest, adopted = time.monotonic(), 0.0, False
        while time.monotonic() - held < HELD_SECONDS:
            asked = time.monotonic()
            alive = requests.get(f"{instance.url}/healthz", timeout=10)
            adopted = adopted or instance.status()["policy"]["adopted"] == 2
            slowest = max(slowest, time.monotonic() - asked)
            assert alive.status_code == 200, alive.text
        assert slowest < LONGEST_ANSWER_SECONDS
        assert adopted, "a policy is taken in while nothing can be committed"
        assert instance.reasons(), "an instance that cannot commit is not ready"
        assert len(values(bus)) == 100
    eventually(lambda: len(values(bus)) == 200)
    eventually(instance.ready)
    assert_once_and_in_order(bus, numbered(0, 200))


def test_connections_that_break_again_and_again_lose_and_repeat_nothing(bus: Bus) -> None:
    bus.policy(1)
    bus.put(numbered(0, 12_000))
    instance = bus.start(0, proxied=True, batch_records=100)
    for share in range(1, 6):
        eventually(lambda: len(values(bus)) > share * 1_000)  # noqa: B023
        bus.proxy.cut()
    eventually(lambda: len(values(bus)) >= 12_000, seconds=90)
    assert instance.process.poll() is None
    assert_once_and_in_order(bus, numbered(0, 12_000))


@pytest.mark.alone
def test_who_stops_gives_its_partitions_away_at_once_and_who_starts_gets_some(bus: Bus) -> None:
    bus.policy(1)
    first = bus.start(0)
    eventually(first.ready)
    second = bus.start(1)
    started = time.monotonic()
    eventually(lambda: second.ready() and second.status()["partitions"] == 1)
    # Half of it is Python's own start; a test machine may be busy with other things.
    assert time.monotonic() - started < 20
    bus.put(numbered(0, 1_000))
    eventually(lambda: len(values(bus)) >= 1_000)
    asked = time.monotonic()
    first.process.terminate()
    eventually(lambda: second.ready() and second.status()["partitions"] == PARTITIONS)
    assert time.monotonic() - asked < 5, "sooner than the session of a dead member ends"
    assert first.process.wait(10) == ExitCode.STOPPED
    bus.put(numbered(1_000, 1_000))
    eventually(lambda: len(values(bus)) >= 2_000)
    assert_once_and_in_order(bus, numbered(0, 2_000))


@pytest.mark.alone
def test_who_is_killed_is_replaced_within_ten_seconds(bus: Bus) -> None:
    bus.policy(1)
    bus.put(numbered(0, 4_000))
    first = bus.start(0, batch_records=20)
    eventually(lambda: len(values(bus)) > 200)
    second = bus.start(1)
    eventually(lambda: second.ready() and second.status()["partitions"] == 1)
    bus.put(numbered(4_000, 4_000))
    first.process.kill()
    killed = time.monotonic()
    eventually(lambda: second.ready() and second.status()["partitions"] == PARTITIONS)
    assert time.monotonic() - killed < 10
    eventually(lambda: len(values(bus)) >= 8_000)
    assert_once_and_in_order(bus, numbered(0, 8_000))


@pytest.mark.alone
def test_a_record_that_kills_one_instance_does_not_kill_the_one_that_takes_over(bus: Bus) -> None:
    bus.policy(1)
    both = [bus.start(0), bus.start(1)]
    eventually(lambda: all(each.ready() and each.status()["partitions"] == 1 for each in both))
    content = numbered(0, 1_000)
    content[401] = b"die"
    bus.put(content)
    eventually(lambda: len(values(bus)) >= 1_000)
    assert sorted(each.process.poll() is None for each in both) == [False, True]
    assert_once_and_in_order(bus, content)


@pytest.mark.alone
@pytest.mark.parametrize("transport", ["native", "confluent"])
def test_an_idle_instance_is_not_ready_while_the_broker_is_dead(
    broker: KafkaOnly, bus: Bus, transport: str
) -> None:
    bus.policy(1)
    instance = bus.start(0, transport=transport)
    eventually(instance.ready)
    killed(broker.kafka)
    dead = time.monotonic()
    eventually(lambda: "Kafka has not answered" in str(instance.reasons()), seconds=20)
    assert time.monotonic() - dead < SILENT_SECONDS + 3
    broker.up()
    # Nothing came meanwhile, and nothing comes: it is ready again by itself.
    eventually(instance.ready, seconds=30)
    bus.put(numbered(0, 100))
    eventually(lambda: len(values(bus)) == 100)
    assert instance.process.poll() is None


@pytest.mark.alone
@pytest.mark.parametrize("transport", ["native", "confluent"])
def test_a_record_that_kills_the_process_is_isolated_and_the_others_go_on(bus: Bus, transport: str) -> None:
    bus.policy(1)
    content = numbered(0, 1_000)
    content[401] = b"die"
    bus.put(content)
    first = bus.start(0, transport=transport)
    assert first.process.wait(60) == DIED
    died = time.monotonic()
    second = bus.start(0, transport=transport)
    eventually(lambda: len(values(bus)) >= 1_000)
    eventually(second.ready)
    assert time.monotonic() - died < 30
    assert second.process.poll() is None, "one death is enough"
    assert second.status()["transport"] == transport
    assert_once_and_in_order(bus, content)
    stopped = [headers["how"] for *_, headers in bus.out() if headers["how"] != b"live"]
    assert stopped == [b"stopped ProcessDied"]


@pytest.mark.alone
def test_a_decision_that_never_ends_stops_its_record_and_delays_no_other_partition(bus: Bus) -> None:
    bus.policy(1)
    # Long enough for whoever supervises instances: the dead one's partition waits for its next process.
    session = 30_000
    instances = [bus.start(number, session_timeout_ms=session) for number in range(PARTITIONS)]
    eventually(lambda: all(each.ready() and each.status()["partitions"] == 1 for each in instances))
    hanging = [*numbered(0, 40), b"hang", *numbered(40, 40)]
    bus.put_into(0, hanging)
    since, slowest, beside = time.monotonic(), 0.0, [b"first"]
    died: Instance | None = None
    while len(values_of(bus, 0)) < len(hanging):
        bus.put_into(1, beside[-1:])
        asked = time.monotonic()
        eventually(lambda: values_of(bus, 1) == beside)
        slowest = max(slowest, time.monotonic() - asked)
        beside.append(str(len(beside)).encode())
        if died is None:
            died = next((each for each in instances if each.process.poll() is not None), None)
            if died is not None:
                since = time.monotonic()
                bus.start(instances.index(died), session_timeout_ms=session)
        assert time.monotonic() - since < 30, "the partition is not back"
    assert died is not None
    assert died.process.returncode == -signal.SIGPROF, "the kernel ends what never ends"
    assert slowest < LONGEST_DELAY_SECONDS
    assert values_of(bus, 0) == hanging
    assert values_of(bus, 1) == beside[:-1]
    stopped = [(value, headers["how"]) for *_, value, headers in bus.out() if headers["how"] != b"live"]
    assert stopped == [(b"hang", b"stopped ProcessDied")]
    assert sum(each.process.poll() is not None for each in instances) == 1, "one death is enough"


def test_a_broker_that_is_killed_and_comes_back_loses_and_repeats_nothing(
    bus: Bus, broker: KafkaOnly
) -> None:
    bus.policy(1)
    bus.put(numbered(0, 8_000))
    instance = bus.start(0, batch_records=50)
    eventually(lambda: len(values(bus)) > 500)
    running = broker.kafka.pid_file.running()
    assert running is not None
    running.kill()
    running.wait(20)
    assert requests.get(f"{instance.url}/healthz", timeout=5).status_code == 200
    broker.up()
    eventually(lambda: len(values(bus)) >= 8_000, seconds=90)
    eventually(instance.ready)
    assert instance.process.poll() is None
    assert_once_and_in_order(bus, numbered(0, 8_000))


def test_memory_is_bounded_whatever_the_backlog(bus: Bus) -> None:
    bus.policy(1)
    lag = 200_000
    bus.put([b"%0200d" % number for number in range(lag)])
    instance = bus.start(0)
    process = psutil.Process(instance.process.pid)
    most = 0

    def drained() -> bool:
        nonlocal most
        most = max(most, process.memory_info().rss)
        return bool(instance.reasons() == [] and instance.status()["counts"].get("records") == lag)

    eventually(drained, seconds=200)
    assert most < MOST_RESIDENT, f"{most / 1e6:.0f} MB"
    assert len(values(bus)) == lag
