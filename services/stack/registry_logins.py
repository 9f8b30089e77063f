"""The registry's read-only logins: one for each part of the bus that reads schemas, one for each department.

The registry reads who may log in when it starts. So it starts with more logins than anybody holds, and a new
department is given the next free one at once. A login that is taken away gets a password that nobody knows,
for which the registry is started anew.
"""

import json
import secrets
from dataclasses import dataclass
from typing import Final

from services.stack.secret_files import SecretFiles

#: Parts that only read schemas; ``reader`` is the stack's own, which asks whether the registry answers.
READERS: Final = ("reader", "gate", "fanout", "copier", "ledger", "doctor", "control")
DEPARTMENTS_SECRET: Final = "registry-departments"  # noqa: S105 - the name of a file
SPARE: Final = 30


@dataclass(frozen=True, slots=True)
class Login:
    """A name and its password."""

    name: str
    password: str


class DepartmentLogins:
    """Who holds which login, in one secret file; apply is the only one that changes it."""

    def __init__(self, files: SecretFiles) -> None:
        self._files = files

    def ensure(self) -> None:
        """Make the first logins; a file that was made before is left as it is.

        Raises:
            SecretMissing: it was made before and is gone.
        """
        if self._files.exists(DEPARTMENTS_SECRET):
            self._files.read(DEPARTMENTS_SECRET)
        else:
            self._write({}, _fresh({}, SPARE))

    def all(self) -> list[Login]:
        """Every login that the registry is to know."""
        return [Login(name, password) for name, password in self._read()[1].items()]

    def of(self, user: str) -> Login:
        """The login that the user holds; a free one is given to who holds none."""
        holders, passwords = self._read()
        if user not in holders:
            free = sorted(passwords.keys() - holders.values())
            if not free:
                passwords = _fresh(passwords, SPARE)
                free = sorted(passwords.keys() - holders.values())
            holders[user] = free[0]
            self._write(holders, passwords)
        return Login(holders[user], passwords[holders[user]])

    def withdraw(self, user: str) -> None:
        """Take the user's login away: its password opens nothing once the registry has started anew."""
        holders, passwords = self._read()
        if user in holders:
            passwords[holders.pop(user)] = _password()
            self._write(holders, passwords)

    def _read(self) -> tuple[dict[str, str], dict[str, str]]:
        found = json.loads(self._files.read(DEPARTMENTS_SECRET))
        return found["holders"], found["passwords"]

    def _write(self, holders: dict[str, str], passwords: dict[str, str]) -> None:
        content = {"holders": holders, "passwords": passwords}
        self._files.replace(DEPARTMENTS_SECRET, json.dumps(content, sort_keys=True))


def _fresh(passwords: dict[str, str], count: int) -> dict[str, str]:
    """These logins and so many more."""
    begin = len(passwords) + 1
    return passwords | {f"department-{number:03d}": _password() for number in range(begin, begin + count)}


def _password() -> str:
    return secrets.token_urlsafe(32)
