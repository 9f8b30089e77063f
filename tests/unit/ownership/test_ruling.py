"""The authority's decision on a conflict about an item: what the next policy version says otherwise."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from services.control.cases.words import Actor, Problem, Role
from services.control.ownership.ruling import Known, OwnershipChange, Ruling, names_of, ruled
from services.gate.line import decide
from services.gate.plan import compile_gate
from tests.support.debezium import ENROLMENT_SCHEMA_ID, ENROLMENT_TOPIC, SCHEMAS, raw
from tests.support.policy import policy_of, sample_definitions
from topics.canonical import envelope_schema
from topics.engine.reference import ReferenceCodec
from topics.event import ResourceId
from topics.ownership import Decision
from topics.quality.rules import CodeList
from topics.wire import split

PERSON, ENROLMENT = ResourceId("population.person.v1"), ResourceId("social.enrolment.v1")
CITY = sample_definitions()
KNOWN = Known(
    resources=CITY.resources,
    item_schemas=CITY.item_schemas,
    providers=CITY.providers,
    grants=CITY.grants,
    code_lists=tuple(
        CodeList(name.split("@")[0], name.split("@")[1], frozenset(codes))
        for name, codes in CITY.code_lists.items()
    ),
)
RULING = Ruling(
    claimant=ENROLMENT,
    column="address",
    decision=Decision.TRANSFER,
    who=Actor("Li", Role.AUTHORITY, "data_bureau"),
    basis="《政务数据共享条例》第二十条",
    text="参保登记时核验住址，由人社部门采集",
)


def against(known: Known = KNOWN, **changes: Any) -> list[str]:
    found = ruled(replace(RULING, **changes), known)
    return [] if isinstance(found, OwnershipChange) else [problem.code for problem in found]


def transferred() -> OwnershipChange:
    found = ruled(RULING, KNOWN)
    assert isinstance(found, OwnershipChange), found
    return found


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"decision": Decision.CONFIRM}, []),
        ({"who": Actor("Li", Role.PROVIDER, "data_bureau")}, ["WRONG_ROLE"]),
        ({"who": Actor("Li", Role.AUTHORITY, "police")}, ["OWN_CONFLICT"]),
        ({"who": Actor("Li", Role.AUTHORITY, "social_security")}, ["OWN_CONFLICT"]),
        ({"basis": " "}, ["BASIS_MISSING"]),
        ({"text": ""}, ["BASIS_MISSING"]),
        ({"column": "status"}, ["NOT_CLAIMED"]),
        ({"claimant": ResourceId("no.such.v1")}, ["NOT_CLAIMED"]),
        # The name of a person cannot be empty in its schema.
        ({"column": "name"}, ["ITEM_NEVER_EMPTY"]),
    ],
)
def test_a_ruling_is_the_authoritys_and_about_what_is_claimed(
    changes: dict[str, Any], expected: list[str]
) -> None:
    assert against(**changes) == expected


def test_a_confirmed_owner_changes_nothing() -> None:
    assert ruled(replace(RULING, decision=Decision.CONFIRM), KNOWN) == OwnershipChange()


def claiming(item: str) -> Known:
    """The sample city, if the social security published another item of persons."""
    enrolment = CITY.resources[ENROLMENT]
    foreign = enrolment.foreign_items[1].model_copy(update={"item": item})
    changed = enrolment.model_copy(update={"foreign_items": (foreign,)})
    return replace(KNOWN, resources={**KNOWN.resources, ENROLMENT: changed})


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("household_district", ["ITEM_KEYS_RECORDS"]),
        ("birth_date", ["RULE_NEEDS_ITEM"]),
        ("sex", ["RULE_NEEDS_ITEM"]),
        ("updated_at", ["ITEM_EXISTS"]),
    ],
)
def test_what_others_depend_on_is_not_handed_over(item: str, expected: list[str]) -> None:
    assert against(claiming(item)) == expected


@pytest.mark.requirement("A5-01")
def test_after_a_transfer_the_item_has_one_owner_still() -> None:
    change = transferred()
    person, enrolment = change.resources[PERSON], change.resources[ENROLMENT]
    assert person.item("address").owner == "social_security"
    assert enrolment.item("address").owner is None
    assert [each.column for each in enrolment.foreign_items] == ["name"]
    assert not [rule for rule in person.rules if "address" in names_of(rule)]
    moved = [rule.rule for rule in enrolment.rules if "address" in names_of(rule)]
    assert moved == ["required", "length"]


def test_who_loses_the_item_by_a_transfer_is_named() -> None:
    showing = sorted(
        id_ for id_, grant in CITY.grants.items() if grant.resource == PERSON and "address" in grant.items
    )
    assert showing
    assert list(transferred().losing) == showing


def test_records_of_before_are_read_by_the_widened_schema() -> None:
    [schema] = transferred().item_schemas.values()
    assert schema["fields"][:-1] == CITY.item_schemas[ENROLMENT]["fields"]
    assert schema["fields"][-1]["default"] is None


def test_the_next_policy_version_keeps_the_claimants_value_and_cuts_the_old_owners() -> None:
    change = transferred()
    after = replace(
        CITY,
        resources={**CITY.resources, **change.resources},
        item_schemas={**CITY.item_schemas, **change.item_schemas},
    )
    policy = policy_of(after, 2)
    gate = compile_gate(policy)
    codecs = {number: ReferenceCodec(schema) for number, schema in SCHEMAS.items()}
    row = {
        "id": 7,
        "id_number": "11010519491231002X",
        "name": "王小明",
        "address": "平江路1号",
        "insurance_type": "310",
        "enrolled_on": (date(2020, 1, 1) - date(1970, 1, 1)).days,
        "monthly_base": "5000.00",
        "status": "1",
        "updated_at": 1_790_000_000_000,
    }
    decision = decide(raw("c", 1, None, row, ENROLMENT_TOPIC, ENROLMENT_SCHEMA_ID), gate, codecs, None)
    [out] = [each for each in decision.outputs if each.topic == f"resource.{ENROLMENT}"]
    schema = envelope_schema(
        json.loads(policy.resources[ENROLMENT].item_schema), after.resources[ENROLMENT].scope_items
    )
    state: Any = ReferenceCodec(schema).decode(split(out.value or b"")[1])["state"]
    assert state["address"] == "平江路1号"
    claimed = [each for each in decision.outputs if each.topic == "claims.social_security"]
    assert len(claimed) == 1, "the name is the police's still"


def test_a_problem_names_where_and_what_to_do() -> None:
    found = ruled(replace(RULING, column="name"), KNOWN)
    assert isinstance(found, tuple)
    assert all(isinstance(each, Problem) and each.what and each.remedy for each in found)
