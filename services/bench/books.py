"""Follows the ledger's decision blocks: how many records were accepted and delivered, without guessing."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from consumers.decoding import Decoder
from schemas.registry import RegistryCredentials, SchemaRegistry
from services.stack.api import Stack
from topics import names

_POLL_S: Final = 0.1


class StandsStill(Exception):  # noqa: N818 - says what happened
    """What was waited for did not come, and nothing was decided any more."""


@dataclass(slots=True)
class Books:
    """Sums of all blocks that were read so far."""

    client: Consumer
    decoder: Decoder
    outcomes: Counter[str] = field(default_factory=Counter)
    """Of the gate, all topics together."""
    canonical: Counter[str] = field(default_factory=Counter)
    """Fan-out group → canonical records decided."""
    delivered: Counter[str] = field(default_factory=Counter)
    """Grant → records delivered live."""

    @staticmethod
    def open(stack: Stack) -> "Books":
        """Start at the first block, as the auditor."""
        client = Consumer(
            {
                **stack.kafka_config("ledger"),
                "group.id": "ledger.bench",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 50,
            }
        )
        topics = (names.LEDGER_INTAKE, names.LEDGER_DELIVERY)
        parts = [
            TopicPartition(topic, part, 0) for topic in topics for part in range(names.LEDGER_PARTITIONS)
        ]
        client.assign(parts)
        user, password = stack.registry_auth()
        registry = SchemaRegistry(RegistryCredentials(stack.endpoints().registry_url, user, password))
        return Books(client, Decoder(registry))

    def read(self) -> int:
        """Take in what has come; return how many blocks that were."""
        messages = self.client.consume(500, _POLL_S)
        for message in messages:
            error = message.error()
            if error is not None:
                raise KafkaException(error)
            self._take(self.decoder.decode(message.value() or b""))
        return len(messages)

    def _take(self, block: dict[str, object]) -> None:
        group = str(block["group"])
        if group == names.GATE_GROUP:
            self.outcomes.update(_counts(block["outcomes"]))
        elif not group.startswith("copier."):
            self.canonical[group] += int(str(block["records"]))
            for grant in _grants(block["grants"]):
                self.delivered[str(grant["grant"])] += int(str(grant["delivered"]))

    def wait(self, reached: Callable[["Books"], bool], idle_s: float = 60.0, what: str = "the books") -> None:
        """Read until the condition holds.

        Raises:
            StandsStill: no block came for ``idle_s`` seconds.
        """
        last = time.monotonic()
        while not reached(self):
            if self.read():
                last = time.monotonic()
            elif time.monotonic() - last > idle_s:
                raise StandsStill(f"waited for {what}: {dict(self.outcomes)}, {dict(self.delivered)}")

    def close(self) -> None:
        """End the session."""
        self.client.close()


def _counts(value: object) -> dict[str, int]:
    return {str(name): int(count) for name, count in value.items()} if isinstance(value, dict) else {}


def _grants(value: object) -> list[dict[str, object]]:
    return value if isinstance(value, list) else []
