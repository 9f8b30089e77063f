"""Logins by password against a real PostgreSQL."""

from dataclasses import replace
from datetime import timedelta
from threading import Thread

import pytest

from services.control.accounts.hashing import Hasher, Strength, Verdict
from services.control.accounts.lockout import OF_ADDRESSES, OF_NAMES
from services.control.accounts.passwords import Flaw, PasswordRules
from services.control.accounts.people import Person
from services.control.accounts.roles import Role
from services.control.accounts.sessions import SessionRules, Standing
from services.control.accounts.token_bucket import Rate
from services.control.signing_in.local import Denial, Denied, LocalLogins, LoggedIn, Try
from services.control.store.accounts import counters, passwords, persons, sessions
from services.control.store.database import ControlDatabase
from tests.database.accounts.city import (
    HASHER,
    NOW,
    PASSWORD,
    RANDOM,
    WANG,
    acts,
    another,
    hire,
    logins,
    order,
    settle,
)

SECOND = timedelta(seconds=1)
RULES = SessionRules()


class Counting(Hasher):
    """Counts how often a password was looked at, and against what."""

    __slots__ = ("asked",)
    asked: list[bool]

    def check(self, kept: str | None, password: str) -> Verdict:
        self.asked.append(kept is not None)
        return HASHER.check(kept, password)


def counting() -> Counting:
    found = Counting(HASHER.strength)
    object.__setattr__(found, "asked", [])
    return found


def hired(database: ControlDatabase, *roles: Role) -> Person:
    with database.begin() as connection:
        settle(connection)
        return hire(connection, *(roles or (Role.CONSUMER,)))


def tried(
    database: ControlDatabase, password: str = PASSWORD, login: str = "wang.li", **more: object
) -> LoggedIn | Denied:
    wish = Try(login, password, "10.0.0.1", NOW)
    return logins(database).log_in(replace(wish, **more))  # type: ignore[arg-type]


@pytest.mark.requirement("A11-04")
def test_who_knows_the_password_is_in_and_the_ledger_knows(control_database: ControlDatabase) -> None:
    wang = hired(control_database)
    found = tried(control_database, login=" Wang.Li ")
    assert isinstance(found, LoggedIn)
    with control_database.begin() as connection:
        assert isinstance(sessions.use(connection, found.session, NOW, RULES, RANDOM), sessions.Used)
        assert acts(connection, wang)[-1] == "account.login"


def test_a_wrong_password_is_refused_and_noted(control_database: ControlDatabase) -> None:
    wang = hired(control_database)
    assert tried(control_database, "wrong") == Denied(Denial.WRONG)
    with control_database.begin() as connection:
        assert acts(connection, wang)[-1] == "account.login_failed"


@pytest.mark.parametrize("who", ["unknown", "off", "without_role", "without_password", "known"])
def test_whoever_asks_in_vain_gets_the_same_answer_after_the_same_work(
    control_database: ControlDatabase, who: str
) -> None:
    with control_database.begin() as connection:
        settle(connection)
        if who == "without_password":
            persons.add_person(connection, WANG, order())
        elif who != "unknown":
            hire(connection, *(() if who == "without_role" else (Role.CONSUMER,)))
        if who == "off":
            persons.disable(connection, WANG.id, order())
    hasher = counting()
    given = "wrong" if who == "known" else PASSWORD
    found = LocalLogins(control_database, hasher, RANDOM).log_in(Try("wang.li", given, None, NOW))
    assert found == Denied(Denial.WRONG)
    assert len(hasher.asked) == 1


def test_a_text_of_any_length_costs_no_more_than_a_password(control_database: ControlDatabase) -> None:
    hired(control_database)
    assert tried(control_database, "x" * 1_000_000) == Denied(Denial.WRONG)
    assert tried(control_database, "") == Denied(Denial.WRONG)


def test_after_some_failures_the_name_must_wait_even_with_the_right_password(
    control_database: ControlDatabase,
) -> None:
    hired(control_database)
    for _ in range(OF_NAMES.free + 1):
        assert tried(control_database, "wrong") == Denied(Denial.WRONG)
    assert tried(control_database) == Denied(Denial.WAIT, OF_NAMES.first)
    assert tried(control_database, address="10.0.0.2") == Denied(Denial.WAIT, OF_NAMES.first)
    assert isinstance(tried(control_database, now=NOW + OF_NAMES.first), LoggedIn)
    # The right password ended the row of failures.
    assert tried(control_database, "wrong", now=NOW + OF_NAMES.first) == Denied(Denial.WRONG)


def test_a_name_that_nobody_has_is_locked_like_any_other(control_database: ControlDatabase) -> None:
    for _ in range(OF_NAMES.free + 1):
        assert tried(control_database, "wrong", "nobody") == Denied(Denial.WRONG)
    assert tried(control_database, "wrong", "nobody") == Denied(Denial.WAIT, OF_NAMES.first)


def test_an_address_that_tries_many_names_must_wait_and_a_good_login_between_does_not_help(
    control_database: ControlDatabase,
) -> None:
    hired(control_database)
    for number in range(OF_ADDRESSES.free + 1):
        assert tried(control_database, "wrong", f"name{number}") == Denied(Denial.WRONG)
        if number % 10 == 5:
            assert isinstance(tried(control_database), LoggedIn)
    assert tried(control_database, "wrong", "fresh") == Denied(Denial.WAIT, OF_ADDRESSES.first)
    assert isinstance(tried(control_database, address="10.0.0.2"), LoggedIn)


def test_many_guesses_at_once_do_not_outrun_the_count(control_database: ControlDatabase) -> None:
    hired(control_database)
    found: list[LoggedIn | Denied] = []
    threads = [Thread(target=lambda: found.append(tried(control_database, "wrong"))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    wrong = [each for each in found if each == Denied(Denial.WRONG)]
    assert len(found) == 12
    assert len(wrong) == OF_NAMES.free + 1


def test_an_administrator_lifts_a_lockout_with_a_new_first_password(
    control_database: ControlDatabase,
) -> None:
    wang = hired(control_database)
    before = tried(control_database)
    assert isinstance(before, LoggedIn)
    for _ in range(OF_NAMES.free + 1):
        tried(control_database, "wrong")
    with control_database.begin() as connection:
        first = logins(control_database).reset(connection, wang.id, order())
        assert sessions.use(connection, before.session, NOW, RULES, RANDOM) is Standing.ENDED
    found = tried(control_database, first)
    assert isinstance(found, LoggedIn)
    assert found.person.must_change_password
    assert tried(control_database) == Denied(Denial.WRONG)


def test_a_weak_hash_is_made_anew_at_the_login(control_database: ControlDatabase) -> None:
    hired(control_database)
    stronger = LocalLogins(control_database, Hasher(Strength(memory_kib=128, passes=1)), RANDOM)
    with control_database.begin() as connection:
        (before,) = passwords.hashes(connection, WANG.id)
    assert isinstance(stronger.log_in(Try("wang.li", PASSWORD, None, NOW)), LoggedIn)
    with control_database.begin() as connection:
        (after,) = passwords.hashes(connection, WANG.id)
        rights = persons.lock_person(connection, WANG.id).rights
    assert "m=64," in before
    assert "m=128," in after
    assert isinstance(stronger.log_in(Try("wang.li", PASSWORD, None, NOW)), LoggedIn)
    with control_database.begin() as connection:
        assert persons.lock_person(connection, WANG.id).rights == rights


def test_one_changes_ones_own_password_and_all_other_sessions_end(control_database: ControlDatabase) -> None:
    wang = hired(control_database)
    before = tried(control_database)
    assert isinstance(before, LoggedIn)
    new = logins(control_database).change_own(wang, PASSWORD, "Birke-44-Regen", NOW + SECOND)
    assert isinstance(new, str)
    with control_database.begin() as connection:
        later = NOW + 2 * SECOND
        assert sessions.use(connection, before.session, later, RULES, RANDOM) is Standing.ENDED
        used = sessions.use(connection, new, later, RULES, RANDOM)
        assert isinstance(used, sessions.Used)
        assert not used.person.must_change_password
        assert used.new_id is None
    assert tried(control_database, now=NOW + SECOND) == Denied(Denial.WRONG)
    assert isinstance(tried(control_database, "Birke-44-Regen", now=NOW + SECOND), LoggedIn)


@pytest.mark.parametrize(
    ("new", "found"),
    [
        ("short", (Flaw.TOO_SHORT, Flaw.TOO_UNIFORM)),
        (PASSWORD, (Flaw.USED_BEFORE,)),
        ("Wang.Li-Regen-4", (Flaw.NAMES_ITS_OWNER,)),
    ],
)
def test_a_bad_new_password_changes_nothing(
    control_database: ControlDatabase, new: str, found: tuple[Flaw, ...]
) -> None:
    wang = hired(control_database)
    assert logins(control_database).change_own(wang, PASSWORD, new, NOW) == found
    assert isinstance(tried(control_database), LoggedIn)


def test_the_old_password_is_asked_for_and_guessing_it_is_counted(control_database: ControlDatabase) -> None:
    wang = hired(control_database)
    for _ in range(OF_NAMES.free + 1):
        assert logins(control_database).change_own(wang, "wrong", "Birke-44-Regen", NOW) == Denied(
            Denial.WRONG
        )
    found = logins(control_database).change_own(wang, PASSWORD, "Birke-44-Regen", NOW)
    assert found == Denied(Denial.WAIT, OF_NAMES.first)


def test_the_last_passwords_are_not_used_again_and_older_ones_are_forgotten(
    control_database: ControlDatabase,
) -> None:
    wang, old = hired(control_database), PASSWORD
    for number in range(passwords.KEPT):
        new = f"Birke-{number}-Regen"
        assert isinstance(logins(control_database).change_own(wang, old, new, NOW), str)
        assert logins(control_database).change_own(wang, new, old, NOW) == (Flaw.USED_BEFORE,)
        old = new
    assert isinstance(logins(control_database).change_own(wang, old, PASSWORD, NOW), str)
    with control_database.begin() as connection:
        assert len(passwords.hashes(connection, wang.id)) == passwords.KEPT


def test_of_two_changes_at_once_the_second_finds_its_old_password_gone(
    control_database: ControlDatabase,
) -> None:
    wang = hired(control_database)
    made: list[object] = []

    class Slower(Hasher):
        """Somebody else changes the password while this one is being hashed."""

        def hash(self, password: str, random: object) -> str:
            if not made:
                made.append(logins(control_database).change_own(wang, PASSWORD, "Birke-44-Regen", NOW))
            return HASHER.hash(password, RANDOM)

    slower = LocalLogins(control_database, Slower(HASHER.strength), RANDOM)
    assert slower.change_own(wang, PASSWORD, "Ahorn-55-Nebel", NOW) == Denied(Denial.WRONG)
    assert isinstance(made[0], str)
    assert isinstance(tried(control_database, "Birke-44-Regen"), LoggedIn)


def test_calls_are_limited_over_all_instances(control_database: ControlDatabase) -> None:
    rate = Rate(3, 2 * SECOND)

    def allowed(key: str, after: timedelta = timedelta(0)) -> timedelta:
        with control_database.begin() as connection:
            return counters.allow(connection, key, NOW + after, rate)

    assert [allowed("a") for _ in range(4)] == [timedelta(0)] * 3 + [2 * SECOND]
    assert allowed("b") == timedelta(0)
    assert allowed("a", 2 * SECOND) == timedelta(0)
    assert allowed("a", 2 * SECOND) == 2 * SECOND


def test_counters_that_count_for_nothing_are_forgotten(control_database: ControlDatabase) -> None:
    tried(control_database, "wrong", "nobody")
    with control_database.begin() as connection:
        counters.allow(connection, "a", NOW, Rate(1, SECOND))
        assert counters.forget(connection, NOW) == 0
        assert counters.forget(connection, NOW + timedelta(hours=25)) == 3


def test_another_person_is_not_touched_by_a_lockout(control_database: ControlDatabase) -> None:
    hired(control_database)
    with control_database.begin() as connection:
        hire(connection, Role.PROVIDER, person=another(2, "li.ming"))
    for _ in range(OF_NAMES.free + 1):
        tried(control_database, "wrong")
    assert isinstance(tried(control_database, login="li.ming"), LoggedIn)


def test_a_password_that_has_outlived_the_rules_must_be_changed_first(
    control_database: ControlDatabase,
) -> None:
    wang = hired(control_database)
    strict = LocalLogins(control_database, HASHER, RANDOM, PasswordRules(life=timedelta(days=90)))
    young = strict.log_in(Try("wang.li", PASSWORD, None, NOW + timedelta(days=89)))
    assert isinstance(young, LoggedIn)
    assert not young.person.must_change_password
    old = strict.log_in(Try("wang.li", PASSWORD, None, NOW + timedelta(days=90)))
    assert isinstance(old, LoggedIn)
    assert old.person.must_change_password
    assert isinstance(strict.change_own(wang, PASSWORD, "Birke-44-Regen", NOW + timedelta(days=90)), str)
    fresh = strict.log_in(Try("wang.li", "Birke-44-Regen", None, NOW + timedelta(days=91)))
    assert isinstance(fresh, LoggedIn)
    assert not fresh.person.must_change_password
    with control_database.begin() as connection:
        assert acts(connection, wang).count("account.password_expired") == 1
