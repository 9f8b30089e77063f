"""Fixtures that all tests share, and how hypothesis is used in all of them."""

import pytest
from hypothesis import settings

from tests.browser_fixture import accessible, axe, chromium, judged, screenshots
from tests.database_fixture import control_database, database_server, migrated_database
from tests.stack_fixture import stack
from tests.support.known_requirements import refuse_strange_requirements
from tests.support.side_by_side import begin_run, end_run, pytest_runtest_protocol
from tests.support.stack_order import own_stacks_first

__all__ = [
    "accessible",
    "axe",
    "chromium",
    "control_database",
    "database_server",
    "judged",
    "migrated_database",
    "pytest_runtest_protocol",
    "screenshots",
    "stack",
]

# How long one example takes says something about the machine, not about the code.
settings.register_profile("govbus", deadline=None)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile("govbus")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    refuse_strange_requirements(items)
    own_stacks_first(items)


def pytest_configure() -> None:
    begin_run()


def pytest_unconfigure() -> None:
    end_run()
