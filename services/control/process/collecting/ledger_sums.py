"""Follows the ledger's decision blocks and adds them up, by raw topic and by grant; never from the beginning.

How far each partition was read and what it came to is kept in the snapshots, so that a process that starts
goes on where another one was. A turn reads so many blocks at most: a long ledger is caught up with by and by.
"""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from services.control.clocks.calendar import civil_day
from services.ledger.blocks import Block, BlockKind, block_from
from services.ledger.counts import Place
from services.ledger.reader import Bounds
from topics.event import KafkaRecord, TopicName
from topics.names import LEDGER_DELIVERY, LEDGER_INTAKE

INTAKE: Final = str(LEDGER_INTAKE)
DELIVERY: Final = str(LEDGER_DELIVERY)
FORM: Final = 2
_MANY: Final = 20_000
Decode = Callable[[KafkaRecord], Mapping[str, Any] | None]
Sums = dict[str, dict[str, Any]]


class BlockReader(Protocol):
    """What is needed of the ledger's reader."""

    def places(self, topic: TopicName) -> list[Place]:
        """The partitions of a topic; none where it does not exist."""

    def bounds_of(self, places: Iterable[Place]) -> dict[Place, Bounds]:
        """The first offset that each keeps, and its stable end."""

    def read_all(self, ranges: Mapping[Place, Bounds]) -> Iterable[KafkaRecord]:
        """The committed records in the ranges."""


@dataclass(frozen=True, slots=True)
class Followed:
    """How far one ledger topic was read, and what its blocks come to."""

    positions: Mapping[str, int]
    sums: Mapping[str, Mapping[str, Any]]
    """Ever, and under ``years`` by the official year in which a block was written."""
    behind: int = 0
    """Offsets that are left for the next turn."""

    def document(self) -> dict[str, Any]:
        """As it is kept."""
        kept = {"positions": dict(self.positions), "sums": dict(self.sums), "behind": self.behind}
        return kept | {"form": FORM}

    @classmethod
    def of(cls, document: Mapping[str, Any] | None) -> "Followed":
        """As it was kept; the beginning where nothing was."""
        if document is None or document.get("form") != FORM:
            # What an older program counted says nothing of years: the ledger does, from its beginning.
            return cls({}, {})
        return cls(document["positions"], document["sums"], document["behind"])


def follow(
    before: Followed, topic: TopicName, reader: BlockReader, decode: Decode, many: int = _MANY
) -> Followed:
    """Add what was written since, at most about so many blocks."""
    bounds = reader.bounds_of(reader.places(topic))
    if any(before.positions.get(str(at.partition), 0) > one.end for at, one in bounds.items()):
        # The topic was made anew: what was counted is of another one.
        before = Followed({}, {})
    ranges = _ranges(before, bounds, many)
    sums: Sums = deepcopy({name: dict(counted) for name, counted in before.sums.items()})
    for record in reader.read_all(ranges):
        value = decode(record)
        if value is not None:
            intake = topic == LEDGER_INTAKE
            _add(sums, block_from(value, record.coordinates, record.timestamp_ms, intake=intake))
    positions = {str(at.partition): one.end for at, one in ranges.items()}
    behind = sum(bounds[at].end - one.end for at, one in ranges.items())
    return Followed(positions, sums, behind)


def _ranges(before: Followed, bounds: Mapping[Place, Bounds], many: int) -> dict[Place, Bounds]:
    share = max(1, many // max(1, len(bounds)))
    found = {}
    for at, one in bounds.items():
        start = max(before.positions.get(str(at.partition), 0), one.low)
        found[at] = Bounds(start, min(one.end, start + share))
    return found


def _add(sums: Sums, block: Block) -> None:
    year = str(civil_day(datetime.fromtimestamp(block.written_ms / 1000, UTC)).year)
    if block.kind is BlockKind.INTAKE:
        counted = sums.setdefault(block.chain.topic, {})
        _add_intake(counted, block)
        _count_all(counted.setdefault("years", {}), year, block.outcomes)
        return
    for count in block.grants:
        counted = sums.setdefault(count.grant, {})
        given = {"delivered": count.delivered, "tombstoned": count.tombstoned}
        _count_all(counted.setdefault("years", {}), year, given)
        _count(counted, "delivered", count.delivered)
        _count(counted, "tombstoned", count.tombstoned)
        _count_all(counted, "withheld", count.withheld)


def _add_intake(counted: dict[str, Any], block: Block) -> None:
    for outcome, count in block.outcomes.items():
        _count(counted, outcome, count)
    _count_all(counted, "reasons", block.reasons)


def _count(counted: dict[str, Any], name: str, count: int) -> None:
    counted[name] = counted.get(name, 0) + count


def _count_all(counted: dict[str, Any], name: str, counts: Mapping[str, int]) -> None:
    found = counted.setdefault(name, {})
    for each, count in counts.items():
        _count(found, each, count)
