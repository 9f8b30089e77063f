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

_REMEMBERED: Final = 4096
_SHORT: Final = 64
_LENGTHS: Final = tuple(encoded_long(length) for length in range(_SHORT))
_FIRST_DAY: Final = (date.min - date(1970, 1, 1)).days
_LAST_DAY: Final = (date.max - date(1970, 1, 1)).days
_FEW_VALUES: Final = frozenset({Action.YEAR, Action.PREFIX})


def change(op: Convert) -> Change:
    """The function of one operation."""
    value = _value(op)
    null = -1 if op.null_from < 0 else 2 * op.null_from
    null_to = None if op.null_to < 0 else encoded_long(op.null_to)
    branch = b"" if op.null_to < 0 else encoded_long(1 - op.null_to)
    at = 0 if op.null_from < 0 else 1

    def changed(data: bytes) -> bytes | None:
        if at and data[0] == null:
            return null_to
        found = value(data, at)
        return found if found is None or not branch else branch + found

    return lru_cache(_REMEMBERED)(changed) if op.action in _FEW_VALUES else changed


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
