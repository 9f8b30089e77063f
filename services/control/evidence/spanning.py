"""From offsets to a stretch of time: when the blocks were written that decided them."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from services.evidence.making import NothingSealed, Span
from services.ledger.blocks import Block, BlockKind, block_from
from services.ledger.counts import Place
from services.ledger.decode import Decoder
from services.ledger.lookup import SKEW_MS, written_at
from services.ledger.reader import Bounds, TopicReader
from topics.event import TopicName
from topics.names import LEDGER_DELIVERY, LEDGER_INTAKE

_LIVE: Final = frozenset({BlockKind.INTAKE, BlockKind.LIVE})


class Offsets(NamedTuple):
    """A stretch of one input partition, the end excluded; None where it goes to the partition's own end."""

    topic: TopicName
    partition: int
    from_offset: int | None = None
    to_offset: int | None = None

    def __str__(self) -> str:
        begin, end = self.from_offset or 0, "" if self.to_offset is None else self.to_offset
        return f"{self.topic}:{self.partition}:{begin}-{end}"


def span_of_offsets(reader: TopicReader, decoder: Decoder, asked: Offsets) -> Span:
    """The time in which gate (of a raw topic) or fan-out (of a canonical one) decided these offsets.

    Raises:
        NothingSealed: no block of a live reader decided any of them.
    """
    first = last = None
    for block in _blocks(reader, decoder, asked):
        first = block.written_ms if first is None else min(first, block.written_ms)
        last = block.written_ms if last is None else max(last, block.written_ms)
    if first is None or last is None:
        raise NothingSealed(f"no decision block speaks of {asked}: name an input partition, raw or canonical")
    return Span(first, last)


def _blocks(reader: TopicReader, decoder: Decoder, asked: Offsets) -> Iterator[Block]:
    """The blocks of live readers that decided some of these offsets."""
    intake = asked.topic.startswith("raw.")
    ledger, begin, end = LEDGER_INTAKE if intake else LEDGER_DELIVERY, asked.from_offset or 0, asked.to_offset
    first_ms = written_at(reader, Place(asked.topic, asked.partition), begin) or 0
    places = reader.places(ledger)
    starts = reader.offsets_at(places, max(0, first_ms - SKEW_MS))
    ranges = {at: Bounds(starts[at], one.end) for at, one in reader.bounds_of(places).items()}
    for record in reader.read_all({at: one for at, one in ranges.items() if one.low < one.end}):
        said = decoder.value(record)
        if said is None or (said["topic"], said["partition"]) != (asked.topic, asked.partition):
            continue
        block = block_from(said, record.coordinates, record.timestamp_ms, intake=intake)
        if block.kind in _LIVE and block.to_offset > begin and (end is None or block.from_offset < end):
            yield block
