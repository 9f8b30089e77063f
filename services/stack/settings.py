"""The settings of the embedded stack: folders, ports, heaps; every one from an environment variable."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.stack.errors import CorrectSetting

Port = Annotated[int, Field(ge=1, le=65535)]
Megabytes = Annotated[int, Field(ge=64)]
PREFIX = "GOVBUS_"


def default_cache(environ: Mapping[str, str]) -> Path:
    """Return the user's cache folder for downloads (XDG base directory specification)."""
    base = environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if base else Path.home() / ".cache") / "govbus"


class StackSettings(BaseModel):
    """Where the stack lives, which ports it takes and how much memory each part may use.

    A field ``kafka_port`` is read from ``GOVBUS_KAFKA_PORT``. Ports are loopback only; the defaults lie
    outside the usual ones, so that a PostgreSQL or Kafka already on the machine is not in the way.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path
    cache: Path
    kafka_port: Port = 29092
    controller_port: Port = 29093
    # Kafka once more, for departments: an open session there ends soon after its login was withdrawn.
    departments_port: Port = 29094
    registry_port: Port = 28081
    registry_management_port: Port = 28082
    connect_port: Port = 28083
    postgres_port: Port = 25432
    watch_port: Port = 28090
    # The control process answers there for its loops.
    control_port: Port = 28091
    # The portal, which people open in a browser.
    portal_port: Port = 28080
    # First of the ports on which gate and fan-out instances answer for their health.
    processes_port: Port = 28100
    kafka_heap_mb: Megabytes = 512
    registry_heap_mb: Megabytes = 256
    connect_heap_mb: Megabytes = 512
    # What one replication slot may hold back on a provider's disk before PostgreSQL invalidates it.
    slot_wal_keep_mb: Megabytes = 1024
    # PostgreSQL refuses root; started as root it runs as this user (a name, or a number with a passwd entry).
    postgres_user: str = "nobody"
    # Java parts that compile their code lightly start on little more than half the processor time and reach
    # a lower peak: for stacks that live for minutes.
    quick_start: bool = False
    start_timeout_s: Annotated[float, Field(gt=0)] = 180.0
    stop_timeout_s: Annotated[float, Field(gt=0)] = 30.0
    maven_repository: str | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Read the settings from environment variables; what is not set has its default.

        Raises:
            CorrectSetting: a variable has a value that is not allowed; the message names it.
        """
        environ = os.environ if environ is None else environ
        found = {
            name: environ[cls.variable(name)] for name in cls.model_fields if environ.get(cls.variable(name))
        }
        home = Path(found.pop("home", ".govbus")).expanduser().absolute()
        cache = Path(found.pop("cache", str(default_cache(environ)))).expanduser().absolute()
        try:
            return cls.model_validate({"home": home, "cache": cache, **found})
        except ValidationError as error:
            wrong = [f"{cls.variable(str(item['loc'][0]))}: {item['msg']}" for item in error.errors()]
            raise CorrectSetting("; ".join(wrong)) from error

    @staticmethod
    def variable(field: str) -> str:
        """Return the environment variable that sets the field."""
        return PREFIX + field.upper()
