"""What of the embedded stack is open, and to whom."""

import uuid
from contextlib import closing

import psutil
import psycopg2
import pytest
from confluent_kafka import KafkaError
from confluent_kafka.admin import AclOperation, ResourceType

from services.stack.acls import allow, ensure_acls
from services.stack.api import Stack, State
from services.stack.probes import loopback_session
from services.stack.users import BASE_USERS
from tests.integration.stack_checks import registered, states, topic_of, wait_for, written
from tests.stack_fixture import processes_below

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

INFRASTRUCTURE = {"postgres", "kafka", "registry", "connect"}


def test_everything_runs_and_listens_on_loopback_only(stack: Stack) -> None:
    wait_for(lambda: set(states(stack).values()) == {State.RUNNING})
    listening = []
    for line in stack.status():
        assert line.pid is not None
        listening += psutil.Process(line.pid).net_connections("tcp")
    addresses = {item.laddr.ip for item in listening if item.status == psutil.CONN_LISTEN}
    assert addresses <= {"127.0.0.1", "::ffff:127.0.0.1"}
    ports = {item.laddr.port for item in listening if item.status == psutil.CONN_LISTEN}
    assert stack.settings.registry_management_port in ports


def test_the_idle_infrastructure_uses_less_than_two_of_the_four_gigabytes(stack: Stack) -> None:
    lines = [line for line in stack.status() if line.name in INFRASTRUCTURE]
    assert len(lines) == len(INFRASTRUCTURE)
    assert sum(line.memory_mb or 0 for line in lines) < 2000


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


@pytest.mark.requirement("A4-12")
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
