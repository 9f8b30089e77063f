"""The full-volume side of the proof: copier, catch-up and live delivery tile each partition, once.

What live delivery withholds as ``FILLED_BY_EPOCH`` somebody else owes: the copier below ``starts_at``, the
catch-up from there to the position at which the fan-out went on under the version that opened the grant. A
catch-up whose range holds no canonical record writes no block, so only gaps with records count.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from services.ledger.blocks import Block, BlockKind, Chain
from services.ledger.counts import Place
from services.ledger.proof import Evidence, Findings, What, by_chain
from topics.event import GrantId, TopicName
from topics.grants.declaration import GrantState
from topics.names import canonical, copier_group, fanout_group
from topics.policy import GrantPolicy

Filled = dict[tuple[GrantId, int, TopicName, int], list[Block]]


class _Range(NamedTuple):
    """Offsets that one writer covered, the end excluded; ``by`` says who and in which block."""

    start: int
    stop: int
    by: str


class _Reading(NamedTuple):
    """One generation of a grant in one canonical partition."""

    entry: GrantPolicy
    topic: TopicName
    partition: int
    starts_at: int

    @property
    def where(self) -> str:
        """How a difference names it."""
        return (
            f"{self.topic}:{self.partition}, grant {self.entry.grant.id} generation {self.entry.generation}"
        )


def check_epochs(evidence: Evidence, findings: Findings) -> None:
    """Require that each opened generation was given every canonical record, by one writer each."""
    copiers = by_chain(evidence.blocks, BlockKind.COPIER)
    live = by_chain(evidence.blocks, BlockKind.LIVE)
    filled = _catch_ups(evidence.blocks)
    for entry in _opened(evidence):
        topic = canonical(entry.grant.resource)
        group = copier_group(entry.grant.id, entry.generation)
        for partition, starts_at in sorted(entry.starts_at.items()):
            reading = _Reading(entry, topic, partition, starts_at)
            _check_copier(reading, copiers.get(Chain(group, topic, partition), ()), findings)
            chain = live.get(Chain(fanout_group(entry.grant.group), topic, partition), [])
            caught_up = filled.get((entry.grant.id, entry.generation, topic, partition), [])
            _check_rest(reading, caught_up, chain, evidence, findings)


def _opened(evidence: Evidence) -> list[GrantPolicy]:
    """Each generation as the first version that has it active says it; a filling one has older offsets."""
    found: dict[tuple[GrantId, int], GrantPolicy] = {}
    for _, policy in sorted(evidence.policies.items()):
        for entry in policy.grants.values():
            if entry.grant.state is GrantState.ACTIVE and entry.active_since:
                found.setdefault((entry.grant.id, entry.generation), entry)
    return [entry for _, entry in sorted(found.items())]


def _catch_ups(blocks: Iterable[Block]) -> Filled:
    found: Filled = {}
    for block in blocks:
        if block.kind is BlockKind.CATCH_UP:
            for count in block.grants:
                key = (count.grant, count.generation, block.chain.topic, block.chain.partition)
                found.setdefault(key, []).append(block)
    return found


def _check_copier(reading: _Reading, blocks: Sequence[Block], findings: Findings) -> None:
    """The copier writes blocks up to its end even where nothing lies there, so offsets must fit exactly."""
    reached = 0
    for found in _ranges(blocks, "copier"):
        _expect(reading, reached, found, findings)
        reached = max(reached, found.stop)
    _expect(reading, reached, _Range(reading.starts_at, reading.starts_at, "end of the copy"), findings)


def _check_rest(
    reading: _Reading,
    caught_up: Sequence[Block],
    live: Sequence[Block],
    evidence: Evidence,
    findings: Findings,
) -> None:
    """From ``starts_at`` on the catch-up and then live delivery cover everything once."""
    ranges = _ranges(caught_up, "catch-up")
    first = _first_live(reading.entry, live, evidence)
    if first is not None:
        start = max(first.from_offset, reading.starts_at)
        ranges.append(_Range(start, start, f"live delivery, block {first.at}"))
    reached = reading.starts_at
    for found in ranges:
        if found.start < reached or _holds_records(reading, reached, found.start, live, evidence):
            _expect(reading, reached, found, findings)
        reached = max(reached, found.stop)


def _ranges(blocks: Sequence[Block], by: str) -> list[_Range]:
    """The ranges in order; a block of a sweep decides nothing and covers nothing."""
    found = [_Range(block.from_offset, block.to_offset, f"{by}, block {block.at}") for block in blocks]
    return sorted(each for each in found if each.start < each.stop)


def _first_live(entry: GrantPolicy, live: Sequence[Block], evidence: Evidence) -> Block | None:
    """The block with which live delivery began under the generation; None where none tells.

    Where the fan-out went straight to a version that has the grant closed again, no catch-up was due.
    """
    first = next((block for block in live if block.policy_version >= entry.active_since), None)
    policy = evidence.policies.get(first.policy_version) if first is not None else None
    then = policy.grants.get(entry.grant.id) if policy is not None else None
    if then is None or then.generation != entry.generation or then.grant.state is not GrantState.ACTIVE:
        return None
    return first


def _holds_records(
    reading: _Reading, start: int, stop: int, live: Sequence[Block], evidence: Evidence
) -> bool:
    """Whether canonical records lie there: by the topic, or by live's own blocks where it was compacted."""
    partition = evidence.partitions.get(Place(reading.topic, reading.partition))
    if partition is not None and partition.count(start, stop).values:
        return True
    within = (block for block in live if start <= block.from_offset and block.to_offset <= stop)
    return any(block.outcomes.get("canonical") for block in within)


def _expect(reading: _Reading, reached: int, found: _Range, findings: Findings) -> None:
    problem = "repeated" if found.start < reached else "skipped"
    detail = f"{problem} before {found.by}; numbers are offsets"
    findings.expect(What.EPOCH_RANGE, reading.where, reached, found.start, detail)
