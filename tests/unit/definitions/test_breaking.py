"""A change that readers cannot follow is refused under the same version, and the remedy is a new one."""

import json
from dataclasses import replace
from typing import Any

import pytest

from services.control.comparison import compare_offline
from services.control.definitions import Definitions
from services.control.grant_source import breaking_changes, unbroken
from tests.support.policy import sample_definitions, sample_policy
from topics.event import GrantId, ResourceId
from topics.policy import GrantPolicy, Policy
from topics.schema_breaks import Break, How, breaks
from topics.schema_rules import ItemForm

TEXT, NUMBER = ItemForm("string", None, False), ItemForm("int", None, False)
PERSON = ResourceId("population.person.v1")


@pytest.mark.parametrize(
    ("new", "found"),
    [
        ({"id": TEXT, "age": NUMBER}, []),
        ({"id": TEXT, "age": NUMBER, "more": TEXT}, []),
        ({"id": TEXT}, [Break("age", How.GONE)]),
        ({"id": TEXT, "age": TEXT}, [Break("age", How.TYPE, "int", "string")]),
        ({"id": TEXT, "age": ItemForm("long", None, False)}, [Break("age", How.TYPE, "int", "long")]),
        ({"id": TEXT, "age": ItemForm("int", "date", False)}, [Break("age", How.TYPE, "int", "int (date)")]),
        ({"id": TEXT, "age": ItemForm("int", None, True)}, [Break("age", How.EMPTY)]),
        ({}, [Break("id", How.GONE), Break("age", How.GONE)]),
    ],
)
def test_what_a_reader_cannot_follow_breaks(new: dict[str, ItemForm], found: list[Break]) -> None:
    assert list(breaks({"id": TEXT, "age": NUMBER}, new)) == found


def test_what_may_be_empty_may_become_never_empty() -> None:
    assert breaks({"age": ItemForm("int", None, True)}, {"age": NUMBER}) == ()


def test_a_break_is_said_in_words() -> None:
    said = [
        str(each)
        for each in (Break("a", How.GONE), Break("a", How.TYPE, "int", "long"), Break("a", How.EMPTY))
    ]
    assert said == ["a is gone", "a was int and is long", "a may be empty now"]


def by_cases() -> Policy:
    return sample_policy().model_copy(update={"by_cases": True})


def declared(field: str, **changes: Any) -> Definitions:
    """The sample city without grants of files, a field of persons changed, or gone where nothing is said."""
    sample = sample_definitions()
    schema = json.loads(json.dumps(sample.item_schemas[PERSON]))
    fields = []
    for each in schema["fields"]:
        if each["name"] != field:
            fields.append(each)
        elif changes:
            fields.append(each | changes)
    schema["fields"] = fields
    return replace(sample, grants={}, item_schemas={**sample.item_schemas, PERSON: schema})


@pytest.mark.parametrize(
    ("item", "changes", "how"),
    [
        ("household_district", {}, "is gone"),
        ("household_district", {"type": "int"}, "was string and is int"),
        ("id_number", {"type": ["null", "string"], "default": None}, "may be empty now"),
    ],
)
def test_what_a_grant_shows_does_not_change_in_place(item: str, changes: dict[str, Any], how: str) -> None:
    [refusal] = breaking_changes(declared(item, **changes), by_cases())
    assert refusal.target == PERSON
    assert refusal.reason.startswith(f"{item} {how}, ")
    assert "health-persons-gusu" in refusal.reason
    assert "version 2 (population.person.v2)" in refusal.reason
    assert f"govbus catalogue retire {PERSON} --by population.person.v2" in refusal.reason


def test_what_no_grant_shows_may_change_and_so_may_what_is_new() -> None:
    policy = by_cases()
    narrow = {id_: _without("address", entry) for id_, entry in policy.grants.items()}
    hiding = policy.model_copy(update={"grants": narrow})
    assert list(breaking_changes(declared("address"), hiding)) == []
    assert list(breaking_changes(declared("address"), policy)) != []
    assert list(breaking_changes(sample_definitions(), sample_policy())) == []
    assert list(breaking_changes(declared("household_district"), None)) == []


def _without(item: str, entry: GrantPolicy) -> GrantPolicy:
    items = tuple(each for each in entry.grant.items if each != item)
    return entry.model_copy(update={"grant": entry.grant.model_copy(update={"items": items})})


def test_a_grant_that_lets_go_of_an_item_in_the_same_apply_is_not_broken() -> None:
    files = declared("household_district")
    narrowed = {
        id_: _without("household_district", each).grant for id_, each in sample_policy().grants.items()
    }
    assert list(breaking_changes(replace(files, grants=narrowed), sample_policy())) == []


def test_what_is_refused_is_compared_as_it_is_in_force_and_says_so_instead_of_breaking() -> None:
    files = declared("household_district")
    kept = unbroken(files, by_cases())
    assert kept.item_schemas[PERSON] == sample_definitions().item_schemas[PERSON]
    assert kept.resources == files.resources
    grants = {GrantId(id_): entry.grant for id_, entry in by_cases().grants.items()}
    assert compare_offline(replace(kept, grants=grants)).desired.subjects
    assert unbroken(sample_definitions(), sample_policy()) is sample_definitions()


def test_versions_of_what_is_published_have_raw_topics_of_their_own() -> None:
    permit = sample_definitions().resources[ResourceId("licence.permit.v1")]
    newer = permit.model_copy(update={"version": 2})
    assert permit.raw_topic == "raw.market_regulation.publish.licence.permit"
    assert newer.raw_topic == "raw.market_regulation.publish.licence.permit.v2"
