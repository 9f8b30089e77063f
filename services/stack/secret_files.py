"""Secrets as files that only their owner can read: generated once, never replaced in silence."""

import json
import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path

from services.stack.errors import ProtectSecret, SecretMissing

MANIFEST = "generated.json"


def write_private(path: Path, content: str) -> None:
    """Write a file that only the owner can read, whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


class SecretFiles:
    """The secrets of one home.

    A manifest remembers which were generated: a file that it names and that is gone stops the start,
    because a new value would not be the one that the data was made with.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, name: str) -> Path:
        """Return the file that holds the secret."""
        return self._folder / name

    def exists(self, name: str) -> bool:
        """Say whether the secret was ever generated here."""
        return name in self._generated()

    def read(self, name: str) -> str:
        """Return a secret.

        Raises:
            SecretMissing: the file does not exist or is empty.
            ProtectSecret: others can read the file.
        """
        path = self.path(name)
        try:
            mode = path.stat().st_mode
            value = path.read_text(encoding="utf-8").strip()
        except FileNotFoundError as error:
            raise SecretMissing(path) from error
        if mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise ProtectSecret(path)
        if not value:
            raise SecretMissing(path, "is empty")
        return value

    def ensure(self, names: Iterable[str]) -> None:
        """Generate each secret that was never generated; check all others.

        Raises:
            SecretMissing: one was generated before and its file is gone or empty.
            ProtectSecret: others can read one.
        """
        generated = self._generated()
        for name in names:
            if name in generated or self.path(name).exists():
                self.read(name)
            else:
                write_private(self.path(name), secrets.token_urlsafe(32) + "\n")
            generated.add(name)
        write_private(self.path(MANIFEST), json.dumps(sorted(generated), indent=1) + "\n")

    def replace(self, name: str, value: str) -> None:
        """Set a secret to a new value, in the file and the manifest."""
        write_private(self.path(name), value + "\n")
        self.ensure([name])

    def forget(self, name: str) -> None:
        """Delete a secret that nobody may use any more; ``ensure`` would generate a new one."""
        write_private(self.path(MANIFEST), json.dumps(sorted(self._generated() - {name}), indent=1) + "\n")
        self.path(name).unlink(missing_ok=True)

    def _generated(self) -> set[str]:
        path = self.path(MANIFEST)
        if not path.exists():
            return set()
        return set(json.loads(path.read_text(encoding="utf-8")))
