"""What became of one canonical record under each grant, and in which entries of the ledger that stands.

The index of the person trace says which records of grants' topics came from a change; the decision blocks
that cover the canonical record say what was decided. A record is attributed to the block of its transaction:
of those that count such an outcome under its grant and generation, the one that was written closest to it.

That the index names no record says nothing by itself: it may be behind. Where the block wrote something for
the grant, the record counts as withheld only if deciding it again says so, or if the index is past the block.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from services.control.store.trace.reading import DeliveryFound, SubjectFound
from services.evidence.entries import ACTS, DELIVERY, Entry
from services.evidence.judging_receipt import ACQUIRED
from services.evidence.receipt import About, Acquired, Stated
from services.evidence.receipt_making import Asked
from services.ledger.lookup import SKEW_MS

_CANONICAL: Final = "resource."
_OUTCOMES: Final = ("delivered", "tombstoned")


class NothingToProve(Exception):  # noqa: N818 - the caller names another record
    """The bus knows no such record, or no block of the sealed ledger decided it."""


class IndexBehind(Exception):  # noqa: N818 - the caller waits
    """The index of the trace does not know yet where a record stands that a block counts: wait for it."""


@dataclass(frozen=True, slots=True)
class Again:
    """What deciding the record again under a block's policy version comes to."""

    outcome: str
    reason: str = ""
    """Why, where it is withheld."""


Decide = Callable[[Entry, str], Again | None]
"""Decides the record again for a block and a grant; None where nobody can tell any more."""


@dataclass(frozen=True, slots=True)
class Indexed:
    """What the index of the trace holds, by the times of blocks; None where it says nothing of that side."""

    until_ms: int | None = None
    since_ms: int | None = None

    def reaches(self, block: Entry) -> bool:
        """Whether all that the block's transaction wrote was there to be indexed."""
        return self.until_ms is not None and block.timestamp_ms + SKEW_MS < self.until_ms

    def lacks(self, block: Entry) -> bool:
        """Whether something of its time may have been removed before it was indexed."""
        return self.since_ms is not None and block.timestamp_ms - SKEW_MS < self.since_ms


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the record."""

    canonical: SubjectFound
    deliveries: Sequence[DeliveryFound]
    """Records of grants' topics that came from the same change."""
    indexed: Indexed = Indexed()

    @property
    def about(self) -> About:
        """The record, as a receipt names it."""
        one = self.canonical
        return About(one.topic, one.partition, one.offset, one.topic.removeprefix(_CANONICAL))


def canonical_of(
    records: Iterable[SubjectFound],
    *,
    withdrawn: bool,
    partition: int | None = None,
    resource: str | None = None,
) -> SubjectFound:
    """Of the canonical records of a change, the one that is meant.

    Args:
        records: of one change; a correction of an identity has two.
        withdrawn: whether the one is meant that was withdrawn, where there are both.
        partition: which partition it is in, if that is known.
        resource: of which resource, if that is known.

    Raises:
        NothingToProve: there is none.
    """
    fitting = [
        each
        for each in records
        if partition in (None, each.partition) and resource in (None, each.topic.removeprefix(_CANONICAL))
    ]
    if not fitting:
        raise NothingToProve("the index of the trace knows no canonical record of that change")
    return max(fitting, key=lambda each: (each.withdrawn is withdrawn, each.offset))


def covering(entries: Iterable[Entry], about: About) -> Iterator[Entry]:
    """The delivery blocks that decided the record."""
    for entry in entries:
        value = entry.value
        if entry.topic != DELIVERY or value is None:
            continue
        if (value["topic"], value["partition"]) == (about.topic, about.partition) and (
            value["from_offset"] <= about.offset < value["to_offset"]
        ):
            yield entry


def stated(known: Known, blocks: Sequence[Entry], decide: Decide, only: DeliveryFound | None = None) -> Asked:
    """What is to be proven.

    Args:
        known: the record.
        blocks: every sealed block that decided it.
        decide: asked where a block does not say by itself what became of the record.
        only: the one delivery that is asked about; None for all grants.

    Raises:
        NothingToProve: no block decided it, or what a block wrote was removed before it was indexed.
        IndexBehind: a block counts a delivery that the index may not have yet.
    """
    if not blocks:
        raise NothingToProve("no block of the sealed ledger decided that record")
    at = _attributed(known, blocks)
    if only is not None:
        # Of the other grants that the blocks count nothing is asked, and no error of this one names them.
        found = [
            _written(block, grant, row) for (block, grant), row in at.items() if _place(row) == _place(only)
        ]
        if not found:
            raise NothingToProve(f"no block of the sealed ledger counts {_place(only)}")
    else:
        found = [
            _stated(block, count, at.get((str(block), count["grant"])), decide, known.indexed)
            for block in blocks
            for count in (block.value or {})["grants"]
        ]
    named = {each.block for each in found}
    versions = {(block.value or {})["policy_version"] for block in blocks if str(block) in named}
    return Asked(known.about, found, only is None, frozenset(versions))


def _attributed(known: Known, blocks: Sequence[Entry]) -> dict[tuple[str, str], DeliveryFound]:
    """Block and grant → the record that the block's transaction wrote for it."""
    found: dict[tuple[str, str], DeliveryFound] = {}
    resource = known.about.resource
    for row in known.deliveries:
        outcome = _OUTCOMES[0] if row.delivered else _OUTCOMES[1]
        choices = [
            (abs(block.timestamp_ms - row.at_ms), str(block), count["grant"])
            for block in blocks
            for count in (block.value or {})["grants"]
            if row.topic.endswith(f".{resource}.{count['grant']}")
            and (row.partition, row.generation) == (known.about.partition, count["generation"])
            and count[outcome] > 0
        ]
        if choices and not (row.delivered and known.canonical.withdrawn):
            _, block_at, grant = min(choices)
            found[(block_at, grant)] = row
    return found


def _stated(
    block: Entry, count: Mapping[str, Any], row: DeliveryFound | None, decide: Decide, indexed: Indexed
) -> Stated:
    grant, generation = count["grant"], count["generation"]
    if row is not None:
        return _written(str(block), grant, row)
    return Stated(grant, generation, "withheld", _reason(block, count, decide, indexed), "", str(block))


def _written(block: str, grant: str, row: DeliveryFound) -> Stated:
    """What was written for the consumer."""
    outcome = _OUTCOMES[0] if row.delivered else _OUTCOMES[1]
    return Stated(grant, row.generation, outcome, "", _place(row), block)


def _place(row: DeliveryFound) -> str:
    return f"{row.topic}:{row.partition}:{row.offset}"


def _reason(block: Entry, count: Mapping[str, Any], decide: Decide, indexed: Indexed) -> str:
    """Why the record was withheld, once it is sure that it was; empty where nobody can tell any more."""
    grant = count["grant"]
    withheld = [name for name, number in count["withheld"].items() if number]
    wrote = any(count[outcome] for outcome in _OUTCOMES)
    found = decide(block, grant) if withheld and (wrote or len(withheld) > 1) else None
    again = found.reason if found is not None and found.reason in withheld else ""
    told = indexed.reaches(block) and not indexed.lacks(block)
    if not withheld or (wrote and not again and not told):
        if indexed.reaches(block) and indexed.lacks(block):
            what = f"{block} wrote for grant {grant} what may have been removed before it was indexed"
            raise NothingToProve(f"{what}: a bundle of that time proves the block")
        raise IndexBehind(f"{block} wrote for grant {grant} what the index of the trace may not have yet")
    return withheld[0] if len(withheld) == 1 else again


def with_acquired(asked: Asked, acts: Iterable[Entry]) -> Asked:
    """The same, with the first act that says of each delivery that a group had committed past it.

    Args:
        asked: what is to be proven.
        acts: entries of the ledger's acts, in their order.
    """
    first: dict[tuple[str, str], Acquired] = {}
    wanted = {each.at: each.grant for each in asked.deliveries if each.at}
    for entry in acts:
        value = entry.value
        if entry.topic != ACTS or value is None or value.get("what") != ACQUIRED:
            continue
        facts = json.loads(value["document"])
        for at, grant in wanted.items():
            _, partition, offset = at.rsplit(":", 2)
            prefix = f"{grant}/{partition}/"
            for name, committed in facts.items():
                if name.startswith(prefix) and committed > int(offset):
                    group = name.removeprefix(prefix)
                    first.setdefault((at, group), Acquired(group, committed, str(entry)))
    deliveries = [
        replace(each, acquired=tuple(found for (at, _), found in sorted(first.items()) if at == each.at))
        for each in asked.deliveries
    ]
    return replace(asked, deliveries=deliveries)
