"""Brings the tables to what the program expects: all migrations in one transaction, or none.

Migrations are numbered and linear, each a module in ``migrations/versions``. There is no way back but a
backup: a table that a newer program has changed is never changed back by an older one.
"""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from services.control.store.database import ControlDatabase
from services.control.store.errors import InstallNewerProgram, MigrateDatabase

VERSION_TABLE: Final = "schema_version"
DOCTOR: Final = "doctor"
_DOCTORS: Final = (VERSION_TABLE, "department_credentials", "snapshots", "snapshot_rounds")
"""What the doctor may read: dates, numbers and ids, nothing of a person and no secret."""
APPLICATION: Final = "control_app"
_APPLICANT: Final = {"name": APPLICATION}
_ALL_ROWS: Final = "SELECT, INSERT, UPDATE, DELETE"
_RIGHTS: Final = {
    VERSION_TABLE: "SELECT",
    "case_events": "SELECT, INSERT",
    "ticket_events": "SELECT, INSERT",
    "department_credentials": "SELECT, INSERT, UPDATE (ended, ended_at)",
    "need_events": "SELECT, INSERT",
    "ownership_rulings": (
        "SELECT, INSERT, "
        "UPDATE (stage, attempts, note, next_at, version, in_force_at, instances, resources, losing)"
    ),
    "outbox": "SELECT, INSERT, UPDATE (sent_at)",
    "trace_subjects": "SELECT, INSERT, DELETE",
    "trace_deliveries": "SELECT, INSERT, DELETE",
}
"""What may be done with tables in which rows are a record, beside reading and adding to it."""
_LOCK: Final = 4_207_001
"""Of PostgreSQL's advisory locks the one that lets one program migrate at a time."""
_LOCK_MS: Final = 120_000
_FOLDER: Final = Path(__file__).parent / "migrations"


class Standing(StrEnum):
    """How the tables compare with the program."""

    CURRENT = "current"
    BEHIND = "behind"
    NEWER = "newer"


@dataclass(frozen=True, slots=True)
class Schema:
    """Which migration the tables have seen last, and which is the program's last; None where none."""

    found: str | None
    wanted: str
    standing: Standing


def migrate(database: ControlDatabase) -> Schema:
    """Run the migrations that are missing, and return how the tables were found; idempotent.

    Two programs that migrate at once wait for one another, and the second finds nothing to do.

    Raises:
        InstallNewerProgram: a newer program has migrated before.
        StartControlDatabase: the database does not serve.
        RepeatTransaction: another migration, or a user of the tables, was in the way too long.
    """
    with database.begin() as connection:
        connection.execute(text(f"SET LOCAL lock_timeout = {_LOCK_MS}"))
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
        before = _schema(connection)
        if before.standing is Standing.NEWER:
            raise InstallNewerProgram(_newer(before))
        if before.standing is Standing.BEHIND:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        _allow_application(connection)
        _allow_doctor(connection)
    return before


def current(database: ControlDatabase) -> Schema:
    """How the tables compare with the program; changes nothing.

    Raises:
        StartControlDatabase: the database does not serve.
    """
    with database.begin() as connection:
        return _schema(connection)


def require_current(database: ControlDatabase) -> None:
    """See that the tables are what the program expects, before it uses them.

    Raises:
        MigrateDatabase: they are older.
        InstallNewerProgram: they are newer.
        StartControlDatabase: the database does not serve.
    """
    schema = current(database)
    if schema.standing is Standing.NEWER:
        raise InstallNewerProgram(_newer(schema))
    if schema.standing is Standing.BEHIND:
        raise MigrateDatabase(
            f"the control plane's tables are at {schema.found or 'nothing'}, this program needs "
            f"{schema.wanted}"
        )


def _allow_application(connection: Connection) -> None:
    """Who runs the control plane, where that is another than who owns the tables, reads and writes rows.

    It changes no table, empties none, and can neither change nor remove what is the record of what happened.
    """
    known = connection.execute(text("SELECT current_user FROM pg_roles WHERE rolname = :name"), _APPLICANT)
    role = known.first()
    if role is None or role.current_user == APPLICATION:
        return
    connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {APPLICATION}"))
    connection.execute(text(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {APPLICATION}"))
    tables = inspect(connection).get_table_names()
    for table in tables:
        rights = _RIGHTS.get(table, _ALL_ROWS)
        connection.execute(text(f"GRANT {rights} ON {table} TO {APPLICATION}"))


def _allow_doctor(connection: Connection) -> None:
    """The stack's doctor, where there is one, sees how far tables are, when credentials end, snapshots."""
    if connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": DOCTOR}).first():
        for table in _DOCTORS:
            connection.execute(text(f"GRANT SELECT ON {table} TO {DOCTOR}"))


def _schema(connection: Connection) -> Schema:
    script = ScriptDirectory.from_config(_config())
    wanted = script.get_current_head()
    known = {revision.revision for revision in script.walk_revisions()}
    if wanted is None:
        raise RuntimeError("there are no migrations")
    found = MigrationContext.configure(
        connection, opts={"version_table": VERSION_TABLE}
    ).get_current_revision()
    if found == wanted:
        return Schema(found, wanted, Standing.CURRENT)
    older = found is None or found in known
    return Schema(found, wanted, Standing.BEHIND if older else Standing.NEWER)


def _newer(schema: Schema) -> str:
    return (
        f"the control plane's tables are at {schema.found}, which this program does not know "
        f"(its last is {schema.wanted})"
    )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
