"""Changed values in pure Python: what generated fan-outs call for one field, its branch included."""

import struct
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Final

from topics.engine.fanout_items import encoded_long, encoded_text
from topics.engine.fanout_plan import Action, Convert
from topics.engine.skip import read_long
from topics.grants.masks import keyed_hash, partial, year

Change = Callable[[bytes], bytes | None]
"""Bytes of a field to the bytes delivered; None where they cannot be had."""

_REMEMBERED: Final = 4096
_FIRST_DAY: Final = (date.min - date(1970, 1, 1)).days
_LAST_DAY: Final = (date.max - date(1970, 1, 1)).days
_FEW_VALUES: Final = frozenset({Action.YEAR, Action.PREFIX})


def change(op: Convert) -> Change:
    """The function of one operation."""
    value = _value(op)
    null = b"" if op.null_from < 0 else encoded_long(op.null_from)
    null_to = None if op.null_to < 0 else encoded_long(op.null_to)
    branch = b"" if op.null_to < 0 else encoded_long(1 - op.null_to)

    def changed(data: bytes) -> bytes | None:
        if null:
            if data == null:
                return null_to
            data = data[1:]
        found = value(data)
        return None if found is None else branch + found

    return lru_cache(_REMEMBERED)(changed) if op.action in _FEW_VALUES else changed


def _value(op: Convert) -> Change:
    match op.action:
        case Action.SLICE:
            return lambda data: data
        case Action.LONG_TO_FLOAT:
            return lambda data: struct.pack("<f", float(read_long(data, 0)[0]))
        case Action.LONG_TO_DOUBLE:
            return lambda data: struct.pack("<d", float(read_long(data, 0)[0]))
        case Action.FLOAT_TO_DOUBLE:
            return lambda data: struct.pack("<d", *struct.unpack("<f", data))
        case Action.BYTES_TO_TEXT:
            return _text_or_none
        case Action.YEAR:
            return _year
        case Action.PREFIX:
            length = op.first
            return lambda data: encoded_text(text_of(data)[:length])
        case Action.PARTIAL:
            first, last = op.first, op.last
            return lambda data: encoded_text(partial(text_of(data), first, last))
        case Action.HASH:
            item, secret = op.label.removesuffix(b"\0").decode(), op.secret
            return lambda data: encoded_text(keyed_hash(text_of(data), item, secret))


def text_of(data: bytes) -> str:
    """Text behind its length."""
    return (data[1:] if data[0] < 0x80 else data[read_long(data, 0)[1] :]).decode()


def _text_or_none(data: bytes) -> bytes | None:
    try:
        text_of(data)
    except UnicodeDecodeError:
        return None
    return data


def _year(data: bytes) -> bytes | None:
    days = read_long(data, 0)[0]
    found = year(days) if _FIRST_DAY <= days <= _LAST_DAY else None
    return encoded_long(found) if isinstance(found, int) else None
