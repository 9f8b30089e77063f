"""A provider publishes directly on the real parts, with its own right only."""

import io
import time
from typing import Any

import fastavro
import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AclOperation, NewTopic, ResourceType

from producers.publication import change_from_publication, publication_schema
from producers.publisher import NotAllPublished, Publisher
from services.stack.acls import allow, ensure_acls
from services.stack.api import Stack
from tests.integration.captures import (
    IDENTITY,
    new_provider,
    registry,
)
from topics.event import Change, Operation, ProviderId, TopicName
from topics.names import (
    raw_published,
    value_subject,
)
from topics.resource import Resource
from topics.wire import split

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

ITEMS = {
    "type": "record",
    "name": "Permit",
    "fields": [{"name": "id", "type": "string"}, {"name": "holder", "type": "string"}],
}


def published_resource(provider: ProviderId) -> Resource:
    titles = {"zh": "许可", "en": "Permits"}
    return Resource.model_validate(
        {
            "code": "1-01-3205/000009",
            "domain": "licence",
            "name": "permit",
            "titles": titles,
            "provider": provider,
            "source": {"kind": "publish", "primary_key": ["id"]},
            "identity": {"kind": "resident_id", "item": "holder"},
            "items": [{"name": "id", "titles": titles}, {"name": "holder", "titles": titles}],
            "partitions": 2,
            "avro_schema": "licence.permit.v1.avsc",
        }
    )


@pytest.mark.requirement("A4-06")
def test_a_provider_publishes_directly_with_its_own_right_and_fails_without(stack: Stack) -> None:
    provider = new_provider()
    resource = published_resource(provider)
    topic, user = raw_published(provider, "licence", "permit"), f"provider-{provider}"
    admin = stack.admin()
    admin.create_topics([NewTopic(topic, 2, 1)])[topic].result()
    registry(stack, "apply").register(value_subject(topic), publication_schema(ITEMS))
    stack.users().ensure(user)
    ensure_acls(admin, allow(user, ResourceType.TOPIC, topic, [AclOperation.DESCRIBE]))
    config = {**stack.kafka_config(user), "delivery.timeout.ms": 10_000}

    def publisher() -> Publisher:
        return Publisher(resource, config, registry(stack), item_schema=ITEMS)

    record = {"id": "p1", "holder": IDENTITY}
    refused_publisher = publisher()
    refused_publisher.publish(record, version=1, reference="first")
    with pytest.raises(NotAllPublished) as caught:
        refused_publisher.close()
    assert caught.value.result.published == 0
    assert caught.value.result.broken
    ensure_acls(admin, allow(user, ResourceType.TOPIC, topic, [AclOperation.WRITE]))
    with publisher() as publishing:
        publishing.publish(record, version=1)
        publishing.delete(record, version=2)
    assert publishing.result().published == 2
    assert [each.operation for each in read_published(stack, topic)] == [Operation.UPDATE, Operation.DELETE]


def read_published(stack: Stack, topic: TopicName) -> list[Change]:
    consumer = Consumer({**stack.kafka_config("admin"), "group.id": "test"})
    found: list[Change] = []
    try:
        consumer.assign([TopicPartition(topic, partition, 0) for partition in range(2)])
        deadline = time.monotonic() + 30
        while len(found) < 2:
            assert time.monotonic() < deadline
            message = consumer.poll(0.1)
            if message is None or message.error():
                continue
            assert message.key() == b"p1"
            schema_id, avro = split(message.value() or b"")
            value: Any = fastavro.schemaless_reader(io.BytesIO(avro), registry(stack).schema(schema_id), None)
            change = change_from_publication(value, ("id",), 1, 0, message.offset() or 0)
            assert isinstance(change, Change)
            found.append(change)
    finally:
        consumer.close()
    return found
