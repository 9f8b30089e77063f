"""Passwords: what is refused, how they are hashed, and that nobody learns who has an account."""

from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from argon2 import PasswordHasher, extract_parameters

from services.control.accounts.hashing import Hasher, Strength, Verdict
from services.control.accounts.passwords import Flaw, PasswordRules, first_password, flaws, is_old
from tests.unit.accounts.seeded import seeded

WEAK = Strength(memory_kib=64, passes=1)
RULES = PasswordRules()
NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)


@pytest.mark.requirement("A11-04")
@pytest.mark.parametrize(
    ("password", "found"),
    [
        ("Kiefer-97-Wolke", []),
        ("长城与运河-Qiao97", []),
        ("Kiefer-97-W", [Flaw.TOO_SHORT]),
        ("Kiefer-97-Wo", []),
        ("kieferwolkebach", [Flaw.TOO_UNIFORM]),
        ("Kieferwolkebach", [Flaw.TOO_UNIFORM]),
        ("Kk7-" * 32, []),
        ("Kk7-" * 32 + "x", [Flaw.TOO_LONG]),
        ("Wang.li-2026-Tag", [Flaw.NAMES_ITS_OWNER]),
        ("2026-iL.GNAW-Tag", [Flaw.NAMES_ITS_OWNER]),
        ("我是王丽-Tag-2026", [Flaw.NAMES_ITS_OWNER]),
        ("My-PassWord-77", [Flaw.GUESSABLE]),
        ("Wolke-12345-Bach", [Flaw.GUESSABLE]),
        ("Wolke-1234-Bachs", []),
        ("Wolke-edcba-Bach9", [Flaw.GUESSABLE]),
        ("Wolkeeeee-Bach-9", [Flaw.GUESSABLE]),
        ("", [Flaw.TOO_SHORT, Flaw.TOO_UNIFORM]),
    ],
)
def test_what_is_wrong_with_a_password(password: str, found: list[Flaw]) -> None:
    assert list(flaws(password, "wang.li", "王丽", RULES)) == found


def test_first_passwords_pass_the_rules_and_differ() -> None:
    made = {first_password(seeded(seed)) for seed in range(50)}
    assert len(made) == 50
    assert {flaws(each, "wang", "王丽", RULES) for each in made} == {()}
    assert {len(each) for each in made} == {23}


def test_a_password_grows_old_only_where_the_rules_say_so() -> None:
    later = NOW + timedelta(days=90)
    assert not is_old(NOW, later, RULES)
    assert is_old(NOW, later, PasswordRules(life=timedelta(days=90)))
    assert not is_old(NOW, later, PasswordRules(life=timedelta(days=91)))


def test_hashes_are_argon2id_with_at_least_what_owasp_names() -> None:
    found = extract_parameters(Hasher().hash("Kiefer-97-Wolke", seeded()))
    assert found.type.name == "ID"
    assert (found.memory_cost, found.time_cost, found.parallelism) >= (19_456, 2, 1)
    assert found.salt_len == 16


def test_a_password_is_right_however_it_was_typed_and_another_is_not() -> None:
    hasher = Hasher(WEAK)
    kept = hasher.hash("Caf\u00e9-97-Wolke", seeded())
    assert hasher.check(kept, "Cafe\u0301-97-Wolke") == Verdict(True)
    assert hasher.check(kept, "Caf\u00e9-97-wolke") == Verdict(False)
    assert hasher.check("no hash at all", "Caf\u00e9-97-Wolke") == Verdict(False)
    assert kept != hasher.hash("Caf\u00e9-97-Wolke", seeded(8))


def test_a_hash_that_is_weaker_than_those_of_today_is_found_at_the_login() -> None:
    kept = Hasher(WEAK).hash("Kiefer-97-Wolke", seeded())
    stronger = Hasher(Strength(memory_kib=128, passes=1))
    assert stronger.check(kept, "Kiefer-97-Wolke") == Verdict(True, weak=True)
    assert stronger.check(kept, "wrong") == Verdict(False)


def test_nobody_is_checked_with_the_same_work_as_somebody_and_never_right() -> None:
    hasher = Hasher(WEAK)
    with patch.object(PasswordHasher, "verify", autospec=True, side_effect=PasswordHasher.verify) as verify:
        assert hasher.check(None, "nobody has this password") == Verdict(False)
    (call,) = verify.call_args_list
    assert extract_parameters(call.args[1]) == extract_parameters(hasher.hash("x", seeded()))
