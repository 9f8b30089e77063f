"""Whatever stands in an address, a page or a list answers it: with what there is, or with what is wrong."""

import base64
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote
from zlib import crc32

import pytest
from fastapi.routing import APIRoute
from starlette.datastructures import QueryParams

from services.api.schema import document_text
from services.control.accounts.roles import Role
from services.portal.lists import Address
from services.portal.pages import PAGES
from tests.support.operating import HEALTH_GRANT, PERSONS, Operated
from tests.support.portal import Reader


def cursor(text: str) -> str:
    """A cursor that holds a text."""
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


NOBODY: Final = "00000000-0000-0000-0000-000000000000"
HOSTILE: Final = (
    "市",
    "a b",
    "-²",
    "²",
    "-1",
    "10000",
    "9" * 30,
    "0001-01-01",
    "9999-12-31",
    "\0",
    "\ufffd\u202e",
    "x" * 5000,
    cursor(f'[1e999,"a","{NOBODY}"]'),
    cursor(f'[0,"\\ud800","{NOBODY}"]'),
    cursor(f'[99999999999,"a","{NOBODY}"]'),
    cursor(f'[0,7,"{NOBODY}"]'),
    cursor("[" * 600),
)
SHARES: Final = 3
NAMES: Final = {
    "topic": PERSONS,
    "provider": "police",
    "grant": HEALTH_GRANT,
    "connector": "capture.police",
    "directory": "share",
    "department": "police",
    "resource": "population.person.v1",
    "id_": "nothing",
    "entry": NOBODY,
}
"""What stands for the parts of a path; another one is a number that nothing has."""
_A_WHILE: Final = timedelta(milliseconds=100)
"""In which each bucket of calls has filled again."""
SEATS: Final = (
    (Role.AUTHORITY, "data_bureau"),
    (Role.OPERATOR, "data_bureau"),
    (Role.AUDITOR, "data_bureau"),
    (Role.CONSUMER, "health"),
    (Role.PROVIDER, "police"),
)


_PART: Final = re.compile(r"{(\w+)(?::path)?}")
_STREAMS: Final = re.compile(r"/(live|events)$|^/static")


def at(path: str) -> str:
    """A path with names for its parts."""
    return _PART.sub(lambda part: NAMES.get(part[1], "9"), path)


def pages() -> list[str]:
    """Every page that is looked at and ends."""
    routes = [route for router in PAGES for route in router.routes if isinstance(route, APIRoute)]
    found = {route.path for route in routes if "GET" in (route.methods or ())}
    return sorted(at(path) for path in found if not _STREAMS.search(path))


def lists() -> list[tuple[str, str]]:
    """Every question of the API that can be asked with a parameter, and which."""
    known = json.loads(document_text())["paths"]
    return [
        (at(path), parameter["name"])
        for path, operations in known.items()
        for parameter in operations.get("get", {}).get("parameters", [])
        if parameter["in"] == "query"
    ]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The parameters that were looked at since it was last emptied."""
    names: set[str] = set()
    get, first, every = QueryParams.get, Address.get, Address.all

    def noted_get(self: QueryParams, key: str, *more: Any) -> Any:
        names.add(key)
        return get(self, key, *more)

    def noted_first(self: Address, name: str, *more: Any) -> str:
        names.add(name)
        return first(self, name, *more)

    def noted_all(self: Address, name: str) -> tuple[str, ...]:
        names.add(name)
        return every(self, name)

    monkeypatch.setattr(QueryParams, "get", noted_get)
    monkeypatch.setattr(Address, "get", noted_first)
    monkeypatch.setattr(Address, "all", noted_all)
    return names


@dataclass(frozen=True)
class Share:
    """Which of the hostile values parameters are tried with: of so many shares one, for each another."""

    number: int
    of: int = SHARES

    def values(self, path: str, name: str) -> tuple[str, ...]:
        return HOSTILE[(crc32(f"{path}?{name}".encode()) + self.number) % self.of :: self.of]


REST: Final = [pytest.param(Share(number), marks=pytest.mark.soak) for number in range(1, SHARES)]
"""What `make test` does not try."""


def defects(
    portal: Operated, reader: Reader, path: str, names: Iterable[str], share: Share
) -> list[tuple[str, str, int]]:
    """The values that a path has no answer to, by parameter."""
    found = []
    tried = [(name, value) for name in names for value in share.values(path, name)]
    for name, value in tried:
        portal.clock.pass_by(_A_WHILE)
        status = reader.look(f"{path}?{name}={quote(value)}").status_code
        if status >= 500:
            found.append((f"{path}?{name}=", value[:60], status))
    return found


@pytest.fixture
def readers(portal: Operated) -> list[Reader]:
    """People who between them may open everything."""
    return [portal.reader(role, department=department) for role, department in SEATS]


def who_may(readers: list[Reader], path: str) -> Reader:
    """The first who gets an answer there; where nobody does, anybody."""
    return next((each for each in readers if each.look(path).status_code != 403), readers[0])


@pytest.mark.parametrize("share", [Share(0), *REST])
def test_no_parameter_of_a_page_is_a_defect(
    portal: Operated, readers: list[Reader], asked: set[str], share: Share
) -> None:
    looked: set[str] = set()
    found = []
    for path in pages():
        reader = who_may(readers, path)
        asked.clear()
        reader.look(path)
        names = sorted(asked)
        looked.update(names)
        found += defects(portal, reader, path, names, share)
    assert found == []
    assert {"after", "q", "department", "days", "since", "until", "offset", "resource"} <= looked


@pytest.mark.parametrize("share", [Share(0), *REST])
def test_no_parameter_of_the_api_is_a_defect(portal: Operated, readers: list[Reader], share: Share) -> None:
    found = [
        each
        for path, name in lists()
        for each in defects(portal, who_may(readers, path), path, [name], share)
    ]
    assert found == []
    assert len(lists()) > 30


def test_a_start_too_late_to_count_from_is_said_where_it_is_asked(portal: Operated) -> None:
    reader = portal.reader(Role.AUTHORITY, department="data_bureau")
    page = reader.open("/policy?days=10000&start=9990-12-31")
    assert (page.status, page.faults) == (422, [])
    assert "that would be after the last day there is" in page.text


@pytest.mark.parametrize("department", ["市", "a b"])
def test_a_department_that_can_be_none_has_no_people(portal: Operated, department: str) -> None:
    reader = portal.reader(Role.AUTHORITY, department="data_bureau")
    assert reader.look(f"/admin/people?department={quote(department)}").status_code == 200
