"""Fixtures that all tests share, and how hypothesis is used in all of them."""

from hypothesis import settings

from tests.database_fixture import control_database, database_server, migrated_database
from tests.stack_fixture import stack
from tests.support.known_requirements import pytest_collection_modifyitems

__all__ = [
    "control_database",
    "database_server",
    "migrated_database",
    "pytest_collection_modifyitems",
    "stack",
]

# How long one example takes says something about the machine, not about the code.
settings.register_profile("govbus", deadline=None)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile("govbus")
