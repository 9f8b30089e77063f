"""What the proof that the books balance takes and gives, and what its parts share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from services.ledger.blocks import Block, BlockKind, Chain
from services.ledger.counts import PartitionOffsets, Place
from topics.event import GrantId, ResourceId
from topics.policy import Policy


class What(StrEnum):
    """What does not add up: a closed list, documented in docs/auditor.md."""

    CHAIN_BROKEN = "CHAIN_BROKEN"
    HEAD_NOT_COUNTED = "HEAD_NOT_COUNTED"
    INPUT_COUNT = "INPUT_COUNT"
    OUTCOME_SUM = "OUTCOME_SUM"
    UNKNOWN_OUTCOME = "UNKNOWN_OUTCOME"
    REASON_SUM = "REASON_SUM"
    OUTPUT_COUNT = "OUTPUT_COUNT"
    QUARANTINE_COUNT = "QUARANTINE_COUNT"
    GRANT_SUM = "GRANT_SUM"
    GRANT_MISSING = "GRANT_MISSING"
    GRANT_OUTPUT = "GRANT_OUTPUT"
    EPOCH_RANGE = "EPOCH_RANGE"
    LEDGERS_DISAGREE = "LEDGERS_DISAGREE"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not add up, and where to look."""

    what: What
    where: str
    expected: int
    found: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ChainBalance:
    """One input partition under one reader: what was decided and what still waits."""

    chain: Chain
    resource: str
    position: int
    records: int
    outcomes: Mapping[str, int]
    reasons: Mapping[str, int]
    pending: int
    compared: bool
    """False where the topic can no longer be counted, so that only the ledger's own counts were compared."""


@dataclass(frozen=True, slots=True)
class OutputBalance:
    """One output partition: what the ledger says was written there, and what is there."""

    place: Place
    expected: int
    found: int
    compared: bool


@dataclass(frozen=True, slots=True)
class GrantBalance:
    """One generation of a grant: what became of every canonical record that it was decided for."""

    grant: GrantId
    generation: int
    delivered: int
    tombstoned: int
    withheld: Mapping[str, int]
    caught_up: int
    copied: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that the proof looks at."""

    blocks: Sequence[Block]
    partitions: Mapping[Place, PartitionOffsets]
    policies: Mapping[int, Policy]
    now_ms: int
    compaction_lag_ms: int
    quiet: bool = True
    """Whether nothing was written while the evidence was gathered."""

    @property
    def policy(self) -> Policy | None:
        """The newest policy, if there is one."""
        return self.policies[max(self.policies)] if self.policies else None

    def compactable(self, timestamp_ms: int) -> bool:
        """Whether a compacted topic may have lost a record of that time already."""
        return timestamp_ms < self.now_ms - self.compaction_lag_ms


@dataclass(frozen=True, slots=True)
class Balance:
    """The proof: closed, or every difference; and complete, or what is pending.

    Args:
        closed: nothing that was decided contradicts the topics; says nothing of what is pending.
        complete: nothing is pending, neither at the gate nor at any fan-out group.
    """

    closed: bool
    complete: bool
    quiet: bool
    sums: Mapping[str, int]
    intake: Sequence[ChainBalance]
    delivery: Sequence[ChainBalance]
    outputs: Sequence[OutputBalance]
    grants: Sequence[GrantBalance]
    differences: Sequence[Difference]
    notes: Sequence[str]


@dataclass(slots=True)
class Findings:
    """What the parts of the proof add to while they run."""

    differences: list[Difference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def expect(self, what: What, where: str, expected: int, found: int, detail: str = "") -> None:
        """Note a difference unless both numbers are the same."""
        if expected != found:
            self.differences.append(Difference(what, where, expected, found, detail))

    def note(self, text: str) -> None:
        """Say something that the reader of the proof must know, once."""
        if text not in self.notes:
            self.notes.append(text)


def by_chain(blocks: Sequence[Block], kind: BlockKind) -> dict[Chain, list[Block]]:
    """The blocks of one kind, each chain in ledger order."""
    chains: dict[Chain, list[Block]] = {}
    for block in blocks:
        if block.kind is kind:
            chains.setdefault(block.chain, []).append(block)
    return chains


def resource_of(policy: Policy | None, topic: str) -> ResourceId | None:
    """The resource that a raw or canonical topic belongs to, or None where no policy names it."""
    if topic.startswith("resource."):
        return ResourceId(topic.removeprefix("resource."))
    if policy is None:
        return None
    found = [entry.resource.id for entry in policy.resources.values() if entry.resource.raw_topic == topic]
    return found[0] if found else None
