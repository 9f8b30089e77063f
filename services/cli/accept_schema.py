"""`govbus accept-schema`: let the changed columns of one captured table through, once."""

import re
import time
from typing import Annotated, Final

import typer

from producers.connect_client import ConnectClient
from producers.connect_errors import ConnectError
from producers.connector import connector_name
from schemas.registry import (
    RegistryCredentials,
    RegistryRefused,
    RegistryUnavailable,
    SchemaNotFound,
    SchemaRegistry,
)
from services.cli.output import CommandFailed, ExitCode, note
from services.stack.api import Stack
from services.stack.probes import loopback_session
from services.stack.settings import StackSettings
from topics.event import ProviderId, TopicName
from topics.names import value_subject

_CAPTURED: Final = re.compile(r"raw\.(?P<provider>[^.]+)\.(?!publish\.)[^.]+\.[^.]+")
_POLL_S: Final = 0.5


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("accept-schema")(accept_schema)


def accept_schema(
    topic: Annotated[str, typer.Argument(help="The raw topic of the table, as the alarm names it.")],
    wait: Annotated[float, typer.Option(help="Seconds to wait for the capture to come with it.")] = 120.0,
) -> None:
    """Accept the next schema of a captured table, although readers of the old one cannot follow it.

    For a column whose type was changed at the source: the capture stands still before the first such change.
    The gate judges every record as before, and what it cannot convert goes to quarantine.
    """
    captured = _CAPTURED.fullmatch(topic)
    if captured is None:
        raise CommandFailed(
            ExitCode.USAGE,
            f"{topic} is not the topic of a captured table",
            "",
            "write raw.PROVIDER.SCHEMA.TABLE",
        )
    stack = Stack(StackSettings.from_environment())
    endpoints = stack.endpoints()
    registry = SchemaRegistry(RegistryCredentials(endpoints.registry_url, *stack.registry_auth("apply")))
    client = ConnectClient(endpoints.connect_url, *stack.connect_auth(), session=loopback_session())
    try:
        versions = _accepted(registry, client, TopicName(topic), ProviderId(captured["provider"]), wait)
    except SchemaNotFound:
        raise CommandFailed(
            ExitCode.USAGE, f"{topic} has no schema yet", "", "`govbus doctor` says whether it is captured"
        ) from None
    except (ConnectError, RegistryRefused, RegistryUnavailable) as error:
        remedy = "`govbus status` shows what is down; then run it again, for the check may still be off"
        raise CommandFailed(ExitCode.UNAVAILABLE, str(error), "", remedy) from error
    note(f"{topic} has schema version {versions} now; the next change is checked again")


def _accepted(
    registry: SchemaRegistry, client: ConnectClient, topic: TopicName, provider: ProviderId, wait_s: float
) -> int:
    """Let one version through; how many there are then. The check is back whatever happens."""
    subject, connector = value_subject(topic), connector_name(provider)
    before = len(registry.versions(subject))
    registry.accept_anything(subject)
    try:
        client.restart_failed_tasks(connector)
        deadline = time.monotonic() + wait_s
        while (now := len(registry.versions(subject))) == before:
            if time.monotonic() > deadline:
                raise _nothing_came(topic, wait_s)
            time.sleep(_POLL_S)
        return now
    finally:
        registry.check_again(subject)


def _nothing_came(topic: TopicName, wait_s: float) -> CommandFailed:
    what = f"no new schema of {topic} came within {wait_s:.0f} s; the check is back"
    return CommandFailed(ExitCode.NEGATIVE, what, "", "`govbus doctor` says what the capture waits for")
