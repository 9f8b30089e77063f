"""The blocks of a scope are found from where it begins, and never are older ones read than are needed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ledger.blocks import BlockKind, Chain
from services.ledger.counts import Place
from services.ledger.reader import Bounds, TopicReader, in_order, read_whole
from services.ledger.replay.audit import Repeater, audit
from services.ledger.replay.gathering import gather
from services.ledger.replay.pace import Pace
from services.ledger.replay.recorded import Recorded, Recording, Stretch, Whole, stretch_of
from services.ledger.replay.scope import Scope, wanted
from services.ledger.replay.words import Fate, Verdict
from tests.support.memory_bus import MemoryCity
from tests.support.replaying import BEGIN, HOUR, PERSONS, hourly, known
from topics.event import KafkaRecord
from topics.names import LEDGER_DELIVERY, LEDGER_INTAKE


def everything(reader: TopicReader, city: MemoryCity, scope: Scope) -> list[Stretch]:
    """The same from all blocks of the ledger, held at once."""
    meant, recording = wanted(scope, known(city).policies.values()), Recording()
    chains: dict[Chain, list[Recorded]] = {}
    for record in in_order(read_whole(reader, LEDGER_INTAKE, LEDGER_DELIVERY)):
        block = recording.block(record, known(city).decoder.value(record) or {})
        chains.setdefault(block.chain, []).append(block)
    found = []
    for chain, blocks in sorted(chains.items()):
        inside = [number for number, block in enumerate(blocks) if meant.covers(block)]
        if inside and blocks[0].kind is not BlockKind.COPIER:
            found.append(stretch_of(chain, blocks, inside))
    return found


def found_in(city: MemoryCity, scope: Scope, reader: TopicReader | None = None) -> list[Stretch]:
    asked = known(city)
    meant = wanted(scope, asked.policies.values())
    return list(gather(reader or city.memory, asked.decoder, meant).stretches)


def gates(stretches: Sequence[Stretch]) -> list[Stretch]:
    return [each for each in stretches if each.judged[0].intake]


@dataclass
class Watched:
    """A reader that remembers which offsets of which partition were read."""

    reader: TopicReader
    read_of: dict[Place, set[int]] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.reader, name)

    def read_all(self, ranges: Mapping[Place, Bounds]) -> Iterator[KafkaRecord]:
        for record in self.reader.read_all(ranges):
            self.read_of.setdefault(Place(record.topic, record.partition), set()).add(record.offset)
            yield record

    def hours(self, topic: str) -> set[int]:
        """In which hours the records were written that were read of a topic."""
        return {
            (record.timestamp_ms - BEGIN) // HOUR
            for place, offsets in self.read_of.items()
            for record in self.reader.read(place, 0, 10**9)
            if place.topic == topic and record.offset in offsets
        }


STEPS = st.lists(st.sampled_from(["one", "two", "bad", "version"]), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, first=st.integers(0, 12), many=st.integers(1, 12))
def test_a_time_comes_to_the_same_as_the_whole_ledger(steps: Sequence[str], first: int, many: int) -> None:
    city = hourly(steps)
    scope = Scope(from_ms=BEGIN + first * HOUR, to_ms=BEGIN + (first + many) * HOUR)
    assert found_in(city, scope) == everything(city.memory, city, scope)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS, first=st.integers(0, 12), many=st.integers(1, 12), raw=st.booleans())
def test_offsets_come_to_the_same_as_the_whole_ledger(
    steps: Sequence[str], first: int, many: int, raw: bool
) -> None:
    city = hourly(steps)
    resource = city.policy.resources[PERSONS].resource
    topic = resource.raw_topic if raw else resource.canonical_topic
    scope = Scope(topic=topic, partition=0, from_offset=first, to_offset=first + many)
    assert found_in(city, scope) == everything(city.memory, city, scope)


def test_nothing_older_is_read_than_the_scope_where_nothing_older_was_met() -> None:
    city = hourly(["one", "two"] * 10)
    reader = Watched(city.memory)
    [gate] = gates(found_in(city, Scope(from_ms=BEGIN + 18 * HOUR), reader))
    assert (len(gate.judged), len(gate.warm_up)) == (2, 0)
    for topic in (LEDGER_INTAKE, LEDGER_DELIVERY):
        assert reader.hours(topic) == {18, 19}


def test_older_blocks_are_read_as_far_back_as_they_were_met_and_no_further() -> None:
    city = hourly([*["one", "two"] * 8, "bad", "one", "one"])
    reader = Watched(city.memory)
    [gate] = gates(found_in(city, Scope(from_ms=BEGIN + 17 * HOUR, to_ms=BEGIN + 18 * HOUR), reader))
    assert (len(gate.judged), len(gate.warm_up)) == (1, 1)
    assert min(reader.hours(LEDGER_INTAKE)) >= 15
    assert min(reader.hours(LEDGER_DELIVERY)) == 17


def test_what_lies_behind_the_scope_is_not_held() -> None:
    city = hourly(["one", "two"] * 10)
    for stretch in found_in(city, Scope(from_ms=BEGIN, to_ms=BEGIN + 2 * HOUR)):
        assert len(stretch.judged) + len(stretch.warm_up) == 2


def test_a_block_is_held_without_its_bytes_and_read_again_when_it_is_judged() -> None:
    city = hourly(["one", "two", "bad", "one"])
    stretches = found_in(city, Scope(from_ms=1))
    whole = Whole(city.memory, known(city).decoder)
    for stretch in stretches:
        for block in (*stretch.judged, stretch.judged[0]):
            assert not any(isinstance(getattr(block, name), bytes) for name in type(block).__slots__)
            said = whole.said(block)
            assert (said["from_offset"], said["group"]) == (block.from_offset, block.chain.group)
    assert audit(known(city), Scope(from_ms=1)).verdict is Verdict.IDENTICAL


def test_a_block_that_is_kept_no_more_is_not_told_and_not_different() -> None:
    city = hourly(["one", "two"])
    [gate] = gates(found_in(city, Scope(from_ms=1)))
    last = gate.judged[-1]
    city.memory.records[last.place] = [
        each for each in city.memory.records[last.place] if each.offset != last.offset
    ]
    with pytest.raises(LookupError, match="kept no more"):
        Whole(city.memory, known(city).decoder).said(last)
    judged = Repeater(known(city)).judge(gate, Pace())
    assert (judged.fates[Fate.IDENTICAL], judged.fates[Fate.NOT_TOLD]) == (1, 1)
