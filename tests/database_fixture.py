"""A real PostgreSQL for tests of the control plane's tables: one server per session, empty for each test."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import Connection, text

from services.control.store.database import Address, ControlDatabase, Patience
from services.control.store.metadata import whole_metadata
from services.control.store.migrate import migrate
from services.stack.api import Stack
from services.stack.component import Component
from services.stack.postgres import (
    APPLICATION_SECRET,
    CONTROL,
    CONTROL_SECRET,
    DOCTOR_SECRET,
    REGISTRY_SECRET,
    SUPERUSER_SECRET,
    Postgres,
)
from services.stack.probes import HOST
from services.stack.process import Command
from services.stack.progress import Reporter
from tests.stack_fixture import settings_for, temporary_home


class QuickPostgres(Postgres):
    """The stack's server, which need not survive a loss of power."""

    def command(self) -> Command:
        command = super().command()
        quick = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "jit=off")
        return replace(command, argv=[*command.argv, *(part for each in quick for part in ("-c", each))])


class DatabaseOnly(Stack):
    """Only the PostgreSQL server of the embedded stack, with the databases that `govbus up` makes."""

    def __init__(self) -> None:
        super().__init__(settings_for(temporary_home()))
        self.postgres = QuickPostgres(self.context)

    @property
    def infrastructure(self) -> tuple[Component, ...]:
        return (self.postgres,)

    def prepare(self, progress: Reporter | None = None) -> None:
        self.context.layout.create()
        secrets = [SUPERUSER_SECRET, REGISTRY_SECRET, DOCTOR_SECRET, CONTROL_SECRET, APPLICATION_SECRET]
        self.context.secrets.ensure(secrets)

    def address(self, database: str = CONTROL) -> Address:
        """Where a database of the control plane's owner is."""
        file = self.context.secrets.path(CONTROL_SECRET)
        return Address.at(HOST, self.settings.postgres_port, database, CONTROL, file)

    @contextmanager
    def opened(self, database: str = CONTROL, patience: Patience | None = None) -> Iterator[ControlDatabase]:
        """A database of the control plane's owner, made if there is none of this name."""
        self.create_database(database, CONTROL, self.secret(CONTROL_SECRET))
        found = ControlDatabase(self.address(database), patience)
        try:
            yield found
        finally:
            found.close()


@pytest.fixture(scope="session")
def database_server() -> Iterator[DatabaseOnly]:
    """A running server without tables."""
    server = DatabaseOnly()
    try:
        server.up()
        yield server
    finally:
        server.reset()
        shutil.rmtree(server.settings.home, ignore_errors=True)


@pytest.fixture(scope="session")
def migrated_database(database_server: DatabaseOnly) -> Iterator[ControlDatabase]:
    """The database with its tables, as the tests before left it."""
    with database_server.opened() as database:
        migrate(database)
        yield database


@pytest.fixture
def control_database(migrated_database: ControlDatabase) -> ControlDatabase:
    """The database with its tables, all of them empty."""
    with migrated_database.begin() as connection:
        _empty(connection)
    return migrated_database


def _empty(connection: Connection) -> None:
    """Empty what is not empty: truncating all tables, each with its files, takes longer than most tests."""
    names = [table.name for table in whole_metadata().sorted_tables]
    asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in names)
    written = list(connection.execute(text(asked)).scalars())
    if written:
        connection.execute(text(f"TRUNCATE {', '.join(written)} CASCADE"))
    moved = "SELECT quote_ident(sequencename) FROM pg_sequences WHERE last_value IS NOT NULL"
    for sequence in connection.execute(text(moved)).scalars().all():
        connection.execute(text(f"ALTER SEQUENCE {sequence} RESTART"))
