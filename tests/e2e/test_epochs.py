"""An epoch whose run is killed stays open, is taken for whole by nobody, and the next run ends it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from typer.testing import CliRunner

from producers.connector import connector_name
from services.cli.main import app
from services.cli.output import CommandFailed
from services.cli.plan import access_of
from tests.e2e.live_city import LiveCity, wait_until
from tests.e2e.people import insert, number
from tests.e2e.stopped_within import environment, stopped_within
from tests.e2e.test_faults import traffic
from topics.event import ProviderId

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

PERSONS = "population.person.v1"
POLICE = connector_name(ProviderId("police"))
RUN = "services.control.epochs.run:_Run"
SWEEP = "services.control.epochs.sweeping:Sweeper:sweep"
PAUSE_S = 0.25
"""Between two changes: Debezium cannot begin a scan of a table with a hundred changes a second (ADR 71)."""
Command = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture(autouse=True)
def nothing_left_open(command: Command) -> Iterator[None]:
    """An epoch that a test has left open is none of the next one."""
    yield
    if command("snapshot", "status", PERSONS)[1]["state"] == "open":
        command("snapshot", "abort", PERSONS)


def killed_at(city: LiveCity, place: str) -> None:
    """`govbus snapshot start`, killed where it is about to go on to the next step."""
    run = stopped_within(place, 1, ["snapshot", "start", PERSONS], environment(city.stack))
    run.kill()
    run.wait(30)


def standing(city: LiveCity) -> int:
    """How many records stand on the canonical topic."""
    return len(city.canonical())


@pytest.mark.parametrize(
    "place",
    [
        f"{RUN}:_has_all",
        pytest.param(f"{RUN}:_await_gate", marks=pytest.mark.soak),
        pytest.param(SWEEP, marks=pytest.mark.soak),
    ],
)
def test_a_run_that_is_killed_leaves_its_epoch_open_and_the_next_one_ends_it_whole(
    city: LiveCity, command: Command, place: str
) -> None:
    rows = [city.new_id() for _ in range(5)]
    city.execute("police", *(insert(row, number(row % 90_000)) for row in rows))
    city.settle()
    before = command("snapshot", "status", PERSONS)[1]["number"]
    with traffic(city, rows, PAUSE_S) as written:
        wait_until(lambda: len(written) > 5, "traffic before the epoch")
        killed_at(city, place)
        _, left = command("snapshot", "status", PERSONS)
        assert (left["number"], left["state"]) == (before + 1, "open")
        other = CliRunner().invoke(app, ["snapshot", "start", PERSONS, f"--where=id={rows[0]}"]).exception
        assert isinstance(other, CommandFailed), "one that was asked otherwise is not gone on with"
        assert "snapshot abort" in str(other)
        code, ended = command("snapshot", "start", PERSONS)
        assert (code, ended["number"], ended["swept"]) == (0, before + 1, 0)
    city.settle()
    _, whole = command("snapshot", "status", PERSONS)
    assert (whole["state"], whole["counts"]["records"]) == ("ended", ended["records"])
    with city.database("police") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id::text, address FROM public.person WHERE id = ANY(%s)", (rows,))
        source = dict(cursor.fetchall())
    bus = {row: items["address"] for (_, row), items in city.canonical().items() if row in source}
    assert bus == source, "what changed during the epoch never lost to an older row of the snapshot"
    assert city.balance()["differences"] == []


def test_an_epoch_that_cannot_be_read_is_given_up_and_removes_nothing(
    city: LiveCity, command: Command
) -> None:
    held = standing(city)
    with closing(access_of(city.stack).connect()) as client:
        client.stop(POLICE)
        wait_until(lambda: not client.status(POLICE).tasks, "the capture to stand still")
        try:
            killed_at(city, "services.control.epochs.scanning:RawScan:advance")
            assert command("snapshot", "status", PERSONS)[1]["state"] == "open"
            code, aborted = command("snapshot", "abort", PERSONS)
            assert (code, aborted["state"]) == (0, "aborted")
        finally:
            client.resume(POLICE)
    city.settle()
    assert standing(city) == held
    code, ended = command("snapshot", "start", PERSONS)
    assert (code, ended["swept"]) == (0, 0)
    assert ended["number"] == aborted["number"] + 1
