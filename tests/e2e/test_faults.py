"""What happens when things break: nothing is lost, nothing comes twice, the books close."""

import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from services.cli import processes
from services.stack.api import State
from tests.e2e.live_city import LiveCity, wait_until
from tests.e2e.people import insert, number, renumber, update
from tests.support.watching import start_watch, without_watch
from topics.names import LEDGER_INTAKE

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

EDUCATION = "education-persons"
PERSONS = "raw.police.public.person"


@contextmanager
def traffic(city: LiveCity, rows: list[int], pause_s: float = 0.005) -> Iterator[list[int]]:
    """Updates of these rows, one transaction each, from a thread until the body is done; yields a counter."""
    written: list[int] = []
    stop = threading.Event()

    def write() -> None:
        with city.database("police") as connection:
            while not stop.is_set():
                row = rows[len(written) % len(rows)]
                with connection, connection.cursor() as cursor:
                    cursor.execute(*update(row, address=f"第{len(written)}次"))
                written.append(row)
                stop.wait(pause_s)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield written
    finally:
        stop.set()
        writer.join()


def kill(city: LiveCity, component: str) -> None:
    """kill -9, and start again."""
    os.kill(city.pid(component), signal.SIGKILL)
    if component in ("connect", "kafka"):
        city.stack.up()
    elif component.startswith("gate"):
        city.stack.run_process(processes.gate(city.stack.settings.processes_port))
    else:
        city.stack.run_process(processes.fanout(city.stack.settings.processes_port, "default", 0))


@pytest.mark.requirement("A4-01", "A5-08")
@pytest.mark.parametrize(
    "component", ["gate.0", "fanout.default.0", pytest.param("connect", marks=pytest.mark.soak)]
)
def test_kill_in_mid_stream_loses_nothing_and_repeats_nothing(city: LiveCity, component: str) -> None:
    rows = [city.new_id() for _ in range(20)]
    city.execute("police", *(insert(row, number(row % 90_000)) for row in rows))
    city.settle()
    with traffic(city, rows) as written:
        wait_until(lambda: len(written) > 100, "traffic before the kill")
        kill(city, component)
        at_restart = len(written)
        wait_until(lambda: len(written) > at_restart + 100, "traffic after the restart")
    city.settle()
    captured = captured_addresses(city, rows)
    counted = Counter(record.headers for record in city.records(city.topic_of(EDUCATION)))
    repeated = [headers for headers, times in counted.items() if times > 1]
    assert repeated == [], "no delivery comes twice"
    assert sum(captured.values()) == len(written), "each change is captured once"
    for row in rows:
        last = max(index for index, written_row in enumerate(written) if written_row == row)
        assert [items["address"] for items in city.of_record(row).values()] == [f"第{last}次"]
    assert city.balance()["differences"] == []


@pytest.mark.parametrize("component", ["gate.0", "fanout.default.0"])
def test_a_processor_that_crashed_is_started_again_by_the_watch(city: LiveCity, component: str) -> None:
    with without_watch(city.stack):
        start_watch(city.stack, interval_s="1")
        killed = city.pid(component)
        os.kill(killed, signal.SIGKILL)
        row = city.new_id()
        city.execute("police", insert(row, number(row % 90_000)))
        wait_until(lambda: ids_of(city, component) not in ([], [killed]), "another process")
        city.settle()
        assert city.of_record(row) != {}
    assert city.balance()["differences"] == []


def ids_of(city: LiveCity, component: str) -> list[int]:
    """The process of a component, if it runs and answers."""
    statuses = [each for each in city.stack.status() if each.name == component]
    return [each.pid for each in statuses if each.pid is not None and each.state is State.RUNNING]


def captured_addresses(city: LiveCity, rows: list[int]) -> Counter[str]:
    """How often each of the traffic's addresses stands in the raw topic as the row after the change."""
    found: Counter[str] = Counter()
    with city.story.lookup() as lookup:
        for record in city.records(PERSONS):
            envelope = lookup.decoder.value(record)
            after = (envelope or {}).get("after") or {}
            if after.get("id") in rows and str(after.get("address", "")).startswith("第"):
                found[f"{after['id']} {after['address']}"] += 1
    return found


@pytest.mark.soak
def test_swapping_two_numbers_a_thousand_times_with_two_gates_ends_in_the_right_state(city: LiveCity) -> None:
    first, second = city.new_id(), city.new_id()
    numbers = [number(row % 90_000) for row in (first, second)]
    city.execute("police", insert(first, numbers[0]), insert(second, numbers[1]))
    city.settle()
    city.run_gates(2)
    try:
        before = decided(city, PERSONS)
        # An odd number of swaps: the end is not the beginning, also if all of them were lost.
        with swapping(city, (first, second), numbers, 1_001) as swapped:
            wait_until(lambda: len(swapped) > 300, "the first third of the swaps")
            wait_until(lambda: (decided(city, PERSONS) - before).total() > 100, "some to be decided")
            [(busier, _)] = (decided(city, PERSONS) - before).most_common(1)
            # Its partitions move to the other in the middle of the swaps, and some of them come back.
            city.stack.stop_process(busier)
            wait_until(lambda: len(swapped) > 600, "the second third of the swaps")
            city.run_gates(2)
        city.settle()
        by_gate = decided(city, PERSONS) - before
    finally:
        city.run_gates(1)
    assert min(by_gate["gate.0"], by_gate["gate.1"]) > 100, "both gates decide"
    assert by_gate.total() >= 2 * 1_001
    assert city.stopped_of(first, second) == []
    assert list(city.of_record(first)) == [f"resident_id:{numbers[1]}"]
    assert list(city.of_record(second)) == [f"resident_id:{numbers[0]}"]
    assert city.balance()["differences"] == []


@contextmanager
def swapping(city: LiveCity, rows: tuple[int, int], numbers: list[str], times: int) -> Iterator[list[int]]:
    """Swap the numbers of two rows so often, one transaction each, beside the body; yields those done."""
    done: list[int] = []

    def swap_all() -> None:
        with city.database("police") as connection:
            for swap in range(1, times + 1):
                with connection, connection.cursor() as cursor:
                    cursor.execute(*renumber(rows[0], numbers[swap % 2]))
                    cursor.execute(*renumber(rows[1], numbers[(swap + 1) % 2]))
                done.append(swap)

    swapper = threading.Thread(target=swap_all)
    swapper.start()
    try:
        yield done
    finally:
        swapper.join()
    assert len(done) == times


def decided(city: LiveCity, topic: str) -> Counter[str]:
    """How many records of a raw topic each gate has decided."""
    found: Counter[str] = Counter()
    with city.story.lookup() as lookup:
        for record in city.records(LEDGER_INTAKE):
            block = lookup.decoder.value(record)
            if block is not None and block["topic"] == topic:
                found[block["instance"]] += block["records"]
    return found
