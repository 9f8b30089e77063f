"""Secrets made of given random bytes, and the hash under which each is kept."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Final

Random = Callable[[int], bytes]
"""So many bytes that nobody can foretell: ``secrets.token_bytes``."""
SECRET_BYTES: Final = 32


def new_secret(random: Random) -> str:
    """256 random bits as text that fits a cookie, a header and an address."""
    return urlsafe_b64encode(random(SECRET_BYTES)).rstrip(b"=").decode("ascii")


def digest(secret: str) -> bytes:
    """What is kept of a secret with 256 random bits: its hash needs neither salt nor slowness."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
