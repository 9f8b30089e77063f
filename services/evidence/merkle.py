"""The Merkle tree of RFC 9162, section 2.1: roots, proofs of inclusion and of consistency, and their checks.

A leaf is hashed behind the byte 0x00 and an inner node behind 0x01, so that no leaf can be passed off as a
node. All functions take and return digests as bytes; sizes count leaves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from services.evidence.hashing import Hash

_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"


def leaf_hash(hashed: Hash, data: bytes) -> bytes:
    """The digest of one leaf (RFC 9162, 2.1.1)."""
    return hashed(_LEAF + data)


def node_hash(hashed: Hash, left: bytes, right: bytes) -> bytes:
    """The digest of an inner node (RFC 9162, 2.1.1)."""
    return hashed(_NODE + left + right)


@dataclass(slots=True)
class Frontier:
    """The digests of the whole subtrees of a growing log, largest first: all that appending needs.

    Args:
        hashed: the hash of the tree.
        size: how many leaves there are.
        peaks: one digest for each bit that is set in ``size``, the highest first.
    """

    hashed: Hash
    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.peaks) != self.size.bit_count():
            raise ValueError("a frontier has one digest for each bit that is set in its size")

    def append(self, leaf: bytes) -> None:
        """Add the digest of the next leaf."""
        node, left = leaf, self.size
        while left & 1:
            node = node_hash(self.hashed, self.peaks.pop(), node)
            left >>= 1
        self.peaks.append(node)
        self.size += 1

    def root(self) -> bytes:
        """The root over all leaves; of no leaf, the hash of nothing."""
        if not self.peaks:
            return self.hashed(b"")
        node = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            node = node_hash(self.hashed, peak, node)
        return node


class Tree:
    """A whole log in memory, from the digests of its leaves, which makes proofs; twice 32 bytes a leaf."""

    def __init__(self, hashed: Hash, leaves: Sequence[bytes]) -> None:
        self._hashed = hashed
        self._levels: list[list[bytes]] = [list(leaves)]
        while len(below := self._levels[-1]) > 1:
            pairs = range(0, len(below) - 1, 2)
            self._levels.append([node_hash(hashed, below[at], below[at + 1]) for at in pairs])

    @property
    def size(self) -> int:
        """How many leaves it has."""
        return len(self._levels[0])

    def root(self, size: int) -> bytes:
        """The root over the first ``size`` leaves."""
        self._check(0 <= size <= self.size)
        return self._subtree(0, size) if size else self._hashed(b"")

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The proof that leaf ``index`` is in the tree of the first ``size`` leaves (RFC 9162, 2.1.3.1)."""
        self._check(0 <= index < size <= self.size)
        path: list[bytes] = []
        start, end = 0, size
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                path.append(self._subtree(middle, end))
                end = middle
            else:
                path.append(self._subtree(start, middle))
                start = middle
        return path[::-1]

    def consistency(self, old: int, new: int) -> list[bytes]:
        """The proof that the first ``new`` leaves begin with the first ``old`` ones (RFC 9162, 2.1.4.1)."""
        self._check(0 < old <= new <= self.size)
        path: list[bytes] = []
        start, end, known = 0, new, True
        while old < end:
            middle = start + _split(end - start)
            if old <= middle:
                path.append(self._subtree(middle, end))
                end = middle
            else:
                path.append(self._subtree(start, middle))
                start, known = middle, False
        # The root of the old tree need not be said where the old tree is one whole subtree.
        return ([] if known else [self._subtree(start, end)]) + path[::-1]

    def _subtree(self, start: int, end: int) -> bytes:
        """The root over the leaves from ``start`` to before ``end``; ``start`` begins a whole subtree."""
        size = end - start
        if size & (size - 1) == 0:
            level = size.bit_length() - 1
            return self._levels[level][start >> level]
        middle = start + _split(size)
        return node_hash(self._hashed, self._subtree(start, middle), self._subtree(middle, end))

    @staticmethod
    def _check(inside: bool) -> None:
        if not inside:
            raise IndexError("outside the log")


def includes(hashed: Hash, leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Whether the path proves that the leaf stands at ``index`` of the tree (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, at, last = leaf, index, size - 1
    for step in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            node = node_hash(hashed, step, node)
            at, last = _risen(at, last)
        else:
            node = node_hash(hashed, node, step)
        at, last = at >> 1, last >> 1
    return last == 0 and node == root


def extends(hashed: Hash, old: tuple[int, bytes], new: tuple[int, bytes], path: Sequence[bytes]) -> bool:
    """Whether the path proves that the new tree begins with the old one (RFC 9162, 2.1.4.2).

    Args:
        hashed: the hash of the tree.
        old: size and root of the older tree.
        new: size and root of the newer one.
        path: the proof; empty where both have one size, or the older is empty.
    """
    (old_size, old_root), (new_size, new_root) = old, new
    if old_size == 0:
        return not path and old_root == hashed(b"")
    if old_size >= new_size:
        return old_size == new_size and not path and old_root == new_root
    steps = [old_root, *path] if old_size & (old_size - 1) == 0 else list(path)
    if not steps:
        return False
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node_hash(hashed, step, first), node_hash(hashed, step, second)
            at, last = _risen(at, last)
        else:
            second = node_hash(hashed, second, step)
        at, last = at >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def _risen(at: int, last: int) -> tuple[int, int]:
    """Rise as long as the node has no sibling: to where it is a right child, or the root."""
    while at and not at & 1:
        at, last = at >> 1, last >> 1
    return at, last


def _split(size: int) -> int:
    """The largest power of two below ``size``: where RFC 9162 divides a tree."""
    return 1 << ((size - 1).bit_length() - 1)
