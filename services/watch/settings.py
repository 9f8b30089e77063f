"""Settings of the watch: where it answers, how often it looks, when it restarts and when it alarms."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from producers.restarter import RestartPolicy

PREFIX: Final = "GOVBUS_WATCH_"
Seconds = Annotated[float, Field(gt=0)]


class WatchSettings(BaseModel):
    """One watch. A field ``interval_s`` is read from ``GOVBUS_WATCH_INTERVAL_S``.

    Without ``connect_url`` it watches the embedded stack of ``GOVBUS_HOME``; with it, any Connect cluster,
    and then the user, the file with the password and Connect's folder of secrets are needed too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    port: Annotated[int, Field(ge=1, le=65535)] = 28090
    interval_s: Seconds = 3.0
    first_wait_s: Seconds = 2.0
    longest_wait_s: Seconds = 300.0
    alarm_after: Annotated[int, Field(ge=1)] = 5
    """So many restarts of one connector that did not help raise an alarm."""
    idle_grace_s: Seconds = 60.0
    """So long may a connector be without a worker before it is restarted and told of."""
    lag_alarm_bytes: Annotated[int, Field(ge=1)] = 256_000_000
    """Log that a slot's reader has not confirmed."""
    unread_alarm_s: Seconds = 15.0
    """So long may a slot be without its connector, as while Connect restarts."""
    memory: Path | None = None
    """Where the continuity fence remembers what it compares with; the embedded stack's own folder has one."""
    connect_url: str | None = None
    connect_user: str | None = None
    connect_password_file: Path | None = None
    connect_secrets: Path | None = None
    """The folder that connectors' configurations refer to; holds what logs in to the providers' databases."""

    @model_validator(mode="after")
    def _all_or_none(self) -> Self:
        given = [self.connect_url, self.connect_user, self.connect_password_file, self.connect_secrets]
        if any(value is not None for value in given) and any(value is None for value in given):
            raise ValueError(
                "set all of GOVBUS_WATCH_CONNECT_URL, _CONNECT_USER, _CONNECT_PASSWORD_FILE and "
                "_CONNECT_SECRETS, or none of them to watch the embedded stack"
            )
        return self

    @property
    def restarts(self) -> RestartPolicy:
        """When to restart and when to alarm."""
        return RestartPolicy(
            first_wait=self.first_wait_s,
            longest_wait=self.longest_wait_s,
            alarm_after=self.alarm_after,
            idle_grace=self.idle_grace_s,
        )

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Return the settings from environment variables over the defaults.

        Raises:
            pydantic.ValidationError: a value is not allowed.
        """
        environ = os.environ if environ is None else environ
        names = {name: PREFIX + name.upper() for name in cls.model_fields}
        return cls.model_validate(
            {name: environ[variable] for name, variable in names.items() if environ.get(variable)}
        )
