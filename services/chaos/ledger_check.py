"""Holds the decision blocks against the records: one to one, chains and digests worked out anew. Pure."""

import hashlib
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from services.chaos.sequences import Findings, What
from services.ledger.blocks import Chain
from services.ledger.counts import PartitionOffsets, Place
from topics.engine.lanes import digest_form
from topics.event import KafkaRecord, OutputRecord, TopicName

_BESIDE: Final = "copier."
_UNREAD: Final = ("stopped.", "epochs.")
"""Compacted without delay, or notes beside the data; what stopped keys led to is checked on the states."""


@dataclass(slots=True)
class _Account:
    """The blocks' claims on one output partition by one chain, and the records met so far."""

    claims: deque[tuple[int, str]] = field(default_factory=deque)
    met: int = 0
    hash: Any = field(default_factory=hashlib.sha256)


class LedgerCheck:
    """Takes all blocks, then all records; ``finish`` says what was left over."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._ranges: dict[Chain, list[tuple[int, int, int]]] = {}
        self._accounts: dict[tuple[Chain, Place], _Account] = {}
        self.blocks = 0

    def block(self, value: Mapping[str, Any]) -> None:
        """The next block of its chain, in the order of the ledger."""
        self.blocks += 1
        chain = Chain(value["group"], TopicName(value["topic"]), value["partition"])
        if not chain.group.startswith(_BESIDE):
            self._follow(chain, value["from_offset"], value["to_offset"], value["records"])
        for output in value["outputs"]:
            place = Place(TopicName(output["topic"]), output["partition"])
            account = self._accounts.setdefault((chain, place), _Account())
            account.claims.append((output["records"], output["digest"]))

    def _follow(self, chain: Chain, start: int, end: int, records: int) -> None:
        ranges = self._ranges.setdefault(chain, [])
        before = ranges[-1][1] if ranges else 0
        if start != before:
            self._findings.add(What.CHAIN_BROKEN, f"{chain}: a block from {start} on, after one to {before}")
        ranges.append((start, end, records))

    def record(self, chain: Chain, record: KafkaRecord) -> None:
        """The next record that this chain wrote to this partition."""
        account = self._accounts.get((chain, Place(record.topic, record.partition)))
        if account is None or not account.claims:
            self._findings.add(What.NOT_IN_LEDGER, f"{record.coordinates} of {chain}")
            return
        written = OutputRecord(record.topic, record.partition, record.key, record.value, record.headers)
        account.hash.update(digest_form(written))
        account.met += 1
        claimed, digest = account.claims[0]
        if account.met < claimed:
            return
        if account.hash.hexdigest() != digest:
            self._findings.add(What.DIGEST_WRONG, f"{record.coordinates} of {chain}")
        account.claims.popleft()
        account.met, account.hash = 0, hashlib.sha256()

    def finish(self, chains: Iterable[Chain], inputs: Mapping[Place, PartitionOffsets]) -> None:
        """Every input is decided to its end by blocks that count right, and every claim was met."""
        for chain in chains:
            offsets = inputs.get(Place(chain.topic, chain.partition))
            if offsets is not None:
                self._count(chain, offsets)
        for (chain, place), account in self._accounts.items():
            left = sum(claimed for claimed, _ in account.claims) - account.met
            if not place.topic.startswith(_UNREAD):
                self._findings.add(What.NOT_DELIVERED, f"{place} of {chain}", left)

    def _count(self, chain: Chain, offsets: PartitionOffsets) -> None:
        ranges = self._ranges.get(chain, [])
        for start, end, records in ranges:
            if offsets.count(start, end).total != records:
                self._findings.add(What.COUNT_WRONG, f"{chain} from {start} to {end}")
        rest = offsets.count(ranges[-1][1] if ranges else 0, offsets.end).total
        self._findings.add(What.CHAIN_BROKEN, f"{chain}: {rest} records at the end are not decided", rest)
