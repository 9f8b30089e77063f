"""Secrets as files that only their owner can read: generated once, never replaced in silence."""

import fcntl
import json
import os
import secrets
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from services.stack.errors import ProtectSecret, SecretMissing

MANIFEST = "generated.json"
TURN = "turn.lock"


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
    because a new value would not be the one that the data was made with. So does a manifest that is gone
    where there is data already.

    Args:
        folder: where they are.
        has_data: whether anything was made with the secrets of this home.
    """

    def __init__(self, folder: Path, has_data: Callable[[], bool] = lambda: False) -> None:
        self._folder, self._has_data = folder, has_data

    def path(self, name: str) -> Path:
        """Return the file that holds the secret."""
        return self._folder / name

    def exists(self, name: str) -> bool:
        """Say whether the secret was ever generated here."""
        return name in self._generated()

    def names(self) -> frozenset[str]:
        """Return every secret that was generated here and not forgotten."""
        return frozenset(self._generated())

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
            SecretMissing: one was generated before and its file is gone or empty, or the manifest is gone
                though there is data.
            ProtectSecret: others can read one.
        """
        with self._alone():
            self._ensure(list(names))

    def _ensure(self, names: list[str]) -> None:
        self._check_manifest(names)
        generated = self._generated()
        for name in names:
            if name in generated or self.path(name).exists():
                self.read(name)
            else:
                write_private(self.path(name), secrets.token_urlsafe(32) + "\n")
            generated.add(name)
        write_private(self.path(MANIFEST), json.dumps(sorted(generated), indent=1) + "\n")

    def replace(self, name: str, value: str) -> None:
        """Set a secret to a new value, in the file and the manifest.

        Raises:
            SecretMissing: the manifest is gone though there is data.
        """
        with self._alone():
            self._check_manifest([name])
            write_private(self.path(name), value + "\n")
            self._ensure([name])

    def forget(self, name: str) -> None:
        """Delete a secret that nobody may use any more; ``ensure`` would generate a new one.

        Raises:
            SecretMissing: the manifest is gone though there is data.
        """
        with self._alone():
            self._check_manifest(())
            left = sorted(self._generated() - {name})
            write_private(self.path(MANIFEST), json.dumps(left, indent=1) + "\n")
            self.path(name).unlink(missing_ok=True)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Whoever changes secrets together with somebody who has to take them waits here for others who do.

        Each change takes the list for itself, as ever; nobody may wait here twice.
        """
        descriptor = os.open(self._folder / TURN, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One at a time, of all threads and processes: the list is read, changed and written as a whole."""
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _check_manifest(self, names: Iterable[str]) -> None:
        if self.path(MANIFEST).exists() or not self._has_data():
            return
        gone = [name for name in names if not self.path(name).exists()]
        others = f", and so are {', '.join(gone)}" if gone else ""
        raise SecretMissing(self.path(MANIFEST), f"is missing though there is data{others}")

    def _generated(self) -> set[str]:
        path = self.path(MANIFEST)
        try:
            return set(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return set()
        except (ValueError, TypeError) as error:
            raise SecretMissing(path, "is not the list of secrets that it was") from error
