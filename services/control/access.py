"""How apply reaches Kafka, the registry and its own folder; made by whoever starts it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient

from producers.connect_client import ConnectClient
from producers.connector import ConnectEnvironment
from schemas.registry import RegistryCredentials
from services.control.retention.floor import FloorOf, unknown


@dataclass(frozen=True, slots=True)
class CaptureSource:
    """A provider's database as Connect and the preflight reach it."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Access:
    """Addresses and ways to log in; secrets are fetched when they are needed and never kept here."""

    home: Path
    """Where credentials and receipts are written."""
    bootstrap: str
    """Brokers, as departments reach them."""
    registry_url: str
    kafka_config: Callable[[str], dict[str, Any]]
    """librdkafka's settings to log in as a user."""
    registry_credentials: Callable[[str], RegistryCredentials]
    """``apply`` registers, all others read; a department gets a login of its own."""
    ensure_user: Callable[[str], str]
    """Make a Kafka user if needed; return its password."""
    withdraw_user: Callable[[str], None]
    """Lock a Kafka user out without deleting it, and take its login for the registry away."""
    lock_user: Callable[[str], None]
    """Take a Kafka user's password away and leave everything else of it as it is."""
    renew_user: Callable[[str], str]
    """Give a Kafka user a new password in place of its old one; half done until ``settle_user``."""
    settle_user: Callable[[str], None]
    """Note that no copy of a renewed user's old password is left."""
    half_done_users: Callable[[], frozenset[str]]
    """Renewed users of whom that was not noted: ``ensure_user`` lets the broker have the new password."""
    users_with_passwords: Callable[[], frozenset[str]]
    """Kafka users whose password is kept: who is locked out or withdrawn is not among them."""
    known_users: Callable[[], set[str]]
    capture_source: Callable[[str], CaptureSource | None]
    """The connection secret set of a provider's database, or None where there is none."""
    connect: Callable[[], ConnectClient]
    connect_environment: ConnectEnvironment
    master_secret: Callable[[int], bytes]
    """The master secret of a key version; only the copier's work asks for it."""
    audit_floor: FloorOf = unknown
    """For how long evidence is kept at least, by the packs that are adopted now."""

    def admin(self) -> AdminClient:
        """A super user's admin client; keep it until its futures are resolved."""
        return AdminClient({**self.kafka_config("admin"), "client.id": "apply"})
