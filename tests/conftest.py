"""Fixtures that all tests share, and how hypothesis is used in all of them."""

import pytest
from hypothesis import settings

from tests.database_fixture import control_database, database_server, migrated_database
from tests.stack_fixture import stack
from tests.support.known_requirements import refuse_strange
from tests.support.side_by_side import arrange, begin_run, end_run, pytest_runtest_protocol

__all__ = [
    "control_database",
    "database_server",
    "migrated_database",
    "pytest_runtest_protocol",
    "stack",
]

# How long one example takes says something about the machine, not about the code.
settings.register_profile("govbus", deadline=None)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile("govbus")


def pytest_configure() -> None:
    begin_run()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    refuse_strange(items)
    # Before those who distribute the tests look at their marks.
    arrange(config, items)


def pytest_unconfigure() -> None:
    end_run()
