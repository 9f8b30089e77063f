"""One entry of the log: a record of the ledger or a policy version, as the text that a leaf is hashed from.

The order of the log is fixed by the checkpoints (ADR 65): what lies between the ends of two of them comes
partition by partition, in the order of ``TOPICS``, and within a partition by offset. So whoever has the
topics and the ends makes the same log again.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from services.evidence import canonical

POLICY: Final = "policy"
ACTS: Final = "ledger.acts"
INTAKE: Final = "ledger.intake"
DELIVERY: Final = "ledger.delivery"
TOPICS: Final = (POLICY, ACTS, INTAKE, DELIVERY)
"""Policy first: a version stands before the blocks that were decided under it."""
_NAMES: Final = frozenset({"digest", "offset", "partition", "timestamp_ms", "topic", "value"})


class Place(NamedTuple):
    """A partition of a topic."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}:{self.partition}"


def place_from(text: str) -> Place:
    """The place that a text such as ``ledger.intake:2`` names.

    Raises:
        ValueError: it names none that belongs to the log.
    """
    topic, _, number = text.rpartition(":")
    if topic not in TOPICS or not number.isdecimal() or str(int(number)) != number:
        raise ValueError(f"{text} is no partition of the log")
    return Place(topic, int(number))


def order_of(place: Place) -> tuple[int, int]:
    """Where the place comes between two checkpoints."""
    return TOPICS.index(place.topic), place.partition


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands at one offset; ``value`` is None where the record could not be decoded."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    digest: str
    """SHA-256 of the record's value as it stands in the topic, hexadecimal; binds the entry to its bytes."""
    value: Mapping[str, Any] | None

    @property
    def place(self) -> Place:
        """Its partition."""
        return Place(self.topic, self.partition)

    def __str__(self) -> str:
        return f"{self.topic}:{self.partition}:{self.offset}"


def entry_text(entry: Entry) -> bytes:
    """The canonical text of an entry: what its leaf is the hash of.

    Raises:
        TypeError: the value holds what evidence does not know.
    """
    return canonical.encode(
        {
            "digest": entry.digest,
            "offset": entry.offset,
            "partition": entry.partition,
            "timestamp_ms": entry.timestamp_ms,
            "topic": entry.topic,
            "value": None if entry.value is None else dict(entry.value),
        }
    )


def entry_from(text: bytes) -> Entry:
    """The entry that a text stands for.

    Raises:
        NotCanonical: it is not the canonical text of one.
    """
    found = canonical.decode(text)
    if set(found) != _NAMES:
        raise canonical.NotCanonical("not the names of an entry")
    numbers = (found["partition"], found["offset"], found["timestamp_ms"])
    texts = (found["topic"], found["digest"])
    whole = all(type(number) is int and number >= 0 for number in numbers)
    if not whole or not all(isinstance(text, str) for text in texts) or found["topic"] not in TOPICS:
        raise canonical.NotCanonical("an entry names a topic of the log, a partition, an offset and a time")
    if found["value"] is not None and not isinstance(found["value"], dict):
        raise canonical.NotCanonical("the value of an entry is an object")
    return Entry(**found)


def digest_of(value: bytes | None) -> str:
    """The digest that binds an entry to the bytes of its record; of a record without value, of nothing."""
    return hashlib.sha256(value or b"").hexdigest()
