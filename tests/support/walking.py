"""Walks through the portal as one who follows every link: each kind of page once, whatever it is about."""

import re
from collections import deque
from collections.abc import Collection, Iterator
from http.client import FORBIDDEN, SERVICE_UNAVAILABLE
from typing import Final
from urllib.parse import urljoin, urlsplit

from playwright.sync_api import Page, Response

from tests.support.waiting import eventually

_NO_PAGE: Final = re.compile(
    r"/(logout|theme|static|api)\b|/documents/|/evidence/|/live$|\.(csv|json|xlsx|html)$"
)
"""Ends the session, changes how pages look, or hands out a file."""
_NAMED: Final = re.compile(
    r"(?<=^/)(grants|quarantine|connectors|resources|stop(?!/order)|topics|volumes)/[^/]+"
)
"""Places under which anything is a name."""
_PATIENCE_S: Final = 60.0
_WORD: Final = re.compile(r"[a-z_-]*")


def kind_of(address: str) -> str:
    """The page without what it is about: ``/cases/*`` for every case."""
    parts = _NAMED.sub(r"\1/*", urlsplit(address).path).split("/")
    return "/".join(part if _WORD.fullmatch(part) else "*" for part in parts)


def walk(page: Page, seen: set[str], shut: Collection[str] = ()) -> Iterator[str]:
    """Open page after page, from where one is; the kind of each, while it is open.

    Args:
        page: where the walk begins.
        seen: kinds that need not be opened any more; those that were are added.
        shut: kinds that may be refused, and say why.
    """
    waiting = deque([page.url])
    while waiting:
        address = waiting.popleft()
        kind = kind_of(address)
        if kind in seen:
            continue
        seen.add(kind)
        answer = _answer(page, address)
        assert answer.ok or (answer.status == FORBIDDEN and kind in shut), (address, answer.status)
        yield kind
        waiting.extend(_links(page))


def _answer(page: Page, address: str) -> Response:
    """The page; what is still being read for the first time says that it is unavailable, and comes."""
    found: list[Response | None] = []

    def opened() -> bool:
        found.append(page.goto(address))
        return found[-1] is not None and found[-1].status != SERVICE_UNAVAILABLE

    eventually(opened, _PATIENCE_S, lambda: f"{address}: {found[-1]}")
    answer = found[-1]
    assert answer is not None
    return answer


def _links(page: Page) -> list[str]:
    """Addresses of the portal that the page leads to, without what hands out files."""
    here = urlsplit(page.url)
    links = page.locator("a[href]:not([download])")
    # At once: some pages renew themselves.
    found: list[str] = links.evaluate_all("links => links.map(link => link.getAttribute('href'))")
    wanted = [urljoin(page.url, each) for each in found if not each.startswith("#")]
    return [
        each
        for each in wanted
        if urlsplit(each).netloc == here.netloc and not _NO_PAGE.search(urlsplit(each).path)
    ]
