"""Where a processor's logins come from: the environment in production, else the embedded stack."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from schemas.registry import RegistryCredentials
from services.processor.settings import Clients
from services.stack.api import Stack
from services.stack.settings import StackSettings

_MASTER_PREFIX: Final = "master-v"


def clients(user: str, environ: Mapping[str, str] | None = None) -> Clients:
    """Logins of the user: its Kafka user, and its read-only login for the registry.

    ``GOVBUS_KAFKA_BOOTSTRAP`` (with ``GOVBUS_KAFKA_PASSWORD_FILE``, ``GOVBUS_KAFKA_PROTOCOL``,
    ``GOVBUS_REGISTRY_URL``, ``GOVBUS_REGISTRY_USER``, ``GOVBUS_REGISTRY_PASSWORD_FILE``) names a cluster of
    the organisation; without it the stack under ``GOVBUS_HOME`` is used.

    Raises:
        KeyError: the environment names a cluster but not all that it needs.
        services.stack.errors.StackError: a secret of the embedded stack is missing.
    """
    environ = os.environ if environ is None else environ
    if environ.get("GOVBUS_KAFKA_BOOTSTRAP"):
        return _from_environment(user, environ)
    stack = Stack(StackSettings.from_environment(environ))
    registry = RegistryCredentials(stack.endpoints().registry_url, *stack.registry_auth(user))
    return Clients(stack.kafka_config(user), registry)


def _from_environment(user: str, environ: Mapping[str, str]) -> Clients:
    kafka = {
        "bootstrap.servers": environ["GOVBUS_KAFKA_BOOTSTRAP"],
        "security.protocol": environ.get("GOVBUS_KAFKA_PROTOCOL", "SASL_SSL"),
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": environ.get("GOVBUS_KAFKA_USER", user),
        "sasl.password": _secret(environ["GOVBUS_KAFKA_PASSWORD_FILE"]),
    }
    registry = RegistryCredentials(
        environ["GOVBUS_REGISTRY_URL"],
        environ["GOVBUS_REGISTRY_USER"],
        _secret(environ["GOVBUS_REGISTRY_PASSWORD_FILE"]),
    )
    return Clients(kafka, registry)


def _secret(path: str) -> str:
    return Path(path).read_text(encoding="utf-8").strip()


def data_directory(environ: Mapping[str, str] | None = None) -> Path:
    """Where Faust may keep its empty folders: under ``GOVBUS_HOME``."""
    environ = os.environ if environ is None else environ
    return Path(environ.get("GOVBUS_HOME") or ".govbus").expanduser().absolute() / "run" / "faust"


def master_secrets(environ: Mapping[str, str] | None = None) -> dict[int, bytes]:
    """Every version of the secret that grant keys are derived from, newest included.

    Files ``master-v<N>`` in ``GOVBUS_MASTER_SECRETS_DIR`` in production, else in the embedded stack.

    Raises:
        FileNotFoundError: there is none; the message names the folder.
    """
    environ = os.environ if environ is None else environ
    folder = Path(environ.get("GOVBUS_MASTER_SECRETS_DIR") or _stack_secrets(environ))
    found = {
        int(path.name.removeprefix(_MASTER_PREFIX)): path.read_text(encoding="utf-8").strip().encode()
        for path in folder.glob(f"{_MASTER_PREFIX}*")
        if path.name.removeprefix(_MASTER_PREFIX).isdecimal()
    }
    if not found:
        raise FileNotFoundError(f"no file {_MASTER_PREFIX}<N> in {folder}; `govbus up` makes the first")
    return found


def _stack_secrets(environ: Mapping[str, str]) -> Path:
    return Stack(StackSettings.from_environment(environ)).context.layout.secrets
