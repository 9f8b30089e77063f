"""The broker is killed at the worst moment: transactions are decided and their end is not written yet."""

import os
import signal
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from producers.connect_client import ConnectClient
from producers.connect_status import Health
from services.stack.probes import loopback_session, port_free
from tests.e2e.live_city import LiveCity, wait_until
from tests.e2e.people import insert, number, update
from tests.support.transaction_log import decided
from topics.event import TopicName

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

RAW = TopicName("raw.police.public.person")
EDUCATION = "education-persons"
OURS = ("gate.", "fanout.", "connect-govbus-")


@contextmanager
def steady_changes(city: LiveCity, rows: list[int], street: str) -> Iterator[list[int]]:
    """About 25 updates of these rows a second until the body is done, however long that takes."""
    written: list[int] = []
    stop = threading.Event()

    def write() -> None:
        with city.database("police") as connection:
            while not stop.wait(0.04):
                row = rows[len(written) % len(rows)]
                with connection, connection.cursor() as cursor:
                    cursor.execute(*update(row, address=f"{street}{len(written)}"))
                written.append(row)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield written
    finally:
        stop.set()
        writer.join()


def kill_with_a_decided_transaction(city: LiveCity) -> set[str]:
    """kill -9 the broker when it stands between the decision and the end of a transaction of the bus.

    Stopped at any moment, it mostly does not; so it is let go on and stopped again until it does.
    """
    pid, data = city.pid("kafka"), city.stack.context.layout.data / "kafka"
    found: set[str] = set()

    def caught() -> bool:
        os.kill(pid, signal.SIGSTOP)
        found.update(name for name in decided(data) if name.startswith(OURS))
        os.kill(pid, signal.SIGKILL if found else signal.SIGCONT)
        return bool(found)

    wait_until(caught, "the broker to be met with a decided transaction")
    ports = city.stack.kafka.ports.values()
    wait_until(lambda: all(map(port_free, ports)), "the dead broker to let go of its ports")
    return found


def captures_run(city: LiveCity) -> bool:
    """Whether every connector and every task runs."""
    client = ConnectClient(
        city.stack.endpoints().connect_url, *city.stack.connect_auth(), session=loopback_session()
    )
    return all(client.health(name) is Health.RUNNING for name in client.names())


@pytest.mark.requirement("A4-01", "A5-08")
@pytest.mark.soak
def test_a_killed_broker_loses_nothing_and_repeats_nothing(city: LiveCity) -> None:
    kill_and_compare(city)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_broker_killed_ten_times_loses_nothing_and_repeats_nothing(city: LiveCity) -> None:
    for _ in range(10):
        kill_and_compare(city)


def kill_and_compare(city: LiveCity) -> None:
    """Kill and start the broker under traffic; afterwards every change stands everywhere exactly once."""
    rows, street = [city.new_id() for _ in range(20)], f"{uuid.uuid4().hex} "
    city.execute("police", *(insert(row, number(row % 90_000)) for row in rows))
    city.settle()
    with steady_changes(city, rows, street) as written:
        wait_until(lambda: len(written) > 25, "traffic before the kill")
        kill_with_a_decided_transaction(city)
        city.stack.up()
        at_restart = len(written)
        wait_until(lambda: captures_run(city), "every capture to run again")
        wait_until(lambda: len(written) > at_restart + 25, "traffic after the restart")
    city.settle()
    captured = captured_times(city, street)
    assert set(captured.values()) == {1}, "each change is captured once"
    assert len(captured) == len(written)
    delivered = Counter(record.headers for record in city.records(city.topic_of(EDUCATION)))
    assert [headers for headers, times in delivered.items() if times > 1] == [], "no delivery comes twice"
    canonical = city.canonical()
    for row in rows:
        last = max(index for index, written_row in enumerate(written) if written_row == row)
        mine = [items["address"] for (_, record_id), items in canonical.items() if record_id == str(row)]
        assert mine == [f"{street}{last}"]
    assert city.balance()["differences"] == []


def captured_times(city: LiveCity, street: str) -> Counter[str]:
    """How often each of the addresses in that street stands in the raw topic."""
    found: Counter[str] = Counter()
    with city.story.lookup() as lookup:
        for record in city.records(RAW):
            address = str(_after(lookup.value(record)).get("address"))
            if address.startswith(street):
                found[address] += 1
    return found


def _after(envelope: dict[str, Any] | None) -> dict[str, Any]:
    return (envelope or {}).get("after") or {}
