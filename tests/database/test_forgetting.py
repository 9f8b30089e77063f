"""What nobody needs any more goes by itself, batch by batch; what somebody needs stays."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, Table, func, select

from services.control.accounts.roles import Role
from services.control.accounts.sessions import Method
from services.control.accounts.token_bucket import OF_TOKENS
from services.control.process.forgetting import ForgettingTurn
from services.control.store.accounts import counters, sessions
from services.control.store.accounts.tables import BUCKETS, FAILURES, SESSIONS
from services.control.store.cases import commands
from services.control.store.cases.tables import COMMANDS
from services.control.store.database import ControlDatabase, Task
from services.control.store.ids import new_id
from services.control.store.notices.happenings import tell
from services.control.store.notices.tables import NOTICE_EVENTS, NOTICE_INBOX
from tests.database.accounts.city import NOW, RANDOM, hire, order, settle
from tests.support.notices import happened

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def count(connection: Connection, table: Table) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


@pytest.fixture
def used(control_database: ControlDatabase) -> ControlDatabase:
    """A database in which five of each kind have come about."""
    with control_database.begin() as connection:
        settle(connection)
        wang = hire(connection, Role.CONSUMER)
        for number in range(5):
            sessions.begin(connection, wang, Method.PASSWORD, order(str(wang.id)), RANDOM)
            counters.begin_try(connection, [counters.of_name(f"stranger-{number}")], NOW)
            counters.allow(connection, f"caller-{number}", NOW, OF_TOKENS)
            tell(connection, replace(happened(key=f"case:{number}"), at=NOW), new_id(NOW), NOW + DAY)
            commands.claim(connection, f"wang:{number}", "digest", NOW)
    return control_database


def left(database: ControlDatabase, after: timedelta, batch: int = 1_000) -> dict[str, int]:
    """What is there after turns at a time, until one says that there is no more."""
    turn = ForgettingTurn(database, lambda: _moment(after), batch)
    turns = 1
    while turn.turn():
        turns += 1
    with database.begin() as connection:
        tables = (SESSIONS, FAILURES, BUCKETS, COMMANDS, NOTICE_EVENTS, NOTICE_INBOX)
        return {"turns": turns} | {table.name: count(connection, table) for table in tables}


def _moment(after: timedelta) -> datetime:
    return NOW + after


@pytest.mark.parametrize(
    ("after", "gone"),
    [
        (timedelta(0), set()),
        (HOUR, {"rate_buckets"}),
        (DAY, {"rate_buckets"}),
        (DAY + HOUR, {"rate_buckets", "login_failures"}),
        (30 * DAY, {"rate_buckets", "login_failures"}),
        (30 * DAY + HOUR, {"rate_buckets", "login_failures", "sessions"}),
        (90 * DAY, {"rate_buckets", "login_failures", "sessions"}),
        (91 * DAY, {"rate_buckets", "login_failures", "sessions", "case_commands"}),
        (730 * DAY, {"rate_buckets", "login_failures", "sessions", "case_commands"}),
        (
            731 * DAY,
            {"rate_buckets", "login_failures", "sessions", "case_commands", "notice_events", "notice_inbox"},
        ),
    ],
)
def test_each_kind_stays_for_its_time(used: ControlDatabase, after: timedelta, gone: set[str]) -> None:
    found = left(used, after)
    assert {name for name, rows in found.items() if rows == 0} == gone


def test_much_goes_in_batches_until_nothing_is_left(used: ControlDatabase) -> None:
    found = left(used, 731 * DAY, batch=2)
    assert found.pop("turns") > 2
    assert set(found.values()) == {0}


def test_while_another_process_is_at_it_nothing_is_done(used: ControlDatabase) -> None:
    with used.alone(Task.FORGETTING) as ours:
        assert ours
        assert left(used, 731 * DAY)["sessions"] == 5
