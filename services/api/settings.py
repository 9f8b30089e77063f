"""The settings of the web process: where it is reached and listens, how long sessions last, who logs in."""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.control.accounts.sessions import SessionRules

PREFIX: Final = "GOVBUS_PORTAL_"
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class ApiSettings(BaseModel):
    """A field ``origin`` is read from ``GOVBUS_PORTAL_ORIGIN``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: str = "http://127.0.0.1:28080"
    """The address that browsers use, without a path. Plain http is for this machine only."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 28080
    definitions: Path | None = None
    """The folder of definitions; the sample city's where it is not named."""
    idle_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 30
    absolute_hours: Annotated[int, Field(ge=1, le=24 * 7)] = 12
    kafka_bootstrap: str = ""
    """Where departments find Kafka and the registry, for contracts; the stack's own where it is empty."""
    registry_url: str = ""
    oidc_issuer: str = ""
    """Without it there are local accounts only; with it the three below are needed as well."""
    oidc_client_id: str = ""
    oidc_secret_file: Path | None = None
    oidc_groups_file: Path | None = None
    oidc_token_days: Annotated[int, Field(ge=1, le=90)] = 7
    """So long the API tokens of somebody count after his last login through the identity provider."""

    @model_validator(mode="after")
    def _sound(self) -> Self:
        parts = urlsplit(self.origin)
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or self.origin != parts._replace(path="", query="", fragment="").geturl()
        ):
            raise ValueError("origin is an address such as https://govbus.example.gov.cn, without a path")
        if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise ValueError("plain http is for this machine only: put https in front, and name its address")
        needed = (self.oidc_client_id, self.oidc_secret_file, self.oidc_groups_file)
        if self.oidc_issuer and not all(needed):
            raise ValueError("an identity provider needs client id, secret file and groups file")
        return self

    @property
    def https(self) -> bool:
        """Whether browsers come over https: then cookies are for https only."""
        return urlsplit(self.origin).scheme == "https"

    @property
    def session_rules(self) -> SessionRules:
        """When sessions end by themselves."""
        idle, absolute = timedelta(minutes=self.idle_minutes), timedelta(hours=self.absolute_hours)
        return SessionRules(idle=idle, absolute=absolute)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Return the settings; what is not set has its default.

        Raises:
            pydantic.ValidationError: a value is not allowed.
        """
        environ = os.environ if environ is None else environ
        names = {name: PREFIX + name.upper() for name in cls.model_fields}
        return cls.model_validate({name: environ[key] for name, key in names.items() if environ.get(key)})
