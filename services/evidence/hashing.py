"""Which hash makes the tree: SHA-256, or SM3 (GB/T 32905) where the machine's OpenSSL has it."""

import hashlib
from collections.abc import Callable
from typing import Final

Hash = Callable[[bytes], bytes]
SHA256: Final = "sha256"
SM3: Final = "sm3"
TREE_HASHES: Final = (SHA256, SM3)
HASH_BYTES: Final = 32
"""Both have 256 bits."""


class AlgorithmMissing(Exception):  # noqa: N818 - the caller installs what the text names
    """This machine cannot compute what was asked for; the text says what is missing."""


def tree_hash(name: str) -> Hash:
    """The function of that name.

    Raises:
        AlgorithmMissing: the name is unknown, or OpenSSL was built without it.
    """
    if name not in TREE_HASHES:
        raise AlgorithmMissing(f"no tree is made with {name!r}; there are {', '.join(TREE_HASHES)}")
    if name == SHA256:
        return lambda data: hashlib.sha256(data).digest()
    try:
        hashlib.new(name)
    except ValueError as error:
        raise AlgorithmMissing(f"OpenSSL of this Python has no {name}: install one that has it") from error
    return lambda data: hashlib.new(name, data).digest()
