"""The catalogue narrows what a resource could give, and never widens it."""

from dataclasses import replace

import pytest

from services.control.catalogue.entry import EntryItem
from services.control.catalogue.vocabulary import Grade
from services.control.docket.mounted import Mounted, governed
from tests.support.desk import published
from tests.support.sharing_cases import entry
from topics.resource import ShareType

FREE, ASKED, CLOSED = ShareType.UNCONDITIONAL, ShareType.CONDITIONAL, ShareType.NOT_SHARED


@pytest.mark.parametrize(
    ("in_entry", "declared", "counts"),
    [
        (FREE, FREE, FREE),
        (FREE, ASKED, ASKED),
        (ASKED, FREE, ASKED),
        (CLOSED, FREE, CLOSED),
        (ASKED, CLOSED, CLOSED),
    ],
)
def test_of_two_share_types_the_narrower_counts(
    in_entry: ShareType, declared: ShareType, counts: ShareType
) -> None:
    resource = entry(share_type=declared)
    listed = published(resource)
    listed = replace(listed, sharing=replace(listed.sharing, share_type=in_entry))
    assert governed(listed, resource).share_type is counts


def test_an_item_that_the_entry_does_not_list_cannot_be_had() -> None:
    resource = entry()
    listed = published(resource)
    shorter = replace(
        listed, items=tuple(each for each in listed.items if each.name != listed.items[-1].name)
    )
    assert len(governed(listed, resource).items) == len(resource.items)
    assert [item.name for item in governed(shorter, resource).items] == [
        item.name for item in resource.items[:-1]
    ]


@pytest.mark.requirement("A3-11")
def test_the_grades_are_those_of_the_entry_by_the_names_of_the_resource() -> None:
    resource = entry()
    listed = published(resource, {"name": Grade.IMPORTANT, "id_number": Grade.CORE})
    spaced = tuple(replace(each, name=f" {each.name} ") for each in listed.items)
    for items in (listed.items, spaced):
        grades = Mounted(replace(listed, items=items), resource, {}).grades
        assert (grades["id_number"], grades["name"]) == (Grade.CORE, Grade.IMPORTANT)
        assert grades["birth_date"] is Grade.GENERAL


@pytest.mark.requirement("A3-11")
def test_an_item_that_the_entry_gives_no_grade_has_none() -> None:
    resource = entry()
    bare = replace(published(resource), items=tuple(EntryItem(item.titles.zh) for item in resource.items))
    assert Mounted(bare, resource, {}).grades == {}
