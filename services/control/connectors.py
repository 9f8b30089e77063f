"""The captures of provider databases: what is declared, checked by preflight, put into Connect."""

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field

import psycopg2

from producers.connect_client import ConnectClient
from producers.connect_errors import ConnectorNotFound
from producers.connector import (
    CaptureDeclaration,
    ConnectEnvironment,
    TableName,
    capture_config,
    connector_name,
    publication_name,
    read_template,
    slot_name,
)
from producers.preflight import Expectation, PreflightFinding, TableExpectation, preflight, refused
from services.control.access import Access, CaptureSource
from services.control.desired import Declared
from topics.event import ProviderId
from topics.resource import CapturedTable, Provider, Resource

_CONNECT_TIMEOUT_S = 5


@dataclass(frozen=True, slots=True)
class Captures:
    """The connectors that should exist, and the providers whose connection is not known here."""

    configs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    providers: Mapping[str, ProviderId] = field(default_factory=dict)
    """Connector → provider."""
    notes: tuple[str, ...] = ()

    def without(self, gaps: Mapping[ProviderId, str]) -> "Captures":
        """The same without providers whose source lost changes; a note says of each why, and what to do."""
        kept = {name: config for name, config in self.configs.items() if self.providers[name] not in gaps}
        lost = [
            f"no capture of {provider}: {reason}; to take its full volume anew, under the next incarnation: "
            f"{recapture_command(provider)}"
            for provider, reason in gaps.items()
        ]
        return Captures(kept, self.providers, (*self.notes, *lost))


def recapture_command(provider: ProviderId) -> str:
    """What an operator runs where a source lost changes."""
    return f"govbus apply --recapture {provider}"


def desired_captures(declared: Declared, access: Access) -> Captures:
    """One Debezium connector per provider that has captured tables and a connection secret set."""
    configs: dict[str, Mapping[str, str]] = {}
    providers: dict[str, ProviderId] = {}
    notes = []
    for provider in declared.providers.values():
        tables = captured(provider.id, declared.resources.values())
        if not tables or provider.database is None:
            continue
        source = access.capture_source(provider.database)
        if source is None:
            notes.append(
                f"no capture of {provider.id}: there is no connection secret set {provider.database}"
            )
            continue
        name = connector_name(provider.id)
        configs[name] = _config(provider, tables, source, access.connect_environment)
        providers[name] = provider.id
    return Captures(configs, providers, tuple(notes))


def captured(provider: ProviderId, resources: Iterable[Resource]) -> list[tuple[Resource, CapturedTable]]:
    """The provider's resources that are captured, in a stable order."""
    found = [
        (resource, resource.source)
        for resource in resources
        if resource.provider == provider and isinstance(resource.source, CapturedTable)
    ]
    return sorted(found, key=lambda pair: pair[0].id)


def _config(
    provider: Provider,
    tables: list[tuple[Resource, CapturedTable]],
    source: CaptureSource,
    environment: ConnectEnvironment,
) -> dict[str, str]:
    capture = CaptureDeclaration(
        provider=provider.id,
        host=source.host,
        port=source.port,
        database=source.database,
        tables=tuple(TableName(table.schema_name, table.table) for _, table in tables),
        incarnation=provider.incarnation,
        secret_set=str(provider.database),
    )
    config = capture_config(read_template("debezium-postgres"), capture, environment)
    return {**config, "name": connector_name(provider.id)}


def live_connectors(client: ConnectClient, wanted: Iterable[str]) -> dict[str, dict[str, str]]:
    """The stored configurations of those that exist."""
    found = {}
    for name in wanted:
        try:
            found[name] = client.config(name)
        except ConnectorNotFound:
            continue
    return found


def check_database(provider: ProviderId, declared: Declared, source: CaptureSource) -> list[PreflightFinding]:
    """What keeps the provider's capture from starting, each finding with the SQL that mends it.

    Raises:
        psycopg2.Error: the database cannot be reached or asked.
    """
    expected = Expectation(
        publication=publication_name(provider),
        slot=slot_name(provider),
        tables=tuple(_expected(*pair) for pair in captured(provider, declared.resources.values())),
    )
    connection = psycopg2.connect(
        host=source.host,
        port=source.port,
        dbname=source.database,
        user=source.user,
        password=source.password,
        connect_timeout=_CONNECT_TIMEOUT_S,
    )
    with closing(connection):
        return refused(preflight(connection, expected))


def _expected(resource: Resource, table: CapturedTable) -> TableExpectation:
    columns = {item.source_column for item in resource.items}
    columns |= {item.column for item in resource.foreign_items} | set(table.primary_key)
    return TableExpectation(
        table=TableName(table.schema_name, table.table),
        primary_key=table.primary_key,
        identity_column=resource.item(resource.identity.item).source_column,
        columns=tuple(sorted(columns)),
    )
