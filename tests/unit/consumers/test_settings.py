"""A credentials file is read only when nobody but its owner can, and no message shows a secret."""

import json
from pathlib import Path
from typing import Any

import pytest

from consumers.errors import CredentialsUnusable
from consumers.settings import SubscriberSettings, from_credentials_file, from_environment

SECRET = "s3cret-of-health"
CONTENT: dict[str, Any] = {
    "bootstrap": "127.0.0.1:9092",
    "username": "consumer.health",
    "password": SECRET,
    "registry_url": "http://127.0.0.1:8081",
    "registry_username": "reader",
    "registry_password": "other-secret",
    "topic": "sub.health.population.person.v1.persons-haidian",
}


def written(path: Path, content: str, mode: int = 0o600) -> Path:
    path.write_text(content)
    path.chmod(mode)
    return path


def test_owner_only_file_gives_settings(tmp_path: Path) -> None:
    settings = from_credentials_file(written(tmp_path / "c.json", json.dumps(CONTENT)))
    assert settings.consumer == "health"
    assert settings.grant == "persons-haidian"
    assert settings.group_id == "health.persons-haidian"
    assert settings.parking_topic == "parked.health"
    assert settings.client()["sasl.password"] == SECRET
    assert settings.registry.password == "other-secret"


@pytest.mark.parametrize(
    ("mode", "is_refused"),
    [
        (0o600, False),
        (0o400, False),
        (0o640, True),
        (0o604, True),
        (0o620, True),
        (0o610, True),
        (0o644, True),
    ],
)
def test_file_that_others_may_open_is_refused(tmp_path: Path, mode: int, is_refused: bool) -> None:
    path = written(tmp_path / "c.json", json.dumps(CONTENT), mode)
    if not is_refused:
        assert from_credentials_file(path).username == "consumer.health"
        return
    with pytest.raises(CredentialsUnusable, match="chmod 600"):
        from_credentials_file(path)


def test_another_topic_brings_its_own_group(tmp_path: Path) -> None:
    path = written(tmp_path / "c.json", json.dumps({**CONTENT, "group_id": "health.mine"}))
    assert from_credentials_file(path).group_id == "health.mine"
    other = from_credentials_file(path, topic="sub.health.legal.enterprise.v1.enterprises")
    assert (other.grant, other.group_id) == ("enterprises", "health.enterprises")


def test_a_separate_redelivery_is_read_in_a_group_of_its_own(tmp_path: Path) -> None:
    path = written(tmp_path / "c.json", json.dumps({**CONTENT, "group_id": "health.mine"}))
    own, found = from_credentials_file(path), from_credentials_file(path, replay=7)
    assert found.topic == f"{own.topic}.replay.7"
    assert (found.grant, found.group_id) == (own.grant, f"health.{own.grant}.replay.7")
    assert found.parking_topic == own.parking_topic


AS_APPLY_WRITES_IT: dict[str, Any] = {
    "bootstrap": "127.0.0.1:9092",
    "security_protocol": "SASL_PLAINTEXT",
    "sasl_mechanism": "SCRAM-SHA-512",
    "username": "consumer-health",
    "password": SECRET,
    "registry": {"url": "http://127.0.0.1:8081", "username": "reader", "password": "other-secret"},
    "consumer": "health",
    "group_prefix": "health.",
    "grants": {"persons": "sub.health.population.person.v1.persons"},
    "epochs": {"persons": "epochs.persons"},
    "parked": "parked.health",
}
TWO_GRANTS = {**AS_APPLY_WRITES_IT["grants"], "firms": "sub.health.legal.enterprise.v1.firms"}


def test_file_as_apply_writes_it_gives_settings(tmp_path: Path) -> None:
    settings = from_credentials_file(written(tmp_path / "c.json", json.dumps(AS_APPLY_WRITES_IT)))
    assert settings.topic == "sub.health.population.person.v1.persons"
    assert settings.group_id.startswith(AS_APPLY_WRITES_IT["group_prefix"])
    assert settings.parking_topic == AS_APPLY_WRITES_IT["parked"]
    assert settings.registry.url == "http://127.0.0.1:8081"
    assert settings.registry.password == "other-secret"


def test_file_with_several_grants_asks_which_one_and_reads_it(tmp_path: Path) -> None:
    content = {**AS_APPLY_WRITES_IT, "grants": TWO_GRANTS}
    path = written(tmp_path / "c.json", json.dumps(content))
    assert from_credentials_file(path, grant="firms").topic == TWO_GRANTS["firms"]
    with pytest.raises(CredentialsUnusable, match="choose one: firms, persons"):
        from_credentials_file(path)
    with pytest.raises(CredentialsUnusable, match="no grant 'other', but firms, persons"):
        from_credentials_file(path, grant="other")


def test_file_without_any_grant_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "c.json", json.dumps({**AS_APPLY_WRITES_IT, "grants": {}}))
    with pytest.raises(CredentialsUnusable, match="topic"):
        from_credentials_file(path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        f'{{"password": "{SECRET}"',
        "[]",
        json.dumps({**CONTENT, "topic": "resource.population.person.v1"}),
        json.dumps({**CONTENT, "topic": 7, "bootstrap": SECRET}),
        json.dumps({name: value for name, value in CONTENT.items() if name != "bootstrap"}),
        json.dumps({**CONTENT, "password": [SECRET]}),
    ],
)
def test_unusable_file_is_refused_without_showing_a_secret(tmp_path: Path, content: str) -> None:
    with pytest.raises(CredentialsUnusable) as refused:
        from_credentials_file(written(tmp_path / "c.json", content))
    assert SECRET not in str(refused.value)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CredentialsUnusable, match="cannot be read"):
        from_credentials_file(tmp_path / "none.json")


def test_environment_gives_the_same_settings_as_the_file() -> None:
    environment = {f"GOVBUS_{name.upper()}": value for name, value in CONTENT.items()}
    assert from_environment({**environment, "PATH": "x"}) == SubscriberSettings(**CONTENT)


def test_settings_print_without_secrets() -> None:
    printed = repr(SubscriberSettings(**CONTENT))
    assert SECRET not in printed
    assert "other-secret" not in printed
