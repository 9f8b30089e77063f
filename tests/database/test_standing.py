"""Whether the control plane's tables fit the program is seen by the doctor and by `govbus status`."""

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

import pytest
from sqlalchemy import text

from services.cli import control
from services.cli.control import prepare_control, tables_standing
from services.control.store.database import ControlDatabase
from services.control.store.migrate import VERSION_TABLE, Schema, Standing, current
from services.doctor import ask_control
from services.doctor.ask_control import ask_tables
from services.doctor.finding import Finding, Level
from services.doctor.patient import Patient
from tests.database_fixture import DatabaseOnly


def look(server: DatabaseOnly) -> Finding:
    (found,) = ask_tables(cast(Patient, SimpleNamespace(stack=server)))
    return found


@pytest.fixture
def newer(migrated_database: ControlDatabase) -> Iterator[None]:
    """The tables as a newer program would leave them."""
    true = current(migrated_database).found
    _say(migrated_database, "9999")
    yield
    _say(migrated_database, true)


def _say(database: ControlDatabase, version: str | None) -> None:
    with database.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = :version"), {"version": version})


@pytest.mark.usefixtures("migrated_database")
def test_tables_that_fit_are_well(database_server: DatabaseOnly) -> None:
    assert look(database_server).level is Level.OK
    assert tables_standing(database_server) == ""


@pytest.mark.usefixtures("newer")
def test_tables_of_a_newer_program_are_a_failure(database_server: DatabaseOnly) -> None:
    found = look(database_server)
    assert found.level is Level.FAILURE
    assert "9999" in found.seen
    assert "newer" in tables_standing(database_server)


@pytest.mark.parametrize(
    ("found", "level", "remedy", "told"),
    [
        (None, Level.NOTE, "govbus database migrate", False),
        ("0000", Level.FAILURE, "govbus database migrate", True),
    ],
)
@pytest.mark.usefixtures("migrated_database")
def test_tables_that_are_behind_are_told_with_the_command_that_mends_it(
    found: str | None,
    level: Level,
    remedy: str,
    told: bool,
    database_server: DatabaseOnly,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    behind = Schema(found, "0001", Standing.BEHIND)
    monkeypatch.setattr(ask_control, "current", lambda _database: behind)
    monkeypatch.setattr(control, "current", lambda _database: behind)
    seen = look(database_server)
    assert (seen.level, seen.remedy) == (level, remedy)
    assert (remedy in tables_standing(database_server)) is told


def test_a_stack_that_came_up_has_its_tables_calendars_and_packs(
    database_server: DatabaseOnly, control_database: ControlDatabase
) -> None:
    now = datetime(2026, 11, 26, tzinfo=UTC)
    done = prepare_control(database_server, now)
    assert done.before == current(control_database)
    assert 2026 in done.years
    assert "national-2025" in done.packs
    assert prepare_control(database_server, now).years == ()
