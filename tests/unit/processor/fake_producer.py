"""A transactional producer without Kafka, whose calls a test reads and lets fail."""

from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from services.processor.applied import Applied
from services.processor.clients import ConfluentSender
from services.processor.contract import InputPartition
from services.processor.transactions import Transactions
from topics.engine.lanes import into_lanes
from topics.event import OutputRecord, TopicName

OUTPUT = OutputRecord(TopicName("out"), 3, b"k", b"v", (("h", b"1"),))
POSITIONS = {InputPartition(TopicName("in"), 0): 7}


def failure(
    code: int, *, fatal: bool = False, abort: bool = False, retriable: bool = False
) -> KafkaException:
    return KafkaException(KafkaError(code, "as the test says", fatal, retriable, abort))


class FakeProducer:
    """Notes its calls; raises what a test has laid ready for a call, once each."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.produced: list[dict[str, Any]] = []
        self.offsets: list[tuple[str, int, int, str]] = []
        self.failures: dict[str, list[Exception]] = {}
        self.slow: Callable[[], object] = lambda: None
        self.queued = 0
        """How many records a flush leaves."""

    def fails(self, call: str, *errors: Exception) -> "FakeProducer":
        self.failures[call] = list(errors)
        return self

    def _called(self, call: str) -> None:
        self.calls.append(call)
        self.slow()
        if self.failures.get(call):
            raise self.failures[call].pop(0)

    def init_transactions(self, _seconds: float) -> None:
        self._called("init")

    def begin_transaction(self) -> None:
        self._called("begin")

    def produce(self, topic: str, **record: Any) -> None:
        self._called("produce")
        self.produced.append({"topic": topic, **record})

    def poll(self, _seconds: float) -> int:
        return 0

    def flush(self, _seconds: float) -> int:
        self._called("flush")
        return self.queued

    def send_offsets_to_transaction(self, offsets: list[Any], _group: object, _seconds: float) -> None:
        self._called("offsets")
        self.offsets += [(each.topic, each.partition, each.offset, each.metadata) for each in offsets]

    def commit_transaction(self, _seconds: float) -> None:
        self._called("commit")

    def abort_transaction(self, _seconds: float) -> None:
        self._called("abort")


async def opened(*producers: FakeProducer, patience_s: float = 5.0) -> Transactions:
    waiting = iter(producers)
    make: Any = lambda: ConfluentSender(next(waiting))  # noqa: E731
    transactions = Transactions(make, patience_s)
    await transactions.open()
    return transactions


async def whole(transactions: Transactions) -> None:
    """A transaction from its beginning to its commit."""
    transactions.begin()
    await transactions.produce(into_lanes([OUTPUT]))
    await transactions.commit(POSITIONS, Applied(4), None)
