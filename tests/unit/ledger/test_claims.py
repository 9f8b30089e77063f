"""Claims stand beside what the owner said when they came, and beside what the owner says now."""

import pytest

from services.ledger.claims import ClaimView, Then, read_claims
from services.ledger.counts import Place
from tests.support.memory_bus import MemoryCity
from tests.unit.ledger.test_city import ENROLMENT, SOCIAL, person

BEFORE, CLAIMED, LATER = 1_790_000_010_000, 1_790_000_020_000, 1_790_000_030_000


def claims(city: MemoryCity) -> dict[str, ClaimView]:
    city.pump()
    return {view.item: view for view in read_claims(city.lookup, SOCIAL)}


def publish_claims(city: MemoryCity) -> None:
    city.change("c", after=ENROLMENT, enrolment=True, at_ms=CLAIMED)


def test_claim_shows_both_values_and_whether_they_agree(city: MemoryCity) -> None:
    city.change("c", after=person())
    city.change("c", after=ENROLMENT, enrolment=True)
    city.pump()
    views = {view.item: view for view in read_claims(city.lookup, SOCIAL)}
    assert (views["name"].claimed, views["name"].current, views["name"].agrees) == ("王小名", "王小明", False)
    assert views["address"].agrees
    assert views["address"].owner == "police"


def test_claim_about_whom_the_owner_does_not_know_has_no_current_value(city: MemoryCity) -> None:
    city.change("c", after=ENROLMENT, enrolment=True)
    city.pump()
    assert {view.owner_has_record for view in read_claims(city.lookup, SOCIAL)} == {False}


@pytest.mark.requirement("A5-04")
def test_a_later_change_of_the_owners_value_makes_no_dispute_of_an_older_claim(city: MemoryCity) -> None:
    city.change("c", after=person(), at_ms=BEFORE)
    publish_claims(city)
    city.change("u", person(), person(address="观前街2号"), at_ms=LATER)
    found = claims(city)
    address = found["address"]
    assert (address.then, address.current, address.agrees) == ("平江路1号", "观前街2号", True)
    assert (address.then_state, found["name"].agrees) == (Then.KNOWN, False)


def test_a_claim_is_compared_with_what_the_owner_said_last_before_it(city: MemoryCity) -> None:
    city.change("c", after=person(), at_ms=BEFORE)
    city.change("u", person(), person(address="观前街2号"), at_ms=BEFORE + 1)
    publish_claims(city)
    city.change("d", person(address="观前街2号"), at_ms=LATER)
    address = claims(city)["address"]
    assert (address.then, address.then_state, address.agrees) == ("观前街2号", Then.KNOWN, False)
    assert (address.current, address.owner_has_record) == (None, False)


@pytest.mark.parametrize(("operation", "then"), [("c", Then.NO_RECORD), ("r", Then.UNKNOWN)])
def test_before_the_owners_first_record_nothing_agrees_and_nothing_differs(
    city: MemoryCity, operation: str, then: Then
) -> None:
    publish_claims(city)
    city.change(operation, after=person(), at_ms=LATER)
    address = claims(city)["address"]
    assert (address.then_state, address.then, address.agrees) == (then, None, None)
    assert address.current == "平江路1号"


def test_what_compaction_took_of_the_owners_record_is_unknown_then(city: MemoryCity) -> None:
    city.change("c", after=person(), at_ms=BEFORE)
    publish_claims(city)
    city.change("u", person(), person(address="观前街2号"), at_ms=LATER)
    city.pump()
    place = next(
        place
        for place, records in city.memory.records.items()
        if place.topic == "resource.population.person.v1" and records
    )
    compact(city, place)
    address = claims(city)["address"]
    assert (address.then_state, address.then, address.agrees) == (Then.UNKNOWN, None, None)
    assert address.current == "观前街2号"


def compact(city: MemoryCity, place: Place) -> None:
    """Of each key only its last record stays."""
    last = {record.key: record for record in city.memory.records[place]}
    city.memory.records[place] = list(last.values())
