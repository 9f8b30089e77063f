"""Changed values in pure Python: what generated fan-outs call for one field, its branch included."""

import struct
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Final

from topics.engine.fanout_items import encoded_long
from topics.engine.fanout_plan import Action, Convert
from topics.engine.skip import read_long
from topics.grants.masks import keyed_hash, partial, year

Change = Callable[[bytes], bytes | None]
"""Bytes of a field to the bytes delivered; None where they cannot be had."""

_DAYS_REMEMBERED: Final = 65_536
"""The days of 179 years: birth dates come again and again."""
_SHORT: Final = 64
_LENGTHS: Final = tuple(encoded_long(length) for length in range(_SHORT))
_STARS: Final = tuple(b"*" * length for length in range(_SHORT))
_FIRST_DAY: Final = (date.min - date(1970, 1, 1)).days
_LAST_DAY: Final = (date.max - date(1970, 1, 1)).days


def change(op: Convert) -> Change:
    """The function of one operation."""
    value, at = _value(op), 0 if op.null_from < 0 else 1
    null = 2 * op.null_from
    null_to = None if op.null_to < 0 else encoded_long(op.null_to)
    branch = b"" if op.null_to < 0 else encoded_long(1 - op.null_to)

    def changed(data: bytes) -> bytes | None:
        if at and data[0] == null:
            return null_to
        found = value(data, at)
        return found if found is None or not branch else branch + found

    match op.action:
        case Action.YEAR:
            return lru_cache(_DAYS_REMEMBERED)(changed)
        case Action.PREFIX:
            return _quick_prefix(changed, at, branch, op.first)
        case Action.PARTIAL if op.null_from == op.null_to:
            return _quick_partial(changed, at, op.first, op.last)
        case _:
            return changed


def _quick_prefix(changed: Change, at: int, branch: bytes, length: int) -> Change:
    """The same, without looking at characters where they are single bytes."""
    begin, end, head = at + 1, at + 1 + length, branch + encoded_long(length)

    def quick(data: bytes) -> bytes | None:
        kept = data[begin:end]
        # All ASCII: the length in front of it is a single byte, too.
        if len(kept) == length and data.isascii():
            return head + kept
        return changed(data)

    return quick


def _quick_partial(changed: Change, at: int, first: int, last: int) -> Change:
    """The same, with a shorter way for texts of less than 64 bytes, and the shortest for ASCII."""
    begin, kept = at + 1 + first, at + 1 + first + last

    def quick(data: bytes) -> bytes | None:
        hidden = len(data) - kept
        # All ASCII: branch, length and text, which is as long afterwards.
        if 0 < hidden < _SHORT and data.isascii():
            return data[:begin] + _STARS[hidden] + data[begin + hidden :]
        if len(data) > begin and data[at] < 0x80:
            return data[:at] + packed(partial(data[at + 1 :].decode(), first, last))
        return changed(data)

    return quick


def _value(op: Convert) -> Callable[[bytes, int], bytes | None]:
    """The function of the value that begins at a position: 0, or 1 where a branch is before it."""
    match op.action:
        case Action.SLICE:
            return lambda data, at: data[at:]
        case Action.LONG_TO_FLOAT:
            return lambda data, at: struct.pack("<f", float(read_long(data, at)[0]))
        case Action.LONG_TO_DOUBLE:
            return lambda data, at: struct.pack("<d", float(read_long(data, at)[0]))
        case Action.FLOAT_TO_DOUBLE:
            return lambda data, at: struct.pack("<d", *struct.unpack_from("<f", data, at))
        case Action.BYTES_TO_TEXT:
            return _text_or_none
        case Action.YEAR:
            return _year
        case Action.PREFIX:
            length = op.first
            return lambda data, at: packed(text_of(data, at)[:length])
        case Action.PARTIAL:
            first, last = op.first, op.last
            return lambda data, at: packed(partial(text_of(data, at), first, last))
        case Action.HASH:
            item, secret = op.label.removesuffix(b"\0").decode(), op.secret
            return lambda data, at: packed(keyed_hash(text_of(data, at), item, secret))


def packed(text: str) -> bytes:
    """Text as Avro writes it, quickly where it is short."""
    data = text.encode()
    length = len(data)
    return (_LENGTHS[length] if length < _SHORT else encoded_long(length)) + data


def text_of(data: bytes, at: int) -> str:
    """The text whose length stands there."""
    return (data[at + 1 :] if data[at] < 0x80 else data[read_long(data, at)[1] :]).decode()


def _text_or_none(data: bytes, at: int) -> bytes | None:
    try:
        text_of(data, at)
    except UnicodeDecodeError:
        return None
    return data[at:]


def _year(data: bytes, at: int) -> bytes | None:
    days = read_long(data, at)[0]
    found = year(days) if _FIRST_DAY <= days <= _LAST_DAY else None
    return encoded_long(found) if isinstance(found, int) else None
