"""The authority's ruling on the real stack: the live gate applies it, and no later apply takes it back."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from confluent_kafka import Producer

from schemas.registry import SchemaRegistry
from services.api.app import create_api
from services.api.on_stack import BusOfStack
from services.cli import processes
from services.cli.control import control_database, prepare_control
from services.cli.plan import access_of
from services.control.accounts.people import Department
from services.control.accounts.roles import Role
from services.control.definitions import packaged_definitions
from services.control.store.accounts.departments import add_department
from services.control.suspension.acts import read_acts
from services.stack.python_process import PythonProcess
from tests.integration.apply_bench import PERSONS, Bench, own_stack
from tests.integration.suspension_bench import govbus
from tests.support.debezium import ENROLMENT_SCHEMA_ID, ENROLMENT_TOPIC, SCHEMAS, raw
from tests.support.staff import staffed
from tests.support.waiting import eventually
from tests.support.web import CONSOLE, CONTACTS, Browser, Web, credit_code
from topics.engine.reference import ReferenceCodec
from topics.event import ResourceId, SchemaId
from topics.names import canonical, key_subject, value_subject
from topics.wire import frame, split

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

ENROLMENT = ResourceId("social.enrolment.v1")
BASIS, WHY = "《政务数据共享条例》第二十条", "参保登记时核验住址"
RULINGS = "/claims/social_security/population.person.v1/address/rulings"
ROW = {
    "id": 7,
    "id_number": "11010519491231002X",
    "name": "王小明",
    "address": "平江路1号",
    "insurance_type": "310",
    "enrolled_on": 18_000,
    "monthly_base": "5000.00",
    "status": "1",
    "updated_at": 1_790_000_000_000,
}
_KEY = {"type": "record", "name": "Key", "fields": [{"name": "id", "type": "long"}]}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("definitions") / "city"
    shutil.copytree(packaged_definitions(), folder)
    with own_stack() as stack:
        found = Bench(stack, access_of(stack), folder)
        found.apply()
        prepare_control(stack, datetime.now(UTC))
        with closing(control_database(stack)) as database, database.begin() as connection:
            staffed(connection)
        stack.run_processes([processes.gate(stack.settings.processes_port)])
        yield found


@dataclass
class Capture:
    """Changes of enrolments as Connect writes them."""

    bench: Bench
    offset: int = 0

    def __post_init__(self) -> None:
        registry = SchemaRegistry(self.bench.access.registry_credentials("apply"))
        self._value = registry.register(value_subject(ENROLMENT_TOPIC), SCHEMAS[ENROLMENT_SCHEMA_ID])
        self._key = registry.register(key_subject(ENROLMENT_TOPIC), _KEY)
        self._producer = Producer(self.bench.stack.kafka_config("connect"))

    def write(self, operation: str, before: Any, after: Any) -> None:
        self.offset += 1
        made = raw(operation, self.offset, before, after, ENROLMENT_TOPIC, ENROLMENT_SCHEMA_ID)
        self._producer.produce(
            ENROLMENT_TOPIC,
            key=self._framed(self._key, made.key),
            value=self._framed(self._value, made.value),
            partition=made.partition,
        )
        assert self._producer.flush(20) == 0

    def _framed(self, schema_id: SchemaId, framed: bytes | None) -> bytes:
        return frame(schema_id, split(framed or b"")[1])


def states(bench: Bench) -> list[Any]:
    """The states of the enrolments that the gate wrote, in order."""
    registry = SchemaRegistry(bench.access.registry_credentials("ledger"))
    found = []
    for record in bench.read(canonical(ENROLMENT)):
        schema_id, body = split(record.value or b"")
        found.append(ReferenceCodec(registry.schema(schema_id)).decode(body)["state"])
    return found


def told(bench: Bench, *arguments: str) -> Any:
    done = govbus(bench, *arguments, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def owner(bench: Bench) -> str | None:
    return bench.policy().resources[PERSONS].resource.item("address").owner


@pytest.fixture(scope="module")
def capture(bench: Bench) -> Capture:
    return Capture(bench)


@pytest.fixture
def authority(bench: Bench) -> Iterator[Browser]:
    """The authority at the API, beside the control process."""
    prepare_control(bench.stack, datetime.now(UTC))
    with closing(control_database(bench.stack)) as database:
        web = Web(database)
        web.clock.now = datetime.now(UTC)
        web.parts = replace(web.parts, bus=BusOfStack(bench.stack, web.settings))
        web.app = create_api(web.parts)
        claimant = Department(
            "social_security", "人社局", "Social Security", credit_code("01409002"), CONTACTS
        )
        with database.begin() as connection:
            add_department(connection, claimant, CONSOLE)
        bench.stack.run_process(processes.control(bench.stack.settings.control_port))
        yield web.at(Role.AUTHORITY, department="data_bureau")


def kill_control(bench: Bench) -> None:
    """End the control process as the system does, wherever it is, and start it again."""
    component = processes.control(bench.stack.settings.control_port)
    running = PythonProcess(bench.stack.context, component).pid_file.running()
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)
    running.wait(10)
    bench.stack.run_process(component)


def in_force(browser: Browser, id_: str) -> Any:
    """The ruling once every instance of the gate decides by it."""

    def found() -> Any:
        [ruling] = [each for each in browser.get(RULINGS).json()["items"] if each["id"] == id_]
        return ruling if ruling["stage"] == "in_force" else None

    return eventually(found, 60, lambda: browser.get(RULINGS).text)


@pytest.mark.requirement("A5-01")
def test_the_gate_applies_a_ruling_and_the_next_apply_does_not_take_it_back(
    bench: Bench, capture: Capture
) -> None:
    capture.write("c", None, ROW)
    eventually(lambda: len(states(bench)) == 1, 60, lambda: "the first enrolment")
    assert "address" not in states(bench)[0]
    [claimed] = [each for each in told(bench, "conflicts", "items")["items"] if each["item"] == "address"]
    which = (claimed["claimant_resource"], claimed["column"])
    assert (which, claimed["claims"], claimed["owner"]) == ((ENROLMENT, "address"), 1, "police")
    assert claimed["ruling"] is None

    order = (
        "conflicts", "decide", *which, "--decision", "transfer", "--as", "li",
        "--basis", BASIS, "--why", WHY,
        "--definitions", str(bench.folder),
    )  # fmt: skip
    decided = told(bench, *order)["decided"]
    assert (decided["resources"], decided["again"]) == ([PERSONS, ENROLMENT], False)
    assert decided["in_force_ms"] is not None
    assert decided["losing"] == ["health-persons-gusu"]
    assert owner(bench) == "social_security"

    capture.write("u", ROW, {**ROW, "status": "2"})
    eventually(lambda: len(states(bench)) == 2, 60, lambda: "the second enrolment")
    assert states(bench)[1]["address"] == ROW["address"]

    version = bench.policy().version
    assert bench.steps() == []
    bench.apply()
    assert (bench.policy().version, owner(bench)) == (version, "social_security")
    again = told(bench, *order)["decided"]
    assert (again["again"], again["ruling"]) == (True, decided["ruling"])
    acts = read_acts(bench.access.admin(), bench.access.kafka_config("apply"))
    assert [(act.id, act.what) for act in acts] == [(decided["ruling"]["id"], "ownership.rule")]
    [shown] = [each for each in told(bench, "conflicts", "items")["items"] if each["item"] == "address"]
    assert shown["ruling"] == decided["ruling"]


@pytest.mark.requirement("A5-01")
def test_a_ruling_over_the_api_is_carried_out_by_itself_and_the_gate_decides_by_it(
    bench: Bench, capture: Capture, authority: Browser
) -> None:
    wanted = {"decision": "transfer", "basis": BASIS, "text": WHY}
    given = authority.post(RULINGS, wanted).json()["id"]
    kill_control(bench)
    ruling = in_force(authority, given)
    assert (ruling["instances"], ruling["attempts"]) == (["gate.0"], 0)
    version = bench.policy().version
    assert (ruling["policy_version"], bench.policy().rulings[given].since_version) == (version, version)
    assert owner(bench) == "social_security"
    before = len(states(bench))
    capture.write("u", ROW, {**ROW, "status": "3"})
    eventually(lambda: len(states(bench)) > before, 60, lambda: "an enrolment after the transfer")
    assert states(bench)[-1]["address"] == ROW["address"]

    order = (
        "conflicts", "decide", ENROLMENT, "address", "--decision", "transfer",
        "--as", "li", "--basis", BASIS, "--why", WHY, "--definitions", str(bench.folder),
    )  # fmt: skip
    again = told(bench, *order)["decided"]
    assert (again["ruling"]["id"], again["again"], again["policy_version"]) == (given, True, version)

    back = authority.post(RULINGS, {**wanted, "decision": "confirm"}).json()["id"]
    assert in_force(authority, back)["policy_version"] == version + 1
    assert owner(bench) is None
    before = len(states(bench))
    capture.write("u", ROW, {**ROW, "status": "1"})
    eventually(lambda: len(states(bench)) > before, 60, lambda: "an enrolment after the confirmation")
    assert "address" not in states(bench)[-1]
    acts = read_acts(bench.access.admin(), bench.access.kafka_config("apply"))
    carried_out = [act.id for act in acts if act.what == "ownership.rule"]
    assert [each for each in carried_out if each in (given, back)] == [given, back]
    assert bench.steps() == []
