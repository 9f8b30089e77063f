"""What generated fan-outs call for everything but the ordinary: long numbers, marks, keys, headers."""

import hashlib
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from topics.delivery import event_time, is_mark
from topics.engine.fanout import GrantSpec
from topics.engine.fanout_items import encoded_text
from topics.engine.skip import Fault, Unsound, read_long, skip
from topics.event import Operation, WithheldReason
from topics.grants.declaration import GrantState

_BLOCK: Final = 64
_INSIDE: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTSIDE: Final = bytes(byte ^ 0x5C for byte in range(256))
_INT: Final = range(-(2**31), 2**31)
_DEPTH: Final = 3
_REMEMBERED: Final = 4096
_LONG: Final = rb"([\x80-\xff]{0,8}[\x00-\x7f])"
_SHORT_INT: Final = rb"([\x80-\xff]{0,3}[\x00-\x7f])"
_SHORT_TEXT: Final = b"(%b)" % b"|".join(rb"\x%02x.{%d}" % (2 * length, length) for length in range(64))
_OPERATION: Final = b"(%b)" % b"|".join(re.escape(encoded_text(each.value)) for each in Operation)
_LENGTHS: Final = tuple(length.to_bytes(4, "big") for length in range(4096))
_SMALL: Final = tuple((byte >> 1) ^ -(byte & 1) for byte in range(128))

longs3 = re.compile(3 * _LONG).match
longs5 = re.compile(5 * _LONG).match
_ENVELOPE: Final = b"%b%b%b%b%b%b\0" % (_OPERATION, 5 * _LONG, _SHORT_TEXT, _SHORT_INT, _LONG, _LONG[1:-1])
envelope = re.compile(_ENVELOPE, re.DOTALL).match
"""An ordinary envelope without marks: operation, position, source time, raw topic, partition and offset."""
_ALONE: Final = (_OPERATION, 5 * _LONG[1:-1], _SHORT_TEXT, _SHORT_INT[1:-1], 2 * _LONG[1:-1])
envelope_alone = re.compile(b"%b%b%b%b%b\0" % _ALONE, re.DOTALL).match
"""The same, of which only operation and topic are asked for."""


class Irregular(Exception):  # noqa: N818 - named after what the bytes are
    """Sound, but not in the shortest form: the reference decides, because it writes values anew."""


def long_at(data: bytes, at: int) -> tuple[int, int]:
    """A number of several bytes and the position behind it; it must have its shortest form."""
    number, after = read_long(data, at)
    if after - at > 1 and data[after - 1] == 0:
        raise Irregular
    return number, after


def long_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    """The bytes of a number and the position behind it."""
    after = read_long(data, at)[1]
    return data[at:after], after


def number_of(data: bytes) -> int:
    """The number that these bytes are."""
    if len(data) == 1:
        return _SMALL[data[0]]
    if len(data) > 9:
        return read_long(data, 0)[0]
    number = 0
    for byte in reversed(data):
        number = number << 7 | byte & 0x7F
    return (number >> 1) ^ -(number & 1)


def digits(data: bytes) -> bytes:
    """The number that these bytes are, in decimal digits."""
    return b"%d" % number_of(data)


few = lru_cache(_REMEMBERED)(digits)
"""The same for numbers that come again."""


def length_at(data: bytes, at: int) -> tuple[int, int]:
    """A length of several bytes and the position behind it."""
    length, after = long_at(data, at)
    if length < 0:
        raise Unsound(Fault.NEGATIVE_LENGTH, at)
    return length, after


def behind_long(data: bytes, at: int) -> int:
    """The position behind a number of several bytes."""
    return long_at(data, at)[1]


def behind_int(data: bytes, at: int) -> int:
    """The position behind a number of 32 bits."""
    number, after = long_at(data, at)
    if number not in _INT:
        raise Unsound(Fault.OUT_OF_RANGE, at)
    return after


def behind_enum(data: bytes, at: int, symbols: int) -> int:
    """The position behind the index of a symbol."""
    number, after = long_at(data, at)
    if not 0 <= number < symbols:
        raise Unsound(Fault.WRONG_BRANCH, at)
    return after


def behind_float(data: bytes, at: int) -> int:
    """The position behind four bytes; a signalling NaN does not survive being read as a number."""
    first, second, third, fourth = data[at : at + 4]
    if fourth & 0x7F == 0x7F and third & 0xC0 == 0x80 and (third & 0x3F or second or first):
        raise Irregular
    return at + 4


def behind_nested(program: tuple[int, ...], place: int, data: bytes, at: int) -> int:
    """The position behind a nested type."""
    return skip(program, place, data, at, _DEPTH)


def wrong_branch(data: bytes, at: int) -> Exception:
    """What to raise for a branch that is not in its shortest form, or that there is not."""
    number, _after = long_at(data, at)
    return Unsound(Fault.WRONG_BRANCH, at) if number not in (0, 1) else Irregular()


def marks_at(data: bytes, at: int) -> tuple[tuple[str, ...], int]:
    """Marks, and the position behind them."""
    marks: list[str] = []
    while True:
        count, at = read_long(data, at)
        if count == 0:
            return tuple(marks), at
        if count < 0:
            count = -count
            size, at = read_long(data, at)
            if size < 0:
                raise Unsound(Fault.NEGATIVE_LENGTH, at)
        if count > len(data) - at:
            raise Unsound(Fault.TOO_MANY_ITEMS, at)
        for _ in range(count):
            length, at = read_long(data, at)
            if not 0 <= length <= len(data) - at:
                raise Unsound(Fault.TRUNCATED, at)
            marks.append(data[at : at + length].decode())
            at += length


def joined(marks: tuple[str, ...]) -> bytes | None:
    """Marks as the header has them; None where one may not be a mark."""
    return ",".join(marks).encode() if all(map(is_mark, marks)) else None


@lru_cache(_REMEMBERED)
def time_of(source_time_ms: bytes) -> bytes | None:
    """``ce_time`` of the bytes of a number, or None where no datetime can hold it."""
    seconds, milliseconds = divmod(number_of(source_time_ms), 1_000)
    second = _second(seconds)
    return None if second is None else b"%b.%03dZ" % (second, milliseconds)


@lru_cache(_REMEMBERED)
def _second(seconds: int) -> bytes | None:
    try:
        return event_time(seconds * 1_000).partition(".")[0].encode()
    except OverflowError:
        return None


def with_length(data: bytes) -> bytes:
    """The value of a header in digest form."""
    return length_of(data) + data


def length_of(data: bytes) -> bytes:
    """How long it is, in four bytes."""
    length = len(data)
    return _LENGTHS[length] if length < len(_LENGTHS) else length.to_bytes(4, "big")


def pseudonyms(secret: bytes) -> Callable[[bytes], bytes]:
    """``topics.grants.keys.pseudonym`` over the entity's bytes, with the key taken in once."""
    block = (hashlib.sha256(secret).digest() if len(secret) > _BLOCK else secret).ljust(_BLOCK, b"\0")
    first = b"record-key"
    inner = hashlib.sha256(block.translate(_INSIDE) + len(first).to_bytes(4, "big") + first)
    outer = hashlib.sha256(block.translate(_OUTSIDE))

    def pseudonym(entity: bytes) -> bytes:
        inside = inner.copy()
        inside.update(entity)
        outside = outer.copy()
        outside.update(inside.digest())
        return outside.hexdigest()[:32].encode()

    return pseudonym


def refused(grant: GrantSpec, timestamp_ms: int, *, copying: bool) -> WithheldReason:
    """Why the grant does not cover a record that it does not cover."""
    if grant.state is GrantState.REVOKED:
        return WithheldReason.REVOKED
    if grant.state is GrantState.SUSPENDED:
        return WithheldReason.SUSPENDED
    if timestamp_ms < grant.valid_from_ms:
        return WithheldReason.NOT_YET_VALID
    if timestamp_ms >= grant.valid_until_ms:
        return WithheldReason.EXPIRED
    if copying:
        raise ValueError("an epoch covers whatever the grant's state and days cover")
    return WithheldReason.FILLED_BY_EPOCH
