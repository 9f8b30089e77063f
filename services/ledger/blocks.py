"""Decision blocks as values: what the ledger says about one batch of one input partition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from topics.event import GrantId, TopicName

COPIER_PREFIX = "copier."
CATCH_UP_SUFFIX = ".catch-up"


class BlockKind(StrEnum):
    """Who wrote a block: each kind counts in its own way."""

    INTAKE = "intake"
    LIVE = "live"
    CATCH_UP = "catch-up"
    COPIER = "copier"


class Chain(NamedTuple):
    """A series of blocks: one reader of one input partition."""

    group: str
    topic: TopicName
    partition: int

    def __str__(self) -> str:
        return f"{self.group} on {self.topic}:{self.partition}"


def kind_of(chain: Chain, *, intake: bool) -> BlockKind:
    """Who wrote the blocks of a chain: of the ledger of intake, or of that of delivery."""
    if intake:
        return BlockKind.INTAKE
    if chain.group.startswith(COPIER_PREFIX):
        return BlockKind.COPIER
    return BlockKind.CATCH_UP if chain.group.endswith(CATCH_UP_SUFFIX) else BlockKind.LIVE


@dataclass(frozen=True, slots=True)
class OutputCount:
    """How many records the block wrote to one partition."""

    topic: TopicName
    partition: int
    records: int


@dataclass(frozen=True, slots=True)
class GrantCount:
    """What became of the block's canonical records under one generation of a grant."""

    grant: GrantId
    generation: int
    delivered: int
    tombstoned: int
    withheld: Mapping[str, int]

    @property
    def total(self) -> int:
        """How many canonical records this accounts for."""
        return self.delivered + self.tombstoned + sum(self.withheld.values())


@dataclass(frozen=True, slots=True)
class Block:
    """One decision block; ``at`` is its own coordinate, ``written_ms`` the broker's time of its writing."""

    at: str
    written_ms: int
    chain: Chain
    from_offset: int
    to_offset: int
    records: int
    policy_version: int
    first_timestamp_ms: int
    outcomes: Mapping[str, int]
    reasons: Mapping[str, int]
    outputs: Sequence[OutputCount]
    grants: Sequence[GrantCount]
    entries: Sequence[Mapping[str, int]] = ()
    versions: Sequence[Mapping[str, int]] = ()
    disputes: int = 0
    """Number of the last change of the disputes that was known; those of that number were marked."""
    intake: bool = True

    @property
    def kind(self) -> BlockKind:
        """Who wrote it."""
        return kind_of(self.chain, intake=self.intake)

    def covers(self, offset: int) -> bool:
        """Whether the block decided that offset of its partition."""
        return self.from_offset <= offset < self.to_offset


def block_from(record: Mapping[str, Any], at: str, written_ms: int, *, intake: bool) -> Block:
    """Build a block from a decoded DecisionBlock record."""
    return Block(
        at=at,
        written_ms=written_ms,
        chain=Chain(record["group"], TopicName(record["topic"]), record["partition"]),
        from_offset=record["from_offset"],
        to_offset=record["to_offset"],
        records=record["records"],
        policy_version=record["policy_version"],
        first_timestamp_ms=record["first_timestamp_ms"],
        outcomes=record["outcomes"],
        reasons=record["reasons"],
        outputs=[OutputCount(TopicName(o["topic"]), o["partition"], o["records"]) for o in record["outputs"]],
        grants=[_grant_count(entry) for entry in record["grants"]],
        entries=record["entries"],
        versions=record.get("versions", ()),
        disputes=record.get("disputes", 0),
        intake=intake,
    )


def _grant_count(entry: Mapping[str, Any]) -> GrantCount:
    return GrantCount(
        GrantId(entry["grant"]),
        entry["generation"],
        entry["delivered"],
        entry["tombstoned"],
        entry["withheld"],
    )
