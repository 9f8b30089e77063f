"""One set of configuration files serves the embedded stack and docker-compose.yml, and holds no secret."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from services.stack.component import Component
from services.stack.connect import ALLOWED_LOGINS, Connect
from services.stack.errors import CorrectSetting
from services.stack.kafka import Kafka
from services.stack.postgres import Postgres
from services.stack.registry import Registry
from services.stack.render import fill, placeholders, shared_configuration

ROOT = Path(__file__).parents[3]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SCHEMA = json.loads(Path(__file__).with_name("compose-spec.json").read_text("utf-8"))
PARTS: tuple[type[Component], ...] = (Postgres, Kafka, Registry, Connect)
FILES = sorted({name for part in PARTS for name in part.configuration})


def mounted(service: dict[str, Any]) -> set[str]:
    """Return the configuration files that a container mounts."""
    sources = [volume.split(":")[0] for volume in service["volumes"]]
    return {Path(source).name for source in sources if source.startswith("./connect-configs/")}


def wanted_from_environment(service: dict[str, Any]) -> set[str]:
    """Return the placeholders that the container's environment and secret files fill."""
    secrets = {f"GOVBUS_SECRET_{name.upper().replace('-', '_')}" for name in service["secrets"]}
    return set(service["environment"]) | secrets


def test_the_compose_file_follows_the_compose_specification() -> None:
    assert [error.message for error in Draft7Validator(SCHEMA).iter_errors(COMPOSE)] == []


def test_the_specification_would_refuse_a_misspelt_key() -> None:
    wrong = {"services": {"kafka": {**COMPOSE["services"]["kafka"], "healthchek": {}}}}
    assert list(Draft7Validator(SCHEMA).iter_errors(wrong))


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_the_container_reads_the_same_files_as_the_embedded_part(part: type[Component]) -> None:
    assert mounted(COMPOSE["services"][part.name]) == set(part.configuration)
    assert all((shared_configuration() / name).is_file() for name in part.configuration)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_the_container_has_a_value_for_every_placeholder_of_its_files(part: type[Component]) -> None:
    wanted: set[str] = set()
    for name in part.configuration:
        wanted |= placeholders((shared_configuration() / name).read_text("utf-8"))
    assert wanted <= wanted_from_environment(COMPOSE["services"][part.name])


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_every_container_has_a_health_check_and_publishes_nothing(part: type[Component]) -> None:
    service = COMPOSE["services"][part.name]
    assert service["healthcheck"]["test"]
    assert "ports" not in service
    assert service["network_mode"] == "host"
    assert service["environment"].get("GOVBUS_HOST") == "127.0.0.1"


def test_secrets_of_the_containers_come_from_files_and_each_is_used() -> None:
    used = {name for service in COMPOSE["services"].values() for name in service["secrets"]}
    assert used == set(COMPOSE["secrets"])
    assert {Path(entry["file"]).name for entry in COMPOSE["secrets"].values()} == used


@pytest.mark.parametrize("name", FILES)
def test_no_configuration_file_holds_a_secret_or_a_host_of_its_own(name: str) -> None:
    text = (shared_configuration() / name).read_text("utf-8")
    given = re.findall(r'(?i)password\s*=\s*"?([^\s";]+)', text)
    assert all(value.startswith("${GOVBUS_SECRET_") for value in given)
    assert not re.search(r"\b\d+\.\d+\.\d+\.\d+\b", text)


@pytest.mark.parametrize("name", FILES)
def test_container_and_embedded_stack_fill_a_file_alike(name: str, tmp_path: Path) -> None:
    text = (shared_configuration() / name).read_text("utf-8")
    values = {placeholder: f"value-of/{placeholder.lower()}:&1" for placeholder in placeholders(text)}
    source, target, secrets = (tmp_path / folder for folder in ("source", "target", "secrets"))
    for folder in (source, secrets):
        folder.mkdir()
    (source / name).write_text(text, "utf-8")
    plain = {key: value for key, value in values.items() if not key.startswith("GOVBUS_SECRET_")}
    for key in values.keys() - plain.keys():
        (secrets / key.removeprefix("GOVBUS_SECRET_").lower().replace("_", "-")).write_text(
            values[key] + "\n"
        )
    folders = {
        "GOVBUS_ENTRY_SOURCE": str(source),
        "GOVBUS_ENTRY_TARGET": str(target),
        "GOVBUS_ENTRY_SECRETS": str(secrets),
    }
    environment = {"PATH": os.environ["PATH"]} | plain | folders
    script = ROOT / "services/stack/compose-entry.sh"
    subprocess.run(["/bin/bash", script, "render"], env=environment, check=True)
    assert (target / name).read_text("utf-8") == fill(text, values, name)


def test_the_container_refuses_a_file_with_a_placeholder_that_nobody_fills(tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_text("x=${GOVBUS_NOBODY}\n")
    environment = {
        "PATH": os.environ["PATH"],
        "GOVBUS_ENTRY_SOURCE": str(tmp_path),
        "GOVBUS_ENTRY_TARGET": str(tmp_path / "target"),
        "GOVBUS_ENTRY_SECRETS": str(tmp_path / "none"),
    }
    script = ROOT / "services/stack/compose-entry.sh"
    done = subprocess.run(["/bin/bash", script, "render"], env=environment, check=False, capture_output=True)
    assert done.returncode == 1
    assert b"no value for GOVBUS_NOBODY" in done.stderr


def test_the_embedded_stack_refuses_a_placeholder_that_nobody_fills() -> None:
    with pytest.raises(CorrectSetting, match="no value for GOVBUS_NOBODY"):
        fill("x=${GOVBUS_NOBODY}", {}, "a.conf")


def test_a_value_with_a_line_break_cannot_add_a_setting() -> None:
    with pytest.raises(CorrectSetting, match="line break"):
        fill("x=${GOVBUS_A}", {"GOVBUS_A": "1\nsuper.users=User:me"}, "a.conf")


def test_placeholders_of_others_stay() -> None:
    assert fill("a=${file:x:y} b=${GOVBUS_A}", {"GOVBUS_A": "1"}, "a.conf") == "a=${file:x:y} b=1"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("kafka-server.properties", "auto.create.topics.enable=false"),
        ("kafka-server.properties", "allow.everyone.if.no.acl.found=false"),
        ("kafka-server.properties", "super.users=User:broker;User:admin"),
        ("connect-worker.properties", "topic.creation.enable=false"),
        ("connect-worker.properties", "exactly.once.source.support=enabled"),
        ("connect-worker.properties", "value.converter.apicurio.registry.use-id=contentId"),
        ("registry.properties", "apicurio.storage.kind=sql"),
        ("registry.properties", "quarkus.management.host=${GOVBUS_HOST}"),
        ("postgresql.conf", "wal_level = logical"),
    ],
)
def test_a_setting_whose_absence_did_harm_is_there(name: str, line: str) -> None:
    assert line in (shared_configuration() / name).read_text("utf-8").splitlines()


def test_offsets_are_kept_longer_than_the_audit_period() -> None:
    text = (shared_configuration() / "kafka-server.properties").read_text("utf-8")
    (minutes,) = re.findall(r"^offsets\.retention\.minutes=(\d+)$", text, re.MULTILINE)
    assert int(minutes) >= 400 * 24 * 60


def test_connectors_may_name_a_login_and_only_one_kind_of_it_in_both_stacks() -> None:
    text = (shared_configuration() / "connect-worker.properties").read_text("utf-8")
    (allowed,) = re.findall(r"^connector\.client\.config\.override\.allowlist=(.*)$", text, re.MULTILINE)
    about_connections = {"bootstrap.servers", "security.protocol", "sasl.mechanism", "client.id", "group.id"}
    assert "sasl.jaas.config" in allowed.split(",")
    assert not about_connections & set(allowed.split(","))
    assert ALLOWED_LOGINS in (ROOT / "services/stack/compose-entry.sh").read_text("utf-8")
