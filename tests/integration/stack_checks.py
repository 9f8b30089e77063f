"""What tests of the embedded stack ask it."""

import time
import uuid
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from services.stack.api import Stack, State
from services.stack.component import Component
from services.stack.probes import loopback_session
from tests.support.waiting import eventually

wait_for = partial(eventually, seconds=60.0)


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
