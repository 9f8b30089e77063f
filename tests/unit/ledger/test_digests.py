"""What the topics hold is byte for byte what the ledger says, or the first stretch that is not is named."""

from dataclasses import replace
from typing import Any

import pytest

from services.ledger.counts import Place
from services.ledger.digest_run import DigestAnswer, DigestRun
from services.ledger.digests import DigestFault
from services.ledger.evidence import Gatherer
from tests.support.memory_bus import MemoryCity
from tests.unit.cli.called import PERSON
from topics.event import KafkaRecord

ID_B = "440524188001010014"


def person(**changed: Any) -> dict[str, Any]:
    return {**PERSON, **changed}


def compared(city: MemoryCity) -> DigestAnswer:
    gatherer = Gatherer(city.lookup.reader, city.lookup.decoder, compaction_lag_ms=7 * 86_400_000)
    return DigestRun(gatherer, city.clock).run()


@pytest.fixture
def busy(city: MemoryCity) -> MemoryCity:
    """Three rounds: creates, a correction of an identity, a stop and a delete."""
    for number in range(1, 4):
        city.change("c", after=person(id=number))
    city.change("c", after=person(id=9, id_number=ID_B))
    city.pump()
    city.change("u", person(), person(id_number="110105194912310021"))
    city.garbage(b"\x01garbage")
    city.pump()
    city.change("u", person(id=2), person(id=2, name="王晓明"))
    city.change("d", before=person(id=3))
    city.pump()
    return city


def written(city: MemoryCity, prefix: str) -> Place:
    return next(
        place for place, found in city.memory.records.items() if place.topic.startswith(prefix) and found
    )


def tampered(record: KafkaRecord, what: str) -> KafkaRecord:
    if what == "key":
        return replace(record, key=(record.key or b"") + b"x")
    if what == "value":
        return replace(record, value=(record.value or b"") + b"x")
    return replace(record, headers=(*record.headers, ("govbus_extra", b"x")))


def test_an_honest_bus_differs_nowhere(busy: MemoryCity) -> None:
    found = compared(busy)
    assert found.differences == ()
    assert found.skipped == ()
    kept = [
        place for place in busy.memory.records if place.topic.startswith(("resource.", "sub.", "quarantine."))
    ]
    assert found.compared == sum(len(busy.memory.records[place]) for place in kept)


@pytest.mark.parametrize(
    ("prefix", "what"),
    [
        *(("sub.health", what) for what in ("key", "value", "header")),
        *((prefix, what) for prefix in ("resource.", "quarantine.") for what in ("key", "header")),
    ],
)
def test_one_altered_byte_is_found_with_its_block(busy: MemoryCity, prefix: str, what: str) -> None:
    place = written(busy, prefix)
    busy.memory.records[place][0] = tampered(busy.memory.records[place][0], what)
    [first, *_] = compared(busy).differences
    assert (first.what, first.place) == (DigestFault.DIGEST_WRONG, place)
    assert first.first <= busy.memory.records[place][0].offset <= first.last
    assert first.block.startswith("ledger.")


@pytest.mark.parametrize("prefix", ["resource.", "quarantine."])
def test_a_record_that_nobody_can_decode_is_in_no_ledger(busy: MemoryCity, prefix: str) -> None:
    place = written(busy, prefix)
    busy.memory.records[place][0] = tampered(busy.memory.records[place][0], "value")
    assert DigestFault.NOT_IN_LEDGER in {one.what for one in compared(busy).differences}


@pytest.mark.parametrize("prefix", ["resource.", "sub.health"])
def test_two_records_that_changed_places_are_found(busy: MemoryCity, prefix: str) -> None:
    place = next(
        place
        for place, found in busy.memory.records.items()
        if place.topic.startswith(prefix) and len(found) > 1
    )
    first, second, *rest = busy.memory.records[place]
    busy.memory.records[place] = [
        replace(second, offset=first.offset),
        replace(first, offset=second.offset),
        *rest,
    ]
    assert compared(busy).differences


def test_a_record_that_no_block_speaks_of_is_found(busy: MemoryCity) -> None:
    place = written(busy, "sub.health")
    last = busy.memory.records[place][-1]
    busy.memory.add(place.topic, place.partition, last.key, last.value, last.headers)
    [found] = compared(busy).differences
    assert (found.what, found.place, found.block) == (DigestFault.NOT_IN_LEDGER, place, "")


def test_a_record_that_is_gone_is_found(busy: MemoryCity) -> None:
    place = written(busy, "sub.health")
    busy.memory.records[place].pop()
    [found] = compared(busy).differences
    assert (found.what, found.place) == (DigestFault.NOT_ON_TOPIC, place)


def test_a_topic_whose_beginning_may_be_thinned_is_named_and_not_compared(busy: MemoryCity) -> None:
    gatherer = Gatherer(busy.lookup.reader, busy.lookup.decoder, compaction_lag_ms=0)
    found = DigestRun(gatherer, busy.clock + 1_000).run()
    assert written(busy, "sub.health") in found.skipped
    assert found.differences == ()
