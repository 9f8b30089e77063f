"""On the real processors: books close, records are explained from any side, quarantine is workable."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import pytest

from services.ledger.balance import balance
from services.ledger.coordinates import NotACoordinate, parse_coordinate
from services.ledger.counts import Place
from services.ledger.evidence import Gatherer, TransactionOpen
from services.ledger.explain import Explanation, explain
from services.ledger.lookup import Lookup, RecordMissing
from services.ledger.proof import Balance, What
from services.ledger.quarantine import (
    Disposition,
    Selection,
    disposition,
    histogram,
    read_quarantine,
    release,
)
from services.ledger.reader import Bounds
from services.ledger.releasing import ReleaseCheck
from tests.support.memory_bus import MemoryCity
from topics.event import ProviderId

POLICE = ProviderId("police")
SOCIAL = ProviderId("social_security")
ID_A = "11010519491231002X"
ID_B = "440524188001010014"
PERSON: Mapping[str, Any] = {
    "id": 1,
    "id_number": ID_A,
    "name": "王小明",
    "birth_date": (date(1949, 12, 31) - date(1970, 1, 1)).days,
    "sex": "2",
    "address": "平江路1号",
    "household_district": "320508",
    "updated_at": 1_790_000_000_000,
}
ENROLMENT: Mapping[str, Any] = {
    "id": 7,
    "id_number": ID_A,
    "name": "王小名",
    "address": "平江路1号",
    "insurance_type": "310",
    "enrolled_on": 18_000,
    "monthly_base": "5000.00",
    "status": "1",
    "updated_at": 1_790_000_000_000,
}


def person(**changed: Any) -> dict[str, Any]:
    return {**PERSON, **changed}


def books(city: MemoryCity) -> Balance:
    lookup = city.lookup
    gatherer = Gatherer(lookup.reader, lookup.decoder, compaction_lag_ms=7 * 86_400_000)
    return balance(gatherer.gather(now_ms=city.clock))


def explained(city: MemoryCity, coordinate: str) -> Explanation:
    return explain(city.lookup, parse_coordinate(coordinate))


def outcome_of(found: Explanation) -> dict[str, tuple[str, str | None]]:
    return {entry.consumer: (entry.outcome, entry.reason) for entry in found.grants}


def busy(city: MemoryCity) -> None:
    """Create, stop, correct the identity, delete, garbage, a row of another owner's facts."""
    city.change("c", after=person())
    city.change("u", person(), person(id_number="110105194912310021"))
    city.change("c", after=person(id=2, id_number=ID_B, household_district="320506"))
    city.pump()
    city.change("u", person(id_number="110105194912310021"), person(name="王晓明"))
    city.garbage(b"\x01garbage")
    city.change("c", after=ENROLMENT, enrolment=True)
    city.change("d", before=person(name="王晓明"))
    city.pump()


@pytest.mark.requirement("A11-02")
def test_books_close_over_everything_that_a_busy_day_brings(city: MemoryCity) -> None:
    busy(city)
    result = books(city)
    assert result.differences == []
    assert (result.closed, result.complete) == (True, True)
    assert result.sums["raw"] == 7
    assert result.sums["stopped"] >= 2
    assert result.sums["pending_intake"] == result.sums["pending_delivery"] == 0
    assert result.sums["claims"] == 2


def test_books_that_were_cooked_do_not_close(city: MemoryCity) -> None:
    busy(city)
    place = next(place for place in city.memory.records if place.topic.startswith("sub.health"))
    city.memory.records[place].pop()
    result = books(city)
    assert {difference.what for difference in result.differences} == {What.OUTPUT_COUNT}
    assert result.differences[0].where == str(place)


def test_record_that_no_processor_has_read_is_pending(city: MemoryCity) -> None:
    city.change("c", after=person())
    result = books(city)
    assert (result.closed, result.complete) == (True, False)
    assert result.sums["pending_intake"] == 1


def test_accepted_record_is_explained_with_where_it_went_and_why_it_did_not(city: MemoryCity) -> None:
    raw = city.change("c", after=person())
    city.pump()
    found = explained(city, raw.coordinates)
    assert (found.outcome, found.reason, found.policy_version) == ("accepted", None, 1)
    assert [stage.outcome for stage in found.stages] == ["passed"] * 6
    by_consumer = outcome_of(found)
    assert by_consumer["health"] == ("delivered", None)
    assert by_consumer["tax"] == ("withheld", "NO_GRANT")
    assert set(by_consumer) == set(city.policy.consumers)
    delivered = next(entry for entry in found.grants if entry.consumer == "health")
    assert delivered.at is not None
    assert (
        city.lookup.record(parse_coordinate(delivered.at)).header("govbus_grant") == b"health-persons-gusu@1"
    )


@pytest.mark.requirement("A1-17")
def test_record_outside_the_rows_of_a_grant_is_withheld_with_that_reason(city: MemoryCity) -> None:
    raw = city.change("c", after=person(household_district="320506"))
    city.pump()
    assert outcome_of(explained(city, raw.coordinates))["health"] == ("withheld", "OUTSIDE_ROWS")


def test_record_that_leaves_the_rows_is_a_tombstone_at_its_own_coordinate(city: MemoryCity) -> None:
    city.change("c", after=person())
    raw = city.change("u", person(), person(household_district="320506"))
    city.pump()
    found = explained(city, raw.coordinates)
    entry = next(entry for entry in found.grants if entry.consumer == "health")
    assert (entry.outcome, entry.reason) == ("tombstoned", None)
    assert entry.at is not None
    assert city.lookup.record(parse_coordinate(entry.at)).value is None


@pytest.mark.requirement("A1-17")
def test_stopped_record_is_explained_with_its_step_reason_and_quarantine(city: MemoryCity) -> None:
    raw = city.change("c", after=person(id_number="110105194912310021"))
    city.pump()
    found = explained(city, raw.coordinates)
    assert (found.outcome, found.reason) == ("stopped", "IDENTITY_INVALID")
    assert {stage.stage: stage.outcome for stage in found.stages} == {
        "decode": "passed",
        "interpret": "passed",
        "identify": "stopped",
        "one-source": "not-reached",
        "assess": "not-reached",
        "encode": "not-reached",
    }
    assert found.quarantined_at == "quarantine.police:0:0"
    by_grant = {entry.grant: entry for entry in found.grants if entry.grant}
    assert {"health-persons-gusu", "education-persons"} <= by_grant.keys()
    assert "tax-enterprises" not in by_grant, "grants to the record's resource, and no other"
    assert {(entry.outcome, entry.reason) for entry in by_grant.values()} == {("withheld", "STOPPED_AT_GATE")}
    assert outcome_of(found)["tax"] == ("withheld", "NO_GRANT")
    assert {entry.policy_version for entry in found.grants} == {found.policy_version} == {1}
    assert {entry.canonical for entry in found.grants} == {None}


def test_tombstone_of_the_connector_is_withheld_under_every_grant_as_no_change(city: MemoryCity) -> None:
    deleted = city.change("d", before=person())
    raw = city.memory.add(deleted.topic, 0, deleted.key, None, (), deleted.timestamp_ms)
    city.pump()
    found = explained(city, raw.coordinates)
    assert found.outcome == "control"
    assert outcome_of(found)["health"] == ("withheld", "CONTROL_AT_GATE")


def test_record_that_compaction_removed_everywhere_is_not_said_to_be_withheld(city: MemoryCity) -> None:
    raw = city.change("c", after=person())
    city.pump()
    compacted(city, "resource.", "sub.")
    found = explained(city, raw.coordinates)
    assert found.canonical == ()
    outcomes = outcome_of(found)
    assert outcomes["health"] == outcomes["education"] == ("unknown", "CANONICAL_REPLACED")
    assert outcomes["tax"] == ("withheld", "NO_GRANT")


def test_record_that_compaction_removed_from_canonical_is_still_shown_where_it_was_delivered(
    city: MemoryCity,
) -> None:
    raw = city.change("c", after=person())
    city.pump()
    before = {entry.consumer: entry.at for entry in explained(city, raw.coordinates).grants}
    compacted(city, "resource.")
    after = explained(city, raw.coordinates)
    assert outcome_of(after)["health"] == ("delivered", None)
    assert {entry.consumer: entry.at for entry in after.grants} == before


def compacted(city: MemoryCity, *prefixes: str) -> None:
    for place, records in city.memory.records.items():
        if place.topic.startswith(prefixes):
            records.clear()


def test_undecided_record_is_pending(city: MemoryCity) -> None:
    raw = city.change("c", after=person())
    assert explained(city, raw.coordinates).outcome == "pending"


def test_same_record_is_explained_from_every_side(city: MemoryCity) -> None:
    raw = city.change("d", before=person())
    stopped = city.change("c", after=person(id_number=None))
    city.pump()
    found = explained(city, raw.coordinates)
    [canonical] = found.canonical
    [topic, partition, offset] = canonical.split(":")
    tombstone = f"{topic}:{partition}:{int(offset) + 1}"
    given = [entry.at for entry in found.grants if entry.at]
    assert given
    for side in (canonical, tombstone, *given):
        assert explained(city, side).raw == raw.coordinates
    assert explained(city, "quarantine.police:0:0").raw == stopped.coordinates


def test_coordinate_without_a_record_is_named(city: MemoryCity) -> None:
    with pytest.raises(RecordMissing, match=r"raw\.police\.public\.person:0:9"):
        explained(city, "raw.police.public.person:0:9")


@pytest.mark.parametrize(
    "text", ["", "raw.x", "raw.x:0", "raw.x:0:-1", "raw.x:a:1", "raw x:0:1", "raw.x:0:1:2"]
)
def test_text_that_is_no_coordinate_is_refused(text: str) -> None:
    with pytest.raises(NotACoordinate):
        parse_coordinate(text)


def test_quarantine_lists_stopped_events_with_their_original_bytes(city: MemoryCity) -> None:
    garbage = city.garbage(b"\x01garbage")
    raw = city.change("c", after=person(id_number=None))
    city.pump()
    entries = read_quarantine(city.lookup, POLICE)
    assert [entry.raw.value for entry in entries] == [garbage.value, raw.value]
    assert histogram(entries) == {"UNDECODABLE": 1, "IDENTITY_MISSING": 1}
    assert Selection(reason="UNDECODABLE").covers(entries[0])
    assert not Selection(reason="UNDECODABLE").covers(entries[1])


def test_disposition_closes_an_entry_with_its_actor_and_a_look_does_not(city: MemoryCity) -> None:
    raw = city.change("c", after=person(id_number=None))
    city.pump()
    city.write([disposition(POLICE, Disposition.REVEALED, raw.coordinates, "wang", "case 7")])
    assert read_quarantine(city.lookup, POLICE)[0].state == "open"
    city.write([disposition(POLICE, Disposition.DISCARDED, raw.coordinates, "li", "a test row")])
    [entry] = read_quarantine(city.lookup, POLICE)
    assert (entry.state, entry.actor, entry.why) == ("discarded", "li", "a test row")
    assert books(city).closed


def test_release_keeps_the_bytes_and_names_the_offset_that_it_releases(city: MemoryCity) -> None:
    raw = city.change("c", after=person(id_number=None))
    city.pump()
    [entry] = read_quarantine(city.lookup, POLICE)
    output = release(entry)
    assert (output.topic, output.partition, output.key, output.value) == (raw.topic, 0, raw.key, raw.value)
    assert output.headers[-1] == ("govbus_release", b"0")
    assert ReleaseCheck(city.lookup).refusal(entry) is None


def test_release_that_was_stopped_again_still_names_the_first_offset(city: MemoryCity) -> None:
    city.change("c", after=person(id_number=None))
    city.pump()
    city.write([release(read_quarantine(city.lookup, POLICE)[0])])
    again = read_quarantine(city.lookup, POLICE)[1]
    assert again.raw.offset == 1
    assert release(again).headers == (("govbus_release", b"0"),)


@pytest.mark.parametrize("newer_is_accepted", [True, False])
def test_release_after_a_newer_accepted_change_is_refused(city: MemoryCity, newer_is_accepted: bool) -> None:
    city.change("c", after=person(id_number=None))
    city.change("u", None, person() if newer_is_accepted else person(id_number=None))
    city.pump()
    entry = read_quarantine(city.lookup, POLICE)[0]
    assert ReleaseCheck(city.lookup).refusal(entry) == ("NOTHING_PENDING" if newer_is_accepted else None)
    city.write([release(entry)])
    found = explained(city, "raw.police.public.person:0:2")
    assert found.outcome == ("superseded" if newer_is_accepted else "stopped")
    reason = "SUPERSEDED_AT_GATE" if newer_is_accepted else "STOPPED_AT_GATE"
    assert outcome_of(found)["health"] == ("withheld", reason)
    assert books(city).closed


class LateMarker:
    """A reader of a bus where one partition's transaction marker is still on its way for some questions."""

    def __init__(self, city: MemoryCity, late: Place, questions: int) -> None:
        self._memory, self._late, self._left = city.memory, late, questions

    def __getattr__(self, name: str) -> Any:
        return getattr(self._memory, name)

    def bounds_of(self, places: Iterable[Place]) -> dict[Place, Bounds]:
        return {place: self.bounds(place) for place in places}

    def bounds(self, place: Place) -> Bounds:
        found = self._memory.bounds(place)
        if place == self._late and self._left > 0:
            self._left -= 1
            return Bounds(found.low, found.end - 1)
        return found


@pytest.mark.parametrize("topic", ["sub.health", "resource.population", "ledger.delivery", "ledger.intake"])
def test_marker_that_comes_late_to_one_partition_makes_no_difference(city: MemoryCity, topic: str) -> None:
    busy(city)
    late = next(place for place in city.memory.records if place.topic.startswith(topic))
    for questions in range(1, 8):
        reader: Any = LateMarker(city, late, questions)
        lookup = Lookup(reader, city.registry)
        gatherer = Gatherer(reader, lookup.decoder, 7 * 86_400_000, wait=lambda _: None)
        assert balance(gatherer.gather(city.clock)).closed


def test_transaction_that_stays_open_is_told_within_the_deadline(city: MemoryCity) -> None:
    busy(city)
    late = next(place for place in city.memory.records if place.topic == "ledger.intake")
    reader: Any = LateMarker(city, late, 1_000_000)
    now = iter(range(1_000_000))
    gatherer = Gatherer(
        reader,
        Lookup(reader, city.registry).decoder,
        7 * 86_400_000,
        deadline_s=5,
        clock=lambda: next(now),
        wait=lambda _: None,
    )
    with pytest.raises(TransactionOpen, match="stays open"):
        gatherer.gather(city.clock)
