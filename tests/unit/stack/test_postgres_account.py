"""PostgreSQL refuses root: which account it gets, and which folders that account can reach."""

import pwd
import subprocess
from pathlib import Path

import pytest

from services.stack.errors import CorrectSetting
from services.stack.postgres import Account, account_for, reachable
from services.stack.postgres_programs import copied, installed


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


def test_a_copy_of_the_programs_runs_with_its_own_libraries(tmp_path: Path) -> None:
    programs = copied(installed(), tmp_path / "copy")
    for name in ("initdb", "postgres"):
        shown = subprocess.run(
            [programs / "bin" / name, "--version"], capture_output=True, text=True, check=True
        )
        assert "PostgreSQL" in shown.stdout
    beside = installed().parent.with_name(f"{installed().parent.name}.libs")
    assert (tmp_path / "copy" / beside.name).is_dir() is beside.is_dir()


def test_an_interrupted_copy_of_the_programs_is_made_again(tmp_path: Path) -> None:
    programs = copied(installed(), tmp_path / "copy")
    (programs / "bin" / "initdb").unlink()
    (tmp_path / "copy" / "complete").unlink()
    assert (copied(installed(), tmp_path / "copy") / "bin" / "initdb").exists()
