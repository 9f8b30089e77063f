"""Reads the topics of the evidence log: everything that is committed, in a form that needs no schema."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.registry import SchemaNotFound
from services.evidence import canonical
from services.evidence.entries import POLICY, TOPICS, Entry, Place, digest_of, order_of
from services.evidence.making import LedgerDiffers
from services.ledger.counts import Place as TopicPlace
from services.ledger.decode import Decoder
from services.ledger.reader import Bounds, TopicReader
from topics.engine.reference import Undecodable
from topics.event import KafkaRecord, TopicName


@dataclass(frozen=True, slots=True)
class Read:
    """What was read behind the last checkpoint."""

    entries: tuple[Entry, ...]
    ends: Mapping[Place, int]
    whole: bool
    """False where there is more that was left for the next time."""


@dataclass(frozen=True, slots=True)
class LedgerLog:
    """The topics of the log as one user reads them."""

    reader: TopicReader
    decoder: Decoder

    def since(self, ends: Mapping[Place, int], limit: int) -> Read:
        """What was committed since those ends, at most so many offsets of it.

        The ledger's ends are asked for before the policy's, so that no block is in the log before the policy
        version that it was decided under.

        Raises:
            LedgerDiffers: a topic holds less than was sealed of it.
            KafkaUnavailable: Kafka does not answer.
            RegistryUnavailable: nor the registry.
        """
        layout = self.reader.layout()
        places = [Place(*place) for topic in TOPICS for place in layout.get(TopicName(topic), ())]
        reached = self._reached([place for place in places if place.topic != POLICY])
        reached |= self._reached([place for place in places if place.topic == POLICY])
        for place, bounds in reached.items():
            if bounds.end < ends.get(place, 0):
                raise LedgerDiffers(
                    f"{place} ends at {bounds.end}, sealed up to {ends[place]}: it was cut off or made anew"
                )
        clipped: dict[Place, int] = {}
        left = limit
        for place in sorted(reached, key=order_of):
            begin = min(max(ends.get(place, 0), reached[place].low), reached[place].end)
            end = min(reached[place].end, begin + left)
            left -= end - begin
            clipped[place] = end
        whole = all(clipped[place] == found.end for place, found in reached.items())
        return Read(tuple(self.between(ends, clipped)), clipped, whole)

    def between(self, starts: Mapping[Place, int], ends: Mapping[Place, int]) -> list[Entry]:
        """The entries of each place from its start (else 0) to before its end, in any order."""
        wanted = {_place(place): Bounds(starts.get(place, 0), end) for place, end in ends.items()}
        wanted = {place: bounds for place, bounds in wanted.items() if bounds.low < bounds.end}
        kept = self.reader.bounds_of(wanted)
        ranges = {
            place: Bounds(max(bounds.low, kept[place].low), bounds.end) for place, bounds in wanted.items()
        }
        return [self._entry(record) for record in self.reader.read_all(ranges)]

    def _reached(self, places: list[Place]) -> dict[Place, Bounds]:
        found = self.reader.bounds_of([_place(place) for place in places])
        return {Place(*place): bounds for place, bounds in found.items()}

    def _entry(self, record: KafkaRecord) -> Entry:
        return Entry(
            topic=str(record.topic),
            partition=record.partition,
            offset=record.offset,
            timestamp_ms=record.timestamp_ms,
            digest=digest_of(record.value),
            value=self._value(record),
        )

    def _value(self, record: KafkaRecord) -> Mapping[str, Any] | None:
        """The record decoded; None for what nobody can read, which the log holds all the same."""
        try:
            value = self.decoder.value(record)
            canonical.encode(value)
        except (Undecodable, SchemaNotFound, TypeError):
            return None
        return value


def _place(place: Place) -> TopicPlace:
    return TopicPlace(TopicName(place.topic), place.partition)
