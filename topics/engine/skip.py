"""Skip programs: a schema as a run of numbers by which any datum is walked over, and what makes one unsound.

The same program drives the compiled walker (native_walk.pyx) and the pure one here, so that both refuse the
same bytes at the same place. What is refused is stricter than most readers: numbers of more than ten bytes,
lengths under zero, more items than bytes, int out of its 32 bits, booleans but 0 and 1, text not in UTF-8.
"""

from collections.abc import Sequence
from enum import IntEnum
from typing import Final

from topics.engine.schema import (
    PRIMITIVES,
    Array,
    AvroType,
    Enumeration,
    Fixed,
    Map,
    Primitive,
    RecordType,
    Union,
)

MOST_DEPTH: Final = 64


class Code(IntEnum):
    """First number of a type; behind it: a size, a count, or where the inner types begin."""

    NULL = 0
    BOOLEAN = 1
    INT = 2
    LONG = 3
    FLOAT = 4
    DOUBLE = 5
    BYTES = 6
    STRING = 7
    FIXED = 8
    ENUM = 9
    UNION = 10
    ARRAY = 11
    MAP = 12
    RECORD = 13


class Fault(IntEnum):
    """Why bytes are no datum of the schema."""

    TRUNCATED = 1
    LONG_NUMBER = 2
    NEGATIVE_LENGTH = 3
    WRONG_BRANCH = 4
    OUT_OF_RANGE = 5
    NOT_BOOLEAN = 6
    NOT_UTF8 = 7
    TOO_MANY_ITEMS = 8
    TOO_DEEP = 9
    TRAILING = 10


class Unsound(Exception):  # noqa: N818 - named after what the bytes are
    """The bytes are no datum of the schema; ``at`` is where the faulty element begins."""

    def __init__(self, fault: Fault, at: int) -> None:
        super().__init__(f"{fault.name} at byte {at}")
        self.fault, self.at = fault, at


class Programs:
    """Collects the programs of several types in one list of numbers; equal types share one."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self._places: dict[AvroType, int] = {}

    def add(self, avro_type: AvroType) -> int:
        """Where the type's program begins."""
        found = self._places.get(avro_type)
        if found is None:
            inner = self._inner(avro_type)
            found = len(self.numbers)
            self.numbers += inner
            self._places[avro_type] = found
        return found

    def _inner(self, avro_type: AvroType) -> list[int]:
        match avro_type:
            case Primitive():
                return [_PRIMITIVE_CODES[avro_type.name]]
            case Fixed():
                return [Code.FIXED, avro_type.size]
            case Enumeration():
                return [Code.ENUM, len(avro_type.symbols)]
            case Array():
                return [Code.ARRAY, self.add(avro_type.items)]
            case Map():
                return [Code.MAP, self.add(avro_type.values)]
            case Union():
                places = [self.add(branch) for branch in avro_type.branches]
                return [Code.UNION, len(places), *places]
            case RecordType():
                places = [self.add(field.type) for field in avro_type.fields]
                return [Code.RECORD, len(places), *places]


_PRIMITIVE_CODES: Final = dict(zip(PRIMITIVES, list(Code)[: len(PRIMITIVES)], strict=True))


def fault_of(program: Sequence[int], start: int, data: bytes) -> tuple[int, int] | None:
    """Why and where ``data`` is not exactly one datum of the program at ``start``; None if it is."""
    try:
        at = skip(program, start, data, 0)
    except Unsound as error:
        return error.fault, error.at
    return None if at == len(data) else (Fault.TRAILING, at)


def skip(program: Sequence[int], start: int, data: bytes, at: int, depth: int = 0) -> int:
    """The position behind the datum that begins at ``at``.

    Raises:
        Unsound: there is no sound datum.
    """
    if depth > MOST_DEPTH:
        raise Unsound(Fault.TOO_DEEP, at)
    match program[start]:
        case Code.NULL:
            return at
        case Code.RECORD:
            for place in program[start + 2 : start + 2 + program[start + 1]]:
                at = skip(program, place, data, at, depth + 1)
            return at
        case Code.UNION:
            branch, after = read_long(data, at)
            if not 0 <= branch < program[start + 1]:
                raise Unsound(Fault.WRONG_BRANCH, at)
            return skip(program, program[start + 2 + branch], data, after, depth + 1)
        case Code.ARRAY | Code.MAP:
            return _skip_blocks(program, start, data, at, depth)
        case _:
            return _skip_plain(program, start, data, at)


def read_long(data: bytes, at: int) -> tuple[int, int]:
    """A zigzag number of at most ten bytes, and the position behind it.

    Raises:
        Unsound: truncated, or longer than 64 bits.
    """
    number = shift = 0
    start = at
    while True:
        if at >= len(data):
            raise Unsound(Fault.TRUNCATED, start)
        byte = data[at]
        at += 1
        if shift == 63 and byte > 1:
            raise Unsound(Fault.LONG_NUMBER, start)
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1), at
        shift += 7


def read_length(data: bytes, at: int) -> tuple[int, int]:
    """The length of a string or of bytes, and the position behind it.

    Raises:
        Unsound: it is not a length, or not so many bytes are there.
    """
    length, after = read_long(data, at)
    if length < 0:
        raise Unsound(Fault.NEGATIVE_LENGTH, at)
    if length > len(data) - after:
        raise Unsound(Fault.TRUNCATED, at)
    return length, after


def _skip_plain(program: Sequence[int], start: int, data: bytes, at: int) -> int:
    match program[start]:
        case Code.STRING:
            return _skip_text(data, at)
        case Code.BYTES:
            length, after = read_length(data, at)
            return after + length
        case Code.LONG:
            return read_long(data, at)[1]
        case Code.INT:
            return _skip_number(data, at, -(2**31), 2**31 - 1, Fault.OUT_OF_RANGE)
        case Code.ENUM:
            return _skip_number(data, at, 0, program[start + 1] - 1, Fault.WRONG_BRANCH)
        case Code.BOOLEAN:
            if at < len(data) and data[at] > 1:
                raise Unsound(Fault.NOT_BOOLEAN, at)
            return _skip_bytes(data, at, 1)
        case Code.FLOAT:
            return _skip_bytes(data, at, 4)
        case Code.DOUBLE:
            return _skip_bytes(data, at, 8)
        case _:
            return _skip_bytes(data, at, program[start + 1])


def _skip_text(data: bytes, at: int) -> int:
    length, after = read_length(data, at)
    text = data[after : after + length]
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError:
            raise Unsound(Fault.NOT_UTF8, at) from None
    return after + length


def _skip_number(data: bytes, at: int, least: int, most: int, wrong: Fault) -> int:
    number, after = read_long(data, at)
    if not least <= number <= most:
        raise Unsound(wrong, at)
    return after


def _skip_bytes(data: bytes, at: int, length: int) -> int:
    if length > len(data) - at:
        raise Unsound(Fault.TRUNCATED, at)
    return at + length


def _skip_blocks(program: Sequence[int], start: int, data: bytes, at: int, depth: int) -> int:
    """Blocks of items until one of length 0; a negative count has its size in bytes after it."""
    keyed = program[start] == Code.MAP
    while True:
        block = at
        count, at = read_long(data, at)
        if count == 0:
            return at
        if count < 0:
            if count == -(2**63):
                raise Unsound(Fault.TOO_MANY_ITEMS, block)
            count = -count
            size, at = read_long(data, at)
            if size < 0:
                raise Unsound(Fault.NEGATIVE_LENGTH, block)
        # Every item takes a byte at least: more items than bytes are a lie.
        if count > len(data) - at:
            raise Unsound(Fault.TOO_MANY_ITEMS, block)
        for _ in range(count):
            at = _skip_text(data, at) if keyed else at
            at = skip(program, program[start + 1], data, at, depth + 1)
