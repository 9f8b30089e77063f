"""What the collector keeps of schemas: asked for once, made anew when another is in force, else kept."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from schemas.registry import RegistryUnavailable, SchemaNotFound
from services.control.catalogue.schema_steps import Registered
from services.control.process.collecting.schemas import KEPT, MOST, schema_documents
from tests.support.policy import sample_policy
from topics.canonical import envelope_schema, schema_text
from topics.event import ResourceId, SchemaId
from topics.names import value_subject
from topics.policy import Policy, ResourcePolicy

PERSONS, NEXT = ResourceId("population.person.v1"), ResourceId("population.person.v2")
POLICY = sample_policy()
SUBJECT = value_subject(POLICY.resources[PERSONS].resource.canonical_topic)


def envelope(*more: str, without: str = "") -> dict[str, Any]:
    """The schema of persons with some items more, or one less."""
    items = json.loads(POLICY.resources[PERSONS].item_schema)
    items["fields"] = [each for each in items["fields"] if each["name"] != without]
    items["fields"] += [{"name": name, "type": ["null", "string"], "default": None} for name in more]
    return envelope_schema(items, ())


@dataclass(slots=True)
class MemoryRegistry:
    """Versions of subjects, and what was asked of them."""

    known: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    fails: Exception | None = None
    asked: list[str] = field(default_factory=list)

    def versions(self, subject: str) -> Sequence[Registered]:
        self.asked.append(subject)
        if self.fails is not None:
            raise self.fails
        schemas = self.known.get(subject, [envelope()])
        return [Registered(number, schema) for number, schema in enumerate(schemas, start=1)]


def under(**changes: Any) -> Policy:
    """The sample policy with something else about persons."""
    entry = POLICY.resources[PERSONS].model_copy(update=changes)
    return POLICY.model_copy(update={"resources": {**POLICY.resources, PERSONS: entry}})


def test_each_version_is_compared_with_the_one_before_it() -> None:
    registry = MemoryRegistry({SUBJECT: [envelope(), envelope("phone"), envelope("phone", without="sex")]})
    found = schema_documents(POLICY, {}, registry.versions)
    first, second = found[PERSONS]["schema_steps"]
    assert (first["before"], first["after"], first["breaks"]) == ("1", "2", [])
    assert first["changes"] == [{"path": "state.phone", "what": "added", "was": "", "now": "null | string"}]
    assert (second["before"], second["after"]) == ("2", "3")
    assert second["breaks"] == [{"item": "sex", "how": "gone", "was": "", "now": ""}]
    assert all(found[id_]["schema_steps"] == [] for id_ in POLICY.resources if id_ != PERSONS)


def test_the_registry_is_asked_once_until_another_schema_is_in_force() -> None:
    registry = MemoryRegistry()
    found = schema_documents(POLICY, {}, registry.versions)
    assert len(registry.asked) == len(POLICY.resources)
    registry.asked.clear()
    assert schema_documents(POLICY, found, registry.versions) == found
    assert registry.asked == []
    registry.known[SUBJECT] = [envelope(), envelope("phone")]
    newer = schema_documents(under(canonical_value_schema_id=SchemaId(900)), found, registry.versions)
    assert registry.asked == [SUBJECT]
    assert [each["after"] for each in newer[PERSONS]["schema_steps"]] == ["2"]


def test_a_newer_version_of_a_resource_is_compared_with_the_one_before_it() -> None:
    old = POLICY.resources[PERSONS]
    new = old.model_copy(
        update={
            "resource": old.resource.model_copy(update={"version": 2}),
            "envelope_schema": schema_text(envelope(without="address")),
            "canonical_value_schema_id": SchemaId(901),
        }
    )
    policy = POLICY.model_copy(update={"resources": {NEXT: new, **POLICY.resources}})
    [step] = schema_documents(policy, {}, MemoryRegistry().versions)[NEXT]["schema_steps"]
    assert (step["before"], step["after"]) == (PERSONS, NEXT)
    assert [each["item"] for each in step["breaks"]] == ["address"]


@pytest.mark.parametrize(
    ("error", "questions"), [(RegistryUnavailable("gone"), 1), (SchemaNotFound("none"), 4)]
)
def test_what_is_known_stays_while_the_registry_says_nothing_and_is_asked_for_again(
    error: Exception, questions: int
) -> None:
    registry = MemoryRegistry({SUBJECT: [envelope(), envelope("phone")]})
    found = schema_documents(POLICY, {}, registry.versions)
    registry.fails = error
    policy = under(canonical_value_schema_id=SchemaId(900))
    assert schema_documents(policy, found, registry.versions) == found
    registry.fails = None
    assert schema_documents(policy, found, registry.versions)[PERSONS]["schema_ids"] == [900]
    registry.fails, registry.asked = error, []
    assert schema_documents(POLICY, {}, registry.versions) == {id_: {} for id_ in POLICY.resources}
    assert len(registry.asked) == questions


def test_of_many_resources_some_are_asked_about_in_each_round() -> None:
    entry = POLICY.resources[PERSONS]

    def named(number: int) -> ResourcePolicy:
        resource = entry.resource.model_copy(update={"name": f"person_{number}"})
        return entry.model_copy(update={"resource": resource})

    many = [named(number) for number in range(MOST + 1)]
    policy = POLICY.model_copy(update={"resources": {each.resource.id: each for each in many}})
    registry = MemoryRegistry()
    found = schema_documents(policy, {}, registry.versions)
    assert len(registry.asked) == MOST
    found = schema_documents(policy, found, registry.versions)
    assert len(registry.asked) == MOST + 1
    assert all("schema_steps" in each for each in found.values())


def test_the_newest_steps_are_kept() -> None:
    versions = [envelope(*(f"item_{count}" for count in range(number))) for number in range(KEPT + 3)]
    registry = MemoryRegistry({SUBJECT: versions})
    steps = schema_documents(POLICY, {}, registry.versions)[PERSONS]["schema_steps"]
    assert len(steps) == KEPT
    assert steps[-1]["after"] == str(len(versions))
