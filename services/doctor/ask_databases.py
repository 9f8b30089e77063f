"""Asks PostgreSQL: versions, settings, slots, clocks, and each provider's database by preflight."""

import time
from collections.abc import Callable, Mapping
from contextlib import closing

import psycopg2
import psycopg2.extensions

from producers.connect_errors import ConnectError
from producers.preflight import preflight
from producers.slots import slot_report
from services.control.access import CaptureSource
from services.doctor.capture import expectation, judge_preflight, judge_slots, judge_wal_level
from services.doctor.finding import Finding, failure, warning
from services.doctor.machine import judge_clock
from services.doctor.patient import Patient
from services.doctor.versions import judge_postgres
from services.watch.sources import is_capture

Connection = psycopg2.extensions.connection
Server = tuple[str, int]
_TIMEOUT_S = 3


def ask_servers(patient: Patient) -> list[Finding]:
    """Each database server: version, ``wal_level``, clock, slots."""
    endpoints = patient.stack.endpoints()
    ours = (endpoints.postgres_host, endpoints.postgres_port)
    servers: dict[Server, Callable[[], Connection]] = {ours: patient.stack.doctor_connection}
    for source in patient.sources.values():
        if source is not None and (source.host, source.port) not in servers:
            servers[source.host, source.port] = lambda source=source: open_database(source)  # type: ignore[misc]
    wanted = _wanted_slots(patient)
    return [
        finding
        for server, connect in servers.items()
        for finding in _server(server, connect, None if wanted is None else wanted.get(server, set()))
    ]


def _server(server: Server, connect: Callable[[], Connection], wanted: set[str] | None) -> list[Finding]:
    name = f"{server[0]}:{server[1]}"
    try:
        with closing(connect()) as connection:
            before = time.time()
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT current_setting('server_version_num')::int, current_setting('wal_level'),"
                    " extract(epoch FROM clock_timestamp())::float8"
                )
                version, wal_level, theirs = cursor.fetchone() or (0, "unknown", before)
            took = time.time() - before
            slots = slot_report(connection)
    except psycopg2.Error as error:
        return [failure("database", f"{name}: {type(error).__name__}", "govbus up")]
    missing = sorted((wanted or set()) - {slot.name for slot in slots})
    return [
        judge_postgres(version),
        judge_wal_level(name, wal_level),
        judge_clock(f"the clock of {name}", theirs - (before + took / 2), took / 2),
        *judge_slots(name, slots, wanted, missing),
    ]


def ask_providers(patient: Patient) -> list[Finding]:
    """Preflight of every provider's database: rights, replica identity, publication, keys, slots free."""
    findings: list[Finding] = []
    for provider, source in patient.sources.items():
        if source is None or patient.definitions is None:
            seen = f"{provider}: no login for its database is set, so it cannot be looked at"
            remedy = f"$EDITOR {patient.stack.context.layout.connect_secrets}/<secret set>.properties"
            findings.append(warning("provider database", seen, remedy))
            continue
        expected = expectation(provider, patient.definitions.resources.values())
        try:
            with closing(open_database(source)) as connection:
                findings += judge_preflight(provider, preflight(connection, expected))
        except psycopg2.Error as error:
            remedy = f"psql -h {source.host} -p {source.port} -U {source.user} {source.database}"
            findings.append(failure("provider database", f"{provider}: {_reason(error)}", remedy))
    return findings


def open_database(source: CaptureSource) -> Connection:
    """Log in as the capture role; the caller closes it.

    Raises:
        psycopg2.OperationalError: the database does not let it in.
    """
    return psycopg2.connect(
        host=source.host,
        port=source.port,
        dbname=source.database,
        user=source.user,
        password=source.password,
        connect_timeout=_TIMEOUT_S,
        options="-c statement_timeout=5000",
    )


def _wanted_slots(patient: Patient) -> Mapping[Server, set[str]] | None:
    """Server → slots that connectors name; None while Connect cannot be asked, and then none is an orphan."""
    try:
        configs = patient.connector_configs
    except ConnectError:
        return None
    found: dict[Server, set[str]] = {}
    for config in configs.values():
        if is_capture(config):
            server = config["database.hostname"], int(config.get("database.port", "5432"))
            found.setdefault(server, set()).add(config["slot.name"])
    return found


def _reason(error: psycopg2.Error) -> str:
    """PostgreSQL's first line names server, role and database, never a password."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
