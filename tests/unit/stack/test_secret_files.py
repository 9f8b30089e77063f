"""Secrets: generated once, private, never replaced in silence."""

from pathlib import Path

import pytest

from services.stack.api import Stack
from services.stack.errors import ProtectSecret, SecretMissing
from services.stack.secret_files import SecretFiles
from services.stack.settings import StackSettings


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


@pytest.mark.parametrize(
    ("lost", "told"),
    [
        (["generated.json", "master-v1"], "so are master-v1;"),
        (["generated.json", "master-v1", "kafka-gate"], "so are kafka-gate, master-v1;"),
        (["generated.json"], "generated.json is missing though there is data;"),
    ],
)
def test_with_data_there_a_lost_list_of_secrets_stops_the_start_and_nothing_is_generated(
    tmp_path: Path, lost: list[str], told: str
) -> None:
    names = ["kafka-gate", "master-v1"]
    SecretFiles(tmp_path).ensure(names)
    for name in lost:
        (tmp_path / name).unlink()
    left = sorted(tmp_path.iterdir())
    files = SecretFiles(tmp_path, lambda: True)
    with pytest.raises(SecretMissing, match=r"generated\.json is missing though there is data"):
        files.replace("registry-departments", "x")
    with pytest.raises(SecretMissing, match=r"generated\.json is missing though there is data"):
        files.forget("kafka-gate")
    with pytest.raises(SecretMissing) as refused:
        files.ensure(names)
    assert told in str(refused.value)
    assert sorted(tmp_path.iterdir()) == left


def test_a_list_of_secrets_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    files = SecretFiles(tmp_path)
    files.ensure(["a"])
    for content in ("", "{", "1"):
        (tmp_path / "generated.json").write_text(content)
        with pytest.raises(SecretMissing, match=r"generated\.json"):
            files.ensure(["a"])


def test_a_stack_with_kafkas_or_postgresqls_data_makes_no_new_secrets(tmp_path: Path) -> None:
    for made in ("kafka/meta.properties", "postgres/data/PG_VERSION"):
        home = tmp_path / made.partition("/")[0]
        settings = StackSettings(home=home, cache=tmp_path / "cache", postgres_user="nobody")
        stack = Stack(settings)
        path = home / "data" / made if made.startswith("kafka") else stack.postgres.data / "PG_VERSION"
        assert not stack.has_data()
        path.parent.mkdir(parents=True)
        path.touch()
        try:
            with pytest.raises(SecretMissing, match="master-v1"):
                stack.prepare()
            assert not (home / "secrets" / "master-v1").exists()
        finally:
            stack.reset()
