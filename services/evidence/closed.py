"""An entry of which a receipt shows digest and place in the log only: its text is not its reader's."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.evidence import canonical
from services.evidence.entries import place_from
from services.evidence.hashing import HASH_BYTES

_NAMES: Final = frozenset({"at", "index", "leaf", "path"})
_DIGEST: Final = re.compile(rf"[0-9a-f]{{{2 * HASH_BYTES}}}")


@dataclass(frozen=True, slots=True)
class ClosedProof:
    """The proof that an entry with this digest stands at ``index`` of the log."""

    index: int
    at: str
    """Where the entry stands, says whoever made the proof: ``ledger.delivery:2:17``."""
    leaf: bytes
    path: tuple[bytes, ...]

    @property
    def topic(self) -> str:
        """The topic of the entry."""
        return self.at.split(":", 1)[0]


def closed_text(proof: ClosedProof) -> bytes:
    """The line of a closed entry."""
    path = [step.hex() for step in proof.path]
    return canonical.encode({"at": proof.at, "index": proof.index, "leaf": proof.leaf.hex(), "path": path})


def closed_from(line: bytes) -> ClosedProof:
    """The closed entry that a line holds.

    Raises:
        KeyError, TypeError, ValueError: it holds none.
    """
    found: Mapping[str, Any] = canonical.decode(line)
    if set(found) != _NAMES or type(found["index"]) is not int or found["index"] < 0:
        raise ValueError("a closed entry comes with its place, its index, a digest and a path")
    at = str(found["at"])
    place, _, offset = at.rpartition(":")
    if not offset.isdecimal() or str(int(offset)) != offset:
        raise ValueError(f"{at} is no place of an entry")
    place_from(place)
    if not isinstance(found["path"], list):
        raise ValueError("a path is a list of digests")  # noqa: TRY004 - as all else that is no closed entry
    return ClosedProof(found["index"], at, _digest(found["leaf"]), tuple(map(_digest, found["path"])))


def _digest(text: Any) -> bytes:
    if not isinstance(text, str) or not _DIGEST.fullmatch(text):
        raise ValueError("a digest is hexadecimal")
    return bytes.fromhex(text)
