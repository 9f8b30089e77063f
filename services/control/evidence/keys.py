"""The keys that seal the evidence, kept with the other secrets of the bus, each with its validity.

A key is derived from a generated secret ``evidence-v<N>``. When each was in use stands in ``evidence-keys``,
which the first rotation makes; until then the first key signs from the beginning and without an end.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from services.evidence.checkpoints import Sealing
from services.evidence.signing import ED25519, Signer, suite
from services.evidence.trust import Key

_VALIDITY: Final = "evidence-keys"
_CONTEXT: Final = b"govbus-evidence-key\x00"


class Secrets(Protocol):
    """The secrets of one home; see ``services.stack.secret_files``."""

    def exists(self, name: str) -> bool:
        """Whether it was ever generated here."""
        ...

    def read(self, name: str) -> str:
        """The secret; raises where it is gone or open to others."""
        ...

    def ensure(self, names: Iterable[str]) -> None:
        """Generate each that was never generated."""
        ...

    def replace(self, name: str, value: str) -> None:
        """Set it to a new value."""
        ...


class NoKey(Exception):  # noqa: N818 - the caller rotates or waits
    """No key is in use at that time."""


@dataclass(frozen=True, slots=True)
class _Version:
    number: int
    suite: str
    from_ms: int
    to_ms: int | None


@dataclass(frozen=True, slots=True)
class EvidenceKeys:
    """The keys of one home."""

    secrets: Secrets

    def public(self) -> tuple[Key, ...]:
        """Every public key with its validity, the oldest first.

        Raises:
            StackError: a secret is gone.
            AlgorithmMissing: a key's suite is not there.
        """
        return tuple(
            Key(each.suite, self._signer(each).public, each.from_ms, each.to_ms) for each in self._versions()
        )

    def sealing(self, time_ms: int) -> Sealing:
        """The key that signs at that time.

        Raises:
            NoKey: there is none; and as ``public``.
        """
        for each in reversed(self._versions()):
            if each.from_ms <= time_ms and (each.to_ms is None or time_ms < each.to_ms):
                return Sealing.by(each.suite, self._signer(each))
        raise NoKey(f"no key of the evidence signs at {time_ms}")

    def rotate(self, from_ms: int, suite_name: str = ED25519) -> Key:
        """Let a new key sign from then on, and the one before until then.

        Args:
            from_ms: later than the time of every checkpoint, and than now: somebody may be about to seal.
            suite_name: how the new key signs.

        Raises:
            AlgorithmMissing: no module here signs so; nothing was changed.
            ValueError: the newest key begins later than that.
        """
        made = suite(suite_name)
        *older, last = self._versions()
        if from_ms <= last.from_ms:
            raise ValueError("the newest key begins later than that: look at the clock")
        new = _Version(last.number + 1, suite_name, from_ms, None)
        self.secrets.ensure([_seed(new.number)])
        public = made.signer(self._secret(new.number)).public
        ended = _Version(last.number, last.suite, last.from_ms, from_ms)
        self.secrets.replace(_VALIDITY, _written([*older, ended, new]))
        return Key(suite_name, public, from_ms)

    def _versions(self) -> list[_Version]:
        if not self.secrets.exists(_VALIDITY):
            return [_Version(1, ED25519, 0, None)]
        return [_Version(**entry) for entry in json.loads(self.secrets.read(_VALIDITY))]

    def _signer(self, version: _Version) -> Signer:
        return suite(version.suite).signer(self._secret(version.number))

    def _secret(self, number: int) -> bytes:
        return hashlib.sha256(_CONTEXT + self.secrets.read(_seed(number)).encode()).digest()


def _seed(number: int) -> str:
    return f"evidence-v{number}"


def _written(versions: Iterable[_Version]) -> str:
    names = ("number", "suite", "from_ms", "to_ms")
    return json.dumps([{name: getattr(each, name) for name in names} for each in versions])
