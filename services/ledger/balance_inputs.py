"""The input side of the proof: each chain is unbroken and counts every record of its partition once."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from services.ledger.blocks import Block, BlockKind, Chain
from services.ledger.counts import Counted, PartitionOffsets, Place
from services.ledger.proof import ChainBalance, Evidence, Findings, What, by_chain, resource_of
from topics.event import ControlReason, StopReason, SupersededReason
from topics.names import GATE_GROUP, canonical, fanout_group

INTAKE_OUTCOMES = frozenset({"accepted", "stopped", "control", "duplicate", "superseded"})
DELIVERY_OUTCOMES = frozenset({"canonical", "control"})
_STOP_REASONS = frozenset(StopReason)
_INTAKE_REASONS = _STOP_REASONS | frozenset(ControlReason) | frozenset(SupersededReason)


def input_balances(evidence: Evidence, findings: Findings, *, intake: bool) -> list[ChainBalance]:
    """Check every chain of the gate, or of the fan-out's live readers; one entry per input partition."""
    kind = BlockKind.INTAKE if intake else BlockKind.LIVE
    chains = by_chain(evidence.blocks, kind)
    for chain in _expected_chains(evidence, intake=intake):
        chains.setdefault(chain, [])
    if not intake:
        for catch_up in by_chain(evidence.blocks, BlockKind.CATCH_UP).values():
            for block in catch_up:
                _check_sums(block, findings)
            _check_ranges(catch_up, evidence, findings)
    return [_chain_balance(chain, blocks, evidence, findings) for chain, blocks in sorted(chains.items())]


def _expected_chains(evidence: Evidence, *, intake: bool) -> list[Chain]:
    """The chains that the newest policy asks for: where one has no block yet, all its records are pending."""
    policy = evidence.policy
    if policy is None:
        return []
    groups: dict[str, set[str]] = {}
    if intake:
        groups[GATE_GROUP] = {entry.resource.raw_topic for entry in policy.resources.values()}
    else:
        for grant in policy.grants.values():
            topics = groups.setdefault(fanout_group(grant.grant.group), set())
            topics.add(canonical(grant.grant.resource))
    return [
        Chain(group, place.topic, place.partition)
        for group, topics in groups.items()
        for place in evidence.partitions
        if place.topic in topics
    ]


def _chain_balance(
    chain: Chain, blocks: Sequence[Block], evidence: Evidence, findings: Findings
) -> ChainBalance:
    _check_links(chain, blocks, findings)
    for block in blocks:
        _check_sums(block, findings)
    compared = _check_ranges(blocks, evidence, findings)
    partition = evidence.partitions.get(Place(chain.topic, chain.partition))
    position = blocks[-1].to_offset if blocks else 0
    pending = partition.count(position, partition.end).total if partition else 0
    outcomes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for block in blocks:
        outcomes.update(block.outcomes)
        reasons.update(block.reasons)
    if pending:
        findings.note(f"{chain}: {pending} records are pending, from offset {position} on: not decided yet")
    return ChainBalance(
        chain=chain,
        resource=resource_of(evidence.policy, chain.topic) or "",
        position=position,
        records=sum(block.records for block in blocks),
        outcomes=dict(outcomes),
        reasons=dict(reasons),
        pending=pending,
        compared=compared,
    )


def _check_links(chain: Chain, blocks: Sequence[Block], findings: Findings) -> None:
    for before, after in pairwise(blocks):
        findings.expect(
            What.CHAIN_BROKEN,
            f"{chain}, block {after.at}",
            before.to_offset,
            after.from_offset,
            "counted twice" if after.from_offset < before.to_offset else "not counted",
        )


def _check_sums(block: Block, findings: Findings) -> None:
    """Each record of the block has one outcome, of the known ones; each stopped event has its reason."""
    where = f"{block.chain}, block {block.at}"
    known, reasons = (
        (INTAKE_OUTCOMES, _INTAKE_REASONS) if block.kind is BlockKind.INTAKE else (DELIVERY_OUTCOMES, None)
    )
    findings.expect(What.OUTCOME_SUM, where, block.records, sum(block.outcomes.values()))
    unknown = set(block.outcomes) - known
    if reasons is not None:
        unknown |= set(block.reasons) - reasons
        stopped = sum(count for reason, count in block.reasons.items() if reason in _STOP_REASONS)
        findings.expect(What.REASON_SUM, where, block.outcomes.get("stopped", 0), stopped)
    findings.expect(What.UNKNOWN_OUTCOME, where, 0, len(unknown), ", ".join(sorted(unknown)))


def _check_ranges(blocks: Sequence[Block], evidence: Evidence, findings: Findings) -> bool:
    """Count each block's range in the topic; say whether that was possible for all of them."""
    if not blocks:
        return True
    chain = blocks[0].chain
    partition = evidence.partitions.get(Place(chain.topic, chain.partition))
    if partition is None:
        findings.note(f"{chain.topic} does not exist any more: only the ledger's own counts are compared")
        return False
    countable = [block for block in blocks if _countable(block, partition, evidence)]
    for block in countable:
        found = partition.count(block.from_offset, block.to_offset)
        _compare(block, found, findings)
    if len(countable) == len(blocks):
        _check_head(blocks[0], partition, findings)
        return True
    findings.note(
        f"{chain}: {len(blocks) - len(countable)} of {len(blocks)} blocks are older than what the topic "
        "keeps in full: for them only the ledger's own counts are compared"
    )
    return False


def _countable(block: Block, partition: PartitionOffsets, evidence: Evidence) -> bool:
    if block.from_offset < partition.low:
        return False
    return block.kind is BlockKind.INTAKE or not evidence.compactable(block.first_timestamp_ms)


def _compare(block: Block, found: Counted, findings: Findings) -> None:
    where = f"{block.chain}, block {block.at}, offsets {block.from_offset} to {block.to_offset - 1}"
    findings.expect(What.INPUT_COUNT, where, found.total, block.records, "expected is what the topic holds")
    if block.kind is not BlockKind.INTAKE:
        values = block.outcomes.get("canonical", 0)
        findings.expect(What.INPUT_COUNT, where, found.values, values, "canonical records without tombstones")


def _check_head(first: Block, partition: PartitionOffsets, findings: Findings) -> None:
    """Nothing lies before the first block of a live chain; a catch-up begins where the copier ended."""
    if first.kind is BlockKind.CATCH_UP:
        return
    skipped = partition.count(partition.low, first.from_offset).total
    findings.expect(What.HEAD_NOT_COUNTED, f"{first.chain}, before block {first.at}", 0, skipped)
