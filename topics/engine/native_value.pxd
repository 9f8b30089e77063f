# A value of a row as it lies in the record's bytes, and what can be told of text without decoding it.

from libc.stdint cimport int64_t, uint8_t, uint64_t

cdef enum:
    KIND_NULL = 0
    KIND_BOOLEAN = 1
    KIND_INTEGER = 2
    KIND_FLOAT = 3
    KIND_DOUBLE = 4
    KIND_TEXT = 5
    KIND_BYTES = 6
    # Nested, enum, fixed and the like: never judged here.
    KIND_OTHER = 7

cdef struct Value:
    int kind
    const uint8_t* data    # text, bytes, float, double: as they lie in the record
    Py_ssize_t length
    int64_t number         # boolean, integer

# What making an item of a value comes to.
cdef enum:
    MAPPED = 0
    UNAVAILABLE = 1
    UNCONVERTIBLE = 2
    UNCLEAR = 3


cdef inline Py_ssize_t space_at(const uint8_t* text, Py_ssize_t length) noexcept nogil:
    """How many bytes the white space character takes that the text begins with (str.isspace); 0 if none."""
    cdef uint8_t first = text[0]
    if first < 0x80:
        return 1 if first == 0x20 or 0x09 <= first <= 0x0D or 0x1C <= first <= 0x1F else 0
    if first == 0xC2 and length >= 2:
        return 2 if text[1] == 0x85 or text[1] == 0xA0 else 0
    if length < 3 or not 0xE1 <= first <= 0xE3:
        return 0
    if first == 0xE1:
        return 3 if text[1] == 0x9A and text[2] == 0x80 else 0
    if first == 0xE3:
        return 3 if text[1] == 0x80 and text[2] == 0x80 else 0
    if text[1] == 0x80:
        return 3 if 0x80 <= text[2] <= 0x8A or text[2] == 0xA8 or text[2] == 0xA9 or text[2] == 0xAF else 0
    return 3 if text[1] == 0x81 and text[2] == 0x9F else 0


cdef inline void trim(const uint8_t** text, Py_ssize_t* length) noexcept nogil:
    """Cut white space at both ends, as str.strip does; the text is UTF-8."""
    cdef const uint8_t* start = text[0]
    cdef const uint8_t* end = start + length[0]
    cdef const uint8_t* last
    cdef Py_ssize_t space
    while start < end:
        space = space_at(start, end - start)
        if space == 0:
            break
        start += space
    while start < end:
        last = end - 1
        while last > start and (last[0] & 0xC0) == 0x80:
            last -= 1
        space = space_at(last, end - last)
        if space == 0 or last + space != end:
            break
        end = last
    text[0] = start
    length[0] = end - start


cdef inline bint is_ascii(const uint8_t* text, Py_ssize_t length) noexcept nogil:
    cdef Py_ssize_t at = 0
    while at + 8 <= length:
        if (<const uint64_t*> (text + at))[0] & 0x8080808080808080ULL:
            return False
        at += 8
    while at < length:
        if text[at] & 0x80:
            return False
        at += 1
    return True


cdef inline Py_ssize_t code_points(const uint8_t* text, Py_ssize_t length) noexcept nogil:
    cdef Py_ssize_t found = 0
    cdef Py_ssize_t at
    for at in range(length):
        found += (text[at] & 0xC0) != 0x80
    return found


cdef inline int digits_of(int64_t number, uint8_t* target) noexcept nogil:
    """Write a whole number as text; returns how many bytes (at most 20)."""
    cdef uint8_t reversed_digits[20]
    cdef uint64_t rest
    cdef int count = 0
    cdef int at = 0
    if number < 0:
        target[0] = c"-"
        at = 1
        rest = <uint64_t> 0 - <uint64_t> number
    else:
        rest = <uint64_t> number
    while True:
        reversed_digits[count] = c"0" + rest % 10
        count += 1
        rest //= 10
        if rest == 0:
            break
    while count:
        count -= 1
        target[at] = reversed_digits[count]
        at += 1
    return at


cdef inline uint8_t* put_long(uint8_t* target, int64_t number) noexcept nogil:
    """Write a zigzag number; returns the place behind it (at most ten bytes)."""
    cdef uint64_t rest = (<uint64_t> number << 1) ^ <uint64_t> (number >> 63)
    while rest >= 0x80:
        target[0] = <uint8_t> (rest | 0x80)
        target += 1
        rest >>= 7
    target[0] = <uint8_t> rest
    return target + 1
