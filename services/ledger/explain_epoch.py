"""What the full-volume copy of a grant, or the catch-up after it, did with a record that live withheld."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from services.fanout.line import GrantOutcome, fan_out
from services.fanout.plan import FanoutPlan, GrantPlan, ResourcePlan, compile_grants
from services.ledger.blocks import COPIER_PREFIX, Block, BlockKind, block_from
from services.ledger.lookup import Lookup
from services.ledger.marks import disputed_in, marks_of
from services.ledger.withheld import as_written
from topics.disputes import DisputeMarks
from topics.event import GrantId, KafkaRecord
from topics.grants.declaration import GrantState
from topics.names import LEDGER_DELIVERY
from topics.policy import GrantPolicy

_FOREVER_MS: Final = 2**62
UNKNOWN: Final = "unknown"
Find = Callable[[int], KafkaRecord | None]
"""The record as it stands on the grant's topic under a generation of the grant, if it stands."""


@dataclass(frozen=True, slots=True)
class EpochExplanation:
    """What the epoch did; ``by`` is copier or catch-up, None where neither is known to have read it."""

    by: str | None
    outcome: str
    reason: str | None
    at: str | None
    generation: int | None
    policy_version: int | None
    block: str | None
    detail: str
    disputed: tuple[str, ...] | None = None
    """Items that the delivery names as disputed; None where nothing was delivered, or nobody can tell."""
    disputes: int | None = None
    """Number of the disputes that the block was decided with."""


def explain_epoch(lookup: Lookup, canonical: KafkaRecord, grant: GrantId, find: Find) -> EpochExplanation:
    """Tell from the ledger's blocks who gave the record to the grant, and decide it again as they did."""
    block = _newest_block(lookup, canonical, grant)
    if block is None:
        return _without_block(lookup, grant)
    entry = lookup.policies[block.policy_version].grants[grant]
    generation = _generation(block, grant)
    standing, marks = find(generation), marks_of(lookup, block)
    outcome = as_written(block, _decided(lookup, canonical, entry, block, marks))
    at = standing.coordinates if standing else None
    kind, reason = outcome.kind.value, outcome.withheld.value if outcome.withheld else None
    if reason is not None and at is not None:
        # A copy removes what it had delivered itself under the same key; only the topic can tell that.
        kind, reason = "tombstoned", None
    gone = kind != "withheld" and at is None
    return EpochExplanation(
        by=block.kind.value,
        outcome=kind,
        reason=reason,
        at=at,
        generation=generation,
        policy_version=block.policy_version,
        block=block.at,
        detail="written then; a newer record of its key has replaced it" if gone else "",
        disputed=disputed_in(standing if marks is None else outcome.output),
        disputes=block.disputes,
    )


def _newest_block(lookup: Lookup, canonical: KafkaRecord, grant: GrantId) -> Block | None:
    """The last copy or catch-up of the grant that covers the record: a later epoch replaces an earlier."""
    found: Block | None = None
    places = lookup.reader.places(LEDGER_DELIVERY)
    for record in lookup.since_all(places, canonical.timestamp_ms):
        value = lookup.value(record)
        if value is None or (value["topic"], value["partition"]) != (canonical.topic, canonical.partition):
            continue
        block = block_from(value, record.coordinates, record.timestamp_ms, intake=False)
        newer = found is None or (block.written_ms, _generation(block, grant)) >= (
            found.written_ms,
            _generation(found, grant),
        )
        if newer and block.covers(canonical.offset) and _fills(block, grant):
            found = block
    return found


def _fills(block: Block, grant: GrantId) -> bool:
    if block.kind is BlockKind.COPIER:
        return block.chain.group.removeprefix(COPIER_PREFIX).rpartition(".")[0] == grant
    return block.kind is BlockKind.CATCH_UP and any(count.grant == grant for count in block.grants)


def _generation(block: Block, grant: GrantId) -> int:
    if block.kind is BlockKind.COPIER:
        return int(block.chain.group.rpartition(".")[2])
    return max((count.generation for count in block.grants if count.grant == grant), default=0)


def _decided(
    lookup: Lookup, canonical: KafkaRecord, entry: GrantPolicy, block: Block, marks: DisputeMarks | None
) -> GrantOutcome:
    # Only keys and hashes depend on the master secret, no decision does: an explanation does without it.
    policy = lookup.policies[block.policy_version]
    plan = compile_grants(policy, [entry], {entry.key_version: bytes(32)})
    codecs = lookup.codecs(canonical)
    if block.kind is BlockKind.CATCH_UP:
        [outcome] = fan_out(canonical, plan, codecs, disputes=marks) or ()
    else:
        [outcome] = fan_out(canonical, _opened(plan, block.written_ms), codecs, (), marks) or ()
    return outcome


def _opened(plan: FanoutPlan, now_ms: int) -> FanoutPlan:
    """As the copier has it: whether the grant's days have come is judged once, not by each record's time."""

    def opened(grant: GrantPlan) -> GrantPlan:
        if grant.valid_from_ms <= now_ms < grant.valid_until_ms:
            return replace(grant, valid_from_ms=0, valid_until_ms=_FOREVER_MS)
        return grant

    def resource(found: ResourcePlan) -> ResourcePlan:
        return replace(found, grants=tuple(map(opened, found.grants)))

    return replace(plan, resources={topic: resource(found) for topic, found in plan.resources.items()})


def _without_block(lookup: Lookup, grant: GrantId) -> EpochExplanation:
    newest = lookup.policies[max(lookup.policies)].grants.get(grant)
    if newest is not None and newest.grant.state is GrantState.FILLING:
        return _nobody("pending", "the copy of the grant is under way and has not reached the record")
    return _nobody(
        UNKNOWN,
        "the ledger holds no block of a copy or catch-up that covers the record: the epoch was broken "
        "off, or the ledger no longer reaches back so far; the grant's topic itself says what it holds",
    )


def _nobody(outcome: str, detail: str) -> EpochExplanation:
    return EpochExplanation(None, outcome, None, None, None, None, None, detail)
