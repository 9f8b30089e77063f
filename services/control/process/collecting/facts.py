"""What one look at Kafka found, of all partitions at the same moment; the documents are made of it; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from services.control.process.collecting.view import BusView, Newest
from services.ledger.counts import Place
from topics.event import TopicName


@dataclass(frozen=True, slots=True)
class Facts:
    """Kafka at one moment."""

    layout: Mapping[TopicName, list[Place]]
    begins: Mapping[Place, int]
    ends: Mapping[Place, int]
    newest_record: Mapping[Place, Newest]

    def records(self, topic: TopicName) -> int:
        """How many offsets a topic keeps: its records, and marks of transactions among them."""
        return sum(max(0, self.ends[at] - self.begins[at]) for at in self.layout.get(topic, ()))

    def end(self, topic: TopicName) -> int:
        """How many offsets were ever written to a topic."""
        return sum(self.ends[at] for at in self.layout.get(topic, ()))

    def last_record_at(self, topic: TopicName) -> datetime | None:
        """When the newest record of a topic was written; None where it has none."""
        places = self.layout.get(topic, ())
        times = [self.newest_record[at].timestamp_ms for at in places if at in self.newest_record]
        return datetime.fromtimestamp(max(times) / 1000, UTC) if times else None


def look(view: BusView) -> Facts:
    """Ask for everything: one list of topics, and three questions about all partitions."""
    layout = view.layout()
    places = [at for topic in layout.values() for at in topic]
    return Facts(layout, view.begins(places), view.ends(places), view.newest(places))


def moment(at: datetime | None) -> str | None:
    """A moment as documents hold it."""
    return None if at is None else at.isoformat()


def topic_documents(facts: Facts) -> dict[str, dict[str, object]]:
    """The snapshot of every topic."""
    return {
        topic: {
            "records": facts.records(topic),
            "partitions": len(places),
            "last_record_at": moment(facts.last_record_at(topic)),
        }
        for topic, places in facts.layout.items()
    }
