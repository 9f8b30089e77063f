"""A real Chromium for tests, pictures of its pages, and a judge of how accessible they are."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from services.portal.vendor import TESTS, fetch, read_libraries
from services.stack.progress import Silent
from tests.stack_fixture import downloads
from tests.support.chromium import chromium as locked_chromium
from tests.support.clerk import PATIENCE_MS
from tests.support.waiting import patience

SCREENSHOTS: Final = "GOVBUS_TEST_SCREENSHOTS"
Judge = Callable[[Page, str], None]
"""Looks at a page that is told by a name, and fails where it shuts somebody out."""
_SERIOUS: Final = frozenset({"serious", "critical"})
_RULES: Final = "['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A Chromium that the tests bring along; while it is open, an event loop runs in this thread."""
    found = locked_chromium(downloads())
    expect.set_options(timeout=PATIENCE_MS * patience())
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found.program, args=list(found.arguments), env=found.environment
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The script that judges a page for accessibility, by the lock's digest."""
    found = fetch(downloads(), read_libraries(TESTS), Silent())
    return found["axe.min.js"].decode("utf-8")


@pytest.fixture(scope="session")
def screenshots() -> Iterator[Path]:
    """Where pictures of pages go: a temporary folder, or the one that is named."""
    named = os.environ.get(SCREENSHOTS)
    folder = Path(named or tempfile.mkdtemp(prefix="govbus-screenshots-"))
    folder.mkdir(parents=True, exist_ok=True)
    yield folder
    if named is None:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def judged(accessible: Judge, screenshots: Path) -> Judge:
    """Takes a picture of a page and has it judged for accessibility."""

    def judge(page: Page, name: str) -> None:
        page.screenshot(path=screenshots / f"{name}.png", full_page=True)
        accessible(page, name)

    return judge


@pytest.fixture
def accessible(axe: str) -> Judge:
    """Has a page judged for accessibility, without a picture."""

    def judge(page: Page, name: str) -> None:
        result = _evaluated(page, f"{axe};\naxe.run({{runOnly: {_RULES}}})")
        found = [
            (each["id"], each["nodes"][0]["html"][:160], each["nodes"][0].get("failureSummary", "")[:200])
            for each in result["violations"]
            if each["impact"] in _SERIOUS
        ]
        assert found == [], (name, found)

    return judge


def _evaluated(page: Page, script: str) -> dict[str, Any]:
    """What a script comes to, run by the debugger: the page's own policy lets nothing else in."""
    debugger = page.context.new_cdp_session(page)
    wanted = {"expression": script, "awaitPromise": True, "returnByValue": True}
    answer = debugger.send("Runtime.evaluate", wanted)
    assert "exceptionDetails" not in answer, answer["exceptionDetails"]
    found: dict[str, Any] = answer["result"]["value"]
    return found
