"""What a department needs to read one grant: addresses, its own login, the topic; from an owner-only file."""

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from consumers.errors import CredentialsUnusable
from schemas.registry import RegistryCredentials
from topics import names
from topics.event import ConsumerId, GrantId, TopicName

ENVIRONMENT_PREFIX: Final = "GOVBUS_"
_SEVEN_DAYS_S: Final = 7 * 24 * 3600.0


class SubscriberSettings(BaseModel):
    """Settings of one subscriber: one grant topic, one consumer group."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    bootstrap: str = Field(min_length=1)
    """``host:port`` of the brokers, separated by commas."""
    username: str = ""
    password: SecretStr = SecretStr("")
    security_protocol: str = "SASL_PLAINTEXT"
    sasl_mechanism: str = "SCRAM-SHA-512"
    ca_file: str | None = None
    """Certificates to trust, where the protocol is SASL_SSL."""
    registry_url: str = Field(min_length=1)
    registry_username: str = ""
    registry_password: SecretStr = SecretStr("")
    topic: TopicName = Field(pattern=r"^sub\.[^.]+\..+\.[^.]+$")
    """``sub.<consumer>.<resource>.<grant>``, or that of a redelivery beside it."""
    group_id: str = ""
    """Consumer group; without one it is ``<consumer>.<grant>``, and another one for each redelivery."""
    allowed_outage_s: float = Field(default=_SEVEN_DAYS_S, gt=0)
    """How long the bus keeps every record before compaction (``min.compaction.lag.ms``), in seconds."""
    commit_every_s: float = Field(default=1.0, gt=0)
    resume_behind: bool = False
    """Go on although the reader fell behind; right only after the operator began a new epoch of the grant,
    which delivers the whole volume again."""
    session_timeout_s: float = Field(default=45.0, gt=0)
    """After how many silent seconds the group gives its partitions to another instance."""
    most_parked_in_a_row: int = Field(default=20, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _own_group(cls, given: Any) -> Any:
        if isinstance(given, dict) and not given.get("group_id") and "topic" in given:
            return {**given, "group_id": _group_of(str(given["topic"]))}
        return given

    @property
    def consumer(self) -> ConsumerId:
        """The department that the topic belongs to."""
        return ConsumerId(self.topic.split(".")[1])

    @property
    def grant(self) -> GrantId:
        """The grant that the topic delivers."""
        return GrantId(names.grant_topic_of(self.topic).rsplit(".", 1)[1])

    @property
    def parking_topic(self) -> TopicName:
        """Where records go that the handler keeps refusing."""
        return names.parked(self.consumer)

    @property
    def registry(self) -> RegistryCredentials:
        """Where schemas are read, and as whom."""
        return RegistryCredentials(
            self.registry_url, self.registry_username, self.registry_password.get_secret_value()
        )

    def client(self) -> dict[str, str]:
        """librdkafka's settings for the connection and the login, the same for reading and parking."""
        settings = {"bootstrap.servers": self.bootstrap, "security.protocol": self.security_protocol}
        if self.ca_file:
            settings["ssl.ca.location"] = self.ca_file
        if self.security_protocol.startswith("SASL"):
            settings["sasl.mechanism"] = self.sasl_mechanism
            settings["sasl.username"] = self.username
            settings["sasl.password"] = self.password.get_secret_value()
        return settings


def from_credentials_file(
    path: Path | str, *, grant: str | None = None, topic: str | None = None, replay: int | None = None
) -> SubscriberSettings:
    """Read the department's credentials file, as ``govbus apply`` writes it.

    It is one JSON object with the fields of ``SubscriberSettings``; ``registry`` may stand for the three
    ``registry_…`` fields as ``{"url", "username", "password"}``, and ``grants`` for ``topic`` as
    ``{<grant>: <topic>}``.

    Args:
        path: the file, readable by its owner only.
        grant: which of the file's grants to read; needed only where it holds several.
        topic: the grant topic to read, whatever the file says.
        replay: the number of a redelivery to a separate topic, which is read in the grant's place.

    Raises:
        CredentialsUnusable: the file is missing, not JSON, incomplete, or readable by others; or it holds
            several grants, or not the one that was asked for.
    """
    content = _owner_only_json(Path(path))
    registry = content.pop("registry", None)
    if isinstance(registry, dict):
        content.update({f"registry_{name}": value for name, value in registry.items()})
    chosen = topic or _topic_of(content.pop("grants", None), grant, str(path)) or content.get("topic")
    if chosen and replay is not None:
        chosen = names.redelivered(TopicName(chosen), replay)
    if chosen != content.get("topic"):
        # A group belongs to one topic: reading another must not move the offsets of the file's own.
        content.pop("group_id", None)
    return _settings({**content, "topic": chosen} if chosen else content, str(path))


def from_environment(environment: Mapping[str, str]) -> SubscriberSettings:
    """Read settings from variables, e.g. ``GOVBUS_BOOTSTRAP``, ``GOVBUS_PASSWORD``, ``GOVBUS_TOPIC``.

    Raises:
        CredentialsUnusable: a variable is missing or malformed.
    """
    found = {
        field: environment[ENVIRONMENT_PREFIX + field.upper()]
        for field in SubscriberSettings.model_fields
        if ENVIRONMENT_PREFIX + field.upper() in environment
    }
    return _settings(found, f"environment variables {ENVIRONMENT_PREFIX}*")


def _group_of(topic: str) -> str:
    """``<consumer>.<grant>``; behind it stands which redelivery it is, whose offsets are no others'."""
    of_grant = names.grant_topic_of(topic)
    parts = of_grant.split(".")
    return f"{parts[min(1, len(parts) - 1)]}.{parts[-1]}{topic.removeprefix(of_grant)}"


def _topic_of(grants: Any, grant: str | None, origin: str) -> str | None:
    known: dict[str, str] = grants if isinstance(grants, dict) else {}
    if grant is not None:
        if grant not in known:
            raise CredentialsUnusable(
                f"{origin} holds no grant {grant!r}, but {', '.join(sorted(known)) or 'none at all'}"
            )
        return known[grant]
    if len(known) > 1:
        raise CredentialsUnusable(f"{origin} holds several grants, choose one: {', '.join(sorted(known))}")
    return next(iter(known.values()), None)


def _settings(content: dict[str, Any], origin: str) -> SubscriberSettings:
    try:
        return SubscriberSettings(**content)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False)
        )
        raise CredentialsUnusable(f"{origin}: {wrong}") from None


def _owner_only_json(path: Path) -> dict[str, Any]:
    try:
        with path.open(encoding="utf-8") as file:
            # Checked on the open file, so that nobody can swap it between the check and the reading.
            if os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise CredentialsUnusable(
                    f"{path} holds secrets and others than its owner may open it: run chmod 600 {path}"
                )
            content = json.load(file)
    except OSError as error:
        raise CredentialsUnusable(f"{path} cannot be read: {error.strerror}") from error
    except ValueError:
        # The parser's own message could quote a secret.
        raise CredentialsUnusable(f"{path} is not JSON") from None
    if not isinstance(content, dict):
        raise CredentialsUnusable(f"{path} must hold one JSON object")
    return content
