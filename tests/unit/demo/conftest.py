"""A PostgreSQL server of its own for the tests that play with the city's databases."""

import shutil
import time
from collections.abc import Iterator

import pytest
from psycopg2.extensions import make_dsn

from services.stack.api import Stack
from services.stack.postgres import REGISTRY_SECRET, SUPERUSER, SUPERUSER_SECRET
from services.stack.probes import HOST
from tests.stack_fixture import settings_for, temporary_home


@pytest.fixture(scope="session")
def admin_dsn() -> Iterator[str]:
    """How an administrator connects to an empty server, which is gone after the session."""
    stack = Stack(settings_for(temporary_home()))
    server, secrets = stack.postgres, stack.context.secrets
    try:
        stack.context.layout.create()
        secrets.ensure([SUPERUSER_SECRET, REGISTRY_SECRET])
        server.prepare()
        server.start()
        deadline = time.monotonic() + 30
        while not server.ready():
            assert time.monotonic() < deadline, "PostgreSQL does not answer"
            time.sleep(0.05)
        yield str(
            make_dsn(
                host=HOST,
                port=stack.settings.postgres_port,
                user=SUPERUSER,
                password=secrets.read(SUPERUSER_SECRET),
                dbname=SUPERUSER,
            )
        )
    finally:
        stack.reset()
        shutil.rmtree(stack.settings.home, ignore_errors=True)
