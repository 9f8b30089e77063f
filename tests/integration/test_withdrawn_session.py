"""Whoever is withdrawn loses an open session on the departments' listener within a minute; others go on."""

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from services.control.acls import create_acls
from services.control.kafka_topics import create_topics
from services.control.state import Acl, Pattern, ResourceType, Right, Topic
from services.stack.api import Stack
from services.stack.component import Component
from services.stack.kafka import Kafka, client_config
from services.stack.secret_files import write_private
from tests.stack_fixture import settings_for, temporary_home
from tests.support.waiting import eventually

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

SESSION_S: Final = 60
SHORT_S: Final = 10
"""Long enough for a client that stays to log in again in the last tenth of it."""
SETTING: Final = "listener.name.departments.scram-sha-512.connections.max.reauth.ms"
#: The broker closes the connection at the client's next request, which its fetches are.
MARGIN_S: Final = 3.0
TOPIC: Final = "sub.sessions.test"
STAYS, GOES = "consumer-session-stays", "consumer-session-goes"


@dataclass
class Client:
    """A department's client that reads all the time and remembers when it last got something."""

    config: dict[str, object]
    last: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)

    def read(self) -> None:
        consumer = Consumer(self.config)
        consumer.assign([TopicPartition(TOPIC, 0, 0)])
        while not self._stop.is_set():
            message = consumer.poll(0.1)
            if message is not None and message.error() is None:
                self.last = time.monotonic()
        consumer.close()

    @contextmanager
    def running(self) -> Iterator["Client"]:
        thread = threading.Thread(target=self.read)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join()


@contextmanager
def records(stack: Stack) -> Iterator[None]:
    """Something to read all the time."""
    stop, producer = threading.Event(), Producer(stack.kafka_config("admin"))

    def write() -> None:
        while not stop.wait(0.1):
            producer.produce(TOPIC, b"x")
            producer.flush(10)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def client(stack: Stack, user: str) -> Client:
    password = stack.users().ensure(user)
    config = client_config(stack.endpoints().departments_bootstrap, user, password)
    return Client({**config, "group.id": f"{user}.test", "enable.auto.commit": False})


class ShortSessions(Kafka):
    """The broker as it is shipped, but for how long a session of a department may last."""

    def prepare(self) -> None:
        super().prepare()
        path = self.context.layout.conf / "kafka-server.properties"
        shipped, declared = path.read_text(encoding="utf-8"), f"{SETTING}={SESSION_S * 1000}\n"
        assert declared in shipped
        write_private(path, shipped.replace(declared, f"{SETTING}={SHORT_S * 1000}\n"))


class BrokerOnly(Stack):
    """Only that broker of the embedded stack."""

    def __init__(self) -> None:
        super().__init__(settings_for(temporary_home()))
        self.kafka = ShortSessions(self.context)

    @property
    def infrastructure(self) -> tuple[Component, ...]:
        return (self.kafka,)


@pytest.fixture
def short_sessions() -> Iterator[Stack]:
    stack = BrokerOnly()
    try:
        stack.up()
        yield stack
    finally:
        stack.reset()
        shutil.rmtree(stack.settings.home, ignore_errors=True)


@pytest.mark.requirement("A8-05")
def test_a_withdrawn_department_is_out_when_its_session_ends_and_another_reads_on(
    short_sessions: Stack,
) -> None:
    withdraw_and_watch(short_sessions, SHORT_S)


@pytest.mark.soak
@pytest.mark.requirement("A8-05")
def test_a_withdrawn_department_is_out_within_a_minute_and_another_reads_on(stack: Stack) -> None:
    withdraw_and_watch(stack, SESSION_S)


def withdraw_and_watch(stack: Stack, session_s: float) -> None:
    """Two departments read; one is withdrawn, and gets nothing more once its session is over."""
    admin = stack.admin()
    if TOPIC not in admin.list_topics(timeout=30).topics:
        create_topics(admin, [Topic(TOPIC, 1)])
    create_acls(
        admin,
        [Acl(user, ResourceType.TOPIC, Pattern.LITERAL, TOPIC, Right.READ) for user in (STAYS, GOES)],
    )
    stays, goes = client(stack, STAYS), client(stack, GOES)
    with records(stack), stays.running(), goes.running():
        eventually(lambda: stays.last and goes.last, 30, lambda: "both to read")
        stack.users().withdraw(GOES)
        withdrawn, silent_s, patience_s = time.monotonic(), 2 * MARGIN_S, session_s + 30
        over = withdrawn + session_s + MARGIN_S
        eventually(lambda: time.monotonic() - goes.last > silent_s, patience_s, lambda: "the session to end")
        assert goes.last <= over
        eventually(lambda: stays.last > over, patience_s, lambda: "the other to read on")
