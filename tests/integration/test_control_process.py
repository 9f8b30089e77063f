"""The control process on the real stack: acts reach the ledger once, snapshots appear, health is true."""

import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
import requests

from services.cli import processes
from services.cli.control import control_database, prepare_control
from services.cli.plan import access_of
from services.control.definitions import packaged_definitions
from services.control.process.kafka_acts import KafkaActs
from services.control.process.sending_acts import ActLedger
from services.control.store.database import ControlDatabase
from services.control.store.outbox import Act, append_all
from services.control.store.snapshots import Kind, Snapshot, all_of
from services.control.suspension.acts import Act as LedgerAct
from services.control.suspension.acts import read_acts
from services.stack.python_process import PythonProcess
from tests.contract.act_ledger import CONTRACT
from tests.integration.apply_bench import EDUCATION, PERSONS, Bench, own_stack, write_persons
from tests.support.waiting import eventually
from topics.event import Operation

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

ACT = Act("account-7", "case.approve", "case", "0", datetime(2026, 11, 26, 9, 0, tzinfo=UTC))
MANY = 300


@dataclass
class Control:
    """A stack with its control process and database."""

    bench: Bench
    database: ControlDatabase

    @property
    def process(self) -> PythonProcess:
        stack = self.bench.stack
        return PythonProcess(stack.context, processes.control(stack.settings.control_port))

    def start(self) -> None:
        self.bench.stack.run_process(processes.control(self.bench.stack.settings.control_port))

    def kill(self) -> None:
        running = self.process.pid_file.running()
        assert running is not None
        os.kill(running.pid, signal.SIGKILL)
        running.wait(10)

    def ready(self) -> tuple[int, list[str]]:
        url = f"http://127.0.0.1:{self.bench.stack.settings.control_port}/readyz"
        answer = requests.get(url, timeout=5)
        return answer.status_code, answer.json()["reasons"]

    def status(self) -> dict[str, Any]:
        url = f"http://127.0.0.1:{self.bench.stack.settings.control_port}/status"
        found: dict[str, Any] = requests.get(url, timeout=5).json()
        return found

    def seen(self, kind: Kind) -> Snapshot:
        with self.database.reading() as connection:
            return all_of(connection, kind)

    def owe(self, first: int, count: int) -> None:
        with self.database.begin() as connection:
            append_all(connection, [replace(ACT, object=str(first + each)) for each in range(count)])

    def acts(self) -> list[LedgerAct]:
        return list(read_acts(self.bench.access.admin(), self.bench.stack.kafka_config("ledger")))

    def sent(self) -> list[int]:
        return [int(act.object) for act in self.acts() if act.who == ACT.who and act.id.startswith("outbox.")]


@pytest.fixture(scope="module")
def control(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    folder = tmp_path_factory.mktemp("definitions") / "city"
    shutil.copytree(packaged_definitions(), folder)
    with own_stack() as stack:
        prepare_control(stack, datetime.now(UTC))
        database = control_database(stack)
        found = Control(Bench(stack, access_of(stack), folder), database)
        os.environ["GOVBUS_CONTROL_COLLECTOR_S"] = "1"
        try:
            found.start()
            yield found
        finally:
            del os.environ["GOVBUS_CONTROL_COLLECTOR_S"]
            database.close()


def test_before_the_first_apply_it_is_ready_and_says_what_it_waits_for(control: Control) -> None:
    assert control.ready() == (200, [])
    loops = control.status()["loops"]
    on_the_bus = {"stops", "provisioning", "drift", "rulings", "disputes", "grants", "collector", "evidence"}
    on_the_bus |= {"retention", "redelivered", "census", "trace", "acquired", "recovery", "receipts"}
    in_the_database = {"acts", "cases", "retirements", "tickets", "credentials", "courier", "catalogue"}
    in_the_database |= {"forgetting"}
    assert set(loops) == in_the_database | on_the_bus
    # A loop says what it waits for once it has turned.
    eventually(lambda: "govbus apply" in str(control.status()["loops"]["grants"]["waits_for"]), 60)


@pytest.mark.requirement("A8-05")
def test_every_act_stands_in_the_ledger_once_though_the_process_is_killed(control: Control) -> None:
    control.owe(0, MANY)
    control.bench.apply()
    eventually(control.sent, 60)
    for first in (MANY, 2 * MANY):
        control.owe(first, MANY)
        control.kill()
        control.start()
    eventually(lambda: len(control.sent()) >= 3 * MANY, 60)
    assert control.sent() == list(range(3 * MANY))


@pytest.mark.parametrize("promise", CONTRACT, ids=lambda each: each.__name__)
def test_the_ledger_of_kafka_keeps_to_the_contract(control: Control, promise: Any) -> None:
    class Books:
        def sender(self) -> ActLedger:
            return KafkaActs(control.bench.stack.kafka_config("control"), "control.test")

        def acts(self) -> list[LedgerAct]:
            return control.acts()

    promise(Books(), f"contract-{promise.__name__}")


@pytest.mark.requirement("A2-11")
def test_snapshots_show_what_is_on_the_bus(control: Control) -> None:
    write_persons(control.bench, range(20), Operation.CREATE)
    resources = eventually(
        lambda: (
            found
            if (found := control.seen(Kind.RESOURCE)).documents.get(PERSONS, {}).get("records", 0) >= 20
            else None
        ),
        60,
        lambda: str(control.seen(Kind.RESOURCE)),
    )
    assert resources.trouble is None
    grant = control.seen(Kind.GRANT).documents[EDUCATION]
    assert (grant["consumer"], grant["resource"], len(grant["partitions"])) == ("education", PERSONS, 4)
    assert "ledger.acts" in control.seen(Kind.TOPIC).documents
    assert control.seen(Kind.CONNECTOR).as_of is not None
    watch = control.seen(Kind.ALARM)
    assert watch.trouble is not None
    assert "watch" in watch.trouble.what


def test_it_says_that_the_broker_is_away_and_goes_on_when_it_is_back(control: Control) -> None:
    before = control.seen(Kind.TOPIC)
    control.bench.stack.kafka.stop()
    control.owe(5 * MANY, 1)
    code, _ = eventually(lambda: found if (found := control.ready())[0] == 503 else None, 60)
    assert code == 503

    def failing() -> set[str]:
        return {reason.partition(":")[0] for reason in control.ready()[1]}

    eventually(lambda: failing() & {"acts", "collector"}, 60, lambda: str(control.ready()))
    eventually(lambda: control.seen(Kind.TOPIC).trouble, 60)
    kept = control.seen(Kind.TOPIC)
    assert before.as_of is not None
    assert kept.as_of is not None
    assert kept.documents.keys() == before.documents.keys()
    control.bench.stack.up()
    eventually(lambda: control.ready() == (200, []), 90, lambda: str(control.ready()))
    eventually(lambda: 5 * MANY in control.sent(), 60)
    assert control.sent().count(5 * MANY) == 1


def test_it_ends_after_its_turn_when_it_is_asked_to(control: Control) -> None:
    assert control.process.stop()
