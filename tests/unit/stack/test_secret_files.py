"""Secrets: generated once, private, never replaced in silence."""

from pathlib import Path

import pytest

from services.stack.errors import ProtectSecret, SecretMissing
from services.stack.secret_files import SecretFiles


def test_a_secret_is_generated_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    files = SecretFiles(tmp_path)
    files.ensure(["a", "b"])
    first = files.read("a")
    files.ensure(["a", "b"])
    assert files.read("a") == first
    assert len(first) >= 40
    assert first != files.read("b")
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_a_lost_secret_stops_the_start_and_is_named(tmp_path: Path) -> None:
    files = SecretFiles(tmp_path)
    files.ensure(["kafka-gate", "kafka-admin"])
    (tmp_path / "kafka-gate").unlink()
    with pytest.raises(SecretMissing, match="kafka-gate is missing"):
        files.ensure(["kafka-gate", "kafka-admin"])
    assert not (tmp_path / "kafka-gate").exists()


def test_an_empty_secret_is_as_good_as_none(tmp_path: Path) -> None:
    files = SecretFiles(tmp_path)
    files.ensure(["a"])
    (tmp_path / "a").write_text("\n")
    with pytest.raises(SecretMissing, match="is empty"):
        files.read("a")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_secret_that_others_can_read_is_refused_with_the_command_that_mends_it(
    tmp_path: Path, mode: int
) -> None:
    files = SecretFiles(tmp_path)
    files.ensure(["a"])
    (tmp_path / "a").chmod(mode)
    with pytest.raises(ProtectSecret, match="chmod 600"):
        files.read("a")


def test_a_secret_that_a_newer_version_needs_is_added_beside_the_others(tmp_path: Path) -> None:
    SecretFiles(tmp_path).ensure(["a"])
    SecretFiles(tmp_path).ensure(["a", "new"])
    assert SecretFiles(tmp_path).read("new")


def test_a_forgotten_secret_is_gone_and_would_be_generated_anew(tmp_path: Path) -> None:
    files = SecretFiles(tmp_path)
    files.ensure(["a"])
    before = files.read("a")
    files.forget("a")
    assert not files.exists("a")
    files.ensure(["a"])
    assert files.read("a") != before


def test_no_secret_shows_in_the_text_of_an_error(tmp_path: Path) -> None:
    files = SecretFiles(tmp_path)
    files.ensure(["a"])
    value = files.read("a")
    (tmp_path / "a").chmod(0o644)
    with pytest.raises(ProtectSecret) as refused:
        files.read("a")
    assert value not in str(refused.value)
