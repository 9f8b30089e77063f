"""A bundle's file: a plain tar archive (POSIX ustar) that has exactly one form for the same content.

``tar xf`` opens it. The reader accepts the one form only, so that no byte of it is without meaning: what is
altered anywhere, padding included, is seen.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from services.evidence.faults import Fault, Faulty

_BLOCK: Final = 512
_END: Final = bytes(2 * _BLOCK)
_MODE: Final = b"0000644\x00"
_ZERO: Final = b"0000000\x00"
_MOST_BYTES: Final = 8**11 - 1
"""What the size of a member can say."""


def packed(files: Mapping[str, bytes]) -> bytes:
    """The archive of those files, in their order.

    Raises:
        ValueError: a name or a file is too long.
    """
    parts: list[bytes] = []
    for name, content in files.items():
        parts += (_header(name, len(content)), content, _padding(len(content)))
    return b"".join((*parts, _END))


def unpacked(archive: bytes, names: Sequence[str]) -> dict[str, bytes]:
    """The files of an archive that holds just these, in this order.

    Raises:
        Faulty: it is another archive, or not in the one form.
    """
    found: dict[str, bytes] = {}
    at = 0
    for name in names:
        size = _size(archive, at, name)
        start, end = at + _BLOCK, at + _BLOCK + size
        at = end + len(_padding(size))
        if archive[end:at] != _padding(size):
            raise _malformed(name, "it is cut off, or followed by something")
        found[name] = archive[start:end]
    if archive[at:] != _END:
        raise _malformed("end", "something follows the last file, or the end is missing")
    return found


def _size(archive: bytes, at: int, name: str) -> int:
    header = archive[at : at + _BLOCK]
    try:
        size = int(header[124:135], 8)
        same = 0 <= size <= _MOST_BYTES and header == _header(name, size)
    except ValueError as error:
        raise _malformed(name, "no such file at its place") from error
    if not same:
        raise _malformed(name, "no such file at its place")
    return size


def _header(name: str, size: int) -> bytes:
    encoded = name.encode("ascii")
    if not 0 < len(encoded) <= 100 or size > _MOST_BYTES:
        raise ValueError(f"{name} with {size} bytes does not fit into the archive")
    before = encoded.ljust(100, b"\x00") + _MODE + _ZERO * 2 + b"%011o\x00" % size + b"%011o\x00" % 0
    after = (b"0" + bytes(100) + b"ustar\x0000" + bytes(64) + _ZERO * 2).ljust(_BLOCK - 156, b"\x00")
    checksum = sum(before) + 8 * 0x20 + sum(after)
    return before + b"%06o\x00 " % checksum + after


def _padding(size: int) -> bytes:
    return bytes(-size % _BLOCK)


def _malformed(name: str, detail: str) -> Faulty:
    return Faulty(Fault.BUNDLE_MALFORMED, name, detail)
