"""The checker of a chaos run: what the topics hold against what the oracle demands and the ledger claims.

Pure over what a read_committed reader gives. The stream is made anew from its seed; the raw topic only says
where each of its events came to stand.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from services.chaos.envelopes import EVENT_HEADER, MARKS, Envelopes, commit_of
from services.chaos.ledger_check import LedgerCheck
from services.chaos.oracle import (
    CONTROL,
    Effect,
    Form,
    Judgement,
    Oracle,
    View,
    delivery,
    everything,
    partition_of,
    pseudonym,
)
from services.chaos.recorded import Reading, Recorded
from services.chaos.sequences import Findings, Item, Sequences, What, compare, content, merged, origin
from services.chaos.workload import Event, workload
from services.demo.rows import ACCEPTED
from services.ledger.blocks import Chain
from services.ledger.counts import PartitionOffsets, Place
from services.ledger.decode import Decoder
from topics.event import KafkaRecord, TopicName
from topics.names import GATE_GROUP, LEDGER_DELIVERY, LEDGER_INTAKE

Read = Callable[[TopicName], Iterable[KafkaRecord]]
"""All committed records of a topic, each partition in order."""
_UNPLACED: Final = -1
_NO_END: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Layout:
    """Which topics a run is about."""

    raw: TopicName
    canonical: TopicName
    quarantine: TopicName
    partitions: int
    fanout_group: str
    views: tuple[View, ...]

    @property
    def chains(self) -> list[Chain]:
        """Every chain that must reach the end of its input."""
        readers = ((GATE_GROUP, self.raw), (self.fanout_group, self.canonical))
        return [Chain(group, topic, part) for group, topic in readers for part in range(self.partitions)]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the checker found, and how much it looked at."""

    findings: Findings
    outcomes: Mapping[str, int]
    records: Mapping[str, int]
    blocks: int

    @property
    def clean(self) -> bool:
        """Whether nothing was found, though there was something to look at."""
        return not self.findings.counts and self.blocks > 0

    def count(self, what: What) -> int:
        """How often that was found."""
        return self.findings.counts[what]


@dataclass(slots=True)
class Checker:
    """Checks one run; every topic is read once."""

    seed: int
    events: int
    layout: Layout
    read: Read
    decoder: Decoder
    envelopes: Envelopes
    master: bytes
    findings: Findings = field(default_factory=Findings)
    _outcomes: Counter[str] = field(default_factory=Counter)
    _records: Counter[str] = field(default_factory=Counter)
    _inputs: dict[Place, PartitionOffsets] = field(default_factory=dict)
    _books: dict[str, Sequences] = field(default_factory=dict)

    def run(self) -> Verdict:
        """Check everything."""
        self._expect(self._place_events())
        ledger = LedgerCheck(self.findings)
        for topic in (LEDGER_INTAKE, LEDGER_DELIVERY):
            for record in self.read(topic):
                ledger.block(self.decoder.value(record) or {})
        reading = Reading(self.decoder, self.layout.raw, self.layout.canonical, self.layout.fanout_group)
        self._compare(self.layout.canonical, reading.canonical, ledger)
        self._compare(self.layout.quarantine, reading.quarantined, ledger)
        for view in self.layout.views:
            self._compare(TopicName(view.topic), reading.delivered, ledger)
        ledger.finish(self.layout.chains, self._inputs)
        return Verdict(self.findings, merged(self._outcomes), merged(self._records), ledger.blocks)

    def _place_events(self) -> "array[int]":
        """Event → raw partition and offset; the raw topic must hold each event once."""
        places = array("q", [_UNPLACED]) * self.events
        for record in self._counted(self.layout.raw):
            number = int(record.header(EVENT_HEADER) or b"-1")
            if not 0 <= number < self.events or places[number] != _UNPLACED:
                self.findings.add(What.STREAM_BROKEN, f"{record.coordinates} is no event or a second one")
                continue
            places[number] = origin(record.partition, record.offset, Form.STATE)
        lost = sum(place == _UNPLACED for place in places)
        self.findings.add(What.STREAM_BROKEN, f"{lost} events are not in the raw topic", lost)
        return places

    def _expect(self, places: "array[int]") -> None:
        oracle = Oracle()
        for event in workload(self.seed, self.events):
            judgement, place = oracle.judge(event), places[event.number]
            if place == _UNPLACED:
                continue
            stopped = judgement.outcome not in (ACCEPTED, CONTROL)
            self._outcomes["stopped" if stopped else judgement.outcome] += 1
            if stopped:
                self._expect_quarantined(event, judgement, place)
            for effect in judgement.effects:
                self._expect_effect(event, effect, place)

    def _expect_quarantined(self, event: Event, judgement: Judgement, place: int) -> None:
        item = Item(place, content(judgement.outcome, self.envelopes.value(event)))
        self._book(self.layout.quarantine).add(f"row {event.row}", item)

    def _expect_effect(self, event: Event, effect: Effect, place: int) -> None:
        partition = partition_of(effect.identity, self.layout.partitions)
        said = _said_of(event, effect, partition)
        key = f"{effect.identity}|{effect.row}"
        self._book(self.layout.canonical).add(key, Item(place | effect.form, said))
        for view in self.layout.views:
            owed = delivery(effect, view)
            if owed is not None:
                form, shown = owed
                operation = "delete" if form is Form.TOMBSTONE else effect.operation
                said = content(partition, view.grant, operation, commit_of(event), shown)
                key = pseudonym(self.master, view.grant, effect.identity, effect.row)
                self._book(view.topic).add(key, Item(place | form, said))

    def _book(self, topic: str) -> Sequences:
        return self._books.setdefault(topic, Sequences())

    def _counted(self, topic: TopicName) -> Iterator[KafkaRecord]:
        """The records of a topic; which offsets hold one is kept for the ledger's counts."""
        for record in self.read(topic):
            place = Place(topic, record.partition)
            known = self._inputs.get(place)
            if known is None:
                known = self._inputs[place] = PartitionOffsets(place, 0, 0, _NO_END)
            (known.tombstones if record.value is None else known.values).append(record.offset)
            self._records[topic] += 1
            yield record

    def _compare(
        self, topic: TopicName, read_one: Callable[[KafkaRecord], Recorded], ledger: LedgerCheck
    ) -> None:
        found = Sequences()
        for record in self._counted(topic):
            key, item, chain = read_one(record)
            found.add(key, item)
            ledger.record(chain, record)
        compare(topic, self._book(topic), found, self.findings)


def _said_of(event: Event, effect: Effect, partition: int) -> int:
    if effect.form is Form.TOMBSTONE:
        return content(partition)
    return content(
        partition,
        effect.operation,
        commit_of(event),
        effect.known,
        effect.previous,
        MARKS if effect.form is Form.STATE else (),
        None if effect.state is None else everything(effect.state),
    )
