"""`govbus grant contract`: a grant as AsyncAPI document or ODCS contract, of the bus or of definitions."""

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import yaml
from confluent_kafka import KafkaException

from services.cli.bus import require
from services.cli.output import CommandFailed, ExitCode, Form, Format, Json, emit_json, one_of, wants_json
from services.cli.policy import current_policy
from services.control.catalogue.vocabulary import Language
from services.control.contracts.agreement import (
    Addresses,
    Agreement,
    NothingToDescribe,
    agreement_in_force,
    declared_agreement,
)
from services.control.contracts.asyncapi import asyncapi_document
from services.control.contracts.odcs import odcs_document
from services.control.definitions import DefinitionsInvalid, load_definitions, packaged_definitions
from services.control.policy_topic import PolicyUnreadable
from services.stack.api import Stack
from services.stack.settings import StackSettings
from topics.event import GrantId
from topics.policy import Policy


class Standard(StrEnum):
    """The standards in which a contract is written."""

    ASYNCAPI = "asyncapi"
    ODCS = "odcs"


Writer = Callable[[Agreement, Addresses | None, Language], dict[str, Any]]
_WRITERS: Final[dict[Standard, Writer]] = {
    Standard.ASYNCAPI: asyncapi_document,
    Standard.ODCS: odcs_document,
}


def register(app: typer.Typer) -> None:
    """Add the command to the group."""
    app.command("contract")(contract_command)


def contract_command(
    grant: Annotated[str, typer.Argument(help="Id of the grant.")],
    standard: Annotated[Standard, typer.Option("--format", help="In which standard.")],
    offline: Annotated[
        bool,
        typer.Option("--offline", help="As the definitions declare it, without addresses; needs no stack."),
    ] = False,
    definitions: Annotated[
        Path | None,
        typer.Option("--definitions", help="With --offline: their folder; the sample city's if not given."),
    ] = None,
    language: Annotated[
        Language, typer.Option("--language", help="Language of titles and sentences.")
    ] = Language.ZH,
    as_json: Json = False,
    output: Form = Format.TABLE,
) -> None:
    """Print the contract of a grant, as YAML or as JSON; it holds no login and no record."""
    if definitions is not None and not offline:
        raise CommandFailed(
            ExitCode.USAGE, "the running bus knows its grants", "--definitions", "add --offline, or drop it"
        )
    agreement, addresses = _declared(grant, definitions) if offline else _in_force(grant)
    document = _WRITERS[standard](agreement, addresses, language)
    if wants_json(as_json, output):
        emit_json(document)
    else:
        yaml.safe_dump(document, sys.stdout, allow_unicode=True, sort_keys=False, width=110)


def _declared(grant: str, folder: Path | None) -> tuple[Agreement, None]:
    try:
        definitions = load_definitions(folder or packaged_definitions())
    except DefinitionsInvalid as error:
        raise CommandFailed(ExitCode.USAGE, str(error), "", "correct the definitions") from error
    one_of(grant, definitions.grants, "grant", "GRANT")
    return declared_agreement(definitions, GrantId(grant)), None


def _in_force(grant: str) -> tuple[Agreement, Addresses]:
    stack = Stack(StackSettings.from_environment())
    require(stack, "kafka")
    policy = _policy(stack)
    one_of(grant, policy.grants, "grant", "GRANT")
    endpoints = stack.endpoints()
    addresses = Addresses(endpoints.kafka_bootstrap, endpoints.registry_url)
    try:
        return agreement_in_force(policy, GrantId(grant)), addresses
    except NothingToDescribe as error:
        remedy = "it delivers nothing; `govbus plan` shows what became of it"
        raise CommandFailed(ExitCode.REFUSED, str(error), "GRANT", remedy) from error


def _policy(stack: Stack) -> Policy:
    try:
        policy = current_policy(stack)
    except (PolicyUnreadable, KafkaException, ValueError) as error:
        remedy = "`govbus status` shows what is down"
        raise CommandFailed(ExitCode.UNAVAILABLE, str(error), "topic policy", remedy) from error
    if policy is None:
        what, remedy = "nothing was applied yet", "run `govbus apply`, or ask with --offline"
        raise CommandFailed(ExitCode.REFUSED, what, "", remedy)
    return policy
