"""The doctor tells a full volume that is whole from one that left rows out, stands still or is on its way."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from producers.snapshot import STALLED_AFTER_S
from services.doctor.ask_snapshots import ask_snapshots
from services.doctor.finding import Finding, Level
from services.stack.api import Stack
from tests.integration.own_capture import OwnCapture, eventually, own_capture

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

ROWS = 40


def told(own: OwnCapture, stalled_after_s: float = STALLED_AFTER_S) -> list[Finding]:
    return ask_snapshots(own.patient(), stalled_after_s)


def ended(own: OwnCapture) -> list[Finding]:
    """What is told once the snapshot has ended: one line about it, one about the table."""
    return [] if len(found := told(own)) < 2 else found


def test_a_whole_volume_is_well_and_stays_so_while_rows_come_and_go(stack: Stack) -> None:
    with own_capture(stack, "whole", ROWS) as own:
        own.start()
        snapshot, table = eventually(lambda: ended(own))
        assert (snapshot.level, table.level) == (Level.OK, Level.OK)
        assert f"public.item has {ROWS} rows, {ROWS} scanned" in table.seen
        own.sql("INSERT INTO item (name) SELECT 'y' FROM generate_series(1, 7)")
        own.sql("UPDATE item SET id = id + 1000 WHERE id <= 2")
        own.sql("DELETE FROM item WHERE id BETWEEN 11 AND 15")
        # What is on its way is a warning that ends by itself.
        table = eventually(
            lambda: next((each for each in told(own)[1:] if each.level is Level.OK), None),
            what=lambda: f"a whole volume: {told(own)}, {own.connect.status(own.connector)}",
        )
        assert table.remedy == ""
        # A row under another key is one that was deleted and one that was created.
        assert table.seen.endswith(f"has {ROWS + 2} rows, {ROWS} scanned, 9 created and 7 deleted since")


def test_a_snapshot_that_completed_and_saw_a_part_of_the_rows_is_a_failure(stack: Stack) -> None:
    with own_capture(stack, "hidden", ROWS) as own:
        own.sql("ALTER TABLE item ENABLE ROW LEVEL SECURITY")
        own.sql(f"CREATE POLICY few ON item TO {own.role} USING (id <= 3)")
        own.start()
        snapshot, table = eventually(lambda: ended(own))
        # By its own account all is well, and nobody who sees the same few rows could tell.
        assert (snapshot.level, snapshot.seen.split(": ")[1]) == (
            Level.OK,
            "every table was scanned, 3 rows",
        )
        assert table.level is Level.WARNING
        assert "cannot be counted: InsufficientPrivilege" in table.seen
        own.sql("ALTER TABLE item DISABLE ROW LEVEL SECURITY")
        # A warning, until the capture has confirmed all that was counted.
        (_, table) = eventually(lambda: [each for each in [told(own)] if each[1].level is Level.FAILURE])[0]
        assert table.remedy == f"govbus apply --recapture {own.provider}"
        assert f"has {ROWS} rows, 3 scanned" in table.seen
        assert f"{ROWS - 3} are missing" in table.seen


def test_rows_that_nobody_captures_yet_are_no_failure_of_the_snapshot(stack: Stack) -> None:
    with own_capture(stack, "behind", ROWS) as own:
        own.start()
        eventually(lambda: ended(own))
        own.connect.stop(own.connector)
        eventually(lambda: not own.connect.status(own.connector).tasks)
        own.sql("INSERT INTO item (name) VALUES ('late')")
        (_, table) = told(own)
        assert table.level is Level.WARNING
        assert "1 are missing; the capture has not confirmed them yet" in table.seen
        own.connect.resume(own.connector)
        (_, table) = eventually(lambda: [each for each in [told(own)] if each[1].level is Level.OK])[0]
        assert "1 created" in table.seen


@contextmanager
def locked(own: OwnCapture) -> Iterator[None]:
    """Somebody holds the table, so that whoever reads it waits."""
    with closing(own.stack.superuser_connection(own.provider)) as connection:
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE item IN ACCESS EXCLUSIVE MODE")
        yield
        connection.rollback()


def test_a_snapshot_that_does_not_get_on_is_called_so_and_one_that_does_is_not(stack: Stack) -> None:
    with own_capture(stack, "stalled", ROWS) as own:
        # A slot that is there already is taken over: making one would wait for whoever holds the lock.
        own.sql(f"SELECT pg_create_logical_replication_slot('{own.slot}', 'pgoutput')")
        with locked(own):
            own.start()

            def at(seconds: float) -> list[Level]:
                return [each.level for each in told(own, seconds) if "under way" in each.seen]

            eventually(lambda: at(1.0) == [Level.FAILURE])
            assert at(STALLED_AFTER_S) == [Level.NOTE]
        snapshot, table = eventually(lambda: ended(own))
        assert (snapshot.level, table.level) == (Level.OK, Level.OK)
