"""Renders connector configurations from the templates in connect-configs/: pure text in, pure text out.

Credentials never pass through here: a configuration only says in which file of Connect's secret folder the
worker finds them. ``${GOVBUS_…}`` is filled here, every other ``${…}`` is Connect's own.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from producers.debezium import INCARNATION_HEADER
from topics.event import ProviderId, TopicName
from topics.names import HEARTBEAT_PREFIX, notifications, raw_prefix, signal

CONNECTOR_PREFIX: Final = "capture."
"""Every capture's name in Connect begins with this; the provider's id follows."""

INCARNATION_SETTING: Final = "transforms.incarnation.value.literal"
"""The setting of a capture that says which incarnation its records carry."""

_PLACEHOLDER: Final = re.compile(r"\$\{(GOVBUS_[A-Z0-9_]+)\}")
_PROVIDER: Final = re.compile(r"[a-z][a-z0-9_-]{0,40}")
_BREAKS_A_LINE: Final = re.compile(r"[\r\n\0]")


class CorrectDeclaration(ValueError):  # noqa: N818 - the caller corrects the declaration
    """A declared value cannot stand in a connector's configuration: correct it as the message says."""


@dataclass(frozen=True, slots=True, order=True)
class TableName:
    """A table of a provider's database."""

    schema: str
    table: str

    def __str__(self) -> str:
        return f"{self.schema}.{self.table}"


@dataclass(frozen=True, slots=True)
class ConnectEnvironment:
    """What connectors need to know about the place they run in.

    Args:
        secrets_folder: the folder on the worker that connectors may read secrets from.
        kafka_bootstrap: brokers, as the worker reaches them.
        kafka_protocol: ``SASL_SSL`` in production, ``SASL_PLAINTEXT`` on loopback.
        kafka_secret_set: file of the folder (without ``.properties``) with the worker's own Kafka user.
    """

    secrets_folder: str
    kafka_bootstrap: str
    kafka_protocol: str = "SASL_PLAINTEXT"
    kafka_secret_set: str = "kafka"  # noqa: S105 - the name of a file


@dataclass(frozen=True, slots=True)
class CaptureDeclaration:
    """The capture of one provider's database.

    Args:
        provider: who owns the database.
        host: the database server as the worker reaches it.
        port: its port.
        database: the database's name.
        tables: what is captured.
        incarnation: rises with a new slot or timeline; every raw record carries it.
        secret_set: file of the secret folder (without ``.properties``) with ``user`` and ``password``.
    """

    provider: ProviderId
    host: str
    port: int
    database: str
    tables: tuple[TableName, ...]
    incarnation: int
    secret_set: str


@dataclass(frozen=True, slots=True)
class SinkDeclaration:
    """The copy of one grant topic into a department's own database.

    Args:
        grant_topic: what is read.
        parked_topic: where records go that cannot be decoded.
        jdbc_url: the department's database, without credentials.
        table: target, e.g. ``public.persons``.
        key_fields: the fields of the grant topic's key.
        secret_set: file of the secret folder (without ``.properties``) with ``user`` and ``password``.
        login_set: the same with the department's Kafka login, as which the sink reads and parks.
        evolves: whether the sink may create the table and add columns.
    """

    grant_topic: TopicName
    parked_topic: TopicName
    jdbc_url: str
    table: str
    key_fields: tuple[str, ...]
    secret_set: str
    login_set: str
    evolves: bool = False
    tasks: int = 1
    replication_factor: int = 1


def connector_name(provider: ProviderId) -> str:
    """The name of a provider's capture in Connect."""
    return f"{CONNECTOR_PREFIX}{_checked(provider)}"


def slot_name(provider: ProviderId) -> str:
    """The replication slot of a provider's capture; PostgreSQL allows a-z, 0-9 and _ only."""
    return f"govbus_{_checked(provider).replace('-', '_')}"


def publication_name(provider: ProviderId) -> str:
    """The publication that the provider's administrator makes for the capture."""
    return slot_name(provider)


def read_template(name: str) -> dict[str, str]:
    """A template of connect-configs/, e.g. ``debezium-postgres``."""
    path = Path(__file__).resolve().parents[1] / "connect-configs" / f"{name}.json"
    template: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return template


def capture_config(
    template: Mapping[str, str], capture: CaptureDeclaration, environment: ConnectEnvironment
) -> dict[str, str]:
    """The Debezium connector of one provider.

    Raises:
        CorrectDeclaration: no table is declared, or a value cannot stand in a configuration.
    """
    if not capture.tables:
        raise CorrectDeclaration(f"provider {capture.provider} declares no table to capture")
    provider = capture.provider
    return fill(
        template,
        {
            "GOVBUS_DATABASE_HOST": capture.host,
            "GOVBUS_DATABASE_PORT": str(capture.port),
            "GOVBUS_DATABASE_NAME": capture.database,
            "GOVBUS_CONNECT_SECRETS": environment.secrets_folder,
            "GOVBUS_SECRET_SET": capture.secret_set,
            "GOVBUS_KAFKA_SECRET_SET": environment.kafka_secret_set,
            "GOVBUS_KAFKA_BOOTSTRAP": environment.kafka_bootstrap,
            "GOVBUS_KAFKA_PROTOCOL": environment.kafka_protocol,
            "GOVBUS_TOPIC_PREFIX": raw_prefix(provider),
            "GOVBUS_PUBLICATION": publication_name(provider),
            "GOVBUS_SLOT": slot_name(provider),
            "GOVBUS_TABLES": ",".join(_as_pattern(table) for table in sorted(capture.tables)),
            "GOVBUS_HEARTBEAT_PREFIX": HEARTBEAT_PREFIX,
            "GOVBUS_SIGNAL_TOPIC": signal(provider),
            "GOVBUS_NOTIFICATION_TOPIC": notifications(provider),
            "GOVBUS_INCARNATION_HEADER": INCARNATION_HEADER,
            "GOVBUS_INCARNATION": str(capture.incarnation),
        },
    )


def sink_config(
    template: Mapping[str, str], sink: SinkDeclaration, environment: ConnectEnvironment
) -> dict[str, str]:
    """The JDBC sink of one grant topic.

    Raises:
        CorrectDeclaration: a value cannot stand in a configuration.
    """
    return fill(
        template,
        {
            "GOVBUS_TASKS": str(sink.tasks),
            "GOVBUS_GRANT_TOPIC": sink.grant_topic,
            "GOVBUS_PARKED_TOPIC": sink.parked_topic,
            "GOVBUS_REPLICATION_FACTOR": str(sink.replication_factor),
            "GOVBUS_JDBC_URL": sink.jdbc_url,
            "GOVBUS_CONNECT_SECRETS": environment.secrets_folder,
            "GOVBUS_SECRET_SET": sink.secret_set,
            "GOVBUS_LOGIN_SECRET_SET": sink.login_set,
            "GOVBUS_KEY_FIELDS": ",".join(sink.key_fields),
            "GOVBUS_SCHEMA_EVOLUTION": "basic" if sink.evolves else "none",
            "GOVBUS_TABLE": sink.table,
        },
    )


def fill(template: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    """Replace every ``${GOVBUS_…}`` of a template.

    Raises:
        CorrectDeclaration: a placeholder has no value, or a value would be read as something else.
    """
    return {
        name: _PLACEHOLDER.sub(lambda match: _value(match[1], values), text)
        for name, text in template.items()
    }


def _value(name: str, values: Mapping[str, str]) -> str:
    if name not in values:
        raise CorrectDeclaration(f"the template asks for {name}, which nothing declares")
    value = values[name]
    # A value with ${ would make the worker read another file of its secret folder.
    if not value or "${" in value or _BREAKS_A_LINE.search(value):
        raise CorrectDeclaration(f"{name}: empty, or with a line break or a reference in it")
    return value


def _as_pattern(table: TableName) -> str:
    """Debezium reads the list as regular expressions, divided by commas."""
    text = f"{re.escape(table.schema)}\\.{re.escape(table.table)}"
    if "," in text:
        raise CorrectDeclaration(f"table {table}: a comma in a name cannot be captured")
    return text


def _checked(provider: ProviderId) -> str:
    if not _PROVIDER.fullmatch(provider):
        raise CorrectDeclaration(
            f"provider id {provider!r}: use a-z, 0-9, _ and -, beginning with a letter, 41 characters at most"
        )
    return provider
