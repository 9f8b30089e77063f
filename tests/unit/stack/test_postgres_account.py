"""PostgreSQL refuses root: which account it gets, and which folders that account can reach."""

import pwd
from pathlib import Path

import pytest

from services.stack.errors import CorrectSetting
from services.stack.postgres import Account, account_for, installed, reachable


def test_an_ordinary_user_runs_it_as_himself() -> None:
    assert account_for("nobody", effective_user=1000) == Account(None, None)


def test_root_hands_over_to_the_named_user() -> None:
    entry = pwd.getpwnam("nobody")
    assert account_for("nobody", effective_user=0) == Account(entry.pw_uid, entry.pw_gid)
    assert account_for(str(entry.pw_uid), effective_user=0) == Account(entry.pw_uid, entry.pw_gid)


@pytest.mark.parametrize("name", ["no-such-user-here", "root", "0", "4000000"])
def test_a_user_that_cannot_run_it_is_refused_and_the_setting_named(name: str) -> None:
    with pytest.raises(CorrectSetting, match="GOVBUS_POSTGRES_USER"):
        account_for(name, effective_user=0)


def test_a_folder_below_a_closed_one_is_out_of_reach(tmp_path: Path) -> None:
    tmp_path.chmod(0o711)
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0o711)
    before = reachable(closed / "data")
    closed.chmod(0o710)
    assert reachable(closed / "data") is False
    assert before is reachable(tmp_path)


def test_the_programs_of_postgresql_are_installed() -> None:
    assert {"initdb", "postgres", "pg_recvlogical"} <= {path.name for path in (installed() / "bin").iterdir()}
