"""A checkpoint: how long the log is, its root, up to where each partition is in it, signed and chained."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.evidence import canonical
from services.evidence.entries import Place, order_of, place_from
from services.evidence.hashing import HASH_BYTES, SHA256, tree_hash
from services.evidence.merkle import Frontier
from services.evidence.signing import Signer, key_id

FORMAT: Final = "govbus-checkpoint/1"
_CONTEXT: Final = b"govbus-checkpoint/1\x00"
"""Before what is signed, so that no other signature of the same key passes for a checkpoint's."""
_NAMES: Final = frozenset(
    {"ends", "format", "frontier", "key", "log", "number", "previous", "root", "size", "time_ms", "tree"}
)
_PART: Final = "whole"
"""Stands only in a checkpoint that is a part, so that each has one text."""
_HEX: Final = re.compile(r"(?:[0-9a-f]{2})+")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What one checkpoint says."""

    log: str
    """Which log: the name of the key that signed its first checkpoint."""
    number: int
    """1 for the first; each names the one before."""
    size: int
    root: str
    frontier: tuple[str, ...]
    """Digests of the whole subtrees, largest first: from here on the log can be continued and checked."""
    ends: Mapping[Place, int]
    """Of each partition the offset before which everything is in the log."""
    time_ms: int
    """When the topics were asked for their ends: what is whole leaves out nothing that was written before."""
    previous: str
    """Digest of the checkpoint before; empty for the first."""
    key: str
    tree: str = SHA256
    whole: bool = True
    """False where more was waiting than one checkpoint holds: the next ones bring it."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint with its signature, as it is kept, published and exported."""

    checkpoint: Checkpoint
    signature: str

    def text(self) -> bytes:
        """The canonical text."""
        return canonical.encode({"checkpoint": _body(self.checkpoint), "signature": self.signature})

    def digest(self) -> str:
        """What the next one names as the one before."""
        return hashlib.sha256(self.text()).hexdigest()

    def message(self) -> bytes:
        """What the signature is over."""
        return message_of(self.checkpoint)


def message_of(checkpoint: Checkpoint) -> bytes:
    """The bytes that are signed."""
    return _CONTEXT + canonical.encode(_body(checkpoint))


def signed(checkpoint: Checkpoint, signer: Signer) -> Signed:
    """The checkpoint with a signature of the key that it names."""
    return Signed(checkpoint, signer.sign(message_of(checkpoint)).hex())


def signed_from(text: bytes) -> Signed:
    """The checkpoint that a text stands for; nothing is verified.

    Raises:
        NotCanonical: it is not the canonical text of one.
    """
    found = canonical.decode(text)
    try:
        result = Signed(_checkpoint(found["checkpoint"]), str(found["signature"]))
        same = _is_hex(result.signature) and result.text() == text
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise canonical.NotCanonical(f"no checkpoint: {error}") from error
    if not same:
        raise canonical.NotCanonical("not the canonical text of a checkpoint")
    return result


def frontier_of(checkpoint: Checkpoint) -> Frontier:
    """The frontier from which the log goes on.

    Raises:
        ValueError: it does not fit the size, or its root is not the checkpoint's.
        AlgorithmMissing: the tree's hash is not there.
    """
    peaks = [bytes.fromhex(peak) for peak in checkpoint.frontier]
    if any(len(peak) != HASH_BYTES for peak in peaks):
        raise ValueError("a digest of the frontier has another length")
    found = Frontier(tree_hash(checkpoint.tree), checkpoint.size, peaks)
    if found.root().hex() != checkpoint.root:
        raise ValueError("the frontier does not lead to the root")
    return found


@dataclass(frozen=True, slots=True)
class Sealing:
    """Who seals: the key's name and its signer."""

    key: str
    signer: Signer

    @classmethod
    def by(cls, suite_name: str, signer: Signer) -> "Sealing":
        """The key under the name that follows from it."""
        return cls(key_id(suite_name, signer.public), signer)


def next_checkpoint(
    previous: Signed | None,
    frontier: Frontier,
    ends: Mapping[Place, int],
    time_ms: int,
    sealing: Sealing,
    tree: str = SHA256,
    *,
    whole: bool = True,
) -> Signed:
    """Sign the state of the log after what was appended to the frontier.

    The time never goes back behind the one before, whatever the clock says. ``tree`` counts for the first
    checkpoint only: a log has one hash. ``whole`` is false where more is waiting.
    """
    before = previous.checkpoint if previous else None
    return signed(
        Checkpoint(
            log=before.log if before else sealing.key,
            number=before.number + 1 if before else 1,
            size=frontier.size,
            root=frontier.root().hex(),
            frontier=tuple(peak.hex() for peak in frontier.peaks),
            ends=dict(ends),
            time_ms=max(time_ms, before.time_ms if before else 0),
            previous=previous.digest() if previous else "",
            key=sealing.key,
            tree=before.tree if before else tree,
            whole=whole,
        ),
        sealing.signer,
    )


def _body(checkpoint: Checkpoint) -> dict[str, Any]:
    part = {} if checkpoint.whole else {_PART: False}
    return part | {
        "format": FORMAT,
        "log": checkpoint.log,
        "number": checkpoint.number,
        "size": checkpoint.size,
        "root": checkpoint.root,
        "frontier": list(checkpoint.frontier),
        "ends": {str(place): checkpoint.ends[place] for place in sorted(checkpoint.ends, key=order_of)},
        "time_ms": checkpoint.time_ms,
        "previous": checkpoint.previous,
        "key": checkpoint.key,
        "tree": checkpoint.tree,
    }


def _checkpoint(body: Mapping[str, Any]) -> Checkpoint:
    if set(body) - {_PART} != _NAMES or body["format"] != FORMAT or body.get(_PART, False) is not False:
        raise ValueError("not the names of a checkpoint")
    numbers = (body["number"], body["size"], body["time_ms"], *body["ends"].values())
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise ValueError("numbers of a checkpoint are whole and not negative")
    digests = (body["root"], *body["frontier"])
    if not all(isinstance(digest, str) and _DIGEST.fullmatch(digest) for digest in digests):
        raise ValueError("root and frontier of a checkpoint are digests")
    return Checkpoint(
        log=str(body["log"]),
        number=body["number"],
        size=body["size"],
        root=str(body["root"]),
        frontier=tuple(str(peak) for peak in body["frontier"]),
        ends={place_from(name): end for name, end in body["ends"].items()},
        time_ms=body["time_ms"],
        previous=str(body["previous"]),
        key=str(body["key"]),
        tree=str(body["tree"]),
        whole=_PART not in body,
    )


def _is_hex(text: str) -> bool:
    return _HEX.fullmatch(text) is not None
