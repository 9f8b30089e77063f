"""Entries and topics over HTTP: what is there of each entry, entries without data, topics without entry."""

from typing import Any

import pytest

from services.control.accounts.roles import Role
from services.control.store.database import ControlDatabase
from services.control.store.snapshots import Kind, note_trouble, put
from tests.support.mounting import CODE, HIDDEN, MOUNTING, RESOURCES
from tests.support.web import NOW, Browser, Web, entry

SEEN = {"if-match": "*"}


@pytest.fixture
def web(control_database: ControlDatabase) -> Web:
    return Web(control_database)


def looked(web: Web) -> str:
    """The snapshots of a look, and a published entry under the first code; returns the entry's id."""
    provider, authority = web.at(Role.PROVIDER), web.at(Role.AUTHORITY, department="data_bureau")
    id_: str = provider.post("/catalogue/entries", entry()).json()["id"]
    for browser, action in (
        (provider, "submit"),
        (authority, "register"),
        (provider, "request_publication"),
        (authority, "publish"),
    ):
        assert browser.post(f"/catalogue/entries/{id_}/steps", {"action": action}, headers=SEEN).is_success
    with web.parts.database.begin() as connection:
        put(connection, Kind.RESOURCE, RESOURCES, NOW)
        put(connection, Kind.MOUNTING, MOUNTING, NOW)
    return id_


def names(browser: Browser, **asked: Any) -> list[str]:
    answer = browser.get("/catalogue/mounting", params=asked)
    assert answer.status_code == 200, answer.text
    return [each["name"] for each in answer.json()["items"]]


@pytest.mark.requirement("A2-11")
def test_an_entry_says_what_is_really_there_by_id_and_by_code(web: Web) -> None:
    id_ = looked(web)
    browser = web.at(Role.PROVIDER)
    for name in (id_, CODE):
        told = browser.get(f"/catalogue/mounting/{name}").json()
        mount = told["mount"]
        assert (mount["entry"], mount["title"], mount["state"]) == (id_, "居住证办理信息", "stale")
        assert (mount["topic"], mount["update_cycle"]) == ("resource.population.person.v1", "daily")
        assert (mount["freshness_s"], mount["allowed_s"]) == (100_000.0, 86_400.0)
        assert mount["records"] == 9_007_199_254_740_993
        assert (mount["accepted"], mount["stopped"]) == (40, 2)
        assert mount["last_event_at"] == "2026-03-02T00:30:00Z"
        assert [each["what"] for each in mount["differences"]] == ["item_without_entry"]
        assert told["as_of"] == "2026-03-02T01:00:00Z"


@pytest.mark.requirement("A2-11", "A2-12")
def test_entries_without_data_and_topics_without_entry_are_listed_and_counted(web: Web) -> None:
    looked(web)
    browser = web.at(Role.AUTHORITY, department="data_bureau")
    assert names(browser) == [CODE, "3013205/000002", HIDDEN]
    assert names(browser, state="no_topic") == ["3013205/000002"]
    assert names(browser, state=["no_entry", "stale"]) == [CODE, HIDDEN]
    counts = browser.get("/catalogue/mounting", params={"state": "no_topic"}).json()["counts"]
    assert counts == {"fresh": 0, "stale": 1, "empty": 0, "no_topic": 1, "no_entry": 1}
    [hidden] = browser.get("/catalogue/mounting", params={"state": "no_entry"}).json()["items"]
    assert (hidden["entry"], hidden["provider"], hidden["records"]) == (None, "tax", 3)


@pytest.mark.requirement("A2-12")
def test_a_topic_without_entry_and_differences_are_seen_by_those_concerned(web: Web) -> None:
    looked(web)
    for role, department, hidden, differing in (
        (Role.PROVIDER, "tax", True, False),
        (Role.PROVIDER, "police", False, True),
        (Role.CONSUMER, "tax", False, False),
        (Role.OPERATOR, "data_bureau", True, True),
        (Role.AUDITOR, "data_bureau", True, True),
    ):
        browser = web.at(role, department=department)
        listed = browser.get("/catalogue/mounting").json()
        assert (HIDDEN in [each["name"] for each in listed["items"]]) is hidden, (role, department)
        assert (listed["counts"]["no_entry"] == 1) is hidden
        assert bool(listed["items"][0]["differences"]) is differing, (role, department)
    overseer = web.at(Role.OVERSEER, department="data_bureau", oversees=("tax",))
    assert HIDDEN in names(overseer)


def test_pages_follow_one_another_and_a_cursor_is_good_for_its_question_only(web: Web) -> None:
    looked(web)
    browser = web.at(Role.OPERATOR, department="data_bureau")
    walked, cursor = [], None
    while True:
        params = {"limit": 1} | ({} if cursor is None else {"cursor": cursor})
        found = browser.get("/catalogue/mounting", params=params).json()
        walked += [each["name"] for each in found["items"]]
        cursor = found["next"]
        if cursor is None:
            break
        last = cursor
    assert walked == [CODE, "3013205/000002", HIDDEN]
    other = browser.get("/catalogue/mounting", params={"state": "stale", "cursor": last})
    assert other.json()["code"] == "CURSOR"


def test_before_anybody_has_looked_nothing_is_made_up_and_trouble_is_told(web: Web) -> None:
    browser = web.at(Role.PROVIDER)
    id_ = browser.post("/catalogue/entries", entry()).json()["id"]
    told = browser.get(f"/catalogue/mounting/{id_}").json()
    assert told == {"mount": None, "as_of": None, "trouble": None}
    assert names(browser) == []
    with web.parts.database.begin() as connection:
        note_trouble(connection, Kind.MOUNTING, "the bus is silent", NOW)
    assert browser.get("/catalogue/mounting").json()["trouble"]["what"] == "the bus is silent"
    assert web.at(Role.CONSUMER, department="health").get(f"/catalogue/mounting/{id_}").status_code == 403
    assert browser.get("/catalogue/mounting/none").status_code == 404
