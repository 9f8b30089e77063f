"""What the collector asks of a real stack: Kafka, the ledger, Connect, the watch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import requests

from producers.connect_client import ConnectClient
from producers.connect_status import ConnectorStatus
from producers.connector import connector_name
from producers.snapshot import Snapshot, newest_snapshot
from schemas.registry import SchemaRegistry
from services.control.catalogue.schema_steps import Registered
from services.control.policy_topic import newest_policy
from services.control.process.collecting.collector import Ledger
from services.control.process.collecting.view import BusView, KafkaView
from services.control.process.errors import WatchSilent
from services.ledger.decode import Decoder
from services.ledger.reader import Bounds, KafkaTopicReader
from topics import names
from topics.event import KafkaRecord, ProviderId
from topics.policy import Policy

_TIMEOUT_S: Final = (2.0, 5.0)
_TOLD: Final = 500
"""So many of the last notifications of a capture are looked at: a full volume of some hundred tables."""


@dataclass(slots=True)
class StackSources:
    """See ``services.control.process.collecting.collector.Sources``; used by one thread."""

    config: Mapping[str, Any] = field(repr=False)
    """The login of the control process."""
    reader: KafkaTopicReader
    decoder: Decoder
    connect: ConnectClient
    watch_url: str
    registry: SchemaRegistry
    view: BusView = field(init=False)

    def __post_init__(self) -> None:
        self.view = KafkaView(self.config)

    def policy(self) -> Policy | None:
        """The newest policy; None before the first."""
        if names.POLICY not in self.reader.topics():
            return None
        return newest_policy(self.config)

    def schemas(self, subject: str) -> Sequence[Registered]:
        """Every version of a subject, the oldest first."""
        numbers = sorted(self.registry.versions(subject))
        return [Registered(number, self.registry.version(subject, number)) for number in numbers]

    def ledger(self) -> Ledger:
        """A reader of decision blocks."""
        return Ledger(self.reader, self.decoder.value)

    def connectors(self) -> Sequence[ConnectorStatus]:
        """Every connector, in one question."""
        return self.connect.statuses()

    def volumes(self) -> Mapping[str, Snapshot]:
        """The newest full volume of each capture, by its connector."""
        prefix = str(names.notifications(ProviderId("")))
        layout = self.reader.layout()
        places = [at for topic, own in layout.items() if topic.startswith(prefix) for at in own]
        bounds = self.reader.bounds_of(places)
        ranges = {at: Bounds(max(one.low, one.end - _TOLD), one.end) for at, one in bounds.items()}
        told: dict[str, list[KafkaRecord]] = {}
        for record in self.reader.read_all(ranges):
            told.setdefault(record.topic.removeprefix(prefix), []).append(record)
        return {
            connector_name(ProviderId(provider)): newest_snapshot(self._values(records))
            for provider, records in told.items()
        }

    def alarms(self) -> Sequence[Mapping[str, str]]:
        """What the watch has to say; it says so also while it is not well itself."""
        try:
            answer = requests.get(f"{self.watch_url}/status", timeout=_TIMEOUT_S)
            body = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise WatchSilent(f"the watch does not answer: {type(error).__name__}") from error
        return list(body.get("alarms", []))

    def _values(self, records: Sequence[KafkaRecord]) -> list[dict[str, Any]]:
        """Notifications in their order, with the broker's time instead of Connect's."""
        ordered = sorted(records, key=lambda record: (record.partition, record.offset))
        values = ((record, self.decoder.value(record)) for record in ordered)
        return [value | {"timestamp": record.timestamp_ms} for record, value in values if value is not None]
