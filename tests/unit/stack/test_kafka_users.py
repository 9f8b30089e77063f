"""A new password replaces the old one, one that is taken away nobody knows, and none is ever deleted."""

from concurrent.futures import Future
from pathlib import Path
from typing import Any, cast

import pytest
from confluent_kafka.admin import AdminClient, UserScramCredentialUpsertion

from services.stack import secret_files
from services.stack.secret_files import SecretFiles
from services.stack.users import (
    KafkaUsers,
    half_done_users,
    pending_name,
    secret_name,
    users_with_passwords,
)

USER = "consumer-health"


class PlayedBroker:
    """Keeps the passwords that it is given, or refuses them, or takes them and is not heard."""

    def __init__(self) -> None:
        self.passwords: dict[str, str] = {}
        self.down = self.unheard = False
        self.asked = 0

    def describe_user_scram_credentials(self, **_more: Any) -> "Future[dict[str, object]]":
        found: Future[dict[str, object]] = Future()
        found.set_result(dict(self.passwords))
        return found

    def alter_user_scram_credentials(self, changes: list[Any], **_more: Any) -> dict[str, "Future[None]"]:
        answers = {}
        self.asked += 1
        for change in changes:
            assert isinstance(change, UserScramCredentialUpsertion), "a deletion would shut everybody out"
            answers[change.user] = found = Future[None]()
            if not self.down:
                self.passwords[change.user] = change.password.decode()
            if self.down or self.unheard:
                found.set_exception(ConnectionError("nobody answers"))
            else:
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


class Killed(BaseException):
    """The process ends here, as by kill -9: nobody catches it."""


def killed_at(monkeypatch: pytest.MonkeyPatch, write: int) -> None:
    """Let the process end before it writes a file for so many a time."""
    writes, real = iter(range(1, 1_000)), secret_files.write_private

    def private(path: Path, content: str) -> None:
        if next(writes) == write:
            raise Killed
        real(path, content)

    monkeypatch.setattr(secret_files, "write_private", private)


WRITES = 4
"""So many files a renewal writes: the pending password and the list of secrets, then the kept one and it."""


@pytest.mark.parametrize("write", range(1, WRITES + 1))
@pytest.mark.parametrize("pass_", ["start", "ensure"])
def test_killed_anywhere_in_a_renewal_the_next_pass_leaves_one_password_that_opens(
    broker: PlayedBroker, files: SecretFiles, monkeypatch: pytest.MonkeyPatch, write: int, pass_: str
) -> None:
    before = users(broker, files)
    old = before.ensure(USER)
    with monkeypatch.context() as patch:
        killed_at(patch, write)
        with pytest.raises(Killed):
            before.renew(USER)
    begun = USER in half_done_users(files)
    assert begun == (write > 2), "a renewal begins once its password is kept as pending"
    found = KafkaUsers(cast(AdminClient, broker), files, lambda: "yet another")
    if pass_ == "start":
        found.finish()
    else:
        found.ensure(USER)
    assert broker.passwords == {USER: files.read(secret_name(USER))}
    assert (files.read(secret_name(USER)) == old) == (not begun)
    found.settle(USER)
    assert half_done_users(files) == frozenset()
    assert files.read(secret_name(USER)) == broker.passwords[USER]


def test_a_renewal_that_is_not_killed_writes_so_many_files(
    broker: PlayedBroker, files: SecretFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    users(broker, files).ensure(USER)
    killed_at(monkeypatch, WRITES + 1)
    users(broker, files).renew(USER)


@pytest.mark.parametrize("taken", [False, True])
def test_where_the_broker_is_not_heard_the_next_pass_gives_it_the_same_password(
    broker: PlayedBroker, files: SecretFiles, caplog: pytest.LogCaptureFixture, *, taken: bool
) -> None:
    found = users(broker, files)
    old = found.ensure(USER)
    broker.down, broker.unheard = not taken, taken
    with caplog.at_level(1), pytest.raises(ConnectionError) as failed:
        found.renew(USER)
    assert (broker.passwords[USER] == old) == (not taken)
    assert files.read(secret_name(USER)) == old, "until the broker has answered, nobody hands it out"
    assert files.path(pending_name(USER)).stat().st_mode & 0o077 == 0
    pending = files.read(pending_name(USER))
    for _ in range(2):
        with caplog.at_level(1), pytest.raises(ConnectionError):
            found.finish()
    broker.down = broker.unheard = False
    found.finish()
    assert broker.passwords == {USER: pending}
    assert files.read(secret_name(USER)) == pending != old
    for text in (caplog.text, str(failed.value), repr(failed.value)):
        assert old not in text
        assert pending not in text


def test_a_new_renewal_replaces_one_that_was_not_answered(broker: PlayedBroker, files: SecretFiles) -> None:
    found = users(broker, files)
    found.ensure(USER)
    broker.down = True
    with pytest.raises(ConnectionError):
        found.renew(USER)
    broker.down = False
    new = found.renew(USER)
    found.finish()
    assert broker.passwords == {USER: new}
    assert files.read(secret_name(USER)) == new


def test_what_the_broker_has_answered_for_it_is_not_asked_again(
    broker: PlayedBroker, files: SecretFiles
) -> None:
    found = users(broker, files)
    found.ensure(USER)
    found.renew(USER)
    asked = broker.asked
    assert half_done_users(files) == {USER}, "there may be copies of the old one"
    found.ensure(USER)
    found.finish()
    assert broker.asked == asked
    found.settle(USER)
    assert half_done_users(files) == frozenset()
    assert users_with_passwords(files) == {USER}


@pytest.mark.parametrize("taken", [False, True])
def test_a_login_that_is_made_and_not_answered_for_is_made_by_who_wants_it_next(
    broker: PlayedBroker, files: SecretFiles, *, taken: bool
) -> None:
    found = users(broker, files)
    found.ensure(USER)
    found.withdraw(USER)
    broker.down, broker.unheard = not taken, taken
    with pytest.raises(ConnectionError):
        found.ensure(USER)
    broker.down = broker.unheard = False
    found.finish()
    assert users_with_passwords(files) == frozenset(), "nobody is let in who is not wanted"
    assert found.ensure(USER) == broker.passwords[USER]


def test_who_is_locked_out_is_not_brought_back_by_what_was_half_done(
    broker: PlayedBroker, files: SecretFiles
) -> None:
    found = users(broker, files)
    found.ensure(USER)
    broker.unheard = True
    with pytest.raises(ConnectionError):
        found.renew(USER)
    pending = files.read(pending_name(USER))
    broker.unheard = False
    found.withdraw(USER)
    found.finish()
    assert broker.passwords[USER] != pending
    assert users_with_passwords(files) == half_done_users(files) == frozenset()
    assert not files.path(pending_name(USER)).exists()


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
