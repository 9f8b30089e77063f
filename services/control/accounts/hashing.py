"""Passwords as argon2id hashes, with the parameters that OWASP names as the least."""

from dataclasses import dataclass, field
from typing import Final
from unicodedata import normalize

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.control.accounts.random_text import Random

SALT_BYTES: Final = 16
_NOBODY: Final = "nobody has this password"


@dataclass(frozen=True, slots=True)
class Strength:
    """What one hash costs: 19 MiB and two passes, or more."""

    memory_kib: int = 19_456
    passes: int = 2
    lanes: int = 1


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a password was right, and whether its hash is weaker than hashes are made now."""

    right: bool
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Hasher:
    """Makes and checks hashes of one strength; an unknown person costs the same work as a known one."""

    strength: Strength = Strength()
    _argon: PasswordHasher = field(init=False, repr=False, compare=False)
    _of_nobody: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        made = PasswordHasher(
            time_cost=self.strength.passes,
            memory_cost=self.strength.memory_kib,
            parallelism=self.strength.lanes,
            salt_len=SALT_BYTES,
        )
        object.__setattr__(self, "_argon", made)
        object.__setattr__(self, "_of_nobody", made.hash(_NOBODY, salt=bytes(SALT_BYTES)))

    def hash(self, password: str, random: Random) -> str:
        """The hash that is kept of a password."""
        return self._argon.hash(_bytes(password), salt=random(SALT_BYTES))

    def check(self, kept: str | None, password: str) -> Verdict:
        """Compare a password with what is kept; without anything kept it is wrong, after the same work."""
        try:
            self._argon.verify(self._of_nobody if kept is None else kept, _bytes(password))
        except (VerificationError, InvalidHashError):
            return Verdict(False)
        return Verdict(False) if kept is None else Verdict(True, self._argon.check_needs_rehash(kept))


def _bytes(password: str) -> bytes:
    """The same bytes for what looks the same, by whatever keyboard it was typed."""
    return normalize("NFC", password).encode("utf-8", "surrogatepass")
