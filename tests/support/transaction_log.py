"""Which transactions are decided and not ended yet, read from the files of a broker that stands still."""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PREPARED: Final = frozenset({2, 3})
"""Status numbers of Kafka's transaction log: to be committed, to be aborted."""
_BATCH_HEADER: Final = 61
_SIZE_AT: Final = 8


def decided(data: Path) -> set[str]:
    """The transactional ids whose last entry says that the end is decided and still to be written."""
    states: dict[str, int] = {}
    for log in sorted(data.glob("__transaction_state-*/*.log")):
        states.update(_entries(log.read_bytes()))
    return {transactional_id for transactional_id, status in states.items() if status in PREPARED}


def _entries(content: bytes) -> Iterator[tuple[str, int]]:
    """Transactional id and status of every record, in order; a batch that is not whole ends it."""
    at = 0
    while at + _BATCH_HEADER <= len(content):
        (size,) = struct.unpack_from(">i", content, at + _SIZE_AT)
        end = at + _SIZE_AT + 4 + size
        if end > len(content):
            return
        yield from _records(content[at + _BATCH_HEADER : end])
        at = end


def _records(batch: bytes) -> Iterator[tuple[str, int]]:
    at = 0
    while at < len(batch):
        length, at = _varint(batch, at)
        end = at + length
        at += 1  # attributes
        _, at = _varint(batch, at)
        _, at = _varint(batch, at)
        size, at = _varint(batch, at)
        key, at = batch[at : at + size], at + size
        size, at = _varint(batch, at)
        value = batch[at : at + max(size, 0)]
        # Key: version, then the id with its length. Value: version, producer id, epoch, timeout, status.
        if len(key) > 4 and len(value) > 16 and key[:2] == b"\x00\x00":
            yield key[4:].decode(), value[16]
        at = end


def _varint(content: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = content[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1), at
        shift += 7
