"""Finding the record that somebody reports, its versions and its readers, with the real processors."""

from datetime import date

import pytest

from services.control.copier import CopyLine
from services.control.tickets.correction import SETTLED, Version, judged
from services.ledger.coordinates import Coordinate, parse_coordinate
from services.ledger.disputed import FoundRecord, NotReportable, find, recipients, versions
from services.ledger.lookup import RecordMissing
from services.ledger.received import Certainty, Effect
from tests.support.memory_bus import MemoryCity
from tests.unit.cli.called import ADDRESS, NAME, NUMBER, PERSON
from topics.disputes import dispute_key
from topics.event import GrantId, PolicyNumber, TopicName
from topics.grants.declaration import GrantState

SECRETS = {1: bytes(32)}
KEY = dispute_key(SECRETS[1], 1)
CANONICAL = TopicName("resource.population.person.v1")
RIGHT = {**PERSON, "address": "平江路2号"}
GONE = {**PERSON, "household_district": "320506", "address": "平江路2号"}


@pytest.fixture
def city() -> MemoryCity:
    found = MemoryCity()
    found.change("c", after=PERSON)
    found.change("c", after={**PERSON, "id": 2, "id_number": "11010519491231002X"})
    found.pump()
    return found


def standing(city: MemoryCity, topic: str) -> list[Coordinate]:
    return [
        parse_coordinate(record.coordinates)
        for place in city.memory.places(TopicName(topic))
        for record in city.memory.records.get(place, [])
    ]


def reported(city: MemoryCity, *items: str) -> FoundRecord:
    return find(city.lookup, standing(city, CANONICAL)[0], items, SECRETS)


def test_a_record_is_found_by_its_canonical_coordinate_without_being_named(city: MemoryCity) -> None:
    found = reported(city, "address", "name")
    assert (found.provider, found.contested.resource) == ("police", "population.person.v1")
    assert [item for item, _ in found.contested.values] == ["address", "name"]
    assert not [value for value in (NUMBER, NAME, ADDRESS) if value in repr(found.contested.values)]


def test_a_consumer_names_the_record_by_what_it_has_received(city: MemoryCity) -> None:
    [first, _] = standing(city, "sub.health.population.person.v1.health-persons-gusu")
    found = find(city.lookup, first, ["address"], SECRETS)
    assert found == reported(city, "address")
    assert found.version.at.topic == CANONICAL


def test_what_is_no_version_of_a_record_or_has_not_the_item_cannot_be_reported(city: MemoryCity) -> None:
    at = standing(city, CANONICAL)[0]
    with pytest.raises(NotReportable, match="has no item colour"):
        find(city.lookup, at, ["colour"], SECRETS)
    with pytest.raises(NotReportable, match="neither a canonical record nor a delivery"):
        find(city.lookup, Coordinate(TopicName("raw.police.public.person"), 0, 0), ["name"], SECRETS)
    with pytest.raises(RecordMissing):
        find(city.lookup, Coordinate(CANONICAL, at.partition, 99), ["name"], SECRETS)
    city.change("d", before=PERSON)
    city.pump()
    deletion = standing(city, CANONICAL)[-2]
    with pytest.raises(NotReportable, match="is a deletion"):
        find(city.lookup, deletion, ["name"], SECRETS)


def test_the_versions_of_the_record_are_found_by_its_hash_and_no_others(city: MemoryCity) -> None:
    found = reported(city, "address")
    city.change("u", PERSON, RIGHT)
    city.change("d", before=RIGHT)
    city.pump()
    start = Coordinate(CANONICAL, found.contested.partition, 0)
    seen = list(versions(city.lookup, found.contested, start, KEY))
    assert [None if each.state is None else each.state["address"] for each in seen] == [
        PERSON["address"],
        RIGHT["address"],
        None,
    ]
    assert [each.position for each in seen] == sorted(each.position for each in seen)
    verdicts = [
        judged(
            found.contested, Version(str(each.at), each.position, each.source_time_ms, each.state), KEY
        ).verdict
        for each in seen
    ]
    assert [each in SETTLED for each in verdicts] == [False, True, True]


def test_the_correction_of_an_identity_withdraws_the_record_under_its_old_key(city: MemoryCity) -> None:
    found = reported(city, "id_number")
    city.change("u", PERSON, {**PERSON, "id_number": "110105194912310046"})
    city.pump()
    start = Coordinate(CANONICAL, found.contested.partition, 0)
    assert [each.state is None for each in versions(city.lookup, found.contested, start, KEY)] == [
        False,
        True,
    ]


def test_the_ledger_names_everybody_who_received_the_wrong_version(city: MemoryCity) -> None:
    found = recipients(city.lookup, [reported(city, "address").version.at])
    assert [(each.consumer, each.grant, each.effect, each.certainty) for each in found] == [
        ("education", "education-persons", Effect.DELIVERED, Certainty.PROVEN),
        ("health", "health-persons-gusu", Effect.DELIVERED, Certainty.PROVEN),
    ]
    assert {each.block.split(":")[0] for each in found} == {"ledger.delivery"}


def test_a_version_that_took_the_record_away_names_who_lost_it(city: MemoryCity) -> None:
    city.change("u", PERSON, GONE)
    city.pump()
    moved = standing(city, CANONICAL)[-1]
    effects = {each.consumer: each.effect for each in recipients(city.lookup, [moved])}
    assert effects == {"education": Effect.DELIVERED, "health": Effect.TOMBSTONED}


def test_a_record_that_is_compacted_since_leaves_nobody_out(city: MemoryCity) -> None:
    city.change("c", after={**PERSON, "id": 3, "household_district": "320506"})
    city.pump()
    at = reported(city, "address").version.at
    del city.memory.records[at.place][0]
    found = recipients(city.lookup, [at])
    assert {each.consumer for each in found} >= {"education", "health"}


def test_a_copier_delivered_also_what_is_older_than_the_days_of_the_grant(city: MemoryCity) -> None:
    """It asks once whether the days have come, so the decision is not made again by the record's own time."""
    entry = city.policy.grants[GrantId("education-persons")]
    later = entry.grant.model_copy(update={"valid_from": date(2027, 1, 1), "state": GrantState.FILLING})
    filling = entry.model_copy(update={"grant": later, "generation": 2})
    policy = city.policy.model_copy(
        update={"version": PolicyNumber(2), "grants": {**city.policy.grants, later.id: filling}}
    )
    city.adopt(policy)
    at = reported(city, "address").version.at
    line = CopyLine(policy, filling, SECRETS, 1_800_000_000_000)
    line.codecs.learn(city.registry.schemas)  # type: ignore[arg-type]
    city.write(line.decide(city.memory.records[at.place]))
    copied = [each for each in recipients(city.lookup, [at]) if each.generation == 2]
    assert [(each.consumer, each.effect, each.certainty) for each in copied] == [
        ("education", Effect.DELIVERED, Certainty.PROVEN)
    ]
