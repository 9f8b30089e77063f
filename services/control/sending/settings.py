"""How notices leave: mail server, sender, networks that webhooks may reach; from the environment."""

import os
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from services.control.notices.letter import is_mailbox

PREFIX = "GOVBUS_NOTICE_"


class NoticeSettings(BaseModel):
    """A field ``smtp_host`` is read from ``GOVBUS_NOTICE_SMTP_HOST``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    portal: str = Field(default="http://127.0.0.1:28080", pattern=r"^https?://[!-~]+[^/\s]$")
    """Where links lead; without a slash at the end."""
    smtp_host: str = ""
    """Empty: no letters are sent, and those that are owed wait."""
    smtp_port: Annotated[int, Field(ge=1, le=65_535)] = 587
    smtp_user: str = ""
    """Empty: the server asks for no login."""
    smtp_password_file: Path | None = None
    smtp_ca_file: Path | None = None
    """Certificates that the server's must come from; the system's own where it is not given."""
    sender: str = "govbus@localhost"
    webhook_allow: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks that are not public and may be reached all the same, separated by commas."""
    webhook_plain: bool = False
    """Whether http will do."""
    webhook_ca_file: Path | None = None
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 10.0
    attempts: Annotated[int, Field(ge=1, le=50)] = 12
    master_file: Path | None = None
    """The secret that secrets of endpoints are derived from."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Return the settings; what is not set has its default.

        Raises:
            ValueError: a value is not allowed.
        """
        environ = os.environ if environ is None else environ
        found: dict[str, object] = {
            name: environ[PREFIX + name.upper()]
            for name in cls.model_fields
            if environ.get(PREFIX + name.upper())
        }
        if "webhook_allow" in found:
            found["webhook_allow"] = [each.strip() for each in str(found["webhook_allow"]).split(",")]
        settings = cls.model_validate(found)
        if not is_mailbox(settings.sender):
            raise ValueError(f"{PREFIX}SENDER is no mailbox: give name@host")
        return settings
