"""From a running connector's configuration to the provider database that it captures, and a way in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg2
import psycopg2.extensions

from producers.connector import INCARNATION_SETTING

_CAPTURE: Final = "io.debezium.connector.postgresql.PostgresConnector"
_REFERENCE: Final = re.compile(r"\$\{file:(?P<path>[^:}]+):(?P<key>[^}]+)\}")
_TIMEOUT_S: Final = 3


class CorrectReference(Exception):  # noqa: N818 - named after what to do
    """A connector refers to a secret that is not there or may not be read: correct its configuration."""


@dataclass(frozen=True, slots=True)
class CaptureSource:
    """The database of one capture, with the capture role's password, and what its records carry."""

    connector: str
    host: str
    port: int
    database: str
    slot: str
    publication: str
    user: str
    password: str = field(repr=False)
    incarnation: int = 0

    @property
    def server(self) -> tuple[str, int]:
        """Slots belong to a server, not to a database."""
        return self.host, self.port


def is_capture(config: Mapping[str, str]) -> bool:
    """Whether the connector captures a PostgreSQL database."""
    return config.get("connector.class") == _CAPTURE


def source_of(connector: str, config: Mapping[str, str], secrets: Path) -> CaptureSource:
    """The database that a capture reads.

    Args:
        connector: its name.
        config: as Connect's REST interface shows it, with references in place of secrets.
        secrets: the only folder whose files may be referred to.

    Raises:
        CorrectReference: a secret cannot be found.
    """
    return CaptureSource(
        connector=connector,
        host=config["database.hostname"],
        port=int(config.get("database.port", "5432")),
        database=config["database.dbname"],
        slot=config["slot.name"],
        publication=config.get("publication.name", ""),
        user=resolved(config["database.user"], secrets),
        password=resolved(config["database.password"], secrets),
        incarnation=incarnation_in(config),
    )


def incarnation_in(config: Mapping[str, str]) -> int:
    """Which incarnation the records of a capture carry."""
    return int(config.get(INCARNATION_SETTING, "0"))


def resolved(value: str, secrets: Path) -> str:
    """The value, or what the file that it refers to holds.

    Raises:
        CorrectReference: the file lies elsewhere, is missing, or has no such key.
    """
    match = _REFERENCE.fullmatch(value)
    if match is None:
        return value
    path = Path(match["path"]).resolve()
    if not path.is_relative_to(secrets.resolve()):
        raise CorrectReference(f"{path.name} is outside the folder of Connect's secrets")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise CorrectReference(f"{path.name}: {type(error).__name__}") from error
    found = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    if match["key"] not in found:
        raise CorrectReference(f"{path.name} has no {match['key']}")
    return found[match["key"]]


def open_source(source: CaptureSource) -> psycopg2.extensions.connection:
    """Log in as the capture role; the caller closes the connection.

    Raises:
        psycopg2.OperationalError: the database does not let it in now.
    """
    return psycopg2.connect(
        host=source.host,
        port=source.port,
        dbname=source.database,
        user=source.user,
        password=source.password,
        connect_timeout=_TIMEOUT_S,
        application_name="govbus-watch",
        options="-c statement_timeout=5000",
    )
