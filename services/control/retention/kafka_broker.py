"""The broker's topics for whoever looks after how long they are kept: read, altered and deleted."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from confluent_kafka.admin import AdminClient

from services.control.kafka_topics import alter_topics, delete_topics, read_topics, topic_names
from services.control.state import Topic


@dataclass(slots=True)
class KafkaBroker:
    """Uses one admin client, opened when it is needed first."""

    open_admin: Callable[[], AdminClient]
    _client: AdminClient | None = field(default=None, init=False)

    def topics(self) -> Mapping[str, Topic]:
        """Every topic with its settings."""
        return read_topics(self._admin())

    def alter(self, changes: Mapping[str, Mapping[str, str]]) -> None:
        """Set these settings; nothing is asked where there are none."""
        alter_topics(self._admin(), changes)

    def names(self) -> Collection[str]:
        """Every topic."""
        return topic_names(self._admin())

    def delete(self, topics: Iterable[str]) -> None:
        """Delete these topics; nothing is asked where there are none."""
        delete_topics(self._admin(), topics)

    def _admin(self) -> AdminClient:
        if self._client is None:
            self._client = self.open_admin()
        return self._client
