"""Separate topics of redeliveries: their names, who reads and writes them, and that the switch cuts them."""

from collections.abc import Iterable
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AclBindingFilter, AclOperation, NewTopic, ResourcePatternType

from services.control.acls import remove_readers
from services.control.kafka_topics import delete_topics
from services.control.owners import whose_topic
from services.control.replays.on_stack import StackDeliverer
from services.control.rights import COPIER, FANOUT, grant_denials, grant_rights
from services.control.state import Acl, Pattern, Right
from services.ledger.masking import harmless_names, provider_of
from tests.support.policy import sample_policy
from topics import names
from topics.event import GrantId, TopicName
from topics.grants.declaration import GrantState

POLICY = sample_policy()
GRANT = POLICY.grants[GrantId("health-persons-gusu")].grant
SEPARATE = names.redelivered(GRANT.topic, 7)


def covering(acls: Iterable[Acl], topic: str, right: Right) -> set[str]:
    """Users whose right is about the topic."""
    return {
        acl.user
        for acl in acls
        if acl.right is right
        and (acl.name == topic if acl.pattern is Pattern.LITERAL else topic.startswith(acl.name))
    }


@pytest.mark.parametrize(
    ("topic", "of", "replay"),
    [
        (SEPARATE, GRANT.topic, 7),
        (GRANT.topic, GRANT.topic, None),
        ("sub.a.b.c.v1.replay", "sub.a.b.c.v1.replay", None),
        ("sub.a.b.c.v1.replay.replay.12", "sub.a.b.c.v1.replay", 12),
        ("raw.police.public.replay.7", "raw.police.public.replay.7", None),
        (f"{SEPARATE}x", f"{SEPARATE}x", None),
    ],
)
def test_a_separate_topic_names_its_grants_and_its_replay(topic: str, of: str, replay: int | None) -> None:
    assert (names.grant_topic_of(topic), names.redelivery_of(topic)) == (of, replay)


@pytest.mark.parametrize("state", GrantState)
def test_a_separate_topic_is_read_and_refused_as_the_grants_own(state: GrantState) -> None:
    grant = GRANT.model_copy(update={"state": state})
    for acls, right in ((grant_rights(grant), Right.READ), (grant_denials(grant), Right.WRITE)):
        assert covering(acls, SEPARATE, right) == covering(acls, grant.topic, right)
    assert covering(grant_denials(grant), SEPARATE, Right.WRITE) == {COPIER, FANOUT}


def test_no_other_grant_reads_a_separate_topic() -> None:
    others = [entry.grant for entry in POLICY.grants.values() if entry.grant.id != GRANT.id]
    longer = GRANT.model_copy(update={"id": GrantId(f"{GRANT.id}-more")})
    for other in (*others, longer):
        assert covering(grant_rights(other), SEPARATE, Right.READ) == set()


class Broker:
    """Remembers its topics, and which rights it was asked to delete."""

    def __init__(self) -> None:
        self.asked: list[AclBindingFilter] = []
        self.made: list[NewTopic] = []
        self.fails: KafkaError | None = None

    def admin(self) -> "Broker":
        return self

    def list_topics(self, **_: Any) -> Any:
        return SimpleNamespace(topics={each.topic: each for each in self.made})

    def create_topics(self, topics: list[NewTopic], **_: Any) -> dict[str, "Future[None]"]:
        self.made += topics
        return {each.topic: done() for each in topics}

    def delete_topics(self, topics: list[str], **_: Any) -> dict[str, "Future[None]"]:
        return {each: done(self.fails) for each in topics}

    def delete_acls(self, filters: list[AclBindingFilter], **_: Any) -> dict[Any, Any]:
        self.asked += filters
        return {}


@pytest.mark.requirement("A8-05")
def test_whoever_takes_the_readers_of_a_grants_topic_takes_those_of_its_separate_ones() -> None:
    broker: Any = Broker()
    remove_readers(broker, [GRANT.topic, names.epochs(GRANT.id)])
    assert {(each.name, each.resource_pattern_type, each.operation) for each in broker.asked} == {
        (name, pattern, operation)
        for name, pattern in (
            (GRANT.topic, ResourcePatternType.LITERAL),
            (names.redelivered_prefix(GRANT.topic), ResourcePatternType.PREFIXED),
            (names.epochs(GRANT.id), ResourcePatternType.LITERAL),
        )
        for operation in (AclOperation.READ, AclOperation.ALL)
    }


def test_a_run_that_goes_on_finds_the_topic_that_the_first_one_made() -> None:
    broker: Any = Broker()
    deliverer = StackDeliverer(broker, broker)
    for _ in range(2):
        deliverer.make(SEPARATE, 4)
    [made] = broker.made
    assert (made.topic, made.num_partitions) == (SEPARATE, 4)
    assert made.config["cleanup.policy"] == "delete"
    assert made.config["retention.ms"] == str(7 * 86_400_000)


def test_a_topic_that_is_gone_already_is_deleted_and_any_other_refusal_is_told() -> None:
    broker: Any = Broker()
    delete_topics(broker, [])
    broker.fails = KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART)
    delete_topics(broker, [SEPARATE])
    broker.fails = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)
    with pytest.raises(KafkaException):
        delete_topics(broker, [SEPARATE])


def done(error: KafkaError | None = None) -> "Future[None]":
    """What the broker answered."""
    found: Future[None] = Future()
    if error is None:
        found.set_result(None)
    else:
        found.set_exception(KafkaException(error))
    return found


def test_a_separate_topic_belongs_to_its_grants_departments_and_hides_as_much() -> None:
    assert whose_topic(SEPARATE, POLICY) == whose_topic(GRANT.topic, POLICY)
    assert provider_of(SEPARATE, POLICY) == provider_of(GRANT.topic, POLICY)
    assert harmless_names(SEPARATE, POLICY) == harmless_names(GRANT.topic, POLICY)
    assert provider_of(TopicName("sub.nobody.x.replay.1"), POLICY) is None
