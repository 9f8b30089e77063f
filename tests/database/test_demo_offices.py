"""The demo opens the offices of the sample city: whole, once, and with passwords that nobody keeps."""

import secrets
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from services.cli.demo_offices import open_offices
from services.control.accounts.hashing import Hasher
from services.control.signing_in.local import LocalLogins, LoggedIn, Try
from services.control.store.accounts.persons import person_by_login
from services.control.store.cases.policies import adopted
from services.control.store.catalogue.exporting import Which, entries_of
from services.control.store.database import ControlDatabase
from services.control.store.prepare import prepare
from tests.support.policy import sample_definitions

NOW = datetime(2026, 11, 26, 4, 0, tzinfo=UTC)


@pytest.fixture
def database(control_database: ControlDatabase) -> ControlDatabase:
    prepare(control_database, NOW)
    return control_database


def test_the_whole_catalogue_is_published_and_cases_are_bound(database: ControlDatabase) -> None:
    open_offices(database, sample_definitions(), NOW)
    with database.reading() as connection:
        published = {str(entry.code) for entry in entries_of(connection, Which.PUBLISHED)}
        policy = adopted(connection)
    assert len(published) == len(sample_definitions().resources)
    assert policy is not None


def test_each_account_logs_in_with_its_password_which_nobody_keeps(database: ControlDatabase) -> None:
    accounts = open_offices(database, sample_definitions(), NOW)
    assert {account.role for account in accounts} == {"consumer", "provider", "authority"}
    logins = LocalLogins(database, Hasher(), secrets.token_bytes)
    for account in accounts:
        assert account.password is not None
        assert account.password not in repr(account)
        found = logins.log_in(Try(account.login, account.password, None, NOW))
        assert isinstance(found, LoggedIn)
        assert not found.person.must_change_password
    with database.begin() as connection:
        kept = connection.execute(text("SELECT hash FROM passwords UNION SELECT facts::text FROM outbox"))
        stored = " ".join(row[0] for row in kept)
    assert not any(account.password in stored for account in accounts if account.password)


def test_again_changes_nothing_and_tells_no_password(database: ControlDatabase) -> None:
    open_offices(database, sample_definitions(), NOW)
    with database.begin() as connection:
        before = person_by_login(connection, "police.clerk")
        acts = connection.execute(text("SELECT count(*) FROM outbox")).scalar_one()
    again = open_offices(database, sample_definitions(), NOW)
    assert [account.password for account in again] == [None, None, None]
    with database.begin() as connection:
        assert person_by_login(connection, "police.clerk") == before
        assert connection.execute(text("SELECT count(*) FROM outbox")).scalar_one() == acts


def test_who_plays_a_week_gets_two_auditors_and_an_operator_beside_the_three(
    database: ControlDatabase,
) -> None:
    accounts = open_offices(database, sample_definitions(), NOW, audited=True)
    roles = [account.role for account in accounts[3:]]
    assert roles == ["auditor", "auditor", "operator"]
    assert all(account.password for account in accounts)
