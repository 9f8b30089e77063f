"""A real portal over a real database for the browser; what is missing is said, and never skipped."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.browser.city import portal_process, settle
from tests.database_fixture import DatabaseOnly
from tests.support.clerk import desk


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


@pytest.fixture
def context(chromium: Browser, address: str) -> Iterator[BrowserContext]:
    """A browser that nobody has used before, at a desk in China."""
    made = desk(chromium, address)
    yield made
    made.close()
