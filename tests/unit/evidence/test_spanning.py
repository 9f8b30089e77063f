"""Offsets are exported by the time in which they were decided, and the verifier says what a bundle covers."""

from functools import partial
from pathlib import Path

import pytest

from services.control.evidence.keys import EvidenceKeys
from services.control.evidence.ledger_log import LedgerLog
from services.control.evidence.sealer import Sealer
from services.control.evidence.spanning import Offsets, span_of_offsets
from services.evidence.making import NothingSealed, Span, bundle_of
from services.evidence.sealed import Sealed
from services.evidence.telling import as_answer, told
from services.evidence.trust import Trust
from services.evidence.verifying import Verdict, verify
from services.stack.secret_files import SecretFiles
from tests.support.debezium import PERSON_TOPIC
from tests.support.memory_bus import MemoryCity
from tests.support.replaying import BEGIN, HOUR, PERSONS, hourly
from tests.unit.cli.called import shape
from topics.event import TopicName

CANONICAL = TopicName(f"resource.{PERSONS}")
HOURS = 8


@pytest.fixture
def city() -> MemoryCity:
    """One change an hour, each decided at once by the gate and by the fan-out."""
    return hourly(["one", "two"] * (HOURS // 2))


def partition(city: MemoryCity, topic: TopicName) -> int:
    """Where the person's records stand."""
    return next(
        each.partition for each, found in city.memory.records.items() if each.topic == topic and found
    )


def span(city: MemoryCity, asked: Offsets) -> Span:
    return span_of_offsets(city.memory, city.lookup.decoder, asked)


def verified(city: MemoryCity, asked: Span, folder: Path) -> Verdict:
    """The bundle of that time, of a log that was sealed once an hour."""
    secrets = SecretFiles(folder)
    secrets.ensure(["evidence-v1"])
    keys, source = EvidenceKeys(secrets), LedgerLog(city.memory, city.lookup.decoder)
    kept: list[Sealed] = []

    class Kept:
        def last(self) -> Sealed | None:
            return kept[-1] if kept else None

        def append(self, sealed: Sealed) -> None:
            kept.append(sealed)

    ends = dict(city.memory.ends)
    for number in range(HOURS + 1):
        now = BEGIN + number * HOUR + HOUR // 2
        for place, records in city.memory.records.items():
            city.memory.ends[place] = sum(each.timestamp_ms < now for each in records)
        Sealer(Kept(), source, keys, (), partial(int, now), HOUR, "sha256").turn()
    city.memory.ends.update(ends)
    trust = Trust(kept[0].signed.checkpoint.log, keys.public(), kept[-1].signed)
    made_ms = BEGIN + HOURS * HOUR + HOUR
    made = bundle_of(kept, source, [trust.witness], asked, made_ms, keys.sealing(made_ms))
    return verify(made, trust)


@pytest.mark.parametrize("topic", [PERSON_TOPIC, CANONICAL])
@pytest.mark.parametrize(("first", "end"), [(0, 1), (2, 4), (7, 8), (3, None), (None, 2), (None, None)])
def test_offsets_have_the_time_in_which_their_blocks_were_written(
    city: MemoryCity, topic: TopicName, first: int | None, end: int | None
) -> None:
    found = span(city, Offsets(topic, partition(city, topic), first, end))
    hours = [(each - BEGIN) // HOUR for each in (found.from_ms, found.to_ms)]
    assert hours == [first or 0, (HOURS if end is None else end) - 1]


@pytest.mark.parametrize("topic", [PERSON_TOPIC, CANONICAL])
def test_the_verifier_says_which_offsets_a_bundle_covers_without_a_gap(
    city: MemoryCity, topic: TopicName, tmp_path: Path
) -> None:
    number = partition(city, topic)
    found = verified(city, span(city, Offsets(topic, number, 3, 5)), tmp_path)
    assert found.fault is None, found.detail
    [covered] = [each for each in found.covered if (each.topic, each.partition) == (topic, number)]
    assert covered.from_offset <= 3 < 5 <= covered.to_offset
    assert (covered.from_offset, covered.to_offset) != (0, HOURS), "and not everything there is"
    assert (
        f"{topic}:{number} from {covered.from_offset} to before {covered.to_offset}, without a gap"
        in told(found)
    )
    assert list(shape("verify").iter_errors(as_answer(found))) == []


@pytest.mark.parametrize(
    "asked",
    [
        Offsets(PERSON_TOPIC, 0, 100, 200),
        Offsets(PERSON_TOPIC, 77),
        Offsets(TopicName("sub.health.x"), 0),
        Offsets(TopicName("raw.nobody.y"), 0, 1, 2),
    ],
)
def test_offsets_that_nobody_decided_have_no_time(city: MemoryCity, asked: Offsets) -> None:
    with pytest.raises(NothingSealed, match="no decision block"):
        span(city, asked)
