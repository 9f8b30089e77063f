"""From a connector's stored configuration to the database that it captures."""

from pathlib import Path

import pytest

from services.watch.sources import CorrectReference, is_capture, resolved, source_of

CONFIG = {
    "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
    "database.hostname": "db",
    "database.port": "5433",
    "database.dbname": "police",
    "slot.name": "govbus_police",
    "publication.name": "govbus_police",
}


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    folder = tmp_path / "connect"
    folder.mkdir()
    (folder / "police.properties").write_text("# a comment\nuser=capture\npassword=a=b\n", encoding="utf-8")
    (tmp_path / "other.properties").write_text("password=secret\n", encoding="utf-8")
    return folder


def reference(folder: Path, key: str, name: str = "police") -> str:
    return f"${{file:{folder}/{name}.properties:{key}}}"


def test_references_are_followed_into_the_folder_of_secrets(secrets: Path) -> None:
    config = CONFIG | {
        "database.user": reference(secrets, "user"),
        "database.password": reference(secrets, "password"),
    }
    source = source_of("capture.police", config, secrets)
    assert (source.user, source.password, source.server) == ("capture", "a=b", ("db", 5433))
    assert "a=b" not in repr(source)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("${{file:{0}/../other.properties:password}}", "outside the folder"),
        ("${{file:{0}/missing.properties:password}}", "FileNotFoundError"),
        ("${{file:{0}/police.properties:token}}", "has no token"),
    ],
)
def test_a_reference_that_cannot_be_followed_says_why(secrets: Path, value: str, message: str) -> None:
    with pytest.raises(CorrectReference, match=message):
        resolved(value.format(secrets), secrets)


def test_only_postgresql_captures_are_databases() -> None:
    assert is_capture(CONFIG)
    assert not is_capture({"connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector"})
