"""Each department has one login for the registry that no other has, and loses it for good."""

from pathlib import Path

import pytest

from services.stack.errors import SecretMissing
from services.stack.registry_logins import DEPARTMENTS_SECRET, SPARE, DepartmentLogins
from services.stack.secret_files import SecretFiles


@pytest.fixture
def logins(tmp_path: Path) -> DepartmentLogins:
    found = DepartmentLogins(SecretFiles(tmp_path))
    found.ensure()
    return found


def test_a_department_keeps_its_login_and_shares_it_with_nobody(logins: DepartmentLogins) -> None:
    users = [f"consumer-{number}" for number in range(SPARE)]
    given = {user: logins.of(user) for user in users}
    assert len({login.name for login in given.values()}) == SPARE
    assert len({login.password for login in given.values()}) == SPARE
    assert {user: logins.of(user) for user in users} == given
    assert set(given.values()) == set(logins.all()), "whoever is given a free one is known already"


def test_when_none_is_free_more_are_made_and_those_in_use_stay(logins: DepartmentLogins) -> None:
    given = [logins.of(f"consumer-{number}") for number in range(SPARE)]
    another = logins.of("consumer-late")
    assert another not in given
    assert len(logins.all()) == 2 * SPARE
    assert set(given) <= set(logins.all())


def test_a_login_that_was_withdrawn_has_another_password_for_whoever_gets_it_next(
    logins: DepartmentLogins,
) -> None:
    before, other = logins.of("consumer-tax"), logins.of("consumer-health")
    logins.withdraw("consumer-tax")
    assert before not in logins.all()
    assert before not in (logins.of("consumer-new"), logins.of("consumer-tax"))
    assert logins.of("consumer-health") == other


def test_withdrawing_a_login_that_nobody_holds_changes_nothing(logins: DepartmentLogins) -> None:
    before = logins.all()
    logins.withdraw("consumer-unknown")
    assert logins.all() == before


def test_logins_are_made_once_and_a_file_that_is_gone_is_not_made_again(
    logins: DepartmentLogins, tmp_path: Path
) -> None:
    before = logins.all()
    logins.ensure()
    assert logins.all() == before
    path = tmp_path / DEPARTMENTS_SECRET
    assert path.stat().st_mode & 0o077 == 0
    path.unlink()
    with pytest.raises(SecretMissing):
        logins.ensure()
