"""An instance without work is ready only while Kafka answers, and says so by itself when it does again."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

from services.processor import answering as module
from services.processor.answering import Answering, FetchAtEnd, Unanswered
from services.processor.contract import InputPartition
from services.processor.health import SILENT_SECONDS, Health
from services.processor.kafka_settings import asking_consumer
from tests.unit.processor.test_consumer import FIRST, SECOND, Desk
from topics.event import TopicName
from topics.names import POLICY

ALWAYS = InputPartition(POLICY, 0)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Broker:
    """Answers, or says why not."""

    def __init__(self) -> None:
        self.silence: str | None = None
        self.asked: list[list[InputPartition]] = []

    def __call__(self, sources: Sequence[InputPartition]) -> None:
        self.asked.append(list(sources))
        if self.silence is not None:
            raise Unanswered(self.silence)


def idle(clock: Clock) -> Health:
    """An instance that has nothing to do and nothing to complain of."""
    return Health(
        10.0, 15.0, clock, "", "", clock.now, None, True, True, adopted_version=1, acknowledged_version=1
    )


async def test_who_gets_no_answer_for_more_than_ten_seconds_is_not_ready_until_one_comes() -> None:
    clock, broker = Clock(), Broker()
    health = idle(clock)
    asking = Answering(broker, health)
    await asking.step()
    broker.silence = "policy:0 gives nothing"
    clock.now += SILENT_SECONDS
    health.turn()
    await asking.step()
    assert health.not_ready() == [], "a broker may be started anew"
    clock.now += 1
    assert health.not_ready() == ["Kafka has not answered for 11 s (policy:0 gives nothing)"]
    assert health.not_alive() == [], "another process would get no answer either"
    broker.silence = None
    await asking.step()
    assert health.not_ready() == []


async def test_every_partition_that_is_owned_is_asked_about_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 1)
    broker = Broker()
    asking = Answering(broker, idle(Clock()))
    await asking.step()
    asking.watch(Desk().input)
    for _ in range(2):
        await asking.step()
    broker.silence = "nothing"
    for _ in range(2):
        await asking.step()
    assert broker.asked[0] == [ALWAYS]
    assert broker.asked[1:3] in ([[ALWAYS, FIRST], [ALWAYS, SECOND]], [[ALWAYS, SECOND], [ALWAYS, FIRST]])
    assert broker.asked[3] == broker.asked[4], "what was not answered is asked again"


async def test_an_answer_for_every_partition_ends_the_problem_of_an_input_that_has_nothing_to_fetch() -> None:
    desk, broker = Desk().ready(), Broker()
    asking = Answering(broker, idle(Clock()))
    asking.watch(desk.input)
    desk.fetches(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))
    broker.silence = "in: TOPIC_AUTHORIZATION_FAILED"
    await asking.step()
    assert desk.input.problem is not None
    broker.silence = None
    await asking.step()
    assert desk.input.problem is None


@pytest.fixture
def servers() -> Iterator[str]:
    """A broker that librdkafka plays."""
    broker = Producer({"test.mock.num.brokers": 1, "log_level": 0})
    found = next(iter(broker.list_topics(timeout=5.0).brokers.values()))
    yield f"{found.host}:{found.port}"
    broker.flush(0.1)


def asking_of(servers: str, seconds: float = 5.0) -> FetchAtEnd:
    return FetchAtEnd(lambda: Consumer(asking_consumer({"bootstrap.servers": servers}, "g")), seconds)


def test_a_broker_answers_for_partitions_with_and_without_records(servers: str) -> None:
    producer = Producer({"bootstrap.servers": servers, "log_level": 0})
    for topic in ("full", "empty"):
        producer.list_topics(topic, timeout=5.0)
    producer.produce("full", b"x", partition=0)
    producer.flush(5.0)
    ask = asking_of(servers)
    for _ in range(2):
        ask([InputPartition(TopicName(topic), 0) for topic in ("full", "empty")])
    ask.close()


def test_where_nobody_listens_there_is_no_answer() -> None:
    with pytest.raises(Unanswered, match=r"_ALL_BROKERS_DOWN|_TRANSPORT|gives nothing"):
        asking_of("127.0.0.1:1", 0.5)([ALWAYS])


def test_an_error_of_the_client_is_no_answer_and_another_client_asks_next_time() -> None:
    made: list[Any] = []

    class Refusing:
        def __init__(self) -> None:
            made.append(self)

        def assign(self, _parts: Any) -> None:
            raise KafkaException(KafkaError(KafkaError._STATE))

        def close(self) -> None:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    make: Any = Refusing
    ask = FetchAtEnd(make)
    for _ in range(2):
        with pytest.raises(Unanswered, match="_STATE"):
            ask([ALWAYS])
    assert len(made) == 2
