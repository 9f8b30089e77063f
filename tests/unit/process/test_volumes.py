"""What the collector makes of the markers of epochs: it reads on where it was, keeps no value of a key."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from services.control.epochs.state import asked_text
from services.control.process.collecting.facts import Facts, look
from services.control.process.collecting.volumes import KEPT, SAMPLES, volume_documents
from services.ledger.counts import Place
from services.ledger.reader import Bounds
from tests.support.policy import sample_policy
from tests.unit.process.bus_facts import MemoryView
from topics import names
from topics.event import KafkaRecord, ResourceId, TopicName
from topics.resource import DirectPublication

POLICY = sample_policy()
PERSONS = ResourceId("population.person.v1")
RAW = POLICY.resources[PERSONS].resource.raw_topic
EPOCHS = names.epochs(PERSONS)
NOW = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)


@dataclass(slots=True)
class Markers:
    """A topic of markers, and what was asked of it."""

    written: list[dict[str, Any]] = field(default_factory=list)
    asked: list[dict[Place, Bounds]] = field(default_factory=list)

    def places(self, topic: TopicName) -> list[Place]:
        return [Place(topic, 0)]

    def bounds_of(self, places: Iterable[Place]) -> dict[Place, Bounds]:
        return {at: Bounds(0, len(self.written)) for at in places}

    def read_all(self, ranges: Mapping[Place, Bounds]) -> Iterator[KafkaRecord]:
        self.asked.append(dict(ranges))
        for at, bounds in ranges.items():
            for offset in range(*bounds):
                value = json.dumps(self.written[offset]).encode()
                yield KafkaRecord(at.topic, 0, offset, NOW_MS, b"", value, ())

    def add(self, kind: str, number: int, **more: Any) -> None:
        told = {"kind": kind, "generation": number, "timestamp_ms": NOW_MS - 60_000, "offsets": []}
        self.written.append(told | {"counts": {}, "digest": "", "detail": ""} | more)

    def begin(self, number: int, *where: str) -> None:
        at = [{"topic": RAW, "partition": 0, "offset": 2}]
        detail = asked_text(where, "why", "operator:a", initial=False)
        self.add("BEGIN", number, offsets=at, detail=detail)

    def facts(self, raw: int = 2) -> Facts:
        return look(MemoryView({RAW: [[NOW_MS] * raw], EPOCHS: [[NOW_MS] * len(self.written)]}))


def looked(
    markers: Markers, known: Mapping[str, Any] | None = None, raw: int = 2, after_s: float = 0.0
) -> dict[str, dict[str, Any]]:
    now = NOW + timedelta(seconds=after_s)
    return volume_documents(POLICY, markers.facts(raw), known or {}, markers, decoded, now)


def decoded(record: KafkaRecord) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(record.value or b"")
    return found


def test_a_round_reads_only_what_was_written_since_and_asks_nothing_where_nothing_was() -> None:
    markers = Markers()
    markers.begin(1)
    first = looked(markers)
    assert looked(markers, first)[PERSONS]["epochs"] == first[PERSONS]["epochs"]
    markers.add("END", 1, counts={"rows_scanned": 7}, digest="ab", timestamp_ms=NOW_MS)
    found = looked(markers, first)[PERSONS]
    assert markers.asked == [{Place(EPOCHS, 0): Bounds(0, 1)}, {Place(EPOCHS, 0): Bounds(1, 2)}]
    assert [(each["number"], each["state"]) for each in found["epochs"]] == [(1, "ended")]
    assert found["epochs"][0]["counts"] == {"rows_scanned": 7}
    assert (found["read"], found["progress"]) == (2, None)
    assert looked(markers)[PERSONS]["epochs"] == found["epochs"]


def test_of_an_open_epoch_it_is_told_by_how_much_the_raw_topic_grew() -> None:
    markers = Markers()
    markers.begin(1)
    first = looked(markers, raw=12)
    second = looked(markers, first, raw=42, after_s=15)[PERSONS]["progress"]
    assert (second["number"], second["came"]) == (1, 40)
    begun = (NOW - timedelta(seconds=60)).isoformat()
    later = (NOW + timedelta(seconds=15)).isoformat()
    assert second["samples"] == [[begun, 0], [NOW.isoformat(), 10], [later, 40]]


def test_looks_at_an_open_epoch_are_bounded_and_another_one_begins_with_none() -> None:
    markers = Markers()
    markers.begin(1)
    found = looked(markers)
    for number in range(SAMPLES + 5):
        found = looked(markers, found, raw=3 + number, after_s=number)
    assert len(found[PERSONS]["progress"]["samples"]) == SAMPLES
    markers.add("ABORTED", 1, detail="aborted by operator:a")
    markers.begin(2)
    assert len(looked(markers, found)[PERSONS]["progress"]["samples"]) == 2


def test_the_values_of_a_filter_stay_where_they_are() -> None:
    markers = Markers()
    markers.begin(1, "id=320500199001011234,7")
    found = looked(markers)
    assert found[PERSONS]["epochs"][0]["columns"] == ["id"]
    assert "320500199001011234" not in json.dumps(found)


def test_a_topic_that_was_made_anew_is_read_from_its_beginning() -> None:
    markers = Markers()
    markers.begin(1)
    markers.add("END", 1)
    known = looked(markers)
    anew = Markers()
    anew.begin(1)
    assert [each["state"] for each in looked(anew, known)[PERSONS]["epochs"]] == ["open"]


def test_only_the_newest_epochs_are_kept() -> None:
    markers = Markers()
    for number in range(1, KEPT + 4):
        markers.begin(number)
        markers.add("END", number)
    kept = [each["number"] for each in looked(markers)[PERSONS]["epochs"]]
    assert kept == list(range(KEPT + 3, 3, -1))


def test_a_mark_of_the_gate_is_no_epoch_and_is_remembered() -> None:
    markers = Markers()
    markers.add("INCOMPLETE", 0, timestamp_ms=NOW_MS)
    first = looked(markers)
    markers.begin(1)
    assert first[PERSONS]["epochs"] == []
    assert looked(markers, first)[PERSONS]["marked_ms"] == NOW_MS


def test_a_resource_that_its_provider_publishes_is_told_as_such() -> None:
    found = looked(Markers())
    published = {
        str(id_)
        for id_, each in POLICY.resources.items()
        if isinstance(each.resource.source, DirectPublication)
    }
    assert {id_ for id_, each in found.items() if not each["captured"]} == published
    assert set(found) == set(POLICY.resources)
