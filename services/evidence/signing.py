"""Who signs and how it is checked: one small interface, so that a certified module can take its place.

``ed25519`` is built in. Whatever else is wanted comes from a package that names a ``Suite`` in the group of
entry points ``govbus.signatures``; SM2 (GB/T 32918) is such a one, because no library that we could depend on
has it and a self-written one would not count in an assessment of commercial cryptography.
"""

import hashlib
from importlib.metadata import entry_points
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.evidence.hashing import AlgorithmMissing

ED25519: Final = "ed25519"
SM2: Final = "sm2"
ENTRY_POINTS: Final = "govbus.signatures"
SEED_BYTES: Final = 32
_KEY_ID_DIGITS: Final = 32


class Signer(Protocol):
    """Holds a private key."""

    @property
    def public(self) -> bytes:
        """The public key, as its suite writes it."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature of the message."""
        ...


class Suite(Protocol):
    """One kind of signature."""

    def signer(self, seed: bytes) -> Signer:
        """The key that a secret of 32 bytes stands for; a module with a key store may take it as a name."""
        ...

    def is_signed(self, public: bytes, signature: bytes, message: bytes) -> bool:
        """Whether the holder of that public key signed the message; malformed input is no signature."""
        ...


def suite(name: str) -> Suite:
    """The suite of that name.

    Raises:
        AlgorithmMissing: nothing here can do it; the text says what to install.
    """
    if name == ED25519:
        return _Ed25519()
    for point in entry_points(group=ENTRY_POINTS, name=name):
        found: Suite = point.load()()
        return found
    raise AlgorithmMissing(
        f"no module here signs or checks {name!r}: ed25519 is built in, any other comes with a package "
        f"that names itself in the entry points {ENTRY_POINTS!r}"
    )


def key_id(suite_name: str, public: bytes) -> str:
    """The name of a key: a digest of it and its suite, which no two keys share."""
    return hashlib.sha256(suite_name.encode() + b"\x00" + public).hexdigest()[:_KEY_ID_DIGITS]


class _Ed25519:
    """Ed25519 (RFC 8032) by OpenSSL."""

    def signer(self, seed: bytes) -> Signer:
        return _Ed25519Signer(seed)

    def is_signed(self, public: bytes, signature: bytes, message: bytes) -> bool:
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


class _Ed25519Signer:
    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)
