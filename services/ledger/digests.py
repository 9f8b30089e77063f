"""Holds the records of the topics against the digests of the ledger, byte for byte; pure.

The balance counts; this compares. Each decision block names, for each partition that it wrote to, how many
records and a digest over their keys, values and headers, in order. The records of a partition are taken in
order and must come to these digests, one block after the other.

Where several chains write to one partition at the same time (each raw partition its own transactions), a
record says itself which raw partition it came from. A grant's partition has one writer at a time, so that
there the next digest that fits says which chain wrote; nothing is taken on trust from a record.
"""

import hashlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from services.ledger.blocks import Chain
from services.ledger.counts import Place
from topics.engine.lanes import digest_form
from topics.event import KafkaRecord, OutputRecord, TopicName


class DigestFault(StrEnum):
    """What is wrong with a stretch of a partition: a closed list, documented in docs/auditor.md."""

    NOT_IN_LEDGER = "NOT_IN_LEDGER"
    DIGEST_WRONG = "DIGEST_WRONG"
    NOT_ON_TOPIC = "NOT_ON_TOPIC"


@dataclass(frozen=True, slots=True)
class DigestDifference:
    """One stretch that does not come to its digest.

    Args:
        what: of the closed list.
        place: partition.
        first: offset of the first record of the stretch; -1 where there is none.
        last: offset of its last record; -1 where there is none.
        block: coordinate of the decision block, empty where no block speaks of it.
        records: how many.
    """

    what: DigestFault
    place: Place
    first: int
    last: int
    block: str
    records: int


@dataclass(frozen=True, slots=True)
class _Claim:
    at: str
    records: int
    digest: str


@dataclass(slots=True)
class _Stretch:
    """Records that are read on the way to the next digest."""

    met: int = 0
    first: int = -1
    hash: Any = field(default_factory=hashlib.sha256)

    def take(self, record: KafkaRecord) -> None:
        written = OutputRecord(record.topic, record.partition, record.key, record.value, record.headers)
        self.first = self.first if self.met else record.offset
        self.met += 1
        self.hash.update(digest_form(written))


_Claims = deque[_Claim]


@dataclass(slots=True)
class DigestCheck:
    """Takes all blocks in ledger order, then records in the order of their partitions; ``finish`` ends it."""

    differences: list[DigestDifference] = field(default_factory=list)
    compared: int = 0
    """Records that were found as the ledger has them."""
    _claims: dict[Place, dict[Chain, _Claims]] = field(default_factory=dict)
    _stretches: dict[tuple[Place, Chain | None], _Stretch] = field(default_factory=dict)
    _given_up: set[Place] = field(default_factory=set)

    def block(self, value: Mapping[str, Any], at: str) -> None:
        """A decoded DecisionBlock, and its own coordinate."""
        chain = Chain(value["group"], TopicName(value["topic"]), value["partition"])
        for output in value["outputs"]:
            place = Place(TopicName(output["topic"]), output["partition"])
            claims = self._claims.setdefault(place, {}).setdefault(chain, deque())
            claims.append(_Claim(at, output["records"], output["digest"]))

    def record(self, record: KafkaRecord, chain: Chain | None, *, settled: bool) -> None:
        """The next record of its partition.

        Args:
            record: with all its headers.
            chain: which chain wrote it, where the record says so; None where its partition has one writer.
            settled: whether the ledger that was read must speak of it.
        """
        place = Place(record.topic, record.partition)
        if place in self._given_up:
            return
        waiting = self._waiting(place, chain)
        if not waiting:
            if settled:
                self._unspoken(place, record, chain)
            return
        stretch = self._stretches.setdefault((place, chain), _Stretch())
        stretch.take(record)
        self._judge(place, chain, stretch, waiting, record.offset)

    def finish(self) -> Sequence[DigestDifference]:
        """All differences, with what the ledger names and no topic holds, by partition."""
        for place in self._claims.keys() - self._given_up:
            self.differences.extend(self._left(place))
        return sorted(self.differences, key=lambda found: (found.place, found.first))

    def _waiting(self, place: Place, chain: Chain | None) -> list[_Claims]:
        claims = self._claims.get(place, {})
        candidates = claims.values() if chain is None else [claims.get(chain, deque())]
        return [candidate for candidate in candidates if candidate]

    def _judge(
        self, place: Place, chain: Chain | None, stretch: _Stretch, waiting: list[_Claims], last: int
    ) -> None:
        """End the stretch at the digest that it comes to, or where it can come to none any more."""
        due = [claims for claims in waiting if claims[0].records == stretch.met]
        digest = stretch.hash.hexdigest() if due else ""
        found = next((claims for claims in due if claims[0].digest == digest), None)
        if found is not None:
            self.compared += found.popleft().records
        elif all(claims[0].records <= stretch.met for claims in waiting):
            claim = waiting[0].popleft()
            what = DigestFault.DIGEST_WRONG
            self.differences.append(
                DigestDifference(what, place, stretch.first, last, claim.at, claim.records)
            )
            if chain is None:
                # Which chain wrote the rest cannot be told without the digest that this should have come to.
                self._given_up.add(place)
        else:
            return
        del self._stretches[place, chain]

    def _unspoken(self, place: Place, record: KafkaRecord, chain: Chain | None) -> None:
        at = record.offset
        self.differences.append(DigestDifference(DigestFault.NOT_IN_LEDGER, place, at, at, "", 1))
        if chain is None:
            self._given_up.add(place)

    def _left(self, place: Place) -> Iterator[DigestDifference]:
        met = sum(stretch.met for (where, _), stretch in self._stretches.items() if where == place)
        claims = [claim for each in self._claims[place].values() for claim in each]
        left = sum(claim.records for claim in claims) - met
        if left:
            yield DigestDifference(DigestFault.NOT_ON_TOPIC, place, -1, -1, claims[0].at, left)
