"""Reconciles a resource of a live city, and puts records where no part of the bus would."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from confluent_kafka import Producer

from services.cli.plan import access_of
from services.cli.policy import current_policy
from services.reconcile.cut import Connection, mark
from services.reconcile.differing import Shown
from services.reconcile.opening import Opening
from services.reconcile.run import Found, Wish
from tests.e2e.live_city import LiveCity
from topics.event import KafkaRecord, ResourceId
from topics.sink import Sink


@dataclass(frozen=True)
class Reconciled:
    """One answer, and what is asked of it."""

    found: Found

    @property
    def counts(self) -> dict[str, int]:
        """How many rows differ, by how, without those that are explained."""
        return {kind.value: count for kind, count in self.found.answer.kept.counts.items() if count}

    def of(self, row: int) -> list[Shown]:
        """What is told of a source row; the answer was asked for with its record ids."""
        return [each for each in self.found.answer.shown if each.record_id == str(row)]

    def of_sink(self) -> list[Shown]:
        """What is told of the only sink."""
        [sink] = self.found.answer.sinks
        assert sink.trouble is None, sink.trouble
        return list(sink.shown)


def reconciled(
    city: LiveCity, resource: str, sinks: Iterable[Sink] = (), between: Callable[[], None] = lambda: None
) -> Reconciled:
    """Compare a resource now, with record ids told; ``between`` happens after the cut was taken."""
    policy = current_policy(city.stack)
    assert policy is not None
    with city.story.lookup() as lookup:
        opening = Opening(access_of(city.stack), lookup, policy, sinks, lambda _text: None)
        wish = Wish(shown=500, wait_s=90, reveal=True)
        made = opening.reconciliation(ResourceId(resource), wish)

        def later(connection: Connection) -> str:
            between()
            return mark(connection)

        return Reconciled(replace(made, mark=later).run(datetime.now(UTC)))


def put(city: LiveCity, *records: KafkaRecord) -> None:
    """Write records as they are, as the administrator: what a defect of the gate would write."""
    producer = Producer(city.stack.kafka_config("admin"))
    for record in records:
        producer.produce(
            record.topic, record.value, record.key, record.partition, headers=list(record.headers)
        )
    assert producer.flush(15) == 0
