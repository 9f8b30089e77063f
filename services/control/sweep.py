"""After a copy: which keys of a grant's topic the epoch did not see, and their tombstones; pure.

Only keys whose latest record is of an older generation and still alive are candidates. Whatever the epoch
wrote, delivered or withdrew, is of its own generation.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from topics.delivery import Delivery, delivery_headers, read_delivery
from topics.event import GrantId, KafkaRecord, Operation, OutputRecord, PolicyNumber, TopicName

_PERCENT: Final = 100


@dataclass(slots=True)
class _Held:
    """What a reader of the topic holds of one key."""

    delivery: Delivery
    alive: bool
    alive_before: bool
    digest: bytes


@dataclass(slots=True)
class Sweep:
    """Follows one partition of the grant's topic to its end."""

    grant: GrantId
    generation: int
    _held: dict[bytes, _Held] = field(default_factory=dict)

    def read(self, records: Iterable[KafkaRecord]) -> None:
        """Take the records in offset order.

        Raises:
            NotADelivery: a record has not the headers that every delivered record has.
        """
        for record in records:
            delivery, key = read_delivery(record.headers), record.key or b""
            before = self._held.get(key)
            alive = record.value is not None
            older = delivery.grant_generation < self.generation
            self._held[key] = _Held(
                delivery,
                alive,
                alive if older else (before is not None and before.alive_before),
                hashlib.sha256(record.value or b"").digest(),
            )

    @property
    def held_before(self) -> int:
        """How many keys were alive before the epoch."""
        return sum(held.alive_before for held in self._held.values())

    @property
    def unseen(self) -> list[bytes]:
        """The keys that the epoch did not see and that are still alive, sorted."""
        return sorted(key for key, held in self._held.items() if self._is_unseen(held))

    def _is_unseen(self, held: _Held) -> bool:
        return held.alive and held.delivery.grant_generation < self.generation

    def tombstones(self, topic: TopicName, partition: int, version: PolicyNumber) -> list[OutputRecord]:
        """A tombstone of this generation for each unseen key, at the position of what it removes."""
        found = []
        for key in self.unseen:
            old = self._held[key].delivery
            headers = delivery_headers(
                Delivery(
                    ce_id=old.ce_id,
                    ce_source=old.ce_source,
                    ce_time=old.ce_time,
                    operation=Operation.DELETE,
                    position=old.position,
                    grant=self.grant,
                    grant_generation=self.generation,
                    policy_version=version,
                )
            )
            found.append(OutputRecord(topic, partition, key, None, headers))
        return found

    def kept(self) -> tuple[int, str]:
        """How many keys are alive after the sweep, and a digest over them with their values."""
        kept = {
            key: held.digest for key, held in self._held.items() if held.alive and not self._is_unseen(held)
        }
        digest = hashlib.sha256()
        for key in sorted(kept):
            digest.update(len(key).to_bytes(4, "big") + key + kept[key])
        return len(kept), digest.hexdigest()


def shrinks_too_much(unseen: int, held_before: int, percent: float) -> bool:
    """Whether the sweep would remove more than that share of what the consumer held."""
    return unseen * _PERCENT > held_before * percent
