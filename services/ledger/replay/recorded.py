"""Decision blocks as a replay holds them: what is asked of every one, and where the whole of it stands.

A scope may have millions of blocks, so none is held whole. What one says in full is read again from the
ledger when it is judged.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.ledger.blocks import BlockKind, Chain, kind_of
from services.ledger.counts import Place
from services.ledger.decode import Decoder
from services.ledger.reader import TopicReader
from topics.event import KafkaRecord, TopicName
from topics.names import LEDGER_INTAKE


@dataclass(frozen=True, slots=True)
class Recorded:
    """One block: what is asked of every one, and its place in the ledger."""

    place: Place
    offset: int
    written_ms: int
    chain: Chain
    from_offset: int
    to_offset: int
    records: int
    first_ms: int
    last_ms: int
    policy_version: int
    disputes: int
    oldest_met: int | None
    """The oldest raw offset at which a stopped key began that a decision met; None where none did."""
    met_versions: bool
    grants: frozenset[str]

    @property
    def at(self) -> str:
        """Its coordinate."""
        return f"{self.place.topic}:{self.place.partition}:{self.offset}"

    @property
    def intake(self) -> bool:
        """Whether the gate wrote it."""
        return self.place.topic == LEDGER_INTAKE

    @property
    def kind(self) -> BlockKind:
        """Who wrote it."""
        return kind_of(self.chain, intake=self.intake)


@dataclass(slots=True)
class Recording:
    """Makes blocks of records of the ledger; what many have in common is held once."""

    _chains: dict[Chain, Chain] = field(default_factory=dict)
    _grants: dict[frozenset[str], frozenset[str]] = field(default_factory=dict)
    _places: dict[Place, Place] = field(default_factory=dict)

    def block(self, record: KafkaRecord, said: Mapping[str, Any]) -> Recorded:
        """The block that a record of the ledger holds."""
        starts = [entry["first_stopped"] for entry in said["entries"]]
        chain = Chain(said["group"], TopicName(said["topic"]), said["partition"])
        grants = frozenset(entry["grant"] for entry in said["grants"])
        place = Place(record.topic, record.partition)
        return Recorded(
            place=self._places.setdefault(place, place),
            offset=record.offset,
            written_ms=record.timestamp_ms,
            chain=self._chains.setdefault(chain, chain),
            from_offset=said["from_offset"],
            to_offset=said["to_offset"],
            records=said["records"],
            first_ms=said["first_timestamp_ms"],
            last_ms=said["last_timestamp_ms"],
            policy_version=said["policy_version"],
            disputes=said.get("disputes", 0),
            oldest_met=min(starts, default=None),
            met_versions=bool(said.get("versions")),
            grants=self._grants.setdefault(grants, grants),
        )


@dataclass(slots=True)
class Whole:
    """What blocks say in full, read from the ledger as they are asked for; best in their order."""

    reader: TopicReader
    decoder: Decoder
    _place: Place | None = None
    _next: int = 0
    _ahead: Iterator[KafkaRecord] = field(default_factory=lambda: iter(()))
    _stop: Callable[[], None] = lambda: None

    def said(self, block: Recorded) -> Mapping[str, Any]:
        """The whole block.

        Raises:
            LookupError: the ledger does not hold it any more.
        """
        if block.place != self._place or block.offset < self._next:
            self._open(block)
        for record in self._ahead:
            self._next = record.offset + 1
            if record.offset == block.offset:
                return self.decoder.decode(record.value or b"")
            if record.offset > block.offset:
                break
        self.close()
        raise LookupError(f"{block.at} is kept no more")

    def close(self) -> None:
        """Read no further ahead."""
        self._stop()
        self._place, self._ahead = None, iter(())

    def _open(self, block: Recorded) -> None:
        self.close()
        end = self.reader.bounds(block.place).end
        ahead = self.reader.read(block.place, block.offset, end)
        self._place, self._next, self._ahead = block.place, block.offset, ahead
        # Generators give their connection back when they are closed.
        self._stop = getattr(ahead, "close", lambda: None)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive blocks of one chain: those to be judged, and those before them that make the state."""

    chain: Chain
    warm_up: Sequence[Recorded]
    judged: Sequence[Recorded]

    @property
    def records(self) -> int:
        """How many records are to be judged."""
        return sum(block.records for block in self.judged)

    @property
    def warm_records(self) -> int:
        """How many records are decided before, only for what they leave behind."""
        return sum(block.records for block in self.warm_up)


def stretch_of(chain: Chain, blocks: Sequence[Recorded], judged: Iterable[int]) -> Stretch:
    """The blocks with these numbers, and what has to be decided before them.

    The gate remembers stopped keys and published versions. Blocks name the entries that their decisions met,
    by the offset at which each began. So it suffices to begin there with nothing remembered, and where a
    decision on the way met an older entry, there. Of a published version the ledger does not name the offset:
    then the chain is decided from its beginning.
    """
    numbers = sorted(judged)
    chosen = [blocks[number] for number in numbers]
    if not numbers or not chosen[0].intake:
        return Stretch(chain, (), chosen)
    first, last = numbers[0], numbers[-1]
    begin = begin_of(blocks, first, last) or 0
    inside = set(numbers)
    between = [block for number, block in enumerate(blocks[begin : last + 1], begin) if number not in inside]
    return Stretch(chain, between, chosen)


def begin_of(blocks: Sequence[Recorded], first: int, last: int) -> int | None:
    """The number of the block from which on, beginning with nothing, everything that is met comes about.

    None where older blocks of the chain are needed than these.
    """
    judged = blocks[first : last + 1]
    if any(block.met_versions for block in judged):
        return None
    oldest = min((b.oldest_met for b in judged if b.oldest_met is not None), default=None)
    begin = first
    while oldest is not None and oldest < blocks[begin].from_offset:
        if begin == 0:
            return None
        begin -= 1
        met = blocks[begin].oldest_met
        oldest = oldest if met is None else min(oldest, met)
    return begin
