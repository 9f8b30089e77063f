"""What became of a topic's schema is kept and read alike, says whom it breaks, hides what it is told to."""

import copy
from typing import Any

import pytest

from services.control.catalogue.schema_steps import Registered, Step, item_of, limited, read, steps_within
from tests.support.policy import sample_definitions
from topics.canonical import envelope_schema
from topics.event import ResourceId
from topics.schema_breaks import Break, How
from topics.schema_changes import Change, What

PERSON = ResourceId("population.person.v1")


def step(**edits: dict[str, Any] | None) -> Step:
    """The step after which some items say something else, are gone, or are new."""
    old = sample_definitions().item_schemas[PERSON]
    new = copy.deepcopy(old)
    named = {each["name"]: each for each in new["fields"]}
    for name, edit in edits.items():
        if edit is None:
            new["fields"].remove(named[name])
        elif name in named:
            named[name].update(edit)
        else:
            new["fields"].append({"name": name, **edit})
    versions = [Registered(number, envelope_schema(each, ())) for number, each in enumerate((old, new), 1)]
    [found] = steps_within(versions)
    return found


def test_a_step_is_kept_and_read_alike() -> None:
    found = step(sex=None, phone={"type": "string"}, name={"doc": "全名"})
    assert read([found.document()]) == (found,)


@pytest.mark.parametrize(
    ("edits", "broken", "breaking"),
    [
        ({"phone": {"type": "string"}}, (), []),
        ({"name": {"doc": "全名"}}, (), []),
        ({"sex": None}, (Break("sex", How.GONE),), [What.REMOVED]),
        (
            {"sex": {"name": "gender", "aliases": ["sex"]}},
            (Break("sex", How.GONE),),
            [What.RENAMED],
        ),
        (
            {"name": {"type": ["null", "string"], "doc": "全名", "default": None}},
            (Break("name", How.EMPTY),),
            [What.NULLABLE],
        ),
        (
            {"name": {"type": "bytes", "doc": "全名"}},
            (Break("name", How.TYPE, "string", "bytes"),),
            [What.PROMOTED],
        ),
        (
            {"birth_date": {"type": ["null", "int"]}},
            (Break("birth_date", How.TYPE, "int (date)", "int"),),
            [What.LOGICAL],
        ),
    ],
)
def test_readers_cannot_follow_where_a_newer_version_would_be_demanded(
    edits: dict[str, Any], broken: tuple[Break, ...], breaking: list[What]
) -> None:
    found = step(**edits)
    assert found.broken == broken
    assert [each.what for each in found.changes if found.breaking(each)] == breaking


def test_what_somebody_is_not_to_know_of_is_left_out_with_its_breaks() -> None:
    found = limited(step(sex=None, phone={"type": "string"}), {"phone"})
    assert ([each.path for each in found.changes], found.broken) == (["state.phone"], ())


def test_an_item_that_is_gone_or_was_renamed_is_named_to_nobody_who_does_not_know_it() -> None:
    renamed = Step("1", "2", (Change("state.sex", What.RENAMED, "secret", "sex"),), ())
    assert limited(step(sex=None), {"name"}).changes == ()
    assert limited(renamed, {"sex"}).changes == ()
    assert limited(renamed, {"sex", "secret"}).changes == renamed.changes


@pytest.mark.parametrize(
    ("path", "item"),
    [
        ("state.sex", "sex"),
        ("previous.sex", "sex"),
        ("state.homes[].street", "homes"),
        ("state.extra{}", "extra"),
        ("state.value<govbus.A>.b", "value"),
        ("state", ""),
        ("marks[]", ""),
        ("", ""),
    ],
)
def test_a_part_belongs_to_the_item_in_which_it_is(path: str, item: str) -> None:
    assert item_of(path) == item
