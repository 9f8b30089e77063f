"""For provider applications: publishes records of a resource directly, checked before they are sent.

A record counts as published only after its delivery report. Records of one record id go to one partition,
in the order in which they were given.
"""

import io
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Protocol, Self

import fastavro
from confluent_kafka import KafkaException, Producer

from producers.debezium import record_id_of
from producers.publication import DELETE, UPSERT, publication, publication_schema
from producers.validation import ItemProblem, RecordChecker
from schemas.load import resource_schema
from schemas.registry import RegistryCredentials, SchemaRegistry
from topics.canonical import partition_of
from topics.event import RecordId, SchemaId
from topics.names import value_subject
from topics.quality.rules import CodeList
from topics.resource import DirectPublication, Resource
from topics.wire import frame

_POLL_SECONDS: Final = 0.1
_FIXED: Final[Mapping[str, Any]] = {
    "acks": "all",
    "enable.idempotence": True,
    "compression.type": "lz4",
    "linger.ms": 5,
}


class RecordRefused(Exception):  # noqa: N818 - the caller corrects the record
    """The record was not sent; correct each item named in ``problems``."""

    def __init__(self, problems: Iterable[ItemProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in self.problems))


class PrepareTopic(Exception):  # noqa: N818 - the operator applies the definitions
    """Topic or schema are not as declared: the operator runs ``govbus apply``, or this side updates."""


class NotAllPublished(Exception):  # noqa: N818 - the caller publishes the rest again
    """Some records were given and not published; publish them again with the same versions."""

    def __init__(self, result: "PublishResult") -> None:
        self.result = result
        super().__init__(
            f"{len(result.failures)} records failed and {result.pending} are not yet confirmed, "
            f"{result.published} were published" + (f": {result.broken}" if result.broken else "")
        )


@dataclass(frozen=True, slots=True)
class DeliveryFailure:
    """A record that the brokers did not take; ``reference`` is what the caller gave with it."""

    reference: object
    reason: str


@dataclass(frozen=True, slots=True)
class PublishResult:
    """How far publishing has come: confirmed by delivery report, failed, and not yet known.

    ``broken`` says why the producer takes nothing any more (no right, a lost sequence): make a new publisher.
    """

    published: int
    failures: tuple[DeliveryFailure, ...]
    pending: int
    broken: str = ""

    @property
    def complete(self) -> bool:
        """Whether everything that was given has been published."""
        return not self.failures and not self.pending


class KafkaProducer(Protocol):
    """What the publisher needs of confluent-kafka's producer."""

    def produce(self, topic: str, **record: Any) -> None:
        """Take a record; BufferError if the queue is full."""

    def poll(self, timeout: float) -> int:
        """Serve delivery reports."""

    def flush(self, timeout: float) -> int:
        """Wait for delivery reports; return how many are missing."""

    def list_topics(self, topic: str, timeout: float) -> Any:
        """The topic's partitions."""


class Publisher:
    """Publishes one resource for its provider; use it as a context manager.

    Args:
        resource: a resource with a direct publication as its source.
        kafka_config: librdkafka settings with the provider's own user.
        registry: credentials for the schema registry, or a client of it.
        code_lists: every code list that the resource's rules name.
        item_schema: the resource's Avro schema; the shipped one where not given.
        producer: a producer to use instead of a new one.
        now_ms: the time, in ms since the epoch.
    """

    def __init__(
        self,
        resource: Resource,
        kafka_config: Mapping[str, Any],
        registry: RegistryCredentials | SchemaRegistry,
        *,
        code_lists: Iterable[CodeList] = (),
        item_schema: dict[str, Any] | None = None,
        producer: KafkaProducer | None = None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        if not isinstance(resource.source, DirectPublication):
            raise PrepareTopic(f"resource {resource.id} is captured from a database, not published directly")
        self.item_schema = item_schema or resource_schema(resource.avro_schema)
        self._resource = resource
        self._primary_key = resource.source.primary_key
        self._checker = RecordChecker(resource, self.item_schema, code_lists)
        self._schema = fastavro.parse_schema(publication_schema(self.item_schema))
        self._registry = registry if isinstance(registry, SchemaRegistry) else SchemaRegistry(registry)
        self._producer: Any = producer or Producer({**kafka_config, **_FIXED})
        self._now_ms = now_ms
        self._schema_id: SchemaId | None = None
        self._given = 0
        self._published = 0
        self._failures: list[DeliveryFailure] = []
        self._broken = ""

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.flush()

    def open(self, timeout_seconds: float = 30.0) -> SchemaId:
        """Look up the schema and the topic before the first record; return the schema's id.

        Raises:
            SchemaNotFound: ``apply`` has not registered the schema.
            RegistryUnavailable: the registry does not answer.
            PrepareTopic: the topic is missing, has another number of partitions than declared, or another
                schema is registered for it.
        """
        topic = self._resource.raw_topic
        # Readers of the registry may ask for the newest schema, not search for one of their own.
        schema_id, registered = self._registry.latest(value_subject(topic))
        if registered != publication_schema(self.item_schema):
            raise PrepareTopic(
                f"the registered schema of {topic} is not the resource's; update the definitions"
            )
        found = self._producer.list_topics(topic, timeout=timeout_seconds).topics.get(topic)
        count = 0 if found is None or found.error is not None else len(found.partitions)
        if count != self._resource.partitions:
            raise PrepareTopic(
                f"topic {topic} has {count} partitions, {self._resource.partitions} are declared"
            )
        self._schema_id = schema_id
        return schema_id

    def publish(
        self,
        record: Mapping[str, Any],
        version: int,
        previous_identity: str | None = None,
        occurred_ms: int | None = None,
        reference: object = None,
    ) -> None:
        """Check a new or changed record and give it to the producer.

        Args:
            record: every item of the resource.
            version: rises with each change of this record; an older one never overwrites a newer one.
            previous_identity: the identity item as it was before, if this change corrects it.
            occurred_ms: when it happened at the provider; now, if not given.
            reference: comes back with a delivery failure.

        Raises:
            RecordRefused: items are wrong; nothing was sent.
        """
        now_ms = self._now_ms()
        occurred = now_ms if occurred_ms is None else occurred_ms
        problems = self._checker.problems(record, occurred, now_ms)
        self._send(record, UPSERT, version, occurred, previous_identity, reference, problems)

    def delete(
        self,
        record: Mapping[str, Any],
        version: int,
        occurred_ms: int | None = None,
        reference: object = None,
    ) -> None:
        """Publish that a record is gone; ``record`` is its last known state, with its identity.

        Raises:
            RecordRefused: items are wrong; nothing was sent.
        """
        now_ms = self._now_ms()
        problems = self._checker.delete_problems(record, now_ms)
        self._send(
            record, DELETE, version, now_ms if occurred_ms is None else occurred_ms, None, reference, problems
        )

    def flush(self, timeout_seconds: float = 60.0) -> PublishResult:
        """Wait for the delivery reports and say how far publishing has come."""
        self._serve(self._producer.flush, timeout_seconds)
        return self.result()

    def close(self) -> None:
        """Wait for the delivery reports.

        Raises:
            NotAllPublished: records failed or were not confirmed in time.
        """
        result = self.flush()
        if not result.complete:
            raise NotAllPublished(result)

    def result(self) -> PublishResult:
        """How far publishing has come, without waiting."""
        failures = tuple(self._failures)
        return PublishResult(
            self._published, failures, self._given - self._published - len(failures), self._broken
        )

    def _send(
        self,
        record: Mapping[str, Any],
        operation: str,
        version: int,
        occurred_ms: int,
        previous_identity: str | None,
        reference: object,
        problems: list[ItemProblem],
    ) -> None:
        record_id = record_id_of(record, self._primary_key)
        if record_id is None:
            problems = [*problems, ItemProblem(", ".join(self._primary_key), "the record id is missing")]
        if version < 0:
            problems = [*problems, ItemProblem("", "the version must not be negative")]
        if record_id is None or problems:
            raise RecordRefused(problems)
        value = self._encoded(publication(record, operation, version, occurred_ms, previous_identity))
        self._produce(record_id, value, reference)

    def _encoded(self, value: Mapping[str, Any]) -> bytes:
        schema_id = self.open() if self._schema_id is None else self._schema_id
        buffer = io.BytesIO()
        fastavro.schemaless_writer(buffer, self._schema, value)
        return frame(schema_id, buffer.getvalue())

    def _produce(self, record_id: RecordId, value: bytes, reference: object) -> None:
        def delivered(error: Any, _message: Any) -> None:
            if error is None:
                self._published += 1
            else:
                self._failures.append(DeliveryFailure(reference, str(error)))

        partition = partition_of(record_id, self._resource.partitions)
        self._given += 1
        while not self._broken:
            try:
                self._producer.produce(
                    self._resource.raw_topic,
                    key=record_id.encode(),
                    value=value,
                    partition=partition,
                    on_delivery=delivered,
                )
            except BufferError:
                self._serve(self._producer.poll, _POLL_SECONDS)
            except KafkaException as error:
                self._broken = str(error)
            else:
                self._serve(self._producer.poll, 0.0)
                return
        self._failures.append(DeliveryFailure(reference, self._broken))

    def _serve(self, call: Callable[[float], int], seconds: float) -> None:
        """Let the producer work; a fatal error is kept for the result instead of raised in mid-stream."""
        try:
            call(seconds)
        except KafkaException as error:
            self._broken = str(error)
        except SystemError as error:
            # confluent-kafka may serve delivery reports with the fatal error already raised underneath.
            reasons = (
                [str(error.__cause__)] if error.__cause__ else [each.reason for each in self._failures[-1:]]
            )
            self._broken = f"the brokers refuse this producer ({'; '.join(reasons) or 'no reason given'})"
