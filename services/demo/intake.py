"""Follows decision blocks, so that the demo knows what has been decided and guesses no delay."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import Consumer, KafkaException, TopicPartition

from consumers.decoding import Decoder
from topics.event import TopicName
from topics.names import LEDGER_INTAKE, LEDGER_PARTITIONS

_POLL_SECONDS: Final = 0.1


@dataclass(slots=True)
class IntakeFollower:
    """Sums of all blocks of one ledger so far: records per input topic, outcomes and reasons."""

    client: Consumer
    decoder: Decoder
    records: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    reached: dict[tuple[str, int], int] = field(default_factory=dict)
    """Input partition → one past the last record that is decided."""

    @staticmethod
    def open(
        config: Mapping[str, Any], decoder: Decoder, ledger: TopicName = LEDGER_INTAKE
    ) -> "IntakeFollower":
        """Start at the first block; ``config`` is the auditor's."""
        client = Consumer(
            {
                **config,
                "group.id": "ledger.demo",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "fetch.wait.max.ms": 20,
            }
        )
        client.assign([TopicPartition(ledger, number, 0) for number in range(LEDGER_PARTITIONS)])
        return IntakeFollower(client, decoder)

    def poll(self) -> None:
        """Take in the blocks that have come."""
        message = self.client.poll(_POLL_SECONDS)
        while message is not None:
            error = message.error()
            if error is not None:
                raise KafkaException(error)
            value = message.value()
            block = self.decoder.decode(value if isinstance(value, bytes) else b"")
            self.records[block["topic"]] += block["records"]
            self.outcomes.update(block["outcomes"])
            self.reasons.update(block["reasons"])
            place = (block["topic"], block["partition"])
            self.reached[place] = max(self.reached.get(place, 0), block["to_offset"])
            message = self.client.poll(0)

    def close(self) -> None:
        """End the session."""
        self.client.close()


class IntakeSource:
    """Opens the follower at its first use, because the ledger's topic exists only after the first apply."""

    def __init__(self, open_follower: Callable[[], IntakeFollower]) -> None:
        self._open = open_follower
        self._follower: IntakeFollower | None = None

    def follow(self) -> IntakeFollower:
        """The one follower."""
        if self._follower is None:
            self._follower = self._open()
        return self._follower

    def close(self) -> None:
        """End the session, if there was one."""
        if self._follower is not None:
            self._follower.close()
