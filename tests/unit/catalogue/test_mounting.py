"""The sample city has a catalogue, and catalogue and definitions are compared in both directions."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.control.catalogue.across import catalogue_problems
from services.control.catalogue.drafting import drafts
from services.control.catalogue.entry import Department, Entry, EntryItem, ResourceCode
from services.control.catalogue.mounting import Differing, Mounted, compare
from services.control.catalogue.parameters import CatalogueRules
from services.control.catalogue.register import REGISTER, Register, load_register
from services.control.catalogue.rules import Rule
from services.control.catalogue.vocabulary import Cycle, ItemType, Sensitivity
from services.control.definitions import (
    Definitions,
    DefinitionsInvalid,
    load_definitions,
    packaged_definitions,
)
from topics.event import ProviderId, ResourceId
from topics.resource import ShareType

PERSON = ResourceId("population.person.v1")


@pytest.fixture(scope="module")
def city() -> Definitions:
    return load_definitions(packaged_definitions())


@pytest.fixture(scope="module")
def entries(city: Definitions) -> tuple[Entry, ...]:
    return tuple(drafts(city, load_register(packaged_definitions())))


@pytest.fixture
def compared(city: Definitions) -> Any:
    names = {str(id_): provider.titles.zh for id_, provider in city.providers.items()}
    return lambda entries, resources=None: compare(entries, resources or city.resources.values(), names)


def test_the_catalogue_of_the_sample_city_breaks_no_rule(entries: tuple[Entry, ...]) -> None:
    assert [problem.what() for _, problem in catalogue_problems(entries, CatalogueRules())] == []
    assert len(entries) == 4


def test_a_draft_says_what_the_definition_says(entries: tuple[Entry, ...]) -> None:
    person = next(each for each in entries if each.name == "人口基本信息")
    assert str(person.code) == "1013205/000001"
    assert person.sharing.share_type is ShareType.CONDITIONAL
    assert person.sharing.basis.startswith("《个人信息保护法》")
    assert person.update_cycle is Cycle.REAL_TIME
    number, name, birth, *_, updated = person.items
    assert (number.key, number.item_type, number.length) == (True, ItemType.TEXT, 18)
    assert (name.length, name.sensitivity) == (50, Sensitivity.PERSONAL)
    assert (birth.item_type, updated.item_type) == (ItemType.DATE, ItemType.TIMESTAMP)
    capital = {item.name: item for each in entries for item in each.items}["注册资本（元）"]
    assert (capital.item_type, capital.length) == (ItemType.NUMBER, 18)


def test_what_nobody_declared_stays_empty_and_is_asked_for(city: Definitions) -> None:
    bare = tuple(drafts(city, Register()))
    missing = {problem.field for _, problem in catalogue_problems(bare, CatalogueRules())}
    assert {"provider_code", "head_name", "open_type", "library", "share_use", "basis_level"} <= missing
    assert "name" not in missing


def test_an_item_of_another_department_is_its_duty(city: Definitions) -> None:
    person = city.resources[PERSON]
    items = [
        item.model_copy(update={"owner": ProviderId("social_security")}) if item.name == "address" else item
        for item in person.items
    ]
    changed = replace(city, resources={PERSON: person.model_copy(update={"items": tuple(items)})})
    owners = {item.name: item.owner for item in next(drafts(changed, Register())).items}
    assert owners["住址"] == "人社局"
    assert owners["姓名"] == ""


@pytest.mark.requirement("A2-11", "A2-12")
def test_a_catalogue_that_says_what_the_definitions_say_agrees(
    entries: tuple[Entry, ...], compared: Any
) -> None:
    found: Mounted = compared(entries)
    assert found.agrees
    assert len(found.matched) == 4


@pytest.mark.requirement("A2-11")
def test_an_entry_that_no_topic_stands_behind_is_listed(entries: tuple[Entry, ...], compared: Any) -> None:
    empty = replace(entries[0], code=ResourceCode("3", "99", "000", "", "1"), name="没有数据")
    uncoded = replace(entries[0], code=None)
    assert compared((*entries, empty, uncoded)).without_topic == (empty, uncoded)


@pytest.mark.requirement("A2-12")
def test_a_topic_that_no_entry_names_is_listed(entries: tuple[Entry, ...], compared: Any) -> None:
    hidden: Mounted = compared([each for each in entries if each.name != "人口基本信息"])
    assert [resource.id for resource in hidden.without_entry] == [PERSON]
    assert not hidden.agrees


@pytest.mark.parametrize(
    ("changes", "what", "said", "declared"),
    [
        ({"name": "人口信息"}, Differing.NAME, "人口信息", "人口基本信息"),
        ({"provider": Department("民政局")}, Differing.PROVIDER, "民政局", "公安局"),
        ({"update_cycle": Cycle.MONTHLY}, Differing.UPDATE_CYCLE, "monthly", "real_time"),
        ({"update_cycle": None}, Differing.UPDATE_CYCLE, None, "real_time"),
    ],
)
def test_what_entry_and_definition_say_differently_is_listed(
    changes: dict[str, Any],
    what: Differing,
    said: str | None,
    declared: str,
    entries: tuple[Entry, ...],
    compared: Any,
) -> None:
    person, *others = sorted(entries, key=lambda each: each.name != "人口基本信息")
    found: Mounted = compared([replace(person, **changes), *others])
    assert [(each.resource, each.what, each.entry, each.definition) for each in found.differences] == [
        (PERSON, what, said, declared)
    ]


def test_a_wider_share_type_in_the_catalogue_is_listed(entries: tuple[Entry, ...], compared: Any) -> None:
    person, *others = sorted(entries, key=lambda each: each.name != "人口基本信息")
    wider = replace(person, sharing=replace(person.sharing, share_type=ShareType.UNCONDITIONAL))
    assert [each.what for each in compared([wider, *others]).differences] == [Differing.SHARE_TYPE]


def test_items_are_compared_in_both_directions(entries: tuple[Entry, ...], compared: Any) -> None:
    person, *others = sorted(entries, key=lambda each: each.name != "人口基本信息")
    items = (*person.items[:-1], EntryItem("民族"))
    found: Mounted = compared([replace(person, items=items), *others])
    assert [(each.what, each.entry, each.definition) for each in found.differences] == [
        (Differing.ITEM_WITHOUT_TOPIC, "民族", None),
        (Differing.ITEM_WITHOUT_ENTRY, None, "更新时间"),
    ]


def test_a_folder_without_a_register_has_an_empty_one(tmp_path: Path) -> None:
    assert load_register(tmp_path) == Register()


def test_a_mistake_in_the_register_is_said_with_its_line(tmp_path: Path) -> None:
    shutil.copy(packaged_definitions() / REGISTER, tmp_path)
    path = tmp_path / REGISTER
    text = path.read_text(encoding="utf-8").replace("basis_level: law", "basis_level: rumour", 1)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DefinitionsInvalid, match=r"catalogue.yaml:\d+: .*basis_level"):
        load_register(tmp_path)


def test_the_rules_that_a_draft_may_break_are_not_those_of_its_form(city: Definitions) -> None:
    bare = tuple(drafts(city, Register()))
    rules = {problem.rule for _, problem in catalogue_problems(bare, CatalogueRules())}
    assert rules <= {
        Rule.MISSING,
        Rule.LIBRARY_MISSING,
        Rule.CONDITION_MISSING,
        Rule.USE_MISSING,
        Rule.BASIS_MISSING,
        Rule.ITEM_LENGTH_MISSING,
    }
