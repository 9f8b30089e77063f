"""Fills ``${GOVBUS_…}`` placeholders of the shared configuration files.

The containers of docker-compose.yml fill the same files from their environment (compose-entry.sh), so
both read one source. Other ``${…}`` belong to the program that reads the file and stay.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from services.stack.errors import CorrectSetting
from services.stack.probes import HOST
from services.stack.secret_files import write_private
from services.stack.settings import StackSettings

_PLACEHOLDER = re.compile(r"\$\{(GOVBUS_[A-Z0-9_]+)\}")


def fill(template: str, values: Mapping[str, str], source: str) -> str:
    """Return the template with its placeholders replaced.

    Raises:
        CorrectSetting: a placeholder has no value, or a value would break the line.
    """

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in values:
            raise CorrectSetting(f"{source}: no value for {name}")
        if "\n" in values[name]:
            raise CorrectSetting(f"{source}: the value of {name} has a line break")
        return values[name]

    return _PLACEHOLDER.sub(value, template)


def shared_values(settings: StackSettings) -> dict[str, str]:
    """Return the values that several files share: the loopback address and every port."""
    ports = {name: value for name, value in settings.model_dump().items() if name.endswith("_port")}
    return {"GOVBUS_HOST": HOST} | {settings.variable(name): str(port) for name, port in ports.items()}


def placeholders(template: str) -> set[str]:
    """Return the names that the template wants filled."""
    return set(_PLACEHOLDER.findall(template))


def render(source: Path, target: Path, values: Mapping[str, str]) -> Path:
    """Fill the source file into a target that only the owner can read; return the target."""
    write_private(target, fill(source.read_text(encoding="utf-8"), values, source.name))
    return target


def shared_configuration() -> Path:
    """Return the folder of the configuration files that compose reads too."""
    return Path(__file__).resolve().parents[2] / "connect-configs"
