"""What is handed over with a new password, and which of the bus's own copies are replaced with it."""

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from services.control.access import Access
from services.control.credentials import credentials_path, write_credentials
from services.control.desired import Declared
from services.control.provisioning import logins
from services.control.provisioning.logins import Handover, Locks
from services.control.provisioning.ports import CannotProvide
from tests.support.access import access as closed
from tests.support.policy import sample_definitions, sample_policy
from topics.event import ConsumerId

HEALTH = ConsumerId("health")
USER = "consumer-health"
CITY = sample_definitions()
DECLARED = Declared(
    CITY.providers, CITY.consumers, CITY.resources, CITY.grants, CITY.code_lists, CITY.item_schemas
)


class Passwords:
    """The broker's users, with passwords that count up."""

    def __init__(self) -> None:
        self.given: dict[str, str] = {USER: "password 1"}
        self.locked: list[str] = []
        self.half: set[str] = set()

    def ensure(self, user: str) -> str:
        return self.given.setdefault(user, "password 0")

    def renew(self, user: str) -> str:
        self.given[user] = f"password {int(self.ensure(user).rpartition(' ')[2]) + 1}"
        self.half.add(user)
        return self.given[user]

    def lock(self, user: str) -> None:
        self.locked.append(user)
        del self.given[user]

    def access(self, home: Path) -> Access:
        return replace(
            closed(home),
            ensure_user=self.ensure,
            renew_user=self.renew,
            lock_user=self.lock,
            settle_user=self.half.discard,
            half_done_users=lambda: frozenset(self.half),
            known_users=lambda: {USER, *self.given},
            users_with_passwords=lambda: frozenset({"gate", "provider-police", *self.given}),
        )


@pytest.fixture
def passwords() -> Passwords:
    return Passwords()


def test_what_is_shown_is_the_credential_as_it_is(tmp_path: Path, passwords: Passwords) -> None:
    shown = Handover(passwords.access(tmp_path), sample_policy()).shown(HEALTH)
    assert (shown["username"], shown["password"]) == (USER, "password 1")
    assert shown["grants"]


def test_a_new_password_is_handed_over_and_stands_in_every_file_that_had_the_old_one(
    tmp_path: Path, passwords: Passwords
) -> None:
    access, login = passwords.access(tmp_path), tmp_path / "consumer-health.properties"
    path = write_credentials(access, USER, DECLARED)
    login.write_text("user=consumer-health\npassword=password 1\n", encoding="utf-8")
    renewed = Handover(access, sample_policy()).renewed(HEALTH)
    assert renewed["password"] == "password 2"
    assert json.loads(path.read_text(encoding="utf-8"))["password"] == "password 2"
    assert login.read_text(encoding="utf-8") == "user=consumer-health\npassword=password 2\n"
    assert {each.stat().st_mode & 0o077 for each in (path, login)} == {0}


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("step", ["write_credentials", "renew_login", "credential_of", None])
def test_killed_after_the_broker_has_answered_every_file_has_the_new_password_after_the_next_pass(
    tmp_path: Path, passwords: Passwords, monkeypatch: pytest.MonkeyPatch, step: str | None
) -> None:
    access, login = passwords.access(tmp_path), tmp_path / "consumer-health.properties"
    path = write_credentials(access, USER, DECLARED)
    login.write_text("user=consumer-health\npassword=password 1\n", encoding="utf-8")
    before = json.loads(path.read_text(encoding="utf-8"))

    def ends(*_arguments: object) -> None:
        raise Killed

    with monkeypatch.context() as patch, suppress(Killed):
        if step is not None:
            patch.setattr(logins, step, ends)
        Handover(access, sample_policy()).renewed(HEALTH)
    assert Locks(access).half_renewed() == (frozenset() if step is None else {HEALTH})
    if step is not None:
        Locks(access).finish(HEALTH)
    assert Locks(access).half_renewed() == frozenset()
    assert json.loads(path.read_text(encoding="utf-8")) == {**before, "password": "password 2"}
    assert login.read_text(encoding="utf-8") == "user=consumer-health\npassword=password 2\n"
    assert {each.stat().st_mode & 0o077 for each in (path, login)} == {0}


def test_a_pass_makes_no_file_and_passes_over_one_that_cannot_be_read(
    tmp_path: Path, passwords: Passwords
) -> None:
    access = passwords.access(tmp_path)
    access.renew_user(USER)
    Locks(access).finish(HEALTH)
    assert list(tmp_path.iterdir()) == []
    path = write_credentials(access, USER, DECLARED)
    path.write_text("{", encoding="utf-8")
    access.renew_user(USER)
    Locks(access).finish(HEALTH)
    assert path.read_text(encoding="utf-8") == "{", "the next apply writes it anew"
    assert Locks(access).half_renewed() == frozenset()


def test_a_file_that_was_not_there_is_not_made(tmp_path: Path, passwords: Passwords) -> None:
    Handover(passwords.access(tmp_path), sample_policy()).renewed(HEALTH)
    assert list(tmp_path.iterdir()) == []


def test_a_department_that_is_not_on_the_bus_gets_no_new_password(
    tmp_path: Path, passwords: Passwords
) -> None:
    policy = sample_policy()
    others = {name: one for name, one in policy.consumers.items() if name != HEALTH}
    gone = policy.model_copy(update={"consumers": others})
    with pytest.raises(CannotProvide, match="health is not on the bus"):
        Handover(passwords.access(tmp_path), gone).renewed(HEALTH)
    assert passwords.given == {USER: "password 1"}


def test_only_consumers_hold_logins_that_expire(tmp_path: Path, passwords: Passwords) -> None:
    assert Locks(passwords.access(tmp_path)).holders() == {HEALTH}


def test_who_is_locked_out_has_no_file_left(tmp_path: Path, passwords: Passwords) -> None:
    access = passwords.access(tmp_path)
    write_credentials(access, USER, DECLARED)
    Locks(access).lock(HEALTH)
    assert passwords.locked == [USER]
    assert not credentials_path(tmp_path, USER).exists()
    assert Locks(access).holders() == frozenset()


def test_whom_the_broker_does_not_know_it_is_not_made_to_know(tmp_path: Path, passwords: Passwords) -> None:
    Locks(passwords.access(tmp_path)).lock(ConsumerId("nobody"))
    assert passwords.locked == []
