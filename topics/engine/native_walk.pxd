# Walking Avro bytes without decoding them: variable-length numbers, UTF-8, and skip programs (skip.py).

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

# Faults; the numbers are those of topics.engine.skip.Fault.
cdef enum:
    WELL = 0
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

# Opcodes; the numbers are those of topics.engine.skip.Code.
cdef enum:
    CODE_NULL = 0
    CODE_BOOLEAN = 1
    CODE_INT = 2
    CODE_LONG = 3
    CODE_FLOAT = 4
    CODE_DOUBLE = 5
    CODE_BYTES = 6
    CODE_STRING = 7
    CODE_FIXED = 8
    CODE_ENUM = 9
    CODE_UNION = 10
    CODE_ARRAY = 11
    CODE_MAP = 12
    CODE_RECORD = 13

cdef struct Cursor:
    const uint8_t* data
    Py_ssize_t end
    Py_ssize_t at


cdef inline int read_long(Cursor* cursor, int64_t* found) noexcept nogil:
    """A zigzag number of at most ten bytes."""
    cdef Py_ssize_t at = cursor.at
    cdef uint64_t number
    cdef uint8_t byte
    cdef int shift
    if at >= cursor.end:
        return TRUNCATED
    byte = cursor.data[at]
    at += 1
    number = byte & 0x7F
    shift = 7
    while byte & 0x80:
        if at >= cursor.end:
            return TRUNCATED
        byte = cursor.data[at]
        at += 1
        if shift == 63 and byte > 1:
            return LONG_NUMBER
        number |= <uint64_t> (byte & 0x7F) << shift
        shift += 7
    cursor.at = at
    found[0] = <int64_t> (number >> 1) ^ -<int64_t> (number & 1)
    return WELL


cdef inline int read_length(Cursor* cursor, Py_ssize_t* found) noexcept nogil:
    """The length of a string or of bytes, all of which are there."""
    cdef int64_t length = 0
    cdef Py_ssize_t start = cursor.at
    cdef int fault = read_long(cursor, &length)
    if fault:
        return fault
    if length < 0:
        cursor.at = start
        return NEGATIVE_LENGTH
    if length > cursor.end - cursor.at:
        cursor.at = start
        return TRUNCATED
    found[0] = <Py_ssize_t> length
    return WELL


cdef inline bint is_utf8(const uint8_t* text, Py_ssize_t length) noexcept nogil:
    """Whether the bytes are UTF-8 as RFC 3629 has it: no surrogates, no over-long forms."""
    cdef Py_ssize_t at = 0
    cdef uint8_t first
    cdef uint8_t low
    cdef uint8_t high
    cdef int more
    while at < length:
        while at + 8 <= length and not ((<const uint64_t*> (text + at))[0] & 0x8080808080808080ULL):
            at += 8
        if at >= length:
            break
        first = text[at]
        at += 1
        if first < 0x80:
            continue
        low, high = 0x80, 0xBF
        if 0xC2 <= first <= 0xDF:
            more = 1
        elif 0xE0 <= first <= 0xEF:
            more = 2
            if first == 0xE0:
                low = 0xA0
            elif first == 0xED:
                high = 0x9F
        elif 0xF0 <= first <= 0xF4:
            more = 3
            if first == 0xF0:
                low = 0x90
            elif first == 0xF4:
                high = 0x8F
        else:
            return False
        if at + more > length or not (low <= text[at] <= high):
            return False
        at += 1
        more -= 1
        while more:
            if (text[at] & 0xC0) != 0x80:
                return False
            at += 1
            more -= 1
    return True


cdef int skip(const int32_t* program, int32_t at, Cursor* cursor, int depth) noexcept nogil
