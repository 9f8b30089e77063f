"""Decision blocks as a replay needs them: whole, with the digests of their outputs, sorted into chains."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.ledger.blocks import BlockKind, Chain, kind_of
from services.ledger.decode import Decoder
from services.ledger.reader import TopicReader, in_order, read_whole
from topics.event import KafkaRecord, TopicName
from topics.names import LEDGER_DELIVERY, LEDGER_INTAKE


@dataclass(frozen=True, slots=True)
class Recorded:
    """One block: what is asked of every one, and its bytes, which hold the rest."""

    at: str
    written_ms: int
    intake: bool
    chain: Chain
    from_offset: int
    to_offset: int
    records: int
    first_ms: int
    last_ms: int
    policy_version: int
    oldest_met: int | None
    """The oldest raw offset at which a stopped key began that a decision met; None where none did."""
    met_versions: bool
    grants: frozenset[str]
    framed: bytes

    @property
    def kind(self) -> BlockKind:
        """Who wrote it."""
        return kind_of(self.chain, intake=self.intake)


def recorded_from(record: KafkaRecord, said: Mapping[str, Any]) -> Recorded:
    """A block from the record of the ledger that holds it."""
    starts = [entry["first_stopped"] for entry in said["entries"]]
    return Recorded(
        at=record.coordinates,
        written_ms=record.timestamp_ms,
        intake=record.topic == LEDGER_INTAKE,
        chain=Chain(said["group"], TopicName(said["topic"]), said["partition"]),
        from_offset=said["from_offset"],
        to_offset=said["to_offset"],
        records=said["records"],
        first_ms=said["first_timestamp_ms"],
        last_ms=said["last_timestamp_ms"],
        policy_version=said["policy_version"],
        oldest_met=min(starts, default=None),
        met_versions=bool(said.get("versions")),
        grants=frozenset(entry["grant"] for entry in said["grants"]),
        framed=record.value or b"",
    )


def read_chains(reader: TopicReader, decoder: Decoder) -> dict[Chain, list[Recorded]]:
    """Every chain of the ledger, its blocks in the order in which they were decided."""
    found: dict[Chain, list[Recorded]] = {}
    for record in in_order(read_whole(reader, LEDGER_INTAKE, LEDGER_DELIVERY)):
        said = decoder.value(record)
        if said is not None:
            block = recorded_from(record, said)
            found.setdefault(block.chain, []).append(block)
    return found


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
    published = any(block.met_versions for block in blocks[first : last + 1])
    begin = 0 if published else _begin(blocks, first, last)
    inside = set(numbers)
    between = [block for number, block in enumerate(blocks[begin : last + 1], begin) if number not in inside]
    return Stretch(chain, between, chosen)


def _begin(blocks: Sequence[Recorded], first: int, last: int) -> int:
    """The number of the block from which on, beginning with nothing, everything that is met comes about."""
    oldest = min((b.oldest_met for b in blocks[first : last + 1] if b.oldest_met is not None), default=None)
    begin = first
    while begin > 0 and oldest is not None and oldest < blocks[begin].from_offset:
        begin -= 1
        met = blocks[begin].oldest_met
        oldest = oldest if met is None else min(oldest, met)
    return begin
