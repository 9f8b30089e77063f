"""An operator's access in which everything that a test does not ask for is refused."""

from pathlib import Path
from typing import Any

from producers.connector import ConnectEnvironment
from schemas.registry import RegistryCredentials
from services.control.access import Access


def never(*_arguments: object) -> Any:
    raise AssertionError("nothing else is asked for")


def access(home: Path) -> Access:
    """Users have passwords and logins for the registry; nothing is connected to."""
    return Access(
        home=home,
        bootstrap="127.0.0.1:29092",
        registry_url="http://127.0.0.1:28081/apis/ccompat/v7",
        kafka_config=never,
        registry_credentials=lambda user: RegistryCredentials("http://127.0.0.1:28081", user, "secret"),
        ensure_user=lambda user: f"password of {user}",
        withdraw_user=never,
        lock_user=never,
        renew_user=never,
        settle_user=never,
        half_done_users=never,
        users_with_passwords=never,
        known_users=never,
        capture_source=never,
        connect=never,
        connect_environment=ConnectEnvironment(str(home), "127.0.0.1:29092"),
        master_secret=never,
    )
