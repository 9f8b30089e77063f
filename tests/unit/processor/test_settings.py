"""Where a processor's settings and logins come from, and what is refused."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.registry import RegistryCredentials
from services.processor.run import arguments
from services.processor.settings import Clients, ProcessorSettings
from services.processor.wiring import clients, data_directory, master_secrets

GIVEN: dict[str, Any] = {"group": "gate", "data_dir": Path("/x"), "web_port": 28100}


def test_what_is_given_goes_over_the_environment_and_that_over_the_defaults() -> None:
    environ = {"GOVBUS_PROCESSOR_BATCH_RECORDS": "7", "GOVBUS_PROCESSOR_INSTANCE": "3", "OTHER": "1"}
    found = ProcessorSettings.from_environment(GIVEN | {"instance": 1, "batch_bytes": None}, environ)
    assert (found.batch_records, found.instance, found.batch_bytes) == (7, 1, 8_000_000)


def test_an_empty_variable_counts_as_not_set() -> None:
    found = ProcessorSettings.from_environment(GIVEN, {"GOVBUS_PROCESSOR_LEASE_S": ""})
    assert found.lease_s == 10.0


def test_membership_and_transactions_have_one_name_per_instance() -> None:
    settings = ProcessorSettings.from_environment(GIVEN | {"group": "fanout.default", "instance": 2}, {})
    assert settings.instance_id == "fanout.default.2"


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("instance", 0, -1),
        ("web_port", 1, 0),
        ("web_port", 65_535, 65_536),
        ("batch_records", 1, 0),
        ("batch_records", 6_400, 6_401),
        ("batch_bytes", 1_000, 999),
        ("lease_s", 0.001, 0),
        ("transaction_timeout_ms", 2_000, 1_999),
        ("transaction_timeout_ms", 60_000, 60_001),
        ("session_timeout_ms", 6_000, 5_999),
        ("idle_sleep_s", 0.001, 0),
    ],
)
def test_a_value_outside_its_bounds_is_refused(name: str, good: float, bad: float) -> None:
    assert getattr(ProcessorSettings.from_environment(GIVEN | {name: good}, {}), name) == good
    with pytest.raises(ValidationError, match=name):
        ProcessorSettings.from_environment(GIVEN | {name: bad}, {})


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ValidationError, match="colour"):
        ProcessorSettings.from_environment(GIVEN | {"colour": "red"}, {})


def test_logins_are_not_shown_when_printed() -> None:
    registry = RegistryCredentials("http://registry", "reader", "hush")
    assert "hush" not in repr(Clients({"sasl.password": "hush"}, registry))


def test_a_cluster_of_the_organisation_is_named_by_the_environment(tmp_path: Path) -> None:
    (tmp_path / "kafka").write_text("one\n")
    (tmp_path / "registry").write_text("two\n")
    environ = {
        "GOVBUS_KAFKA_BOOTSTRAP": "kafka:9093",
        "GOVBUS_KAFKA_PASSWORD_FILE": str(tmp_path / "kafka"),
        "GOVBUS_REGISTRY_URL": "http://registry",
        "GOVBUS_REGISTRY_USER": "reader",
        "GOVBUS_REGISTRY_PASSWORD_FILE": str(tmp_path / "registry"),
    }
    found = clients("gate", environ)
    assert found.kafka["sasl.username"] == "gate"
    assert found.kafka["sasl.password"] == "one"
    assert found.kafka["security.protocol"] == "SASL_SSL"
    assert found.registry == RegistryCredentials("http://registry", "reader", "two")
    del environ["GOVBUS_REGISTRY_URL"]
    with pytest.raises(KeyError, match="GOVBUS_REGISTRY_URL"):
        clients("gate", environ)


def test_every_version_of_the_master_secret_is_read_and_nothing_else(tmp_path: Path) -> None:
    for name, content in (("master-v1", "a\n"), ("master-v12", "b"), ("master-vx", "c"), ("other", "d")):
        (tmp_path / name).write_text(content)
    assert master_secrets({"GOVBUS_MASTER_SECRETS_DIR": str(tmp_path)}) == {1: b"a", 12: b"b"}


def test_without_a_master_secret_the_start_is_refused_and_the_folder_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=str(tmp_path)):
        master_secrets({"GOVBUS_MASTER_SECRETS_DIR": str(tmp_path)})


def test_faust_s_folder_lies_in_the_stack_s_home(tmp_path: Path) -> None:
    assert data_directory({"GOVBUS_HOME": str(tmp_path)}) == tmp_path / "run" / "faust"


def test_the_command_line_names_the_instance_and_where_asked_the_group() -> None:
    assert arguments("gate", ["--instance", "2"], grouped=False) == {"instance": 2, "web_port": None}
    given = arguments("fanout", ["--group", "g", "--web-port", "5"], grouped=True)
    assert given == {"instance": 0, "web_port": 5, "group": "g"}
    with pytest.raises(SystemExit):
        arguments("fanout", [], grouped=True)
