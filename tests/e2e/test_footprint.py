"""The whole bus, with a city in it, fits into the memory that the README asks for."""

import pytest

from services.cli import processes
from tests.e2e.live_city import LiveCity
from tests.e2e.people import insert, number

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

MEGABYTES = 4_000
RECORDS = 2_000


def test_every_process_of_the_bus_together_stays_under_four_gigabytes_after_work(city: LiveCity) -> None:
    city.stack.run_process(processes.watch(city.stack.settings.watch_port))
    rows = [city.new_id() for _ in range(RECORDS)]
    city.execute("police", *[insert(row, number(row % 90_000)) for row in rows])
    city.settle()
    used = {line.name: line.memory_mb for line in city.stack.status()}
    assert {"postgres", "kafka", "registry", "connect", "gate.0", "fanout.default.0", "watch"} <= used.keys()
    assert all(used.values()), f"not every part runs: {used}"
    assert sum(size or 0 for size in used.values()) < MEGABYTES, used
