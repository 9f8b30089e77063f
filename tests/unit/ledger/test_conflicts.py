"""Rows that claim one identity are found where they meet, until the provider has corrected one of them."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from services.ledger.conflicts import Conflict, read_conflicts
from tests.support.memory_bus import MemoryCity
from topics.event import ResourceId

NUMBER, OTHER = "11010519491231002X", "440524188001010014"
PERSONS = ResourceId("population.person.v1")


def person(row: int, number: str = NUMBER, **changed: Any) -> Mapping[str, Any]:
    born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    return {
        "id": row,
        "id_number": number,
        "name": "王小明",
        "birth_date": (born - date(1970, 1, 1)).days,
        "sex": "2",
        "address": "平江路1号",
        "household_district": "320508",
        "updated_at": 1_790_000_000_000,
        **changed,
    }


def found(city: MemoryCity) -> list[Conflict]:
    city.pump()
    return read_conflicts(city.lookup)


def rows(conflict: Conflict) -> list[str]:
    return [side.record_id for side in conflict.records]


@pytest.mark.requirement("A5-02", "A5-09")
def test_two_rows_with_one_number_are_both_kept_and_reported_with_their_coordinates(city: MemoryCity) -> None:
    first = city.change("c", after=person(1))
    second = city.change("c", after=person(2))
    [conflict] = found(city)
    assert (conflict.resource, conflict.provider) == (PERSONS, "police")
    assert conflict.identity == f"resident_id:{NUMBER}"
    assert rows(conflict) == ["1", "2"]
    assert [side.raw for side in conflict.records] == [first.coordinates, second.coordinates]
    assert conflict.since_ms == conflict.records[1].since_ms > conflict.records[0].since_ms
    assert not conflict.record_ids_name_persons


@pytest.mark.parametrize(
    "changes",
    [
        [("c", None, person(1))],
        [("c", None, person(1)), ("c", None, person(2, OTHER))],
        [("c", None, person(1)), ("u", person(1), person(1, name="王晓明"))],
        [("c", None, person(1)), ("c", None, person(2)), ("u", person(2), person(2, OTHER))],
        [("c", None, person(1)), ("c", None, person(2)), ("d", person(1), None)],
        [("c", None, person(1)), ("d", person(1), None), ("c", None, person(2))],
    ],
    ids=["one", "two numbers", "updated", "corrected", "deleted", "one after the other"],
)
def test_nothing_is_reported_where_one_row_claims_the_identity_in_the_end(
    city: MemoryCity, changes: list[tuple[str, Any, Any]]
) -> None:
    for operation, before, after in changes:
        city.change(operation, before, after)
    assert found(city) == []


def test_rows_that_swap_their_numbers_are_reported_only_while_both_hold_the_same(city: MemoryCity) -> None:
    city.change("c", after=person(1))
    city.change("c", after=person(2, OTHER))
    city.change("u", person(1), person(1, OTHER))
    [conflict] = found(city)
    assert rows(conflict) == ["2", "1"]
    city.change("u", person(2, OTHER), person(2))
    assert found(city) == []


def test_a_later_change_of_either_row_does_not_make_the_conflict_younger(city: MemoryCity) -> None:
    city.change("c", after=person(1))
    city.change("c", after=person(2))
    [before] = found(city)
    newest = city.change("u", person(1), person(1, name="王晓明"))
    [after] = found(city)
    assert after.since_ms == before.since_ms
    assert after.records[0].raw == newest.coordinates


def test_resource_that_allows_several_records_has_no_conflicts(city: MemoryCity) -> None:
    city.change("c", after=person(1))
    city.change("c", after=person(2))
    city.pump()
    assert read_conflicts(city.lookup, ResourceId("social.enrolment.v1")) == []
    assert len(read_conflicts(city.lookup, PERSONS)) == 1
