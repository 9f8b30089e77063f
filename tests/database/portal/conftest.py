"""The portal over a database of the test's own, and the two who deal with each other on its pages."""

import pytest

from services.control.accounts.roles import Role
from services.control.store.database import ControlDatabase
from tests.support.portal import Portal, Reader
from tests.support.sharing_cases import APPLICANT, PROVIDER


@pytest.fixture
def portal(control_database: ControlDatabase) -> Portal:
    return Portal(control_database)


@pytest.fixture
def applicant(portal: Portal) -> Reader:
    return portal.reader(Role.CONSUMER, department=APPLICANT)


@pytest.fixture
def provider(portal: Portal) -> Reader:
    return portal.reader(Role.PROVIDER, department=PROVIDER)
