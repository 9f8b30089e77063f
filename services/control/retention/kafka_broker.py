"""The broker's topics for whoever keeps the floor: read with their settings, and altered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from confluent_kafka.admin import AdminClient

from services.control.kafka_topics import alter_topics, read_topics
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

    def _admin(self) -> AdminClient:
        if self._client is None:
            self._client = self.open_admin()
        return self._client
