"""Holds the decision blocks against the records: one to one, chains and digests worked out anew. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from services.chaos.sequences import Findings, What
from services.ledger.blocks import Chain
from services.ledger.counts import PartitionOffsets, Place
from services.ledger.digests import DigestCheck, DigestFault
from topics.event import KafkaRecord, TopicName

_BESIDE: Final = "copier."
_UNREAD: Final = ("stopped.", "epochs.")
"""Compacted without delay, or notes beside the data; what stopped keys led to is checked on the states."""


_FOUND: Final = {
    DigestFault.NOT_IN_LEDGER: What.NOT_IN_LEDGER,
    DigestFault.DIGEST_WRONG: What.DIGEST_WRONG,
    DigestFault.NOT_ON_TOPIC: What.NOT_DELIVERED,
}


class LedgerCheck:
    """Takes all blocks, then all records; ``finish`` says what was left over."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._ranges: dict[Chain, list[tuple[int, int, int]]] = {}
        self._digests = DigestCheck()
        self.blocks = 0

    def block(self, value: Mapping[str, Any]) -> None:
        """The next block of its chain, in the order of the ledger."""
        self.blocks += 1
        chain = Chain(value["group"], TopicName(value["topic"]), value["partition"])
        if not chain.group.startswith(_BESIDE):
            self._follow(chain, value["from_offset"], value["to_offset"], value["records"])
        self._digests.block(value, "")

    def _follow(self, chain: Chain, start: int, end: int, records: int) -> None:
        ranges = self._ranges.setdefault(chain, [])
        before = ranges[-1][1] if ranges else 0
        if start != before:
            self._findings.add(What.CHAIN_BROKEN, f"{chain}: a block from {start} on, after one to {before}")
        ranges.append((start, end, records))

    def record(self, chain: Chain, record: KafkaRecord) -> None:
        """The next record that this chain wrote to this partition."""
        self._digests.record(record, chain, settled=True)

    def finish(self, chains: Iterable[Chain], inputs: Mapping[Place, PartitionOffsets]) -> None:
        """Every input is decided to its end by blocks that count right, and every claim was met."""
        for chain in chains:
            offsets = inputs.get(Place(chain.topic, chain.partition))
            if offsets is not None:
                self._count(chain, offsets)
        for one in self._digests.finish():
            if one.what is not DigestFault.NOT_ON_TOPIC:
                self._findings.add(_FOUND[one.what], f"{one.place}, offsets {one.first} to {one.last}")
            elif not one.place.topic.startswith(_UNREAD):
                self._findings.add(_FOUND[one.what], str(one.place), one.records)

    def _count(self, chain: Chain, offsets: PartitionOffsets) -> None:
        ranges = self._ranges.get(chain, [])
        for start, end, records in ranges:
            if offsets.count(start, end).total != records:
                self._findings.add(What.COUNT_WRONG, f"{chain} from {start} to {end}")
        rest = offsets.count(ranges[-1][1] if ranges else 0, offsets.end).total
        self._findings.add(What.CHAIN_BROKEN, f"{chain}: {rest} records at the end are not decided", rest)
