"""The doctor's own logins look at what it tells of, and neither change nor read what is not theirs."""

from collections.abc import Callable
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
)

from services.ledger.counts import Place
from services.ledger.reader import KafkaTopicReader, ReadRefused
from services.stack.api import Stack
from services.stack.postgres import DOCTOR, DOCTOR_SECRET
from services.stack.users import KafkaUsers
from topics.event import TopicName

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]


@pytest.fixture
def admin(stack: Stack) -> AdminClient:
    return AdminClient(stack.kafka_config("doctor"))


def open_to_all(admin: AdminClient) -> Any:
    allowed = AclPermissionType.ALLOW
    name, pattern = "secret", ResourcePatternType.LITERAL
    acl = AclBinding(ResourceType.TOPIC, name, pattern, "User:doctor", "*", AclOperation.READ, allowed)
    return admin.create_acls([acl])


CHANGES: list[Callable[[AdminClient], Any]] = [
    lambda admin: admin.create_topics([NewTopic("doctors", 1, 1)]),
    lambda admin: admin.delete_topics(["_connect-status"]),
    open_to_all,
]


@pytest.mark.parametrize("change", CHANGES, ids=["create", "delete", "allow"])
def test_it_changes_nothing_in_kafka(admin: AdminClient, change: Callable[[AdminClient], Any]) -> None:
    with pytest.raises(KafkaException) as refused:
        next(iter(change(admin).values())).result(15)
    assert refused.value.args[0].code() in {
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    }


def test_it_sees_every_topic_and_user_and_reads_no_record_of_others(stack: Stack, admin: AdminClient) -> None:
    seen = set(admin.list_topics(timeout=15).topics)
    assert seen == set(stack.admin().list_topics(timeout=15).topics)
    assert {"admin", "doctor"} <= KafkaUsers(admin, stack.context.secrets).known()
    topic = TopicName("_connect-configs")
    with KafkaTopicReader(stack.kafka_config("doctor"), "doctor.reader", 5.0) as reader:
        place = Place(topic, 0)
        assert reader.bounds(place).low == 0
        with pytest.raises(ReadRefused):
            list(reader.read(place, 0, 1))


def test_it_asks_postgresql_and_owns_nothing_there(stack: Stack) -> None:
    with closing(stack.doctor_connection()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('wal_level'), rolsuper FROM pg_roles WHERE rolname = 'doctor'")
        assert cursor.fetchone() == ("logical", False)
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("CREATE TABLE public.mine (id int)")
    port, password = stack.settings.postgres_port, stack.secret(DOCTOR_SECRET)
    with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
        psycopg2.connect(host="127.0.0.1", port=port, dbname="registry", user=DOCTOR, password=password)
