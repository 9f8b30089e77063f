"""The page of an entry shows how the schema of its topic changed, whom that breaks, and as of when."""

import pytest

from services.control.accounts.roles import Role
from tests.support.portal import Portal
from tests.support.retiring import publish_entry
from tests.support.schema_steps import GONE, seen
from tests.support.web import NOW


def published(portal: Portal) -> str:
    """The address of the page of persons, after a look."""
    with portal.parts.database.begin() as connection:
        return f"/catalogue/entries/{seen(connection, NOW)}"


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("The schema of the topic changed 2 times", "cannot follow", "can follow", "As of")),
        ("zh-CN", ("主题的数据结构变更过 2 次", "无法继续读取", "不受影响")),
    ],
)
def test_consumers_see_from_which_version_to_which_what_changed_and_whom_it_breaks(
    portal: Portal, language: str, words: tuple[str, ...]
) -> None:
    path = published(portal)
    page = portal.reader(Role.CONSUMER, department="health", language=language).open(path)
    assert (page.status, page.faults) == (200, [])
    assert all(word in page.text for word in words)
    assert "state.birth_date" in page.text
    assert "state.sex" in page.text
    assert "null | int (date)" in page.text


def test_what_the_entry_leaves_out_is_shown_to_those_who_watch_over_its_provider_only(portal: Portal) -> None:
    path = published(portal)
    for role, department, told in (
        (Role.PROVIDER, "police", True),
        (Role.AUTHORITY, "data_bureau", True),
        (Role.CONSUMER, "health", False),
        (Role.PROVIDER, "tax", False),
    ):
        page = portal.reader(role, department=department).open(path)
        for hidden in ("经常居住地", f"state.{GONE}"):
            assert (hidden in page.text) is told, (role, department)


def test_without_a_change_or_a_look_there_is_nothing_to_unfold(portal: Portal) -> None:
    with portal.parts.database.begin() as connection:
        id_ = publish_entry(connection)
    page = portal.reader(Role.CONSUMER, department="health").open(f"/catalogue/entries/{id_}")
    assert (page.status, page.faults) == (200, [])
    assert "The schema of the topic" not in page.text
