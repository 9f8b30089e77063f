"""Settings come from the environment, each by a name that messages can tell."""

from pathlib import Path

import pytest

from services.stack.errors import CorrectSetting
from services.stack.settings import StackSettings


def test_without_variables_the_home_is_below_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = StackSettings.from_environment({"XDG_CACHE_HOME": "/elsewhere"})
    assert settings.home == tmp_path / ".govbus"
    assert settings.cache == Path("/elsewhere/govbus")


def test_every_setting_is_read_from_its_variable() -> None:
    settings = StackSettings.from_environment(
        {
            "GOVBUS_HOME": "/h",
            "GOVBUS_CACHE": "/c",
            "GOVBUS_KAFKA_PORT": "1234",
            "GOVBUS_CONNECT_HEAP_MB": "300",
        }
    )
    assert (settings.home, settings.cache) == (Path("/h"), Path("/c"))
    assert (settings.kafka_port, settings.connect_heap_mb) == (1234, 300)


@pytest.mark.parametrize("value", ["0", "65536", "-1", "http"])
def test_a_wrong_port_is_refused_and_its_variable_named(value: str) -> None:
    with pytest.raises(CorrectSetting, match="GOVBUS_REGISTRY_PORT"):
        StackSettings.from_environment({"GOVBUS_REGISTRY_PORT": value})


@pytest.mark.parametrize("value", ["1", "65535"])
def test_the_first_and_last_port_are_allowed(value: str) -> None:
    assert StackSettings.from_environment({"GOVBUS_REGISTRY_PORT": value}).registry_port == int(value)


def test_no_two_ports_are_the_same_by_default() -> None:
    settings = StackSettings.from_environment({})
    ports = [getattr(settings, name) for name in StackSettings.model_fields if name.endswith("_port")]
    assert len(set(ports)) == len(ports)
