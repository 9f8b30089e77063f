"""Who may read what was stopped: its provider and the operator; the broker refuses everybody else."""

import json
import time
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, TopicPartition

from services.control.credentials import credentials_path
from tests.e2e.live_city import LiveCity
from tests.e2e.people import insert

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

QUARANTINE, OTHER, CLAIMS = "quarantine.police", "quarantine.social_security", "claims.social_security"
WRONG = "320508199001010018"
DEADLINE_S = 60.0


def of_department(city: LiveCity, user: str) -> dict[str, Any]:
    """librdkafka's settings with the credentials that apply wrote for a provider or a consumer."""
    path = credentials_path(city.stack.settings.home, user)
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {
        "bootstrap.servers": found["bootstrap"],
        "security.protocol": found["security_protocol"],
        "sasl.mechanism": found["sasl_mechanism"],
        "sasl.username": found["username"],
        "sasl.password": found["password"],
        "group.id": f"{found['group_prefix']}look",
    }


def of_the_bus(city: LiveCity, user: str) -> dict[str, Any]:
    return {**city.stack.kafka_config(user), "group.id": f"{user}.look"}


def read_or_refused(config: Mapping[str, Any], topic: str) -> bytes | None:
    """The first record's value, or None where the broker refuses to give anything of the topic.

    Who has no right at all is not even told of the topic; who may only describe it gets no record.
    """
    reader = Consumer({**config, "enable.auto.commit": False, "log_level": 0})
    deadline = time.monotonic() + DEADLINE_S
    try:
        if _is_refusal(reader.list_topics(topic, timeout=DEADLINE_S).topics[topic].error):
            return None
        reader.assign([TopicPartition(topic, 0, 0)])
        while time.monotonic() < deadline:
            message = reader.poll(0.2)
            error = None if message is None else message.error()
            # The client asks about its group although it never joins one.
            if message is None or (error and error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED):
                continue
            if _is_refusal(error):
                return None
            value = message.value()
            return value if isinstance(value, bytes) else b""
        raise AssertionError(f"neither given nor refused in {DEADLINE_S:.0f} s: {topic}")
    finally:
        reader.close()


def _is_refusal(error: KafkaError | None) -> bool:
    assert error is None or error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED, error
    return error is not None


@pytest.fixture(scope="module")
def stopped(city: LiveCity) -> LiveCity:
    """A city in which something of the police and of social security was stopped, and something claimed."""
    name = f"停{city.new_id()}"
    city.execute("police", insert(city.new_id(), WRONG, name=name, birth_date=date(1990, 1, 1)))
    city.settle()
    for topic in (QUARANTINE, OTHER, CLAIMS):
        assert city.records(topic), f"{topic} holds nothing that could be kept from anybody"
    return city


@pytest.mark.requirement("A11-04")
def test_a_provider_reads_what_was_stopped_of_its_own_and_of_nobody_else(stopped: LiveCity) -> None:
    police = of_department(stopped, "provider-police")
    assert read_or_refused(police, QUARANTINE)
    assert read_or_refused(police, OTHER) is None
    social = of_department(stopped, "provider-social_security")
    assert read_or_refused(social, OTHER)
    assert read_or_refused(social, QUARANTINE) is None


@pytest.mark.requirement("A11-04")
@pytest.mark.parametrize("topic", [QUARANTINE, CLAIMS])
def test_the_operator_reads_what_was_stopped_and_claimed(stopped: LiveCity, topic: str) -> None:
    assert read_or_refused(of_the_bus(stopped, "operator"), topic)


@pytest.mark.requirement("A11-04")
@pytest.mark.parametrize("topic", [QUARANTINE, CLAIMS])
@pytest.mark.parametrize("user", ["ledger", "replay", "gate", "fanout", "copier", "apply", "connect"])
def test_no_other_user_of_the_bus_reads_what_was_stopped_or_claimed(
    stopped: LiveCity, user: str, topic: str
) -> None:
    assert read_or_refused(of_the_bus(stopped, user), topic) is None


@pytest.mark.requirement("A11-04")
@pytest.mark.parametrize("topic", [QUARANTINE, CLAIMS])
@pytest.mark.parametrize("consumer", ["health", "archives"])
def test_no_consumer_reads_what_was_stopped_or_claimed(stopped: LiveCity, consumer: str, topic: str) -> None:
    assert read_or_refused(of_department(stopped, f"consumer-{consumer}"), topic) is None


def test_the_books_count_what_was_stopped_all_the_same(stopped: LiveCity) -> None:
    answer = stopped.balance()
    assert answer["closed"] is True
    assert answer["sums"]["quarantined"] > 0
    assert answer["sums"]["claims"] > 0
    compared = {output["topic"] for output in answer["outputs"] if output["compared"]}
    assert {QUARANTINE, CLAIMS} <= compared
