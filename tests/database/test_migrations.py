"""Migrations lead to exactly the tables that are declared, once, in whatever order programs come."""

import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from alembic import command
from sqlalchemy import text

from services.control.store import migrate as migrating
from services.control.store.database import Address, ControlDatabase
from services.control.store.errors import InstallNewerProgram, MigrateDatabase
from services.control.store.metadata import whole_metadata
from services.control.store.migrate import (
    VERSION_TABLE,
    Schema,
    Standing,
    current,
    migrate,
    require_current,
)
from services.control.store.provisioning import credentials
from services.control.store.snapshots import alarms
from services.stack.postgres import DOCTOR, DOCTOR_SECRET
from tests.database_fixture import DatabaseOnly

_COLUMNS = """
    SELECT table_name, column_name, data_type, udt_name, is_nullable, column_default, is_identity,
           identity_generation
    FROM information_schema.columns WHERE table_schema = 'public' ORDER BY table_name, column_name
"""
_CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2
"""
_INDEXES = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2"


@pytest.fixture
def fresh(database_server: DatabaseOnly) -> Iterator[ControlDatabase]:
    """A database without tables."""
    with database_server.opened("fresh") as database:
        with database.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        yield database


def structure(database: ControlDatabase) -> list[tuple[Any, ...]]:
    """Everything that the catalogue of PostgreSQL says of the tables, but for that of the migrations."""
    with database.begin() as connection:
        return [
            tuple(row)
            for question in (_COLUMNS, _CONSTRAINTS, _INDEXES)
            for row in connection.execute(text(question))
            if row[0] != VERSION_TABLE
        ]


def test_migrations_lead_to_the_tables_that_are_declared(
    fresh: ControlDatabase, database_server: DatabaseOnly
) -> None:
    migrate(fresh)
    with database_server.opened("declared") as declared:
        with declared.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
            whole_metadata().create_all(connection)
        wanted = structure(declared)
    assert structure(fresh) == wanted
    assert {row[0] for row in wanted} >= {"outbox", "catalogue_entries", "calendar_days", "policy_packs"}


def test_the_first_migration_makes_the_tables_and_the_second_finds_nothing_to_do(
    fresh: ControlDatabase,
) -> None:
    before = migrate(fresh)
    assert (before.found, before.standing) == (None, Standing.BEHIND)
    made = structure(fresh)
    assert migrate(fresh) == Schema(before.wanted, before.wanted, Standing.CURRENT)
    assert structure(fresh) == made
    assert current(fresh).standing is Standing.CURRENT
    require_current(fresh)


_THEN = """
    INSERT INTO case_policies (digest, document, recorded_at) VALUES ('d', '{}', now());
    INSERT INTO cases (id, grant_id, policy, facts, opening, opened_at, provider, consumer, resource,
                       entry_code, version, state, level, open_complaints, application, undone, moved_at)
    SELECT gen_random_uuid(), 'g-' || name, 'd', '{}', '{}', now(), 'police', name, 'r', 'e', 1,
           'active', 1, 0, '{}', ARRAY[]::text[], now()
    FROM unnest(ARRAY['archives', 'health', 'market', 'tax']) AS name;
    INSERT INTO case_events (case_id, number, action, at, recorder, document)
    SELECT id, 1, 'step_done', now() - age, 'control', jsonb_build_object('step', step)
    FROM (VALUES ('archives', interval '10 days', 'credential'),
                 ('health', interval '200 days', 'credential'),
                 ('market', interval '10 days', 'topic')) AS happened (name, age, step)
    JOIN cases ON consumer = name;
    INSERT INTO credential_pickups (id, case_id, consumer, digest, issued_at, issued_by, expires_at)
    SELECT gen_random_uuid(), id, consumer, 'x', now() - interval '160 days', 'operator', now()
    FROM cases WHERE consumer = 'tax';
"""
"""Four departments: three have a credential, by a step of ten or two hundred days ago, or by a code."""


def test_credentials_that_are_out_get_a_date_from_their_issue_and_time_to_be_told(
    fresh: ControlDatabase,
) -> None:
    with fresh.begin() as connection:
        config = migrating._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0008")
        connection.execute(text(_THEN))
    migrate(fresh)
    days = "round(extract(epoch FROM {} - now()) / 86400)"
    issued, ends = (days.format(column) for column in ("issued_at", "expires_at"))
    asked = text(f"SELECT consumer, version, {issued}, {ends} FROM department_credentials ORDER BY consumer")
    with fresh.begin() as connection:
        found = [tuple(row) for row in connection.execute(asked)]
    assert found == [("archives", 1, -10, 170), ("health", 1, -200, 30), ("tax", 1, -160, 30)]


_STEPS = """
    INSERT INTO trace_acquired (grant_id, consumer_group, partition, committed, seen_at)
    VALUES ('g', 'health.app', 0, 9, '2026-12-01Z'), ('g', 'health.app', 1, 3, '2026-01-01Z');
    INSERT INTO outbox (channel, who, what, kind, object, acted_at, reason, facts)
    VALUES ('ledger', 'control', 'grants.acquired', 'consumer', 'health', '2026-01-01Z', '',
            '{"g/0/health.app": 4, "g/1/health.app": 3}'),
           ('ledger', 'control', 'grants.acquired', 'consumer', 'health', '2026-12-01Z', '',
            '{"g/0/health.app": 9}'),
           ('ledger', 'control', 'another', 'consumer', 'health', '2026-02-01Z', '', '{"g/0/health.app": 5}');
"""


def test_steps_that_were_overwritten_come_back_from_what_the_ledger_was_told(fresh: ControlDatabase) -> None:
    with fresh.begin() as connection:
        config = migrating._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0023")
        connection.execute(text(_STEPS))
    migrate(fresh)
    asked = """
        SELECT partition, step.committed, extract(month FROM step.seen_at AT TIME ZONE 'UTC')
        FROM trace_acquired_steps step JOIN trace_acquired known ON known.id = step.acquired_id ORDER BY 1, 2
    """
    with fresh.begin() as connection:
        assert [tuple(row) for row in connection.execute(text(asked))] == [(0, 4, 1), (0, 9, 12), (1, 3, 1)]


def test_programs_that_migrate_at_once_do_no_harm(
    fresh: ControlDatabase, database_server: DatabaseOnly
) -> None:
    met, found = threading.Barrier(3, timeout=20), []

    def program() -> None:
        with closing(ControlDatabase(database_server.address("fresh"))) as own:
            met.wait()
            found.append(migrate(own).standing)

    threads = [threading.Thread(target=program) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(found) == [Standing.BEHIND, Standing.CURRENT, Standing.CURRENT]
    assert current(fresh).standing is Standing.CURRENT


def test_tables_that_nobody_has_migrated_are_not_used(fresh: ControlDatabase) -> None:
    with pytest.raises(MigrateDatabase, match="nothing"):
        require_current(fresh)


def test_tables_of_a_newer_program_are_neither_used_nor_changed(fresh: ControlDatabase) -> None:
    migrate(fresh)
    with fresh.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    before = structure(fresh)
    assert current(fresh).standing is Standing.NEWER
    with pytest.raises(InstallNewerProgram, match="9999"):
        migrate(fresh)
    with pytest.raises(InstallNewerProgram, match="9999"):
        require_current(fresh)
    assert structure(fresh) == before


def test_the_doctor_reads_how_far_tables_are_when_credentials_end_and_what_was_seen_and_nothing_else(
    migrated_database: ControlDatabase, database_server: DatabaseOnly
) -> None:
    file = database_server.context.secrets.path(DOCTOR_SECRET)
    own = database_server.address()
    address = Address(own.url.replace("control@", f"{DOCTOR}@"), file)
    with closing(ControlDatabase(address)) as looking:
        assert current(looking) == current(migrated_database)
        with looking.reading() as connection:
            assert credentials.listed(connection) == []
            assert set(alarms(connection).documents) >= set()
        for statement in (
            "SELECT * FROM outbox",
            "SELECT * FROM credential_pickups",
            "DELETE FROM department_credentials",
            "SELECT * FROM catalogue_entries",
            f"DELETE FROM {VERSION_TABLE}",
            "CREATE TABLE mine (n integer)",
        ):
            with pytest.raises(Exception, match="permission denied"), looking.begin() as connection:
                connection.execute(text(statement))
