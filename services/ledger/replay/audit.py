"""Policy-then: decides the blocks of a scope again and compares each with what the ledger recorded.

Everything is asked of a reader without a group and nothing is written. Chains are decided one after another,
each from where its state begins, so what is held at once is one batch, what the gate remembers of one
partition, and of each block in scope what ``Recorded`` says of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from services.ledger.blocks import BlockKind, Chain
from services.ledger.counts import Place
from services.ledger.reader import Bounds
from services.ledger.replay.comparing import Difference, first_difference, locate
from services.ledger.replay.gathering import gather
from services.ledger.replay.pace import Pace
from services.ledger.replay.recorded import Recorded, Stretch, Whole
from services.ledger.replay.rerun import FanoutRerun, GateRerun, Repeated, Rerun, batches
from services.ledger.replay.scope import Scope, wanted
from services.ledger.replay.what_is_known import Known
from services.ledger.replay.words import Fate, Verdict
from topics.disputes import DisputeKeyMissing, Disputes
from topics.engine.choose import Implementation
from topics.engine.records import PartitionRecords
from topics.event import StopReason, TopicName

_SKEW_MS: Final = 60_000
"""How far from the time of its block an output may have been written."""
_INTERNAL: Final = StopReason.INTERNAL.value


@dataclass(slots=True)
class Judged:
    """What became of the blocks of one chain."""

    chain: str
    kind: str
    records: int = 0
    blocks: int = 0
    outputs: int = 0
    fates: dict[str, int] = field(default_factory=lambda: dict.fromkeys((each.value for each in Fate), 0))
    first: Difference | None = None
    why: str = ""
    """Why the first block that could not be judged could not."""

    def note(self, fate: Fate, block: Recorded, outputs: int = 0) -> None:
        """Count one block."""
        self.blocks += 1
        self.records += block.records
        self.outputs += outputs
        self.fates[fate.value] += 1


@dataclass(frozen=True, slots=True)
class Audited:
    """What a scope comes to."""

    chains: tuple[Judged, ...]
    not_repeated: int = 0
    """Blocks of copiers in scope: they filled a grant, and are proven by its epoch's digest."""

    @property
    def verdict(self) -> Verdict:
        """See ``Verdict``."""
        counts = self.counts()
        if counts[Fate.DIFFERENT.value]:
            return Verdict.DIFFERENT
        if counts[Fate.NOT_RETAINED.value] or counts[Fate.NOT_TOLD.value]:
            return Verdict.INCOMPLETE
        return Verdict.IDENTICAL if counts[Fate.IDENTICAL.value] else Verdict.EMPTY

    @property
    def said(self) -> str:
        """The verdict with what it does not speak of."""
        left = self.not_repeated
        many = "block" if left == 1 else "blocks"
        return self.verdict.value + (f"; {left} copier {many} not judged" if left else "")

    @property
    def first(self) -> Difference | None:
        """The first difference, in the order of the chains."""
        return next((each.first for each in self.chains if each.first is not None), None)

    def counts(self) -> dict[str, int]:
        """Blocks by their fate."""
        return {fate.value: sum(each.fates[fate.value] for each in self.chains) for fate in Fate}


@dataclass(frozen=True, slots=True)
class Counted:
    """What a dry run says: how much there is to do, and whether it is still there."""

    stretches: tuple[Stretch, ...]
    copied: int
    missing: tuple[str, ...]
    """Input partitions of which the beginning is kept no more."""

    @property
    def records(self) -> int:
        """Records to be judged."""
        return sum(each.records for each in self.stretches)

    @property
    def warm_records(self) -> int:
        """Records to be decided before them, for what they leave behind."""
        return sum(each.warm_records for each in self.stretches)

    @property
    def blocks(self) -> int:
        """Decision blocks to be judged."""
        return sum(len(each.judged) for each in self.stretches)

    @property
    def policy_versions(self) -> list[int]:
        """The policy versions that decided them."""
        return sorted({block.policy_version for each in self.stretches for block in each.judged})


def count(known: Known, scope: Scope) -> Counted:
    """What deciding a scope again would take; reads the ledger and no records.

    Raises:
        WrongScope: the scope means nothing.
    """
    found = gather(known.reader, known.decoder, wanted(scope, known.policies.values()))
    places = {Place(each.chain.topic, each.chain.partition): each for each in found.stretches}
    bounds = known.reader.bounds_of(places)
    missing = [str(place) for place, each in places.items() if bounds[place].low > _begin(each)]
    return Counted(found.stretches, found.copied, tuple(missing))


def _begin(stretch: Stretch) -> int:
    return min(block.from_offset for block in (*stretch.warm_up, *stretch.judged))


class RunAgain(Exception):  # noqa: N818 - says what the caller does
    """A process that decided has died; what was judged is kept, and the next run goes on from there."""


class Judges(Protocol):
    """Who decides stretches again: one after another, or several at once."""

    def judge_all(self, stretches: Sequence[Stretch], pace: Pace) -> Iterator[Judged]:
        """What became of each, in any order; raises ``Cancelled`` where the pace says so, or ``RunAgain``."""
        ...


def audit(
    known: Known,
    scope: Scope,
    pace: Pace | None = None,
    judges: Judges | None = None,
    done: Mapping[str, Judged] | None = None,
) -> Audited:
    """Decide a scope again under the policy of then.

    Args:
        known: the topics and what is known beside them.
        scope: which blocks.
        pace: is told of every batch and may slow down or cancel.
        judges: who decides; without them one chain after another, here. The answer is the same.
        done: chains that an earlier run, which was interrupted, has judged.

    Raises:
        WrongScope: the scope means nothing.
        Cancelled: the pace said so.
        RunAgain: one of several judges has died.
    """
    counted = count(known, scope)
    pace = pace or Pace()
    pace.begin(counted.records + counted.warm_records)
    kept = dict(done or {})
    left = [each for each in counted.stretches if str(each.chain) not in kept]
    pace.passed(sum(each.records + each.warm_records for each in counted.stretches if each not in left))
    for judged in (judges or Repeater(known)).judge_all(left, pace):
        kept[judged.chain] = judged
        pace.chain_done(judged)
    return Audited(tuple(kept[str(each.chain)] for each in counted.stretches), counted.copied)


@dataclass(slots=True)
class Repeater:
    """Decides stretches again under the policy of then, and judges their blocks."""

    known: Known
    implementation: Implementation | None = None
    whole: Whole = field(init=False)

    def __post_init__(self) -> None:
        self.whole = Whole(self.known.reader, self.known.decoder)

    def judge_all(self, stretches: Sequence[Stretch], pace: Pace) -> Iterator[Judged]:
        """See ``Judges``."""
        for stretch in stretches:
            yield self.judge(stretch, pace)

    def judge(self, stretch: Stretch, pace: Pace) -> Judged:
        """Decide one stretch again."""
        judged = Judged(str(stretch.chain), stretch.judged[0].kind.value)
        place = Place(stretch.chain.topic, stretch.chain.partition)
        whole = self.known.reader.bounds(place).low <= _begin(stretch)
        rerun = self.rerun(stretch.chain)
        inside = {block.offset for block in stretch.judged}
        try:
            for block, records in self.batches(stretch):
                if block.offset in inside:
                    self._judge(judged, block, records, rerun, whole=whole)
                elif len(records) == block.records and block.records:
                    self.repeat(rerun, block, records)
                pace.decided(block.records)
        finally:
            self.whole.close()
        return judged

    def rerun(self, chain: Chain) -> Rerun:
        """What decides a chain."""
        if chain.topic.startswith("raw."):
            return GateRerun(chain, self.known.schemas, self.implementation)
        secrets = self.known.secrets(self.known.policies.values())
        return FanoutRerun(chain, self.known.schemas, secrets, self.implementation)

    def batches(self, stretch: Stretch) -> Iterator[tuple[Recorded, PartitionRecords]]:
        """The batches of a stretch, read as they are needed."""
        blocks = sorted((*stretch.warm_up, *stretch.judged), key=lambda block: block.from_offset)
        place = Place(stretch.chain.topic, stretch.chain.partition)
        bounds = self.known.reader.bounds(place)
        if blocks[0].kind is BlockKind.CATCH_UP:
            # Each catch-up begins where its grant's copier ended: they overlap.
            for block in blocks:
                yield from batches([block], self.known.reader.read(place, block.from_offset, block.to_offset))
            return
        begin, end = max(bounds.low, blocks[0].from_offset), min(bounds.end, blocks[-1].to_offset)
        records = self.known.reader.read_all({place: Bounds(begin, end)})
        yield from batches(blocks, iter(records))

    def repeat(self, rerun: Rerun, block: Recorded, records: PartitionRecords) -> Repeated:
        """Decide a batch under the policy version and the disputes that its block names."""
        disputes = Disputes() if block.intake else self.known.disputes(block.disputes)
        return rerun.repeat(block, records, self.known.policies[block.policy_version], disputes)

    def _judge(
        self, judged: Judged, block: Recorded, records: PartitionRecords, rerun: Rerun, *, whole: bool
    ) -> None:
        if len(records) != block.records:
            judged.note(Fate.NOT_RETAINED, block)
            judged.why = judged.why or f"{block.at} counts {block.records} records, {len(records)} are kept"
            return
        if not block.records:
            judged.note(Fate.IDENTICAL, block)
            return
        try:
            said = self.whole.said(block)
            repeated = self.repeat(rerun, block, records)
        except (LookupError, DisputeKeyMissing) as error:
            judged.note(Fate.NOT_TOLD, block)
            judged.why = judged.why or f"{block.at}: {error}"
            return
        found = self._differs(block, said, repeated)
        if found is not None and said["reasons"].get(_INTERNAL) and block.records == 1:
            for other in rerun.instead(block, records[0]):
                if self._differs(block, said, other) is None:
                    found = None
                    break
        outputs = sum(each["records"] for each in said["outputs"])
        if found is None:
            judged.note(Fate.IDENTICAL, block, outputs)
        elif not whole:
            judged.note(Fate.NOT_TOLD, block, outputs)
            judged.why = judged.why or f"{block.at}: what it depended on is kept no more"
        else:
            judged.note(Fate.DIFFERENT, block, outputs)
            judged.first = judged.first or self._located(found, block, repeated)

    def _differs(self, block: Recorded, said: Mapping[str, Any], repeated: Repeated) -> Difference | None:
        again = self.known.decoder.decode(repeated.block.value or b"")
        return first_difference(said, again, block.at)

    def _located(self, found: Difference, block: Recorded, repeated: Repeated) -> Difference:
        """At its very record, where the topic holds it and this reader may see it."""
        if found.topic is None or found.partition is None or found.part not in ("digest", "records"):
            return found
        topic = TopicName(found.topic)
        place = Place(topic, found.partition)
        if place not in self.known.reader.places(topic):
            return found
        begin = self.known.reader.offset_at(place, block.written_ms - _SKEW_MS)
        end = self.known.reader.offset_at(place, block.written_ms + _SKEW_MS)
        standing = self.known.reader.read(place, begin, end)
        return locate(found, standing, repeated.outputs(topic, found.partition))
