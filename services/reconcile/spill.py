"""Rows of one side on disk, one file for each range of keys, so that only one range is ever in memory."""

import struct
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import Final, NamedTuple
from zlib import crc32

from services.reconcile.rows import DIGEST_BYTES, WHOLE, number

_HEAD: Final = struct.Struct(f"<{DIGEST_BYTES}s{DIGEST_BYTES}sBHQH")
_MOST_HELD: Final = 4 << 20
_ROWS_OF_A_RANGE: Final = 4_096
MOST_RANGES: Final = 4_096
NOTHING: Final = bytes(DIGEST_BYTES)


class State(IntEnum):
    """What an entry says of its key."""

    ROW = 0
    GONE = 1
    """The key was withdrawn."""
    MOVING_ROW = 2
    """The same as ``ROW``, where the other side need not have followed yet."""
    MOVING_GONE = 3
    UNFIT = 4
    """There is a row, and no digest of it: it is nothing that the resource's schema could hold."""


class Entry(NamedTuple):
    """One row, or one record of a topic.

    Args:
        digest: of the row's key and items.
        key: of the topic's key in 16 bytes; for a row of a table nothing.
        state: see ``State``.
        partition: of a topic's record.
        offset: of a topic's record.
        id: the record id or the grant's key, as text.
    """

    digest: bytes
    key: bytes
    state: int
    partition: int
    offset: int
    id: bytes


def ranges_for(rows: int) -> int:
    """Into how many ranges so many rows are divided: a power of two."""
    wanted = max(1, rows // _ROWS_OF_A_RANGE)
    return min(MOST_RANGES, max(16, 1 << (wanted - 1).bit_length()))


class Spill:
    """Writes entries to the files of a folder; the order within one range stays."""

    def __init__(self, folder: Path, ranges: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.ranges = folder, ranges
        self.counts, self.sums = [0] * ranges, [0] * ranges
        """How many entries each range has, and the sum of their digests."""
        self._mask = ranges - 1
        self._held = [bytearray() for _ in range(ranges)]
        self._bytes = 0

    def add(
        self,
        id_: bytes,
        digest: bytes,
        key: bytes = NOTHING,
        state: int = State.ROW,
        partition: int = 0,
        offset: int = 0,
    ) -> None:
        """Add one entry to the range of its id."""
        at = crc32(id_) & self._mask
        entry = _HEAD.pack(digest, key, state, partition, offset, len(id_)) + id_
        self._held[at] += entry
        self.counts[at] += 1
        self.sums[at] += number(digest)
        self._bytes += len(entry)
        if self._bytes > _MOST_HELD:
            self.flush()

    def flush(self) -> None:
        """Write what is held; at the end, too."""
        for at, held in enumerate(self._held):
            if held:
                with (self.folder / _name(at)).open("ab") as file:
                    file.write(held)
                self._held[at] = bytearray()
        self._bytes = 0

    def totals(self) -> list[tuple[int, int]]:
        """Count and sum of each range, the sum modulo 2**128."""
        return [(count, total % WHOLE) for count, total in zip(self.counts, self.sums, strict=True)]


def read_range(folder: Path, at: int) -> Iterator[Entry]:
    """The entries of one range, as they were added; none where nothing was."""
    path = folder / _name(at)
    if not path.exists():
        return
    data, place, size = path.read_bytes(), 0, _HEAD.size
    while place < len(data):
        digest, key, state, partition, offset, length = _HEAD.unpack_from(data, place)
        place += size
        yield Entry(digest, key, state, partition, offset, data[place : place + length])
        place += length


def is_once(folder: Path, at: int) -> bool:
    """Whether each entry of a range is a row, and of another id than the others: nothing changed or moves."""
    path = folder / _name(at)
    data, place, count, ids = path.read_bytes() if path.exists() else b"", 0, 0, set()
    while place < len(data):
        _, _, state, _, _, length = _HEAD.unpack_from(data, place)
        if state != State.ROW:
            return False
        place += _HEAD.size + length
        ids.add(data[place - length : place])
        count += 1
    return len(ids) == count


def _name(at: int) -> str:
    return f"{at:04x}"
