"""The embedded stack on the real parts: locks, traps, crashes, and nothing left behind."""

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import closing

import psutil
import psycopg2
import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AclOperation, AdminClient, NewTopic, ResourceType

from services.stack.acls import allow, ensure_acls
from services.stack.api import Stack, State
from services.stack.component import Component
from services.stack.errors import ChooseAnotherPort, SecretMissing
from services.stack.fencing import may_lead
from services.stack.probes import loopback_session
from services.stack.process import PidFile
from services.stack.python_process import PythonComponent
from services.stack.settings import StackSettings
from services.stack.users import BASE_USERS
from tests.stack_fixture import free_ports, processes_below, settings_for, temporary_home

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]


def wait_for(condition: Callable[[], object], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "condition not met in time"
        time.sleep(0.1)


def logs_in(stack: Stack, user: str, password: str) -> bool:
    """Say whether the broker accepts the user's password."""
    config = stack.kafka_config("admin") | {"sasl.username": user, "sasl.password": password}
    failures: list[KafkaError] = []
    client = Producer(config | {"error_cb": failures.append, "log_level": 0})
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        client.poll(0.05)
        if any(failure.code() == KafkaError._AUTHENTICATION for failure in failures):
            return False
        try:
            client.list_topics(timeout=1)
        except KafkaException:
            continue
        return True
    raise AssertionError(f"neither accepted nor refused: {failures}")


def written(stack: Stack, user: str, topic: str) -> int | None:
    """Write one record as the user; return the code of the error, None if the broker took it."""
    answers: list[KafkaError | None] = []
    producer = Producer(stack.kafka_config(user) | {"message.timeout.ms": 5000, "log_level": 0})
    producer.produce(topic, b"x", on_delivery=lambda error, _message: answers.append(error))
    producer.flush(10)
    (answer,) = answers
    return None if answer is None else answer.code()


def topic_of(admin: AdminClient, partitions: int = 1) -> str:
    name = f"test.{uuid.uuid4().hex[:8]}"
    for answer in admin.create_topics([NewTopic(name, partitions, 1)]).values():
        answer.result(15)
    return name


def killed(component: Component) -> None:
    process = component.pid_file.running()
    assert process is not None
    process.kill()
    wait_for(lambda: component.pid_file.running() is None)


def states(stack: Stack) -> dict[str, State]:
    return {line.name: line.state for line in stack.status()}


def registered(stack: Stack, user: str, subject: str, schema: str) -> int:
    with loopback_session(stack.registry_auth(user)) as session:
        address = f"{stack.endpoints().registry_url}/subjects/{subject}/versions"
        return session.post(address, json={"schema": schema}, timeout=10).status_code


# -- what is open, and to whom --------------------------------------------------------------------


def test_everything_runs_and_listens_on_loopback_only(stack: Stack) -> None:
    assert set(states(stack).values()) == {State.RUNNING}
    listening = []
    for line in stack.status():
        assert line.pid is not None
        listening += psutil.Process(line.pid).net_connections("tcp")
    addresses = {item.laddr.ip for item in listening if item.status == psutil.CONN_LISTEN}
    assert addresses <= {"127.0.0.1", "::ffff:127.0.0.1"}
    ports = {item.laddr.port for item in listening if item.status == psutil.CONN_LISTEN}
    assert stack.settings.registry_management_port in ports


def test_the_whole_stack_uses_less_than_two_of_the_four_gigabytes(stack: Stack) -> None:
    assert sum(line.memory_mb or 0 for line in stack.status()) < 2000


@pytest.mark.requirement("A11-04")
def test_connect_and_registry_refuse_strangers(stack: Stack) -> None:
    endpoints = stack.endpoints()
    wrong = ("govbus", "wrong")
    for address in (f"{endpoints.connect_url}/connectors", f"{endpoints.registry_url}/subjects"):
        for auth in (None, wrong):
            with loopback_session(auth) as session:
                assert session.get(address, timeout=10).status_code == 401
    with loopback_session(stack.connect_auth()) as session:
        assert session.get(f"{endpoints.connect_url}/connectors", timeout=10).status_code == 200


def test_postgres_refuses_a_wrong_password_and_other_users_in_the_maintenance_database(stack: Stack) -> None:
    endpoints = stack.endpoints()
    where = f"host={endpoints.postgres_host} port={endpoints.postgres_port} user=registry"
    with pytest.raises(psycopg2.OperationalError, match="authentication failed"):
        psycopg2.connect(f"{where} dbname=registry", password="registry")
    with pytest.raises(psycopg2.OperationalError, match="permission denied"):
        psycopg2.connect(f"{where} dbname=postgres", password=stack.secret("postgres-registry"))


def test_postgres_can_be_captured_and_does_not_let_a_slot_fill_the_disk(stack: Stack) -> None:
    with closing(stack.superuser_connection()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('wal_level'), current_setting('max_slot_wal_keep_size')")
        assert cursor.fetchone() == ("logical", "1GB")
        cursor.execute("SELECT current_setting('listen_addresses'), current_setting('fsync')")
        assert cursor.fetchone() == ("127.0.0.1", "on")


def test_only_apply_and_connect_register_schemas(stack: Stack) -> None:
    subject = f"test-{uuid.uuid4().hex[:8]}-value"
    assert registered(stack, "reader", subject, '"string"') == 403
    assert registered(stack, "apply", subject, '"string"') == 200
    assert registered(stack, "connect", f"other-{subject}", '"string"') == 200
    with loopback_session(stack.registry_auth("reader")) as session:
        base = stack.endpoints().registry_url
        assert session.get(f"{base}/subjects/{subject}/versions/latest", timeout=10).json()["version"] == 1
        assert session.get(f"{base}/config", timeout=10).json() == {"compatibilityLevel": "BACKWARD"}
        assert session.put(f"{base}/config", json={"compatibility": "NONE"}, timeout=10).status_code == 403
        assert session.delete(f"{base}/subjects/{subject}", timeout=10).status_code == 403


def test_a_schema_that_breaks_readers_is_refused(stack: Stack) -> None:
    subject = f"test-{uuid.uuid4().hex[:8]}-value"
    record = '{"type":"record","name":"R","fields":[{"name":"a","type":"%s"}]}'
    assert registered(stack, "apply", subject, record % "string") == 200
    assert registered(stack, "apply", subject, record % "int") == 409


def test_kafka_gives_nothing_to_a_user_without_an_acl(stack: Stack) -> None:
    admin = stack.admin()
    topic = topic_of(admin)
    denied = KafkaError.TOPIC_AUTHORIZATION_FAILED
    assert written(stack, "gate", topic) == denied
    ensure_acls(admin, allow("gate", ResourceType.TOPIC, topic, [AclOperation.WRITE]))
    wait_for(lambda: written(stack, "gate", topic) is None)
    assert written(stack, "fanout", topic) == denied


def test_a_topic_is_not_made_by_writing_to_it(stack: Stack) -> None:
    name = f"test.{uuid.uuid4().hex[:8]}"
    stack.admin().list_topics(name, timeout=10)
    assert name not in stack.admin().list_topics(timeout=10).topics


@pytest.mark.parametrize(
    ("setting", "allowed"),
    [
        ("producer.override.linger.ms", True),
        ("consumer.override.isolation.level", True),
        ("consumer.override.sasl.jaas.config", True),
        ("consumer.override.security.protocol", False),
        ("producer.override.bootstrap.servers", False),
        ("admin.override.sasl.mechanism", False),
    ],
)
def test_a_connector_tunes_its_clients_and_their_login_but_not_where_and_how_they_connect(
    stack: Stack, setting: str, allowed: bool
) -> None:
    mirror = "org.apache.kafka.connect.mirror.MirrorHeartbeatConnector"
    config = {"connector.class": mirror, "name": "t", "tasks.max": "1", setting: "5"}
    if setting == "consumer.override.isolation.level":
        config[setting] = "read_committed"
    with loopback_session(stack.connect_auth()) as session:
        address = (
            f"{stack.endpoints().connect_url}/connector-plugins/MirrorHeartbeatConnector/config/validate"
        )
        answer = session.put(address, json=config, timeout=30).json()
    wrong = [item["value"]["name"] for item in answer["configs"] if item["value"]["errors"]]
    assert (setting not in wrong) is allowed


def test_connect_finds_the_connectors_and_the_converter(stack: Stack) -> None:
    with loopback_session(stack.connect_auth()) as session:
        address = f"{stack.endpoints().connect_url}/connector-plugins?connectorsOnly=false"
        plugins = {item["class"]: item.get("version") for item in session.get(address, timeout=30).json()}
    assert plugins["io.debezium.connector.postgresql.PostgresConnector"] == "3.7.0.Final"
    assert "io.debezium.connector.jdbc.JdbcSinkConnector" in plugins
    assert "io.apicurio.registry.utils.converter.AvroConverter" in plugins


def test_secrets_are_private_and_not_in_any_process_argument_or_log(stack: Stack) -> None:
    layout = stack.context.layout
    names = [f"kafka-{user}" for user in BASE_USERS]
    values = [stack.secret(name) for name in [*names, "registry-apply", "connect-rest", "master-v1"]]
    for folder in (layout.secrets, layout.conf):
        assert folder.stat().st_mode & 0o777 == 0o700
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert {path.stat().st_mode & 0o077 for path in files} == {0}
    arguments = [" ".join(process.cmdline()) for process in processes_below(str(layout.home))]
    logs = [path.read_text(errors="replace") for path in layout.logs.iterdir()]
    assert arguments
    assert not [value for value in values if any(value in text for text in [*arguments, *logs])]


# -- traps that were met by running ---------------------------------------------------------------


def test_after_a_user_is_withdrawn_and_the_broker_restarted_all_others_still_log_in(stack: Stack) -> None:
    users = stack.users()
    password = users.ensure("leaving")
    assert logs_in(stack, "leaving", password)
    users.withdraw("leaving")
    assert "leaving" in users.known()
    stack.kafka.stop()
    stack.up()
    assert not logs_in(stack, "leaving", password)
    assert all(logs_in(stack, user, stack.secret(f"kafka-{user}")) for user in BASE_USERS)
    again = stack.users().ensure("leaving")
    assert again != password
    assert logs_in(stack, "leaving", again)


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
