"""Logins get a date when they are seen, departments are told in time, and what is over is taken away once."""

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from services.cli.demo_offices import departments_of
from services.control.accounts.people import Person
from services.control.accounts.roles import Role
from services.control.credential_life import Credential, Ended, expiry
from services.control.desk.following import SYSTEM
from services.control.notices.words import Kind
from services.control.process.address import As, stack_address
from services.control.process.credentials import CredentialsTurn
from services.control.provisioning.credential import DEPARTMENT, fetch, order_rotation
from services.control.store.accounts import departments, persons, roles
from services.control.store.accounts.acts import Order
from services.control.store.database import ControlDatabase, Task
from services.control.store.ids import new_id
from services.control.store.notices import inbox
from services.control.store.outbox import acts_on
from services.control.store.provisioning import credentials
from tests.database.provisioning.test_credential import PlayedLogins
from tests.database_fixture import DatabaseOnly
from tests.support.policy import sample_definitions
from tests.support.provisioning import Clock
from tests.support.sharing_cases import AUTHORITY
from tests.support.waiting import eventually
from topics.event import ConsumerId

BEGUN = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
DAYS = 180
DAY = timedelta(days=1)
HEALTH, TAX = ConsumerId("health"), ConsumerId("tax")


@dataclass
class PlayedLocks:
    """Departments with logins; ``during`` happens while one is taken away."""

    held: set[ConsumerId] = field(default_factory=lambda: {HEALTH})
    locked: list[ConsumerId] = field(default_factory=list)
    fails: set[ConsumerId] = field(default_factory=set)
    half: set[ConsumerId] = field(default_factory=set)
    """Departments with a new password that the broker may not have."""
    finished: list[ConsumerId] = field(default_factory=list)
    during: Callable[[], None] = lambda: None

    def holders(self) -> frozenset[ConsumerId]:
        return frozenset(self.held)

    def lock(self, consumer: ConsumerId) -> None:
        self.during()
        if consumer in self.fails:
            raise ConnectionError("nobody answers")
        self.locked.append(consumer)
        self.held.discard(consumer)
        self.half.discard(consumer)

    def half_renewed(self) -> frozenset[ConsumerId]:
        return frozenset(self.half)

    def finish(self, consumer: ConsumerId) -> None:
        self.during()
        if consumer in self.fails:
            raise ConnectionError("nobody answers")
        self.finished.append(consumer)
        self.half.discard(consumer)


@dataclass
class Guard:
    """The loop, with what a test sets."""

    database: ControlDatabase
    locks: PlayedLocks = field(default_factory=PlayedLocks)
    clock: Clock = field(default_factory=lambda: Clock(BEGUN))

    def turn(self, after: timedelta = timedelta()) -> bool:
        """Take a turn so long after the beginning."""
        self.clock.now = BEGUN + after
        return CredentialsTurn(self.database, self.locks, self.clock, DAYS).turn()

    def versions(self, consumer: ConsumerId = HEALTH) -> list[Credential]:
        with self.database.reading() as connection:
            return credentials.versions(connection, consumer)

    def told(self, department: str = "health") -> list[Kind]:
        """What a department was told, oldest first."""
        with self.database.begin() as connection:
            page = inbox.page(connection, department, "somebody", limit=100)
        return [each.happened.kind for each in reversed(page)]

    def acts(self, consumer: ConsumerId = HEALTH) -> list[tuple[str, str]]:
        with self.database.begin() as connection:
            return [(act.what, act.who) for act in acts_on(connection, DEPARTMENT, consumer)]


@pytest.fixture
def guard(control_database: ControlDatabase) -> Guard:
    return Guard(control_database)


def test_a_login_gets_a_date_when_it_is_seen_first_and_keeps_it(guard: Guard) -> None:
    assert guard.turn()
    assert guard.versions() == [Credential(HEALTH, 1, BEGUN, expiry(BEGUN, DAYS))]
    guard.locks.held.add(TAX)
    assert guard.turn(DAY)
    assert not guard.turn(2 * DAY), "there is nothing left to do"
    assert guard.versions() == [Credential(HEALTH, 1, BEGUN, expiry(BEGUN, DAYS))]
    assert guard.versions(TAX) == [Credential(TAX, 1, BEGUN + DAY, expiry(BEGUN + DAY, DAYS))]


def test_a_department_is_told_at_each_step_once_and_locked_out_once_it_is_over(guard: Guard) -> None:
    days = (0, 149, 150, 151, 173, 173, 179, 180, 181)
    heard = []
    for day in days:
        guard.turn(day * DAY)
        heard.append(len(guard.told()))
    assert heard == [0, 0, 1, 1, 2, 2, 3, 4, 4]
    assert guard.told() == [*(3 * [Kind.CREDENTIAL_EXPIRES]), Kind.CREDENTIAL_EXPIRED]
    assert guard.locks.locked == [HEALTH]
    assert guard.acts() == [("credential.expired", SYSTEM.person)]
    (found,) = guard.versions()
    assert (found.ended, found.ended_at) == (Ended.EXPIRED, BEGUN + 180 * DAY)


def test_a_second_before_its_end_it_still_opens(guard: Guard) -> None:
    guard.turn()
    guard.turn(180 * DAY - timedelta(seconds=1))
    assert guard.locks.locked == []


def test_where_the_broker_does_not_answer_nothing_is_noted_and_the_others_are_locked_out(
    guard: Guard,
) -> None:
    guard.locks.held.add(TAX)
    guard.turn()
    guard.locks.fails.add(HEALTH)
    with pytest.raises(ConnectionError):
        guard.turn(180 * DAY)
    assert (guard.locks.locked, guard.acts()) == ([TAX], [])
    assert guard.versions()[0].ended is None
    assert Kind.CREDENTIAL_EXPIRED not in guard.told()
    guard.locks.fails.clear()
    assert guard.turn(181 * DAY)
    assert guard.locks.locked == [TAX, HEALTH]
    assert guard.versions()[0].ended is Ended.EXPIRED


def test_what_was_half_renewed_is_finished_and_one_that_fails_holds_up_no_other(guard: Guard) -> None:
    guard.locks.held.add(TAX)
    guard.turn()
    guard.locks.half |= {HEALTH, TAX}
    guard.locks.fails.add(HEALTH)
    with pytest.raises(ConnectionError):
        guard.turn()
    assert guard.locks.finished == [TAX]
    guard.locks.fails.clear()
    assert guard.turn()
    assert guard.locks.finished == [TAX, HEALTH]
    assert not guard.turn()


def test_what_is_over_is_locked_out_and_not_finished(guard: Guard) -> None:
    guard.turn()
    guard.locks.half.add(HEALTH)
    guard.turn(180 * DAY)
    assert (guard.locks.locked, guard.locks.finished) == ([HEALTH], [])


def test_whoever_fetches_a_new_one_at_this_moment_finishes_it_himself(
    guard: Guard, control_database: ControlDatabase
) -> None:
    guard.turn()
    guard.locks.half.add(HEALTH)
    with control_database.begin() as connection:
        credentials.hold(connection, HEALTH)
        waiting = threading.Thread(target=guard.turn)
        waiting.start()
        eventually(lambda: waits(control_database), 2)
        guard.locks.half.discard(HEALTH)
    waiting.join(30)
    assert not waiting.is_alive()
    assert guard.locks.finished == []


def test_what_apply_makes_after_the_end_has_a_date_of_its_own(guard: Guard) -> None:
    guard.turn()
    guard.turn(180 * DAY)
    assert not guard.turn(181 * DAY), "a login that is gone is not entered"
    guard.locks.held.add(HEALTH)
    guard.turn(200 * DAY)
    newest, _ = guard.versions()
    assert (newest.version, newest.expires_at) == (2, expiry(BEGUN + 200 * DAY, DAYS))
    guard.turn(380 * DAY)
    assert guard.locks.locked == [HEALTH, HEALTH]


def test_a_withdrawn_department_is_told_nothing_of_its_last_days(guard: Guard) -> None:
    guard.turn()
    guard.locks.held.clear()
    guard.turn(150 * DAY)
    assert guard.told() == []


def test_a_credential_that_is_fetched_while_the_old_one_expires_is_not_locked_out(
    guard: Guard, control_database: ControlDatabase
) -> None:
    guard.turn()
    over = BEGUN + 180 * DAY
    with control_database.begin() as connection:
        code, _ = order_rotation(connection, HEALTH, "operator-7", over, new_id(over), lambda n: bytes(n))
        assert fetch(connection, code, "operator-7", over, PlayedLogins(), DAYS) is not None
        # The turn of the department is ours until this transaction ends.
        waiting = threading.Thread(target=guard.turn, args=(180 * DAY,))
        waiting.start()
        eventually(lambda: waits(control_database), 2)
    waiting.join(30)
    assert not waiting.is_alive()
    assert guard.locks.locked == []
    assert [each.ended for each in guard.versions()] == [None, Ended.EXPIRED]


def waits(database: ControlDatabase) -> bool:
    """Whether somebody waits for a turn."""
    asked = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    with database.begin() as connection:
        return bool(connection.execute(asked).scalar_one())


def test_of_two_processes_one_looks_at_a_time(guard: Guard, control_database: ControlDatabase) -> None:
    with control_database.alone(Task.CREDENTIALS) as ours:
        assert ours
        assert not guard.turn()
    assert guard.versions() == []


def test_the_operators_are_told_too(guard: Guard, control_database: ControlDatabase) -> None:
    order = Order("console:test", BEGUN)
    with control_database.begin() as connection:
        for department in departments_of(sample_definitions()):
            departments.add_department(connection, department, order)
        person = Person(new_id(BEGUN), "zhao", "Zhao", AUTHORITY)
        persons.add_person(connection, person, order)
        roles.give_role(connection, person.id, Role.OPERATOR, order)
    guard.turn()
    guard.turn(180 * DAY)
    assert guard.told(AUTHORITY) == [Kind.CREDENTIAL_EXPIRED]


def test_who_runs_the_control_plane_cannot_move_a_date(guard: Guard, database_server: DatabaseOnly) -> None:
    guard.turn()
    with closing(ControlDatabase(stack_address(database_server, As.APPLICATION))) as application:
        for change in ("expires_at = expires_at + interval '1 day'", "version = 7"):
            statement = f"UPDATE department_credentials SET {change}"
            with pytest.raises(Exception, match="permission denied"), application.begin() as connection:
                connection.exec_driver_sql(statement)
        assert CredentialsTurn(application, guard.locks, lambda: BEGUN + 180 * DAY, DAYS).turn()
    assert guard.locks.locked == [HEALTH]
