"""Reads a provider's file of credentials, as apply wrote it, for `govbus publish`."""

import json
import os
import stat
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from schemas.registry import RegistryCredentials
from services.cli.output import CommandFailed, ExitCode

_REMEDY = "give the file that `govbus apply` wrote for the provider, with --credentials"


class _Registry(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)

    url: str = Field(min_length=1)
    username: str
    password: SecretStr


class ProviderLogin(BaseModel):
    """What a provider needs to publish; the file may say more."""

    model_config = ConfigDict(frozen=True, strict=True)

    bootstrap: str = Field(min_length=1)
    security_protocol: str
    sasl_mechanism: str
    username: str
    password: SecretStr
    registry: _Registry

    def kafka(self) -> dict[str, Any]:
        """The librdkafka settings with which the provider logs in."""
        return {
            "bootstrap.servers": self.bootstrap,
            "security.protocol": self.security_protocol,
            "sasl.mechanism": self.sasl_mechanism,
            "sasl.username": self.username,
            "sasl.password": self.password.get_secret_value(),
        }

    def schemas(self) -> RegistryCredentials:
        """The provider's login for the registry."""
        registry = self.registry
        return RegistryCredentials(registry.url, registry.username, registry.password.get_secret_value())


def read_login(path: Path) -> ProviderLogin:
    """Read the file; no message repeats anything of it.

    Raises:
        CommandFailed: it is missing, readable by others, or not what apply writes.
    """
    try:
        return ProviderLogin.model_validate(_owner_only_json(path))
    except ValidationError as error:
        fields = ", ".join(dict.fromkeys(".".join(map(str, one["loc"])) for one in error.errors()))
        what = f"the file of credentials lacks or misstates {fields}" if fields else "it is no JSON object"
        raise CommandFailed(ExitCode.USAGE, what, str(path), _REMEDY) from None


def _owner_only_json(path: Path) -> Any:
    try:
        with path.open(encoding="utf-8") as file:
            # Checked on the open file, so that nobody can swap it between the check and the reading.
            if os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                what = "the file of credentials can be read by others than its owner"
                raise CommandFailed(ExitCode.USAGE, what, str(path), f"chmod 600 {path}")
            return json.load(file)
    except FileNotFoundError:
        remedy = "`govbus apply` writes it; give another place with --credentials"
        raise CommandFailed(
            ExitCode.USAGE, "the provider's credentials are missing", str(path), remedy
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        what = f"the file of credentials cannot be read as JSON: {type(error).__name__}"
        raise CommandFailed(ExitCode.USAGE, what, str(path), _REMEDY) from None
