"""What is late is judged by the update cycle that its resource promises."""

from typing import Any

import pytest

from tests.support.debezium import PERSON_SCHEMA_ID, PERSON_TOPIC, raw
from tests.support.memory_bus import MemoryCity
from tests.support.policy import sample_definitions
from topics.definition_rules import resource_problems
from topics.event import ResourceId
from topics.quality.compiler import compile_rules
from topics.quality.declaration import WITHIN_SECONDS, UpdateCycle, parse_declarations
from topics.quality.verdict import AssessmentContext
from topics.resource import Resource

PERSONS, ENTERPRISES = ResourceId("population.person.v1"), ResourceId("legal.enterprise.v1")
COMMITTED_MS = 1_790_000_010_000
PERSON: dict[str, Any] = {
    "id": 1,
    "id_number": "11010519491231002X",
    "name": "王小明",
    "birth_date": -7306,
    "sex": "2",
    "address": "平江路1号",
    "household_district": "320508",
    "updated_at": 1_790_000_000_000,
}


@pytest.mark.requirement("A4-13")
@pytest.mark.parametrize(("delay_ms", "marks"), [(300_000, []), (300_001, ["timeliness"])])
def test_a_person_that_comes_after_its_update_cycle_is_delivered_and_marked(
    delay_ms: int, marks: list[str]
) -> None:
    city = MemoryCity()
    made = raw("c", 0, None, PERSON, PERSON_TOPIC, PERSON_SCHEMA_ID, at_ms=COMMITTED_MS)
    city.memory.add(made.topic, 0, made.key, made.value, made.headers, COMMITTED_MS + delay_ms)
    city.pump()
    written = [
        city.lookup.value(record)
        for place, records in city.memory.records.items()
        if place.topic == "resource.population.person.v1"
        for record in records
    ]
    assert [value and value["marks"] for value in written] == [marks]


@pytest.mark.parametrize("resource", [PERSONS, ENTERPRISES])
def test_persons_and_enterprises_are_judged_by_their_own_cycle(resource: ResourceId) -> None:
    declared = sample_definitions().resources[resource]
    [rule] = [rule for rule in declared.rules if rule.rule == "timeliness"]
    assert (rule.update_cycle, rule.within_seconds, rule.severity) == (None, None, "mark")


@pytest.mark.parametrize("cycle", list(UpdateCycle))
def test_a_rule_without_a_limit_takes_the_cycle_of_its_resource(cycle: UpdateCycle) -> None:
    rules = compile_rules(parse_declarations([{"rule": "timeliness"}]), update_cycle=cycle)
    limit = WITHIN_SECONDS[cycle] * 1000
    late = [bool(rules.assess({}, AssessmentContext(limit + more, 0)).stops) for more in (0, 1)]
    assert late == [False, True]


@pytest.mark.parametrize(
    ("limit", "refused"),
    [
        ({}, False),
        ({"update_cycle": "daily"}, False),
        ({"update_cycle": "hourly"}, False),
        ({"update_cycle": "weekly"}, True),
        ({"within_seconds": 86_400}, False),
        ({"within_seconds": 86_401}, True),
    ],
)
def test_a_rule_may_ask_for_more_than_the_cycle_but_not_for_less(
    limit: dict[str, Any], refused: bool
) -> None:
    found = sample_definitions()
    content = found.resources[PERSONS].model_dump(by_alias=True)
    rules = [{"rule": "timeliness", "severity": "mark", **limit}]
    resource = Resource.model_validate(content | {"update_cycle": "daily", "rules": rules})
    problems = resource_problems(resource, found.item_schemas[PERSONS], found.providers, found.resources, ())
    assert [problem.path for problem in problems] == ([("rules", 0)] if refused else [])
