"""The embedded stack on the real parts: traps, crashes, and nothing left behind."""

import os
import signal
import socket
import subprocess
import sys
import uuid
from contextlib import closing

import psutil
import psycopg2
import pytest
from confluent_kafka import Consumer, Producer

from services.stack.api import Stack, State
from services.stack.errors import ChooseAnotherPort, ReadComponentLog, SecretMissing
from services.stack.fencing import may_lead
from services.stack.probes import loopback_session
from services.stack.process import PidFile
from services.stack.python_process import PythonComponent
from services.stack.settings import StackSettings
from services.stack.users import BASE_USERS
from tests.integration.stack_checks import killed, logs_in, registered, states, topic_of, wait_for
from tests.stack_fixture import processes_below, settings_for, temporary_home
from tests.support.ports import free_ports

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]


# -- traps that were met by running ---------------------------------------------------------------


def test_after_a_user_is_withdrawn_and_the_broker_restarted_all_others_still_log_in(stack: Stack) -> None:
    users = stack.users()
    password = users.ensure("leaving")
    assert logs_in(stack, "leaving", password)
    users.withdraw("leaving")
    assert "leaving" in users.known()
    stack.kafka.stop()
    stack.up()
    wait_for(lambda: not logs_in(stack, "leaving", password))
    assert all(logs_in(stack, user, stack.secret(f"kafka-{user}")) for user in BASE_USERS)
    again = stack.users().ensure("leaving")
    assert again != password
    wait_for(lambda: logs_in(stack, "leaving", again))


def test_the_registry_keeps_ids_rules_and_subjects_when_it_is_killed(stack: Stack) -> None:
    subject = f"test-{uuid.uuid4().hex[:8]}-value"
    record = '{"type":"record","name":"Kept","fields":[{"name":"a","type":"string"}]}'
    assert registered(stack, "apply", subject, record) == 200
    address = f"{stack.endpoints().registry_url}/subjects/{subject}/versions/1"
    with loopback_session(stack.registry_auth("reader")) as session:
        before = session.get(address, timeout=10).json()
    killed(stack.registry)
    assert states(stack)["registry"] is State.CRASHED
    stack.up()
    with loopback_session(stack.registry_auth("reader")) as session:
        assert session.get(address, timeout=10).json() == before
        rules = session.get(f"{stack.endpoints().registry_url}/config", timeout=10).json()
    assert rules == {"compatibilityLevel": "BACKWARD"}


def test_the_converter_writes_the_id_that_readers_ask_for(stack: Stack) -> None:
    worker = (stack.context.layout.conf / "connect-worker.properties").read_text().splitlines()
    for kind in ("key", "value"):
        assert f"{kind}.converter.apicurio.registry.use-id=contentId" in worker
        assert f"{kind}.converter.apicurio.registry.as-confluent=true" in worker
        assert f"{kind}.converter.apicurio.registry.headers.enabled=false" in worker


# -- crash and repair -----------------------------------------------------------------------------


def test_killed_parts_show_in_status_and_up_repairs_them_without_touching_the_others(stack: Stack) -> None:
    before = {line.name: line.pid for line in stack.status()}
    for component in (stack.postgres, stack.connect):
        killed(component)
    assert states(stack)["postgres"] is State.CRASHED
    assert states(stack)["connect"] is State.CRASHED
    stack.up()
    assert set(states(stack).values()) == {State.RUNNING}
    after = {line.name: line.pid for line in stack.status()}
    assert after["kafka"] == before["kafka"]
    assert after["postgres"] != before["postgres"]


def activations(stack: Stack) -> int:
    """How often a controller became active, by Kafka's log."""
    log = stack.context.layout.log("kafka").read_text(encoding="utf-8", errors="replace")
    return log.count("Performing controller activation")


def test_a_killed_broker_is_fenced_by_the_controller_alone_before_one_starts_again(stack: Stack) -> None:
    data = stack.context.layout.data / "kafka"
    before = activations(stack)
    killed(stack.kafka)
    assert may_lead(data)
    stack.up()
    assert activations(stack) == before + 2, "the controller alone, then controller and broker"
    stack.kafka.stop()
    assert not may_lead(data), "who is stopped has handed over"
    stack.up()
    assert activations(stack) == before + 3
    assert set(states(stack).values()) == {State.RUNNING}


def test_a_process_of_our_own_is_started_shown_repaired_and_stopped(stack: Stack) -> None:
    (port,) = free_ports(1)
    server = f"import http.server as h; h.test(h.SimpleHTTPRequestHandler, port={port}, bind='127.0.0.1')"
    stack.run_process(PythonComponent("sample", ("-c", server), ready_url=f"http://127.0.0.1:{port}/"))
    assert states(stack)["sample"] is State.RUNNING
    process = PidFile(stack.context.layout.run / "sample.pid").running()
    assert process is not None
    process.kill()
    process.wait(10)
    assert states(stack)["sample"] is State.CRASHED
    stack.up()
    assert states(stack)["sample"] is State.RUNNING
    stack.stop_process("sample")
    assert "sample" not in states(stack)


def test_down_then_up_loses_nothing_and_needs_no_network(stack: Stack) -> None:
    topic = topic_of(stack.admin())
    producer = Producer(stack.kafka_config("admin"))
    producer.produce(topic, b"kept")
    assert producer.flush(15) == 0
    stack.create_database("kept", "kept", "secret-of-kept")
    stack.down()
    assert set(states(stack).values()) == {State.STOPPED}
    assert processes_below(str(stack.settings.home)) == []
    offline = stack.settings.model_copy(update={"maven_repository": "http://127.0.0.1:9"})
    Stack(offline).up()
    consumer = Consumer(stack.kafka_config("admin") | {"group.id": topic, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    message = consumer.poll(30)
    consumer.close()
    assert message is not None
    assert message.value() == b"kept"
    endpoints = stack.endpoints()
    with closing(
        psycopg2.connect(
            host=endpoints.postgres_host,
            port=endpoints.postgres_port,
            dbname="kept",
            user="kept",
            password="secret-of-kept",
        )
    ) as connection:
        assert connection.status == psycopg2.extensions.STATUS_READY


# -- starts that fail -----------------------------------------------------------------------------


def test_a_lost_secret_stops_the_start_and_is_named(stack: Stack) -> None:
    path = stack.context.secrets.path("kafka-gate")
    content = path.read_text()
    path.unlink()
    try:
        with pytest.raises(SecretMissing, match="kafka-gate"):
            stack.up()
    finally:
        path.write_text(content)
        path.chmod(0o600)
    stack.up()


def test_a_port_in_use_is_named_with_its_setting_and_leaves_no_process() -> None:
    settings = settings_for(temporary_home())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", settings.registry_port))
        taken.listen()
        stack = Stack(settings)
        with pytest.raises(ChooseAnotherPort, match="GOVBUS_REGISTRY_PORT"):
            stack.up()
    assert processes_below(str(settings.home)) == []
    stack.reset()
    settings.home.rmdir()


def test_a_start_that_fails_at_a_process_of_the_bus_leaves_no_process() -> None:
    settings = settings_for(temporary_home())
    stack = Stack(settings)
    seen: list[State] = []

    def bus() -> list[PythonComponent]:
        seen.extend(states(stack).values())
        return [
            PythonComponent("lives", ("-c", "import time; time.sleep(600)")),
            PythonComponent("ends", ("-c", "raise SystemExit(1)"), ready_check=lambda: False),
        ]

    try:
        with pytest.raises(ReadComponentLog, match="ends ended while starting"):
            stack.up(bus=bus)
        assert seen == [State.RUNNING] * 4
        assert processes_below(str(settings.home)) == []
        assert set(states(stack).values()) == {State.STOPPED}
    finally:
        stack.reset()
    settings.home.rmdir()


def begin_start(settings: StackSettings) -> "subprocess.Popen[bytes]":
    """Start a stack from a command of its own; return once the broker's process exists."""
    variables = {settings.variable(name): str(value) for name, value in settings if value is not None}
    program = (
        "from services.stack.api import Stack; from services.stack.settings import StackSettings;"
        "Stack(StackSettings.from_environment()).up()"
    )
    environment = {**os.environ, **variables}
    command = subprocess.Popen(
        [sys.executable, "-c", program],
        env=environment,
        stderr=subprocess.DEVNULL,
        # A run in the background ignores Ctrl-C and hands that on; a person's terminal does not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    wait_for((settings.home / "run" / "kafka.pid").exists)
    return command


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_in_the_middle_of_the_first_start_leaves_no_process(number: signal.Signals) -> None:
    settings = settings_for(temporary_home())
    stack = Stack(settings)
    try:
        command = begin_start(settings)
        command.send_signal(number)
        assert command.wait(90) != 0
        assert processes_below(str(settings.home)) == []
        assert set(states(stack).values()) == {State.STOPPED}
    finally:
        stack.reset()
    assert list(settings.home.iterdir()) == []
    settings.home.rmdir()


def test_a_killed_start_is_cleaned_up_by_down_repaired_by_up_and_reset_begins_anew() -> None:
    settings = settings_for(temporary_home())
    command = begin_start(settings)
    command.kill()
    command.wait(10)
    stack = Stack(settings)
    stack.down()
    wait_for(lambda: processes_below(str(settings.home)) == [])
    try:
        stack.up()
        assert set(states(stack).values()) == {State.RUNNING}
        before = stack.secret("kafka-admin")
        stack.reset()
        assert list(settings.home.iterdir()) == []
        stack.up()
        assert stack.secret("kafka-admin") != before
        assert logs_in(stack, "admin", stack.secret("kafka-admin"))
    finally:
        stack.reset()
    settings.home.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user to show this")
def test_postgres_runs_as_another_user_where_root_starts_the_stack(stack: Stack) -> None:
    (postgres,) = [line for line in stack.status() if line.name == "postgres"]
    assert postgres.pid is not None
    assert psutil.Process(postgres.pid).uids().effective != 0
