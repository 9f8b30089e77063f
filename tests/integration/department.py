"""A department with one grant on the real stack, and the fan-out that delivers to it."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from consumers.received import Received
from consumers.retry import Retry
from consumers.settings import SubscriberSettings, from_credentials_file
from consumers.subscriber import Subscriber
from schemas.registry import RegistryCredentials, SchemaRegistry
from services.control.acls import create_acls, delete_acls
from services.control.definitions import load_definitions, packaged_definitions
from services.control.kafka_topics import create_topics
from services.control.rights import rights
from services.control.state import Acl, Topic
from services.stack.api import Stack
from tests.contract.subscribing import VALUE_SCHEMA, encoded, headers
from tests.support.waiting import patience
from topics import names
from topics.canonical import PSEUDONYM_KEY_SCHEMA
from topics.event import ConsumerId, GrantId, KafkaRecord, Operation, SchemaId
from topics.grants.declaration import Grant

DEADLINE_S = 60.0


@dataclass
class Department:
    """A consumer with one grant, set up as apply does it, and the fan-out that delivers to it."""

    stack: Stack
    folder: Path
    grant: Grant
    credentials: Path
    fanout: Producer
    key_id: SchemaId
    value_id: SchemaId
    said: list[str] = field(default_factory=list)

    @property
    def settings(self) -> SubscriberSettings:
        return from_credentials_file(self.credentials)

    @property
    def user(self) -> str:
        return f"consumer-{self.grant.consumer}"

    def deliver(self, *records: tuple[str, str | None, int], commit: bool = True) -> None:
        """Deliver (pseudonym, name or None, position) in one transaction of the fan-out."""
        self.fanout.begin_transaction()
        for pseudonym, name, position in records:
            value = (
                None if name is None else encoded(self.value_id, VALUE_SCHEMA, {"name": name, "born": None})
            )
            self.fanout.produce(
                self.grant.topic,
                key=encoded(self.key_id, PSEUDONYM_KEY_SCHEMA, {"pseudonym": pseudonym}),
                value=value,
                headers=list(headers(position, Operation.DELETE if name is None else Operation.UPDATE)),
                partition=0,
            )
        if commit:
            self.fanout.commit_transaction(30)
        else:
            self.fanout.flush(30)
            self.fanout.abort_transaction(30)

    def subscriber(self, handler: Callable[[Received], None], **options: Any) -> Subscriber:
        settings = options.pop("settings", self.settings)
        retry = Retry(attempts=2, first_s=0.05)
        return Subscriber(settings, handler, say=self.said.append, retry=retry, **options)

    def read(self, count: int, **options: Any) -> list[Received]:
        """Read until that many records came."""
        found: list[Received] = []
        with self.subscriber(found.append, **options) as subscriber:
            subscriber.run(until(lambda: len(found) >= count))
        return found

    def allow(self, acls: set[Acl]) -> None:
        admin = self.stack.admin()
        create_acls(admin, acls)

    def forbid(self, acls: set[Acl]) -> None:
        admin = self.stack.admin()
        delete_acls(admin, acls)


def until(condition: Callable[[], bool]) -> Callable[[], bool]:
    deadline = time.monotonic() + DEADLINE_S * patience()

    def stop() -> bool:
        assert time.monotonic() < deadline, "condition not met in time"
        return condition()

    return stop


def never_met() -> bool:
    return False


def set_up(stack: Stack, folder: Path, suffix: str) -> Department:
    sample = load_definitions(packaged_definitions())
    consumer_id, grant_id = ConsumerId(f"test_{suffix}"), GrantId(f"test-{suffix}")
    consumer = next(iter(sample.consumers.values())).model_copy(update={"id": consumer_id})
    some = next(iter(sample.grants.values()))
    grant = some.model_copy(update={"id": grant_id, "consumer": consumer_id})
    admin = stack.admin()
    configs = {"cleanup.policy": "compact", "message.timestamp.type": "LogAppendTime"}
    create_topics(
        admin,
        [
            Topic(grant.topic, 2, configs),
            Topic(names.epochs(grant.id), 1, {}),
            Topic(names.parked(consumer_id), 1, {}),
        ],
    )
    declared = rights({}, {consumer_id: consumer}, {}, [grant])
    create_acls(admin, {acl for acl in declared if acl.user in {f"consumer-{consumer_id}", "fanout"}})
    fanout = Producer(
        stack.kafka_config("fanout") | {"transactional.id": f"fanout.test.{suffix}", "log_level": 0}
    )
    fanout.init_transactions(30)
    registry = SchemaRegistry(registry_credentials(stack, "apply"))
    return Department(
        stack,
        folder,
        grant,
        write_credentials(stack, folder, grant),
        fanout,
        registry.register(names.key_subject(grant.topic), PSEUDONYM_KEY_SCHEMA),
        registry.register(names.value_subject(grant.topic), VALUE_SCHEMA),
    )


def registry_credentials(stack: Stack, user: str) -> RegistryCredentials:
    return RegistryCredentials(stack.endpoints().registry_url, *stack.registry_auth(user))


def write_credentials(stack: Stack, folder: Path, grant: Grant) -> Path:
    reader = registry_credentials(stack, "reader")
    content = {
        "bootstrap": stack.endpoints().kafka_bootstrap,
        "username": f"consumer-{grant.consumer}",
        "password": stack.users().ensure(f"consumer-{grant.consumer}"),
        "registry": {"url": reader.url, "username": reader.username, "password": reader.password},
        "grants": {grant.id: grant.topic},
    }
    path = folder / f"{grant.consumer}.json"
    path.touch(0o600)
    path.write_text(json.dumps(content))
    return path


def parked_records(department: Department, count: int) -> list[KafkaRecord]:
    """What is in the department's own parking topic, read with its own rights."""
    settings = department.settings
    group = f"{settings.consumer}.parked"
    reader = Consumer(
        settings.client() | {"group.id": group, "auto.offset.reset": "earliest", "log_level": 0}
    )
    reader.assign([TopicPartition(settings.parking_topic, 0, 0)])
    found: list[KafkaRecord] = []
    stop = until(lambda: len(found) >= count)
    while not stop():
        message = reader.poll(0.2)
        if message is None or message.error():
            continue
        headers_read: list[Any] = list(message.headers() or [])
        key: Any = message.key()
        value: Any = message.value()
        offset = message.offset() or 0
        found.append(KafkaRecord(settings.parking_topic, 0, offset, 0, key, value, tuple(headers_read)))
    reader.close()
    return found
