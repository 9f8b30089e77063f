"""A real Chromium at a real portal over a real database; what is missing is said, and never skipped."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from services.portal.vendor import TESTS, fetch, read_libraries
from services.stack.progress import Silent
from tests.browser.chromium import chromium as locked_chromium
from tests.browser.city import portal_process, settle
from tests.database_fixture import DatabaseOnly

SCREENSHOTS: Final = "GOVBUS_TEST_SCREENSHOTS"


@pytest.fixture(scope="session")
def address(database_server: DatabaseOnly) -> Iterator[str]:
    """Where the portal of the sample city answers."""
    log = Path(tempfile.mkdtemp(prefix="govbus-portal-")) / "portal.log"
    with database_server.opened("portal_in_browser") as database:
        settle(database)
    try:
        with portal_process(database_server, "portal_in_browser", log) as found:
            yield found
    finally:
        shutil.rmtree(log.parent, ignore_errors=True)


@pytest.fixture(scope="module")
def chromium(database_server: DatabaseOnly) -> Iterator[Browser]:
    """A Chromium that the tests bring along; while it is open, an event loop runs in this thread."""
    found = locked_chromium(database_server.settings.cache)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found.program, args=list(found.arguments), env=found.environment
        )
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser, address: str) -> Iterator[BrowserContext]:
    """A browser that nobody has used before, at a desk in China."""
    made = chromium.new_context(
        base_url=address,
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        viewport={"width": 1360, "height": 900},
    )
    made.set_default_timeout(15_000)
    yield made
    made.close()


@pytest.fixture(scope="session")
def axe(database_server: DatabaseOnly) -> str:
    """The script that judges a page for accessibility, by the lock's digest."""
    found = fetch(database_server.settings.cache, read_libraries(TESTS), Silent())
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
