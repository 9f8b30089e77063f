"""The generated city is realistic, repeatable, and labelled by an oracle that agrees with the product."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.demo.city import (
    CITY_DAY,
    ENROLMENT_MISTAKES,
    ENTERPRISE_MISTAKES,
    generate_enrolments,
    generate_enterprises,
    generate_persons,
)
from services.demo.oracle import expect_enterprise, expect_person
from services.demo.people import MISTAKES
from services.demo.places import DISTRICTS, FORMER_DISTRICTS, GRANTED_DISTRICT
from services.demo.rows import ACCEPTED, Labelled
from tests.unit.demo.judged import CITY, judge, seeded
from topics.identity.counties import ABOLISHED_COUNTIES, COUNTIES

PERSONS = list(generate_persons(3_000, seeded(1), CITY_DAY, mistakes=0.3))
ENTERPRISES = list(generate_enterprises(1_000, seeded(2), CITY_DAY, mistakes=0.4))
ENROLMENTS = list(generate_enrolments(PERSONS, seeded(3), CITY_DAY, mistakes=0.2))
ALL = {
    "population.person.v1": PERSONS,
    "legal.enterprise.v1": ENTERPRISES,
    "social.enrolment.v1": ENROLMENTS,
}


@pytest.mark.parametrize(("resource", "rows"), ALL.items(), ids=list(ALL))
@pytest.mark.parametrize("today", [CITY_DAY, date(2034, 12, 31)], ids=["city day", "ten years later"])
def test_oracle_and_product_agree_on_every_row_on_any_later_day(
    resource: str, rows: Sequence[Labelled[Any]], today: date
) -> None:
    differ = [each for each in rows if judge(resource, each.row, today) != each.expected]
    assert differ == []


@pytest.mark.parametrize(
    ("rows", "mistakes"),
    [(PERSONS, MISTAKES), (ENTERPRISES, ENTERPRISE_MISTAKES), (ENROLMENTS, ENROLMENT_MISTAKES)],
    ids=list(ALL),
)
def test_every_mistake_occurs_and_is_noticed_and_rows_without_one_are_accepted_unmarked(
    rows: Sequence[Labelled[Any]], mistakes: dict[str, object]
) -> None:
    assert {each.mistake for each in rows} == {None, *mistakes}
    for each in rows:
        unharmed = each.expected.outcome == ACCEPTED and not each.expected.marks
        assert unharmed is (each.mistake is None), each


def test_the_same_seed_makes_the_same_city_and_a_larger_one_begins_with_the_smaller() -> None:
    small = list(generate_persons(50, seeded(7), CITY_DAY))
    large = list(generate_persons(200, seeded(7), CITY_DAY))
    assert large[:50] == small
    assert list(generate_persons(50, seeded(8), CITY_DAY)) != small
    insured = [list(generate_enrolments(each, seeded(9), CITY_DAY)) for each in (small, large)]
    assert insured[1][: len(insured[0])] == insured[0]
    firms = [list(generate_enterprises(count, seeded(9), CITY_DAY)) for count in (20, 60)]
    assert firms[1][:20] == firms[0]


def test_no_two_accepted_persons_or_enterprises_share_a_number() -> None:
    for rows in (PERSONS, ENTERPRISES):
        numbers = Counter(each.expected.identity for each in rows if each.expected.outcome == ACCEPTED)
        assert numbers.most_common(1)[0][1] == 1


def test_names_hold_characters_beyond_the_basic_plane_and_minority_names() -> None:
    names = "".join(each.row.name or "" for each in PERSONS)
    assert any(ord(character) > 0xFFFF for character in names)
    assert "·" in names


def test_districts_are_current_codes_and_older_people_have_numbers_of_former_ones() -> None:
    assert {code: COUNTIES[code] for code in DISTRICTS} == {
        code: name for code, (name, _) in DISTRICTS.items()
    }
    former = {code for codes in FORMER_DISTRICTS.values() for code in codes}
    assert former <= set(ABOLISHED_COUNTIES)
    areas = {(each.expected.identity or "")[:6] for each in PERSONS}
    assert former <= areas
    assert {"810000", "820000", "830000"} & areas
    assert any(area.startswith("9") for area in areas)


def test_the_granted_district_is_the_one_of_the_grant_and_many_live_there() -> None:
    health = next(each for each in CITY.grants.values() if each.consumer == "health")
    assert health.rows[0].values == (GRANTED_DISTRICT,)
    at_home = sum(each.row.household_district == GRANTED_DISTRICT for each in PERSONS)
    assert 0.15 < at_home / len(PERSONS) < 0.5


def test_untidy_numbers_are_accepted_under_their_normal_form() -> None:
    untidy = [
        each for each in PERSONS if each.mistake is None and each.row.id_number != each.expected.identity
    ]
    assert len(untidy) > 30
    assert all(each.expected.outcome == ACCEPTED for each in untidy)


def test_some_enrolments_hold_names_and_addresses_that_differ_from_the_police() -> None:
    police = {each.expected.identity: each.row for each in PERSONS}
    held = [
        each for each in ENROLMENTS if each.expected.outcome == ACCEPTED and "name" in each.expected.claims
    ]
    differ = [
        each
        for each in held
        if (each.row.name, each.row.address)
        != (police[each.expected.identity].name, police[each.expected.identity].address)
    ]
    assert 0 < len(differ) < len(held) / 10
    assert any(not each.expected.claims for each in ENROLMENTS)


@given(st.text(alphabet="0123456789Xx０９Ｘ 19", min_size=14, max_size=20))
def test_oracle_and_product_agree_on_any_resident_number(number: str) -> None:
    row = _with(PERSONS, "id_number", number)
    assert judge("population.person.v1", row, CITY_DAY) == expect_person(row, CITY_DAY)


@given(st.text(alphabet="0123456789MAYIOSVZ ａ", min_size=16, max_size=19))
def test_oracle_and_product_agree_on_any_credit_code(code: str) -> None:
    row = _with(ENTERPRISES, "credit_code", code)
    assert judge("legal.enterprise.v1", row, CITY_DAY) == expect_enterprise(row, CITY_DAY)


@given(st.integers(0, 17), st.sampled_from("0123456789X"), st.integers(0, 50))
def test_one_changed_character_of_a_resident_number_is_judged_alike(place: int, new: str, which: int) -> None:
    row = PERSONS[which].row
    number = (row.id_number or "1" * 18)[:18]
    changed = _with([PERSONS[which]], "id_number", number[:place] + new + number[place + 1 :])
    assert judge("population.person.v1", changed, CITY_DAY) == expect_person(changed, CITY_DAY)


def _with(rows: Sequence[Labelled[Any]], name: str, value: str) -> Any:
    return replace(rows[0].row, **{name: value})
