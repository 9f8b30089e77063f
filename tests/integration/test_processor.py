"""The Faust shell on a real broker: nothing lost, nothing twice, policy adopted in time, fencing, health."""

import os
import signal
import time

import pytest
import requests

from services.processor.errors import ExitCode
from services.processor.metrics import DESCRIBED
from tests.integration.processor_bus import (
    GROUP,
    PARTITIONS,
    Bus,
    assert_once_and_in_order,
    eventually,
    numbered,
    values,
)
from tests.integration.processor_echo import OTHER, OUT, SOURCE
from tests.support.waiting import patience

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


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


@pytest.mark.alone
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
    # One that slept longer than its session would join anew, and its successor would stop instead.
    frozen = bus.start(0, batch_records=50, session_timeout_ms=60_000)
    eventually(lambda: len(values(bus)) > 500)
    os.kill(frozen.process.pid, signal.SIGSTOP)
    successor = bus.start(0, session_timeout_ms=60_000)
    eventually(lambda: len(values(bus)) == 4000)
    os.kill(frozen.process.pid, signal.SIGCONT)
    assert frozen.process.wait(30 * patience()) == ExitCode.FENCED
    bus.put(numbered(4000, 100))
    eventually(lambda: len(values(bus)) >= 4100)
    assert_once_and_in_order(bus, numbered(0, 4100))
    eventually(successor.ready)


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


def test_a_record_that_kafka_refuses_in_a_catch_up_is_stopped_and_the_others_are_delivered(bus: Bus) -> None:
    bus.policy(1)
    large = os.urandom(300_000)
    content = [large if number == 20 else value for number, value in enumerate(numbered(0, 40))]
    bus.put(content)
    instance = bus.start(0)
    eventually(lambda: len(values(bus)) == 40)
    bus.limit(OUT, 100_000)
    bus.policy(2, "fill")
    eventually(lambda: instance.status()["policy"]["acknowledged"] == 2 and instance.ready())
    bus.put([b"after"])
    eventually(lambda: b"after" in values(bus))
    filled = [(headers["how"], value) for *_, value, headers in bus.out() if headers["how"] != b"live"]
    others = [(b"fill", value) for value in content if value != large]
    assert sorted(filled) == sorted([*others, (b"stopped OutputRefused", b"stopped")])
    assert instance.process.poll() is None


@pytest.mark.alone
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


def test_a_running_instance_exposes_every_described_metric_and_its_lag(bus: Bus) -> None:
    bus.policy(1)
    instance = bus.start(0)
    bus.put(numbered(0, 20))

    def lag() -> list[str]:
        text = requests.get(f"{instance.url}/metrics", timeout=2).text
        return [line for line in text.splitlines() if line.startswith("kafka_consumergroup_lag{")]

    eventually(lambda: instance.ready() and len(values(bus)) >= 20)
    eventually(lambda: len(lag()) == PARTITIONS)
    text = requests.get(f"{instance.url}/metrics", timeout=2).text
    for found in DESCRIBED:
        assert f"# HELP {found.name} " in text
    assert 'govbus_stage_duration_seconds_count{instance_id="echo.0",stage="commit"}' in text
    assert {float(line.rpartition(" ")[2]) for line in lag()} <= {0.0, 1.0, 2.0}, "markers of transactions"


def test_a_traceparent_goes_from_the_input_to_what_it_leads_to(bus: Bus) -> None:
    bus.policy(1)
    eventually(bus.start(0).ready)
    came = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    bus.producer.produce(SOURCE, b"traced", partition=0, headers=[("traceparent", came)])
    assert bus.producer.flush(10) == 0
    [headers] = eventually(lambda: [found for _, _, value, found in bus.out() if value == b"traced"])
    assert headers["traceparent"] == came


def test_the_web_server_shows_no_data_and_only_its_own_pages(bus: Bus) -> None:
    bus.policy(1)
    instance = bus.start(0)
    eventually(instance.ready)
    for page in ("/table/", "/router/", "/stats/", "/graph/", "/performance/"):
        assert requests.get(instance.url + page, timeout=2).status_code == 404
