"""Finds the blocks of a scope in the ledger, and before them those that make the state; holds no others.

The ledger is read from about where the scope begins. Blocks before that are asked for only where the gate
met something older, further and further back, and only those of that chain are held.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from services.ledger.blocks import BlockKind, Chain
from services.ledger.counts import Place
from services.ledger.decode import Decoder
from services.ledger.lookup import SKEW_MS, written_at
from services.ledger.reader import Bounds, TopicReader
from services.ledger.replay.recorded import Recorded, Recording, Stretch, begin_of, stretch_of
from services.ledger.replay.scope import Scope, Wanted
from topics.names import LEDGER_DELIVERY, LEDGER_INTAKE

_BEYOND_MS: Final = 3_600_000
"""How much later than the scope's end a block begins behind which none of its chain is in scope."""
_FIRST_BACK_MS: Final = 3_600_000


@dataclass(slots=True)
class _Gathered:
    """The blocks of one chain that may be needed, in their order, and which of them are in scope."""

    blocks: list[Recorded] = field(default_factory=list)
    inside: list[int] = field(default_factory=list)
    passed: bool = False
    _waiting: list[Recorded] = field(default_factory=list)
    """Behind the newest one in scope; needed only if another one in scope follows."""

    def take(self, block: Recorded, wanted: Wanted) -> None:
        """The next block of the chain."""
        if wanted.covers(block):
            if block.intake:
                self.blocks += self._waiting
                self._waiting = []
            self.inside.append(len(self.blocks))
            self.blocks.append(block)
        elif block.intake and not self.passed:
            self._waiting.append(block)
            if _is_beyond(block, wanted.scope):
                self.passed, self._waiting = True, []

    def prepend(self, older: list[Recorded]) -> None:
        """Blocks that stand before all others of the chain."""
        self.blocks = older + self.blocks
        self.inside = [number + len(older) for number in self.inside]

    def lacks(self) -> bool:
        """Whether older blocks are needed than there are."""
        kept = bool(self.inside) and self.blocks[0].intake
        return kept and begin_of(self.blocks, self.inside[0], self.inside[-1]) is None


@dataclass(frozen=True, slots=True)
class Found:
    """What a scope has of the ledger."""

    stretches: tuple[Stretch, ...]
    copied: int
    """Blocks of copiers, which are not decided again."""


def gather(reader: TopicReader, decoder: Decoder, wanted: Wanted) -> Found:
    """The blocks of a scope, by chain, with what has to be decided before them."""
    return _Gathering(reader, decoder, wanted).found()


@dataclass(slots=True)
class _Gathering:
    reader: TopicReader
    decoder: Decoder
    wanted: Wanted
    _recording: Recording = field(default_factory=Recording)
    _copied: int = 0

    def found(self) -> Found:
        layout = self.reader.layout()
        places = [at for topic in (LEDGER_INTAKE, LEDGER_DELIVERY) for at in layout.get(topic, ())]
        whole = self.reader.bounds_of(places)
        begin_ms = _begin_ms(self.reader, self.wanted.scope)
        starts = self._starts(whole, begin_ms)
        chains: dict[Chain, _Gathered] = {}
        for block in self._read({at: Bounds(starts[at], whole[at].end) for at in places}):
            if block.kind is not BlockKind.COPIER:
                chains.setdefault(block.chain, _Gathered()).take(block, self.wanted)
            else:
                self._copied += self.wanted.covers(block)
        kept = {chain: each for chain, each in chains.items() if each.inside}
        self._go_back(kept, whole, starts, begin_ms)
        stretches = (stretch_of(chain, each.blocks, each.inside) for chain, each in sorted(kept.items()))
        return Found(tuple(stretches), self._copied)

    def _starts(self, whole: Mapping[Place, Bounds], begin_ms: int | None) -> dict[Place, int]:
        if begin_ms is None:
            return {at: bounds.low for at, bounds in whole.items()}
        found = self.reader.offsets_at(whole, max(0, begin_ms - SKEW_MS))
        return {at: max(bounds.low, min(found[at], bounds.end)) for at, bounds in whole.items()}

    def _go_back(
        self,
        chains: Mapping[Chain, _Gathered],
        whole: Mapping[Place, Bounds],
        starts: Mapping[Place, int],
        begin_ms: int | None,
    ) -> None:
        """Read what is older, twice as far back each time, until no chain lacks anything."""
        back, ends = _FIRST_BACK_MS, dict(starts)
        while begin_ms is not None:
            lacking = {chain: each for chain, each in chains.items() if each.lacks()}
            places = {each.blocks[0].place for each in lacking.values()}
            places = {at for at in places if ends[at] > whole[at].low}
            if not places:
                return
            begins = self._starts({at: whole[at] for at in places}, begin_ms - back)
            older: dict[Chain, list[Recorded]] = {}
            for block in self._read({at: Bounds(begins[at], ends[at]) for at in places}):
                if block.chain in lacking:
                    older.setdefault(block.chain, []).append(block)
            for chain, blocks in older.items():
                lacking[chain].prepend(blocks)
            ends |= begins
            back *= 2

    def _read(self, ranges: Mapping[Place, Bounds]) -> Iterable[Recorded]:
        """The blocks in these ranges of chains that may be in scope; those of a chain in their order."""
        for record in self.reader.read_all({at: one for at, one in ranges.items() if one.low < one.end}):
            said = self.decoder.value(record)
            if said is not None and self.wanted.reads(record.topic, said["topic"], said["partition"]):
                yield self._recording.block(record, said)


def _begin_ms(reader: TopicReader, scope: Scope) -> int | None:
    """No record in scope is older than that; None where nobody can tell."""
    if scope.from_ms is not None:
        return scope.from_ms
    if scope.topic is None or scope.partition is None or scope.from_offset is None:
        return None
    return written_at(reader, Place(scope.topic, scope.partition), scope.from_offset)


def _is_beyond(block: Recorded, scope: Scope) -> bool:
    """Whether no later block of the chain is in scope; records of one partition come in the order of time."""
    if scope.to_offset is not None and block.from_offset >= scope.to_offset:
        return True
    return scope.to_ms is not None and block.records > 0 and block.first_ms >= scope.to_ms + _BEYOND_MS
