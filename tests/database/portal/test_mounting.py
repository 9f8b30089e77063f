"""Entries and topics as pages: what is really there of an entry, what is missing, each with the way on."""

import pytest

from services.control.accounts.roles import Role
from services.control.store.snapshots import Kind, put
from tests.support.mounting import HIDDEN, MOUNTING, RESOURCES
from tests.support.portal import Portal
from tests.support.stored_catalogue import brought, numbered, opened
from tests.support.web import NOW


def looked(portal: Portal) -> str:
    """A published entry with the snapshots of a look; returns the address of its page."""
    with portal.parts.database.begin() as connection:
        stored = brought(connection, opened(connection, numbered(1)))
        put(connection, Kind.RESOURCE, RESOURCES, NOW)
        put(connection, Kind.MOUNTING, MOUNTING, NOW)
    return f"/catalogue/entries/{stored.id}"


@pytest.mark.requirement("A2-11", "A2-12")
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("older than its cycle allows", "entry without topic", "topic without entry")),
        ("zh-CN", ("超过更新周期", "有目录无主题", "有主题无目录")),
    ],
)
def test_the_list_names_entries_without_data_and_topics_without_entry(
    portal: Portal, language: str, words: tuple[str, ...]
) -> None:
    path = looked(portal)
    reader = portal.reader(Role.AUTHORITY, department="data_bureau", language=language)
    page = reader.open("/catalogue/mounting")
    assert (page.status, page.faults) == (200, [])
    assert all(word in page.text for word in words)
    assert path in page.links
    assert f"resource.{HIDDEN}" in page.text
    only = reader.open("/catalogue/mounting?state=no_topic")
    assert f"resource.{HIDDEN}" not in only.text
    assert only.faults == []


def test_a_topic_without_entry_is_shown_to_its_provider_and_to_no_other(portal: Portal) -> None:
    looked(portal)
    for department, seen in (("tax", True), ("police", False)):
        page = portal.reader(Role.PROVIDER, department=department).open("/catalogue/mounting")
        assert (HIDDEN in page.text) is seen


@pytest.mark.requirement("A2-11")
def test_an_entry_says_how_it_stands_and_to_those_concerned_in_what_it_differs(portal: Portal) -> None:
    path = looked(portal)
    authority = portal.reader(Role.AUTHORITY, department="data_bureau").open(path)
    assert authority.faults == []
    assert "older than its cycle allows" in authority.text
    assert "item that the entry does not name" in authority.text
    consumer = portal.reader(Role.CONSUMER, department="health").open(path)
    assert "older than its cycle allows" in consumer.text
    assert "item that the entry does not name" not in consumer.text


def test_before_the_first_comparison_the_page_says_what_makes_one(portal: Portal) -> None:
    page = portal.reader(Role.CONSUMER, department="health").open("/catalogue/mounting")
    assert (page.status, page.faults) == (200, [])
    assert "Nothing was compared yet" in page.text
