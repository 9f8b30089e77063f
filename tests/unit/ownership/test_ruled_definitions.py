"""What a ruling gave away stays with whom it was given to, whatever the next definitions say."""

from dataclasses import replace
from typing import Any

import pytest

from services.control.comparison import compare_offline
from services.control.definitions import Definitions
from services.control.ownership.ruling import handed_over
from services.control.policy_document import next_policy, with_ruling
from services.control.ruled_definitions import changed, known_of, standing_orders, with_rulings
from services.control.transitions import transitions
from tests.support.policy import policy_of, sample_definitions, sample_policy
from topics.event import ResourceId, SchemaId
from topics.ownership import Decision, ItemRuling, in_force
from topics.policy import Policy

PERSON, ENROLMENT = ResourceId("population.person.v1"), ResourceId("social.enrolment.v1")
PERMITS = ResourceId("licence.permit.v1")
CITY = sample_definitions()


def ruling(number: int = 1, decision: Decision = Decision.TRANSFER, **more: Any) -> ItemRuling:
    wanted: dict[str, Any] = {
        "id": f"o-{number}",
        "claimant": ENROLMENT,
        "column": "address",
        "owner": PERSON,
        "item": "address",
        "decision": decision,
        "basis": "《政务数据共享条例》第二十条",
        "decided_ms": 1_790_000_000_000,
        "since_version": number + 1,
    }
    return ItemRuling(**{**wanted, **more})


def owner_of_address(found: Definitions) -> tuple[str | None, bool]:
    """Who owns the address by the persons' definition, and whether enrolments have it."""
    items = {item.name for item in found.resources[ENROLMENT].items}
    return found.resources[PERSON].item("address").owner, "address" in items


@pytest.mark.requirement("A5-01")
def test_a_ruling_is_carried_out_on_whatever_is_declared() -> None:
    found = with_rulings(CITY, [ruling()])
    assert found.refusals == ()
    assert owner_of_address(found.definitions) == ("social_security", True)
    assert owner_of_address(CITY) == (None, False)
    assert with_rulings(CITY, []).definitions is CITY


def test_of_several_rulings_on_one_column_the_latest_counts() -> None:
    rulings = [ruling(3, Decision.CONFIRM), ruling(1), ruling(2, column="name", item="name")]
    assert [each.id for each in in_force(rulings)] == ["o-2", "o-3"]
    assert with_rulings(CITY, [ruling(1), ruling(2, Decision.CONFIRM)]).definitions == CITY
    again = [ruling(1), ruling(2, Decision.CONFIRM), ruling(3)]
    assert owner_of_address(with_rulings(CITY, again).definitions) == ("social_security", True)


def test_definitions_that_say_the_same_by_now_are_left_as_they_are() -> None:
    written = with_rulings(CITY, [ruling()]).definitions
    found = with_rulings(written, [ruling()])
    assert (found.definitions, found.refusals) == (written, ())


def test_definitions_that_contradict_a_ruling_are_refused_and_take_nothing_back() -> None:
    enrolment = CITY.resources[ENROLMENT]
    without = enrolment.model_copy(update={"foreign_items": enrolment.foreign_items[:1]})
    found = with_rulings(replace(CITY, resources={**CITY.resources, ENROLMENT: without}), [ruling()])
    [refusal] = found.refusals
    assert (refusal.target, "o-1" in refusal.reason) == (ENROLMENT, True)


def test_a_ruling_about_a_resource_that_is_gone_holds_nothing_up() -> None:
    rest = {key: resource for key, resource in CITY.resources.items() if key != ENROLMENT}
    found = with_rulings(replace(CITY, resources=rest), [ruling()])
    assert (found.refusals, set(found.definitions.resources)) == ((), set(rest))


def claimed_by_permits() -> Definitions:
    """The city, if permits held the address of persons too."""
    permits = CITY.resources[PERMITS]
    address = CITY.resources[ENROLMENT].foreign_items[1]
    both = permits.model_copy(update={"foreign_items": (*permits.foreign_items, address)})
    return replace(CITY, resources={**CITY.resources, PERMITS: both})


def test_who_else_claims_the_item_claims_it_of_its_new_owner() -> None:
    found = with_rulings(claimed_by_permits(), [ruling(1)])
    assert found.refusals == ()
    assert found.definitions.resources[PERMITS].foreign_items[-1].owner == "social_security"
    schema = found.definitions.item_schemas[ENROLMENT]["fields"]
    assert [each["name"] for each in schema].count("address") == 1


def test_a_policy_carries_its_rulings_on_and_numbers_them() -> None:
    first = with_ruling(sample_policy(4), ruling(), 9)
    assert (first.version, first.rulings["o-1"].since_version) == (5, 5)
    assert Policy.model_validate_json(first.model_dump_json(by_alias=True)) == first
    declared = compare_offline(CITY).declared
    moves = {each.grant: each for each in transitions(declared.grants, declared.resources, None, frozenset())}
    ids = dict.fromkeys(compare_offline(CITY).desired.subjects, SchemaId(1))
    assert next_policy(declared, moves, ids, first, 10).rulings == first.rulings


def test_a_policy_of_before_has_no_rulings() -> None:
    old = sample_policy().model_dump(by_alias=True, mode="json")
    del old["rulings"]
    assert Policy.model_validate(old).rulings == {}


def test_plan_notes_what_a_ruling_decides() -> None:
    [note] = standing_orders(with_ruling(sample_policy(), ruling(), 9))
    assert "address of population.person.v1 belongs to social.enrolment.v1 by the ruling o-1" in note
    assert list(standing_orders(with_ruling(sample_policy(), ruling(1, Decision.CONFIRM), 9))) == []
    assert list(standing_orders(None)) == []


def test_what_is_in_force_makes_a_whole_policy() -> None:
    change = handed_over(ENROLMENT, "address", known_of(CITY))
    assert not isinstance(change, tuple)
    assert (
        policy_of(changed(CITY, change)).resources
        == policy_of(with_rulings(CITY, [ruling()]).definitions).resources
    )
