"""Who received a version of a record that turned out wrong: from the decision blocks, grant by grant.

A block counts what became of all records of a batch under each grant. Where it says that nothing, or
everything, was delivered, it answers for each record; else the decision is made again, which needs the record
to stand yet. What was compacted meanwhile cannot be decided again: then the grant may have delivered it, and
is named as one that may have. So nobody who received it is ever left out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from services.fanout.line import DeliveryKind, GrantOutcome
from services.ledger.blocks import Block, BlockKind, GrantCount
from services.ledger.coordinates import Coordinate
from topics.event import ConsumerId, GrantId, WithheldReason
from topics.policy import Policy


class Certainty(StrEnum):
    """What the ledger says of a receipt."""

    PROVEN = "proven"
    POSSIBLE = "possible"
    """It cannot be told any more, and not be excluded."""


class Effect(StrEnum):
    """What the wrong version did to the consumer."""

    DELIVERED = "delivered"
    TOMBSTONED = "tombstoned"
    """It took the record away, as one that has left the grant's rows."""


@dataclass(frozen=True, slots=True)
class Received:
    """One wrong version under one generation of one grant."""

    consumer: ConsumerId
    grant: GrantId
    generation: int
    at: Coordinate
    """Where the wrong version stands in the canonical topic."""
    effect: Effect
    certainty: Certainty
    block: str
    """Coordinate of the decision block."""
    policy_version: int
    written_ms: int
    """When the block, and with it the delivery, was written."""


class GrantUnknown(Exception):  # noqa: N818 - named after what to look for
    """A block counts a grant that no policy version names: whom to tell cannot be said; find the policy."""


Outcomes = Callable[[Block, Coordinate], Mapping[GrantId, GrantOutcome] | None]
"""Decides a record again as the block did; None where the record does not stand any more."""


def received(
    wrong: Iterable[Coordinate], blocks: Iterable[Block], policies: Mapping[int, Policy], again: Outcomes
) -> tuple[Received, ...]:
    """Everybody who received one of these canonical records, or may have, in a stable order.

    Args:
        wrong: the canonical records that said what was wrong.
        blocks: decision blocks of any topic; those that do not matter are left out.
        policies: every policy version, to know whose a grant is.
        again: makes a decision again.

    Raises:
        GrantUnknown: no policy version names a grant that a block counts.
    """
    places: dict[tuple[str, int], list[Coordinate]] = {}
    for at in wrong:
        places.setdefault((at.topic, at.partition), []).append(at)
    found = {
        each
        for block in blocks
        if block.kind is not BlockKind.INTAKE
        for at in places.get((block.chain.topic, block.chain.partition), ())
        if block.covers(at.offset)
        for each in _of_block(block, at, policies, again)
    }
    return tuple(sorted(found, key=_order))


def _order(each: Received) -> tuple[str, str, int, int, str]:
    return each.consumer, each.grant, each.generation, each.at.offset, each.block


def _of_block(
    block: Block, at: Coordinate, policies: Mapping[int, Policy], again: Outcomes
) -> Iterator[Received]:
    counts = [count for count in block.grants if count.delivered or count.tombstoned]
    outcomes = again(block, at) if any(_mixed(block, count) for count in counts) else None
    for count in counts:
        effect, certainty = _judged(block, count, outcomes)
        if effect is not None:
            consumer = _consumer_of(count.grant, block.policy_version, policies)
            yield Received(
                consumer=consumer,
                grant=count.grant,
                generation=count.generation,
                at=at,
                effect=effect,
                certainty=certainty,
                block=block.at,
                policy_version=block.policy_version,
                written_ms=block.written_ms,
            )


def _mixed(block: Block, count: GrantCount) -> bool:
    """Whether the counts alone do not say what became of each record of the block.

    A copier and a catch-up come later and may have found the record compacted, so they are always asked.
    """
    return block.kind is not BlockKind.LIVE or count.total not in (count.delivered, count.tombstoned)


def _judged(
    block: Block, count: GrantCount, outcomes: Mapping[GrantId, GrantOutcome] | None
) -> tuple[Effect | None, Certainty]:
    if not _mixed(block, count):
        return (Effect.DELIVERED if count.delivered else Effect.TOMBSTONED), Certainty.PROVEN
    outcome = None if outcomes is None else outcomes.get(count.grant)
    if outcome is None or (outcome.kind is DeliveryKind.WITHHELD and _depends_on_epoch(block, count)):
        return (Effect.DELIVERED if count.delivered else Effect.TOMBSTONED), Certainty.POSSIBLE
    if outcome.kind is DeliveryKind.WITHHELD:
        return None, Certainty.PROVEN
    # A record that broke the processor then would be delivered now.
    broken = WithheldReason.INTERNAL.value in count.withheld
    return Effect(outcome.kind.value), Certainty.POSSIBLE if broken else Certainty.PROVEN


def _depends_on_epoch(block: Block, count: GrantCount) -> bool:
    """A copier takes away what it has itself delivered before, which a single decision cannot know."""
    return block.kind is BlockKind.COPIER and count.tombstoned > 0


def _consumer_of(grant: GrantId, version: int, policies: Mapping[int, Policy]) -> ConsumerId:
    """The consumer in the block's own policy version, or in the nearest one that names the grant."""
    for number in sorted(policies, key=lambda each: (abs(each - version), each)):
        entry = policies[number].grants.get(grant)
        if entry is not None:
            return entry.grant.consumer
    raise GrantUnknown(f"no policy version names grant {grant}")
