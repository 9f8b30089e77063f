"""A checkpoint as the bus keeps it: with the digests of the leaves that came with it.

With the digests of all leaves, any proof can be made long after the blocks themselves are gone.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.evidence import canonical
from services.evidence.checkpoints import Sealing, Signed, frontier_of, next_checkpoint, signed_from
from services.evidence.entries import Entry, Place, entry_text, order_of
from services.evidence.hashing import HASH_BYTES, SHA256, tree_hash
from services.evidence.merkle import Frontier, leaf_hash

_NAMES: Final = frozenset({"checkpoint", "leaves", "signature"})


@dataclass(frozen=True, slots=True)
class Sealed:
    """One checkpoint and its own leaves, in the order of the log."""

    signed: Signed
    leaves: tuple[bytes, ...]

    @property
    def number(self) -> int:
        """The checkpoint's number."""
        return self.signed.checkpoint.number

    @property
    def size(self) -> int:
        """The size of the log with it."""
        return self.signed.checkpoint.size

    @property
    def ends(self) -> Mapping[Place, int]:
        """Up to where each partition is in the log."""
        return self.signed.checkpoint.ends


def sealed_text(sealed: Sealed) -> bytes:
    """The record that keeps it."""
    kept = canonical.decode(sealed.signed.text())
    return canonical.encode({**kept, "leaves": base64.b64encode(b"".join(sealed.leaves)).decode()})


def sealed_from(text: bytes) -> Sealed:
    """What ``sealed_text`` gave.

    Raises:
        NotCanonical: the record is another one.
    """
    found = canonical.decode(text)
    if set(found) != _NAMES or not isinstance(found["leaves"], str):
        raise canonical.NotCanonical("no checkpoint with its leaves")
    try:
        leaves = base64.b64decode(found.pop("leaves"), validate=True)
    except ValueError as error:
        raise canonical.NotCanonical(f"no checkpoint with its leaves: {error}") from error
    if len(leaves) % HASH_BYTES:
        raise canonical.NotCanonical("its leaves are cut off")
    split = tuple(leaves[at : at + HASH_BYTES] for at in range(0, len(leaves), HASH_BYTES))
    return Sealed(signed_from(canonical.encode(found)), split)


def in_order_of_log(entries: Iterable[Entry]) -> list[Entry]:
    """The entries between two checkpoints as the log holds them."""
    return sorted(entries, key=lambda entry: (order_of(entry.place), entry.offset))


def grown(
    previous: Signed | None,
    entries: Sequence[Entry],
    ends: Mapping[Place, int],
    time_ms: int,
    sealing: Sealing,
    tree: str = SHA256,
    *,
    whole: bool = True,
) -> Sealed:
    """Append what lies between the last checkpoint's ends and these, and seal it.

    Args:
        previous: the last checkpoint; None where the log begins.
        entries: in any order.
        ends: of every partition that was looked at; others stay where they were.
        time_ms: now.
        sealing: the key of now.
        tree: the hash of a log that begins; it keeps it.
        whole: whether everything that was written before now is in.

    Raises:
        ValueError: the last checkpoint does not lead to its own root.
        AlgorithmMissing: the hash of the tree is not there.
    """
    frontier = frontier_of(previous.checkpoint) if previous else Frontier(tree_hash(tree))
    before = previous.checkpoint.ends if previous else {}
    leaves = [leaf_hash(frontier.hashed, entry_text(entry)) for entry in in_order_of_log(entries)]
    for leaf in leaves:
        frontier.append(leaf)
    reached = {**before, **{place: max(end, before.get(place, 0)) for place, end in ends.items()}}
    signed = next_checkpoint(previous, frontier, reached, time_ms, sealing, tree, whole=whole)
    return Sealed(signed, tuple(leaves))
