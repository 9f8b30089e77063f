"""Judges versions against what the lock file names and what the bus needs; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from services.doctor.finding import Finding, failure, ok, warning

OLDEST_PYTHON: Final = (3, 11)
OLDEST_JAVA: Final = 17
OLDEST_POSTGRES: Final = 140_000
#: Transactions of Kafka 4 (KIP-890): each has its own epoch, so that a late one cannot join the next.
_END_TRANSACTION: Final = 26
_END_TRANSACTION_VERSION: Final = 5
#: Client quotas and SCRAM users, both to read and to write.
_NEEDED_APIS: Final = (48, 49, 50, 51)
_RESTART: Final = "govbus down && govbus up"


@dataclass(frozen=True, slots=True)
class Locked:
    """Versions that the lock file names."""

    kafka: str
    registry: str
    plugins: Mapping[str, str]
    """Connector class → version."""


def locked_versions(coordinates: Iterable[str]) -> Locked:
    """Read the versions out of Maven coordinates ``group:artifact:version``."""
    found = {parts[1]: parts[2] for parts in (text.split(":") for text in coordinates) if len(parts) >= 3}
    return Locked(
        kafka=found["kafka_2.13"],
        registry=found["apicurio-registry-app"],
        plugins={
            "io.debezium.connector.postgresql.PostgresConnector": found["debezium-connector-postgres"],
            "io.debezium.connector.jdbc.JdbcSinkConnector": found["debezium-connector-jdbc"],
        },
    )


def judge_python(version: tuple[int, ...]) -> Finding:
    """The interpreter that runs the bus's own processes."""
    seen = f"Python {'.'.join(str(part) for part in version[:3])}"
    if version[:2] >= OLDEST_PYTHON:
        return ok("version", seen)
    return failure("version", f"{seen} is too old", "rm -rf .venv && make install PYTHON=python3.11")


def judge_java(version: str | None) -> Finding:
    """The Java runtime of the stack."""
    reinstall = "make install"
    if version is None:
        return failure("version", "the Java runtime is not installed", reinstall)
    major = version.split(".")[0]
    if major.isdigit() and int(major) >= OLDEST_JAVA:
        return ok("version", f"Java {version}")
    return failure("version", f"Java {version} is too old: {OLDEST_JAVA} or later", reinstall)


def judge_broker(apis: Mapping[int, int]) -> Finding:
    """The broker by what it offers: number of each kind of request → newest version of it."""
    transactions = apis.get(_END_TRANSACTION, -1)
    missing = [str(key) for key in _NEEDED_APIS if key not in apis]
    if missing:
        return failure("version", f"the Kafka broker lacks the requests {', '.join(missing)}", _RESTART)
    if transactions < _END_TRANSACTION_VERSION:
        return failure("version", "the Kafka broker is older than 4.0", _RESTART)
    return ok("version", f"Kafka broker of 4.0 or later ({len(apis)} kinds of requests)")


def judge_equal(what: str, found: str, wanted: str) -> Finding:
    """A part that runs against the version that the lock file names."""
    if found == wanted:
        return ok("version", f"{what} {found}")
    return warning("version", f"{what} {found} runs, jars.lock names {wanted}", _RESTART)


def judge_plugins(found: Mapping[str, str], wanted: Mapping[str, str]) -> list[Finding]:
    """Connect's plugins, by connector class."""
    findings = []
    for plugin, version in sorted(wanted.items()):
        name = plugin.rsplit(".", 1)[-1]
        if plugin in found:
            findings.append(judge_equal(f"Connect plugin {name}", found[plugin], version))
        else:
            findings.append(failure("version", f"Connect has no plugin {name}", _RESTART))
    return findings


def judge_postgres(number: int) -> Finding:
    """A PostgreSQL server by its ``server_version_num``."""
    seen = f"PostgreSQL {number // 10_000}.{number % 10_000}"
    if number >= OLDEST_POSTGRES:
        return ok("version", seen)
    return failure("version", f"{seen} is too old: 14 or later", "upgrade the server with pg_upgrade")
