"""Kafka users (SCRAM): made, renewed and withdrawn, never deleted.

On Kafka 4.x in KRaft mode, after a SCRAM credential was deleted and the broker restarted, nobody can log
in any more, super users included. So a withdrawn user keeps a credential that nobody knows.

A new password is a pending one until the broker has answered: nobody can tell whether a broker that did not
answer has taken it. Whoever comes next gives it the same one again, so what is kept is what opens.
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
    "trace",
)
_TIMEOUT_S: Final = 15.0
_PENDING: Final = "pending-"
_ITERATIONS: Final = 4096


def secret_name(user: str) -> str:
    """Return the name of the secret file with a Kafka user's password."""
    return f"kafka-{user}"


def pending_name(user: str) -> str:
    """Return the name of the secret file with the password that the broker is being given."""
    return f"{_PENDING}{secret_name(user)}"


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
        """Make every user that the broker does not know, with its password in a secret file.

        What was begun for one of them and not answered is carried on first.
        """
        wanted = list(users)
        with self._files.turn():
            self._finish(wanted)
            fresh = {user: self._password() for user in wanted if not self._files.exists(secret_name(user))}
            self._give(fresh)
            for user in fresh:
                self._files.forget(pending_name(user))
            self._files.ensure(secret_name(user) for user in wanted)
            known = self.known()
            missing = [user for user in wanted if user not in known]
            self._upsert({user: self._files.read(secret_name(user)) for user in missing})

    def ensure(self, user: str) -> str:
        """Make a user if needed; return its password."""
        self.ensure_all([user])
        return self._files.read(secret_name(user))

    def withdraw(self, user: str) -> None:
        """Give the user a password that nobody knows and forget the old one; the broker deletes nothing.

        Its ACLs are removed by whoever declared them. ``ensure`` brings the user back with a new password;
        a pending one goes first, so that nobody brings the user back by carrying that on.
        """
        with self._files.turn():
            self._files.forget(pending_name(user))
            self._upsert({user: self._password()})
            self._files.forget(secret_name(user))

    def renew(self, user: str) -> str:
        """Give a user a new password in place of its old one, and return it.

        It counts as half done until ``settle`` is called: copies of the old one may be anywhere until then.
        Whoever dies before that is followed by ``finish`` or ``ensure_all``, and by who replaces the copies.
        """
        password = self._password()
        with self._files.turn():
            self._give({user: password})
        return password

    def finish(self) -> None:
        """Let the broker have what it was being given when somebody died, or did not hear its answer."""
        with self._files.turn():
            self._finish(half_done_users(self._files))

    def settle(self, user: str) -> None:
        """Note that every copy of the user's password is the new one."""
        with self._files.turn():
            self._files.forget(pending_name(user))

    def known(self) -> set[str]:
        """Return the users that have a credential on the broker."""
        # Without names the answer is one future of all users; with names it is one future per name.
        described = self._admin.describe_user_scram_credentials(request_timeout=_TIMEOUT_S)
        return set(cast("Future[dict[str, object]]", described).result())

    def _finish(self, users: Iterable[str]) -> None:
        """Asks the broker where the pending password is not the kept one: that one it has answered for."""
        begun = [user for user in users if self._files.exists(pending_name(user))]
        pending = {user: self._files.read(pending_name(user)) for user in begun}
        self._take({user: password for user, password in pending.items() if self._kept(user) != password})

    def _kept(self, user: str) -> str | None:
        name = secret_name(user)
        return self._files.read(name) if self._files.exists(name) else None

    def _give(self, passwords: dict[str, str]) -> None:
        """Pending first: whatever happens afterwards, somebody knows what the broker may have taken."""
        for user, password in passwords.items():
            self._files.replace(pending_name(user), password)
        self._take(passwords)

    def _take(self, passwords: dict[str, str]) -> None:
        self._upsert(passwords)
        for user, password in passwords.items():
            self._files.replace(secret_name(user), password)

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


def half_done_users(files: SecretFiles) -> frozenset[str]:
    """Return the users whose new password the broker may not have, or of which there may be old copies.

    A user that is only being made is none of them: who wanted it will want it again.
    """
    names, prefix = files.names(), pending_name("")
    begun = {name.removeprefix(prefix) for name in names if name.startswith(prefix)}
    return frozenset(user for user in begun if secret_name(user) in names)


def ensure_user(admin: AdminClient, files: SecretFiles, name: str) -> str:
    """Make the Kafka user if needed; return its password."""
    return KafkaUsers(admin, files).ensure(name)


def withdraw_user(admin: AdminClient, files: SecretFiles, name: str) -> None:
    """Lock the Kafka user out without deleting it."""
    KafkaUsers(admin, files).withdraw(name)
