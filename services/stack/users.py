"""Kafka users (SCRAM): made and withdrawn, never deleted.

On Kafka 4.x in KRaft mode, after a SCRAM credential was deleted and the broker restarted, nobody can log
in any more, super users included. So a withdrawn user keeps a credential that nobody knows.
"""

import secrets
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Final, cast

from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)

from services.stack.secret_files import SecretFiles

#: The users of the bus's own components and of its operator. ``apply`` is the one writer of policy.
BASE_USERS: Final = (
    "admin",
    "broker",
    "connect",
    "gate",
    "fanout",
    "ledger",
    "apply",
    "copier",
    "replay",
    "operator",
    "doctor",
    "control",
)
_TIMEOUT_S: Final = 15.0
_ITERATIONS: Final = 4096


def secret_name(user: str) -> str:
    """Return the name of the secret file with a Kafka user's password."""
    return f"kafka-{user}"


def _new_password() -> str:
    return secrets.token_urlsafe(32)


class KafkaUsers:
    """Makes and withdraws users through a super user's admin client."""

    def __init__(
        self, admin: AdminClient, files: SecretFiles, password: Callable[[], str] = _new_password
    ) -> None:
        self._admin = admin
        self._files = files
        self._password = password

    def ensure_all(self, users: Iterable[str]) -> None:
        """Make every user that the broker does not know, with its password in a secret file."""
        wanted = list(users)
        known = self.known()
        fresh = {user for user in wanted if not self._files.exists(secret_name(user))}
        self._files.ensure(secret_name(user) for user in wanted)
        missing = [user for user in wanted if user in fresh or user not in known]
        self._upsert({user: self._files.read(secret_name(user)) for user in missing})

    def ensure(self, user: str) -> str:
        """Make a user if needed; return its password."""
        self.ensure_all([user])
        return self._files.read(secret_name(user))

    def withdraw(self, user: str) -> None:
        """Give the user a password that nobody knows and forget the old one; the broker deletes nothing.

        Its ACLs are removed by whoever declared them. ``ensure`` brings the user back with a new password.
        """
        self._upsert({user: self._password()})
        self._files.forget(secret_name(user))

    def renew(self, user: str) -> str:
        """Give a user a new password in place of its old one, and return it.

        The file comes first: whoever dies in between has shut nobody out, and does it again.
        """
        password = self._password()
        self._files.replace(secret_name(user), password)
        self._upsert({user: password})
        return password

    def known(self) -> set[str]:
        """Return the users that have a credential on the broker."""
        # Without names the answer is one future of all users; with names it is one future per name.
        described = self._admin.describe_user_scram_credentials(request_timeout=_TIMEOUT_S)
        return set(cast("Future[dict[str, object]]", described).result())

    def _upsert(self, passwords: dict[str, str]) -> None:
        if not passwords:
            return
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _ITERATIONS)
        changes: list[UserScramCredentialAlteration] = [
            UserScramCredentialUpsertion(user, info, password.encode())
            for user, password in passwords.items()
        ]
        answers = self._admin.alter_user_scram_credentials(changes, request_timeout=_TIMEOUT_S)
        for answer in answers.values():
            answer.result()


def users_with_passwords(files: SecretFiles) -> frozenset[str]:
    """Return the users whose password is kept here: whoever is locked out or withdrawn has none."""
    prefix = secret_name("")
    return frozenset(name.removeprefix(prefix) for name in files.names() if name.startswith(prefix))


def ensure_user(admin: AdminClient, files: SecretFiles, name: str) -> str:
    """Make the Kafka user if needed; return its password."""
    return KafkaUsers(admin, files).ensure(name)


def withdraw_user(admin: AdminClient, files: SecretFiles, name: str) -> None:
    """Lock the Kafka user out without deleting it."""
    KafkaUsers(admin, files).withdraw(name)
