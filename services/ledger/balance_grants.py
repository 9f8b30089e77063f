"""The grants' side of the proof: every canonical record has one outcome per grant and generation."""

from collections import Counter
from dataclasses import dataclass, field

from services.ledger.blocks import Block, BlockKind, GrantCount
from services.ledger.proof import Evidence, Findings, GrantBalance, What
from topics.event import GrantId, WithheldReason
from topics.names import canonical, fanout_group, grant_topic_of

_WITHHELD = frozenset(WithheldReason)


@dataclass(slots=True)
class _Tally:
    delivered: int = 0
    tombstoned: int = 0
    caught_up: int = 0
    copied: int = 0
    withheld: Counter[str] = field(default_factory=Counter)
    """By live delivery alone: every canonical record has one outcome there."""
    filling: dict[BlockKind, Counter[str]] = field(default_factory=dict)
    """What copier and catch-up withheld, each by itself: live has counted the same records already."""


def grant_balances(evidence: Evidence, findings: Findings) -> list[GrantBalance]:
    """Check each block's grants and add them up by grant and generation."""
    tallies: dict[tuple[GrantId, int], _Tally] = {}
    for block in evidence.blocks:
        if block.kind is BlockKind.INTAKE:
            continue
        for count in block.grants:
            _check_count(block, count, findings)
            _add(tallies.setdefault((count.grant, count.generation), _Tally()), block.kind, count)
        _check_output(block, findings)
        _check_presence(block, evidence, findings)
    for (grant, generation), tally in sorted(tallies.items()):
        _note_withheld(f"grant {grant} generation {generation}", tally, findings)
    return [_balance(grant, generation, tally) for (grant, generation), tally in sorted(tallies.items())]


def _note_withheld(where: str, tally: _Tally, findings: Findings) -> None:
    """Say what a full-volume copy left out, and every record that a defect of ours kept from a consumer."""
    for kind, withheld in sorted(tally.filling.items()):
        counts = ", ".join(f"{reason} {count}" for reason, count in sorted(withheld.items()) if count)
        if counts:
            findings.note(f"{where}: its {kind.value} withheld {counts}")
    for kind, withheld in sorted({BlockKind.LIVE: tally.withheld, **tally.filling}.items()):
        lacking = withheld[WithheldReason.INTERNAL]
        if lacking:
            findings.note(
                f"{where}: {lacking} records were withheld by a defect of the bus itself "
                f"(INTERNAL, {kind.value}): the consumer lacks them"
            )


def _balance(grant: GrantId, generation: int, tally: _Tally) -> GrantBalance:
    return GrantBalance(
        grant=grant,
        generation=generation,
        delivered=tally.delivered,
        tombstoned=tally.tombstoned,
        withheld=dict(tally.withheld),
        caught_up=tally.caught_up,
        copied=tally.copied,
    )


def _add(tally: _Tally, kind: BlockKind, count: GrantCount) -> None:
    written = count.delivered + count.tombstoned
    if kind is BlockKind.LIVE:
        tally.delivered += count.delivered
        tally.tombstoned += count.tombstoned
        tally.withheld.update(count.withheld)
        return
    tally.filling.setdefault(kind, Counter()).update(count.withheld)
    if kind is BlockKind.CATCH_UP:
        tally.caught_up += written
    else:
        tally.copied += written


def _check_count(block: Block, count: GrantCount, findings: Findings) -> None:
    """Delivered, tombstoned and withheld make up the block's canonical records.

    A copier writes only what the grant lets through, and sweeps; its input is not decided record by record.
    """
    where = f"{block.chain}, block {block.at}, grant {count.grant} generation {count.generation}"
    if block.kind is not BlockKind.COPIER:
        findings.expect(What.GRANT_SUM, where, block.outcomes.get("canonical", 0), count.total)
    unknown = set(count.withheld) - _WITHHELD
    findings.expect(What.UNKNOWN_OUTCOME, where, 0, len(unknown), ", ".join(sorted(unknown)))


def _check_output(block: Block, findings: Findings) -> None:
    """What the grants count as written is what the block wrote to their topics."""
    written: Counter[str] = Counter()
    for output in block.outputs:
        if output.topic.startswith("sub."):
            written[grant_topic_of(output.topic).rsplit(".", 1)[1]] += output.records
    counted: Counter[str] = Counter()
    for count in block.grants:
        counted[count.grant] += count.delivered + count.tombstoned
    for grant in sorted(set(written) | set(counted)):
        where = f"{block.chain}, block {block.at}, grant {grant}"
        findings.expect(What.GRANT_OUTPUT, where, counted[grant], written[grant], "counted, written")


def _check_presence(block: Block, evidence: Evidence, findings: Findings) -> None:
    """A live block names every grant that its policy version has in its group for its resource, once."""
    policy = evidence.policies.get(block.policy_version)
    if policy is None or block.kind is not BlockKind.LIVE or not block.outcomes.get("canonical"):
        return
    wanted = Counter(
        (entry.grant.id, entry.generation)
        for entry in policy.grants.values()
        if fanout_group(entry.grant.group) == block.chain.group
        and canonical(entry.grant.resource) == block.chain.topic
    )
    found = Counter((count.grant, count.generation) for count in block.grants)
    for grant, generation in sorted(set(wanted) | set(found)):
        where = f"{block.chain}, block {block.at}, grant {grant} generation {generation}"
        times = found[grant, generation]
        findings.expect(What.GRANT_MISSING, where, wanted[grant, generation], times, "times named")
