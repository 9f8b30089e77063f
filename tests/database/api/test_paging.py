"""Lists go on at their next page: every line once, in one order, and no cursor of another list is taken."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from services.control.accounts.roles import Role
from services.control.store.database import ControlDatabase
from services.ledger.conflicts import Conflict, ConflictingRecord
from tests.database.api.test_cases import submitted
from tests.database.api.test_claims import CLAIM
from tests.support.portal import Portal
from tests.support.web import Browser, Web
from topics.event import ProviderId, ResourceId


@pytest.fixture
def web(control_database: ControlDatabase) -> Web:
    return Web(control_database)


def pages(browser: Browser, path: str, **asked: Any) -> Iterator[list[dict[str, Any]]]:
    """The pages of a list, one after the other."""
    cursor: dict[str, str] = {}
    for _ in range(20):
        answer = browser.get(path, params={"limit": 2, **asked, **cursor})
        assert answer.status_code == 200, answer.text
        yield answer.json()["items"]
        if answer.json()["next"] is None:
            return
        cursor = {"cursor": answer.json()["next"]}
    pytest.fail("the list has no end")


def all_of(browser: Browser, path: str, name: str, **asked: Any) -> list[Any]:
    """One value of every line, page by page; a page has two lines at most."""
    found = list(pages(browser, path, **asked))
    assert all(len(each) <= 2 for each in found)
    return [line[name] for page in found for line in page]


def test_people_and_departments_are_read_page_by_page(web: Web) -> None:
    operator = web.at(Role.OPERATOR, department="data_bureau")
    for _ in range(4):
        web.hire(Role.CONSUMER, department="health")
    whole = [each["login"] for each in operator.get("/people").json()["items"]]
    assert len(whole) == 5
    assert all_of(operator, "/people", "login") == whole
    assert all_of(operator, "/departments", "id") == ["data_bureau", "health", "police", "tax"]
    mine = web.at(Role.CONSUMER, department="tax")
    assert all_of(mine, "/departments", "id") == ["tax"]


def test_cases_by_due_day_and_tasks_go_on(web: Web) -> None:
    consumer, provider = web.at(Role.CONSUMER, department="health"), web.at(Role.PROVIDER)
    numbers = [submitted(consumer) for _ in range(5)]
    assert all_of(provider, "/cases", "number", sort="due") == numbers
    assert all_of(provider, "/cases", "number") == numbers[::-1]
    assert sorted(all_of(provider, "/tasks", "number")) == numbers
    cursor = provider.get("/cases", params={"limit": 2, "sort": "due"}).json()["next"]
    assert provider.get("/cases", params={"cursor": cursor}).status_code == 400


def test_the_page_of_urgent_cases_goes_on(control_database: ControlDatabase) -> None:
    portal = Portal(control_database)
    consumer = portal.at(Role.CONSUMER, department="health")
    for _ in range(52):
        submitted(consumer)
    provider = portal.reader(Role.PROVIDER)
    first = provider.open("/cases?sort=due")
    (following,) = [each for each in first.links if "before=" in each]
    second = provider.open(following)
    assert second.status == 200
    assert "2 lines" in second.text


def test_conflicts_and_claims_go_on_and_their_cursors_name_nobody(web: Web) -> None:
    web.bus.conflicting = [_conflict(number) for number in (3, 1, 2)]
    web.bus.claimed = [replace(CLAIM, at=f"claims.market:0:{n}", timestamp_ms=n) for n in range(5)]
    authority = web.at(Role.AUTHORITY, department="data_bureau")
    assert all_of(authority, "/conflicts", "since_ms") == [1, 2, 3]
    read = [each["timestamp_ms"] for page in pages(authority, "/claims") for each in page[::-1]]
    assert read == [4, 3, 2, 1, 0]


def _conflict(number: int) -> Conflict:
    sides = tuple(
        ConflictingRecord(f"{number}-{side}", f"resource.x:0:{number}{side}", "raw.x:0:1", number)
        for side in (1, 2)
    )
    return Conflict(
        ResourceId("population.person.v1"), ProviderId("police"), f"identity {number}", number, sides, False
    )
