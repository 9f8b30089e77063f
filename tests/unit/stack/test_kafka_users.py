"""A new password replaces the old one, one that is taken away nobody knows, and none is ever deleted."""

from concurrent.futures import Future
from pathlib import Path
from typing import Any, cast

import pytest
from confluent_kafka.admin import AdminClient, UserScramCredentialUpsertion

from services.stack.secret_files import SecretFiles
from services.stack.users import KafkaUsers, secret_name, users_with_passwords

USER = "consumer-health"


class PlayedBroker:
    """Keeps the passwords that it is given, or refuses them."""

    def __init__(self) -> None:
        self.passwords: dict[str, str] = {}
        self.down = False

    def describe_user_scram_credentials(self, **_more: Any) -> "Future[dict[str, object]]":
        found: Future[dict[str, object]] = Future()
        found.set_result(dict(self.passwords))
        return found

    def alter_user_scram_credentials(self, changes: list[Any], **_more: Any) -> dict[str, "Future[None]"]:
        answers = {}
        for change in changes:
            assert isinstance(change, UserScramCredentialUpsertion), "a deletion would shut everybody out"
            answers[change.user] = found = Future[None]()
            if self.down:
                found.set_exception(ConnectionError("nobody answers"))
            else:
                self.passwords[change.user] = change.password.decode()
                found.set_result(None)
        return answers


@pytest.fixture
def broker() -> PlayedBroker:
    return PlayedBroker()


@pytest.fixture
def files(tmp_path: Path) -> SecretFiles:
    return SecretFiles(tmp_path)


def users(broker: PlayedBroker, files: SecretFiles) -> KafkaUsers:
    numbers = iter(range(1, 100))
    return KafkaUsers(cast(AdminClient, broker), files, lambda: f"password {next(numbers)}")


def test_a_new_password_takes_the_place_of_the_old_one(broker: PlayedBroker, files: SecretFiles) -> None:
    found = users(broker, files)
    old = found.ensure(USER)
    new = found.renew(USER)
    assert new != old
    assert broker.passwords == {USER: new}
    assert (found.ensure(USER), files.read(secret_name(USER))) == (new, new)
    assert files.path(secret_name(USER)).stat().st_mode & 0o077 == 0


def test_where_the_broker_does_not_take_it_the_old_one_still_opens_and_the_next_attempt_mends_it(
    broker: PlayedBroker, files: SecretFiles
) -> None:
    found = users(broker, files)
    old = found.ensure(USER)
    broker.down = True
    with pytest.raises(ConnectionError):
        found.renew(USER)
    assert broker.passwords == {USER: old}
    broker.down = False
    new = found.renew(USER)
    assert broker.passwords == {USER: new}
    assert files.read(secret_name(USER)) == new


def test_a_password_that_is_taken_away_is_kept_nowhere_and_a_new_one_brings_the_user_back(
    broker: PlayedBroker, files: SecretFiles
) -> None:
    found = users(broker, files)
    old = found.ensure(USER)
    assert users_with_passwords(files) == {USER}
    found.withdraw(USER)
    assert users_with_passwords(files) == set()
    assert broker.passwords[USER] != old
    assert not files.path(secret_name(USER)).exists()
    new = found.renew(USER)
    assert broker.passwords == {USER: new}
    assert users_with_passwords(files) == {USER}
