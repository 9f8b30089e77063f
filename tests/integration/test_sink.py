"""A department's sink on the real parts: Debezium's JDBC sink, a database of its own, the watch."""

import json
import secrets
import shutil
import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from producers.connect_client import ConnectClient
from producers.connect_errors import ConnectorNotFound
from producers.connect_status import Health
from producers.connector import SinkDeclaration, read_template, sink_config
from producers.provider_setup import literal
from services.cli.plan import access_of
from services.control.access import CaptureSource
from services.control.rights import rights
from services.control.sink_target import Target, target_problems
from services.control.sinks import jdbc_url, login_set
from services.control.state import Acl, Pattern, ResourceType, Right
from services.stack.api import Stack
from services.stack.postgres import REGISTRY_SECRET, SUPERUSER_SECRET
from services.stack.probes import loopback_session
from services.stack.secret_files import write_private
from tests.contract.subscribing import VALUE_SCHEMA
from tests.integration.department import Department, parked_records, set_up
from tests.stack_fixture import settings_for, temporary_home
from tests.support import waiting
from tests.support.watching import start_watch, without_watch
from topics import names

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

DATABASE, ROLE = "copy", "writer"
FORBIDDEN = "a name that the department's own rule forbids"


eventually = partial(waiting.eventually, seconds=90.0)


@dataclass(frozen=True)
class DepartmentServer:
    """A PostgreSQL server that is the department's and not the bus's."""

    stack: Stack
    password: str

    @property
    def source(self) -> CaptureSource:
        return CaptureSource("127.0.0.1", self.stack.settings.postgres_port, DATABASE, ROLE, self.password)

    def start(self) -> None:
        self.stack.postgres.start()
        eventually(self.stack.postgres.ready)

    def stop(self) -> None:
        self.stack.postgres.stop()

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(self.stack.superuser_connection(DATABASE)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []

    def holds(self, table: str, name: str) -> bool:
        """Whether a table, which may not be whole yet, has every column and a row of that name."""
        columns = f"SELECT 1 FROM information_schema.columns WHERE table_name = '{table}'"
        if not self.sql(f"{columns} AND column_name = 'born'"):
            return False
        return bool(self.sql(f"SELECT 1 FROM public.{table} WHERE name = {literal(name)}"))

    def rows(self) -> dict[str, str]:
        return dict(self.sql("SELECT pseudonym, name FROM public.person"))


@pytest.fixture(scope="module")
def server() -> Iterator[DepartmentServer]:
    own = Stack(settings_for(temporary_home()))
    found = DepartmentServer(own, secrets.token_hex(12))
    try:
        own.context.layout.create()
        own.context.secrets.ensure([SUPERUSER_SECRET, REGISTRY_SECRET])
        own.postgres.prepare()
        found.start()
        own.create_database(DATABASE, ROLE, found.password)
        yield found
    finally:
        own.reset()
        shutil.rmtree(own.settings.home, ignore_errors=True)


@dataclass(frozen=True)
class Scene:
    """A department with one grant, its server, the sink between them, and a watch that looks often."""

    stack: Stack
    department: Department
    server: DepartmentServer
    connect: ConnectClient

    @property
    def name(self) -> str:
        return names.sink_connector(self.department.grant.id)

    def config(self, table: str = "public.person", *, evolves: bool = False) -> dict[str, str]:
        grant = self.department.grant
        declaration = SinkDeclaration(
            grant_topic=grant.topic,
            parked_topic=names.parked(grant.consumer),
            jdbc_url=jdbc_url(self.server.source),
            table=table,
            evolves=evolves,
            key_fields=("pseudonym",),
            secret_set=f"{grant.consumer}_copy",
            login_set=login_set(grant.consumer),
        )
        return sink_config(read_template("jdbc-sink"), declaration, access_of(self.stack).connect_environment)

    def configure(self, config: dict[str, str]) -> None:
        """Give the sink another configuration, under which every later record is taken.

        Connect answers before the tasks of the one before have ended, and these may take a record still.
        """
        self.connect.stop(self.name)
        eventually(lambda: not self.connect.status(self.name).tasks)
        self.connect.put_config(self.name, config)
        self.connect.resume(self.name)
        eventually(self.runs)

    def write_secrets(self) -> None:
        consumer, folder = self.department.grant.consumer, self.stack.context.layout.connect_secrets
        for name, user, password in (
            (f"{consumer}_copy", ROLE, self.server.password),
            (login_set(consumer), self.department.user, self.stack.users().ensure(self.department.user)),
        ):
            write_private(folder / f"{name}.properties", f"user={user}\npassword={password}\n")

    def watched(self) -> dict[str, Any]:
        with loopback_session() as session:
            answer: dict[str, Any] = session.get(
                f"http://127.0.0.1:{self.stack.settings.watch_port}/status", timeout=5
            ).json()
            return answer

    def alarmed(self) -> bool:
        alarms = self.watched()["alarms"]
        return any((each["kind"], each["subject"]) == ("connector-failed", self.name) for each in alarms)

    def fails(self) -> bool:
        return self.connect.status(self.name).has_failed

    def trace(self, name: str) -> str:
        """Why the connector's tasks failed; empty while they have not, and while it is not known yet."""
        try:
            status = self.connect.status(name)
        except ConnectorNotFound:
            return ""
        return "\n".join(task.trace or "" for task in status.tasks)

    def runs(self) -> bool:
        return self.connect.health(self.name) is Health.RUNNING


@pytest.fixture(scope="module")
def scene(
    stack: Stack, server: DepartmentServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    department = set_up(stack, tmp_path_factory.mktemp("sink"), uuid.uuid4().hex[:10])
    consumers = {department.grant.consumer: None}
    declared = rights({}, consumers, {}, [department.grant], sinks=[department.grant.id])  # type: ignore[arg-type]
    department.allow({acl for acl in declared if acl.user == department.user})
    made = Scene(stack, department, server, access_of(stack).connect())
    made.write_secrets()
    target = Target("public", "person", ("pseudonym",), VALUE_SCHEMA)
    [problem] = target_problems(server.source, target)
    server.sql(problem["remedy"])
    assert target_problems(server.source, target) == []
    with without_watch(stack):
        start_watch(stack, interval_s="0.5", first_wait_s="0.5", longest_wait_s="4", alarm_after="2")
        try:
            made.connect.put_config(made.name, made.config())
            yield made
        finally:
            made.connect.delete(made.name)
            made.connect.close()


@pytest.mark.requirement("A7-06")
def test_the_table_follows_the_grant_topic_by_pseudonym(scene: Scene) -> None:
    scene.department.deliver(("a", "one", 1), ("b", "two", 2), ("c", "three", 3))
    eventually(lambda: scene.server.rows() == {"a": "one", "b": "two", "c": "three"})
    scene.department.deliver(("a", "four", 4), ("b", None, 5))
    eventually(lambda: scene.server.rows() == {"a": "four", "c": "three"})
    scene.department.deliver(("b", "back", 6), ("c", None, 7), ("a", "lost", 8), commit=False)
    scene.department.deliver(("d", "five", 9))
    eventually(lambda: scene.server.rows() == {"a": "four", "c": "three", "d": "five"})


def test_no_password_is_stored_or_logged(scene: Scene) -> None:
    stored = json.dumps(scene.connect.config(scene.name))
    log = (scene.stack.context.layout.logs / "connect.log").read_text(encoding="utf-8", errors="replace")
    passwords = [scene.server.password, scene.stack.users().ensure(scene.department.user)]
    assert [each for each in passwords if each in stored or each in log] == []


def test_what_cannot_be_decoded_is_parked_with_its_bytes_and_the_next_record_goes_on(scene: Scene) -> None:
    department = scene.department
    department.fanout.begin_transaction()
    department.fanout.produce(department.grant.topic, key=b"\x00key", value=b"no Avro", partition=0)
    department.fanout.commit_transaction(30)
    department.deliver(("e", "after the garbage", 10))
    eventually(lambda: scene.server.rows().get("e") == "after the garbage")
    [record] = parked_records(department, 1)
    assert (record.key, record.value) == (b"\x00key", b"no Avro")
    assert scene.runs()


def test_a_row_that_the_database_refuses_fails_the_task_which_is_restarted_alarmed_and_goes_on_once_mended(
    scene: Scene,
) -> None:
    scene.server.sql(f"ALTER TABLE person ADD CONSTRAINT own_rule CHECK (name <> {literal(FORBIDDEN)})")
    restarts = scene.watched()["restarts"]
    scene.department.deliver(("f", FORBIDDEN, 11), ("g", "in the same batch", 12))
    eventually(scene.alarmed)
    assert scene.watched()["restarts"] >= restarts + 2
    assert not {"f", "g"} & set(scene.server.rows())
    scene.department.deliver(("h", "while it failed", 13))
    scene.server.sql("ALTER TABLE person DROP CONSTRAINT own_rule")
    eventually(lambda: {"f", "g", "h"} <= set(scene.server.rows()))
    eventually(lambda: not scene.alarmed())


def test_what_the_database_refused_is_in_no_log(scene: Scene) -> None:
    folder = scene.stack.context.layout.logs
    texts = {path.name: path.read_text(encoding="utf-8", errors="replace") for path in folder.iterdir()}
    assert "own_rule" in texts["connect.log"]
    assert [name for name, text in texts.items() if FORBIDDEN in text] == []


def test_after_an_outage_of_the_database_nothing_is_missing(scene: Scene) -> None:
    scene.server.stop()
    scene.department.deliver(("i", "during the outage", 14), ("a", None, 15))
    eventually(scene.fails)
    scene.server.start()
    scene.department.deliver(("j", "after the outage", 16))
    eventually(lambda: {"i", "j"} <= set(scene.server.rows()))
    assert "a" not in scene.server.rows()
    eventually(scene.runs)


def test_a_sink_that_may_do_so_makes_its_table(scene: Scene) -> None:
    target = Target("public", "made", ("pseudonym",), VALUE_SCHEMA, evolves=True)
    assert target_problems(scene.server.source, target) == []
    try:
        scene.configure(scene.config("public.made", evolves=True))
        scene.department.deliver(("made", "evolved", 16))
        eventually(
            partial(scene.server.holds, "made", "evolved"),
            what=lambda: f"{scene.connect.status(scene.name)} {scene.trace(scene.name)}",
        )
    finally:
        scene.configure(scene.config())


@pytest.mark.requirement("A8-05")
def test_without_its_department_s_right_the_sink_gets_nothing_more(scene: Scene) -> None:
    department = scene.department
    read = Acl(department.user, ResourceType.TOPIC, Pattern.LITERAL, department.grant.topic, Right.READ)
    before = scene.server.rows()
    department.forbid({read})
    eventually(lambda: "TopicAuthorizationException" in scene.trace(scene.name))
    department.deliver(("k", "not yours any more", 17))
    eventually(scene.alarmed)
    assert scene.server.rows() == before
    department.allow({read})
    eventually(lambda: "k" in scene.server.rows())


@pytest.mark.parametrize(
    "module",
    [
        "org.apache.kafka.common.security.plain.PlainLoginModule",
        "com.sun.security.auth.module.JndiLoginModule",
        "com.sun.security.auth.module.KeyStoreLoginModule",
    ],
)
def test_a_connector_cannot_log_in_by_another_module(scene: Scene, module: str) -> None:
    name = f"{scene.name}.{module.rsplit('.', 1)[1].lower()}"
    login = f'{module} required username="x" password="y";'
    config = {**scene.config(), "consumer.override.sasl.jaas.config": login}
    scene.connect.put_config(name, config)
    try:
        eventually(lambda: "is not allowed" in scene.trace(name))
    finally:
        scene.connect.delete(name)


def test_the_files_of_connect_s_secrets_are_the_owner_s_alone(scene: Scene) -> None:
    folder: Path = scene.stack.context.layout.connect_secrets
    assert {path.stat().st_mode & 0o077 for path in folder.iterdir()} == {0}
