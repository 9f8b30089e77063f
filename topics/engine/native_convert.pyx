# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Conversions of text that are made on its bytes; what is not of the plain form is left to Python's own."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t

from topics.engine.native_identity cimport days_of, is_day
from topics.engine.native_value cimport KIND_TEXT


cdef int raised(Value* value, list kept) except -1:
    """Raise the letters of ASCII text; text that has none to raise stays where it is."""
    cdef Py_ssize_t at
    cdef bytes copy
    cdef uint8_t* target
    cdef bint any_small = False
    for at in range(value.length):
        any_small |= c"a" <= value.data[at] <= c"z"
    if not any_small:
        return 0
    # From NULL: one byte out of a text would be a shared object, which must never be written to.
    copy = PyBytes_FromStringAndSize(NULL, value.length)
    target = <uint8_t*> PyBytes_AS_STRING(copy)
    for at in range(value.length):
        target[at] = value.data[at] - 32 if c"a" <= value.data[at] <= c"z" else value.data[at]
    kept.append(copy)
    value.data = target
    return 0


cdef inline int _two(const uint8_t* text) noexcept nogil:
    """Two digits as a number; -1 if they are none."""
    if not c"0" <= text[0] <= c"9" or not c"0" <= text[1] <= c"9":
        return -1
    return (text[0] - c"0") * 10 + text[1] - c"0"


cdef bint iso_timestamp(const Value* value, int64_t* found) noexcept nogil:
    """``YYYY-MM-DDThh:mm:ss[.mmm[uuu]]`` with Z or +hh:mm, in ms since 1970; False for any other form."""
    cdef const uint8_t* text = value.data
    cdef Py_ssize_t at = 19
    cdef int century
    cdef int year
    cdef int parts[5]
    cdef int fraction = 0
    cdef int digits = 0
    cdef int sign = 0
    cdef int hours = 0
    cdef int minutes = 0
    if value.kind != KIND_TEXT or not 20 <= value.length <= 32:
        return False
    if text[4] != c"-" or text[7] != c"-" or text[10] != c"T" or text[13] != c":" or text[16] != c":":
        return False
    century, year = _two(text), _two(text + 2)
    parts[0], parts[1], parts[2] = _two(text + 5), _two(text + 8), _two(text + 11)
    parts[3], parts[4] = _two(text + 14), _two(text + 17)
    if century < 0 or year < 0 or not is_day(century * 100 + year, parts[0], parts[1]):
        return False
    if not 0 <= parts[2] <= 23 or not 0 <= parts[3] <= 59 or not 0 <= parts[4] <= 59:
        return False
    if text[at] == c".":
        at += 1
        while at < value.length and c"0" <= text[at] <= c"9":
            if digits < 3:
                fraction = fraction * 10 + text[at] - c"0"
            digits += 1
            at += 1
        if digits != 3 and digits != 6:
            return False
    if at == value.length:
        return False
    if text[at] == c"Z":
        if at + 1 != value.length:
            return False
    else:
        sign = 1 if text[at] == c"+" else -1 if text[at] == c"-" else 0
        if sign == 0 or at + 6 != value.length or text[at + 3] != c":":
            return False
        hours, minutes = _two(text + at + 1), _two(text + at + 4)
        if not 0 <= hours <= 23 or not 0 <= minutes <= 59:
            return False
    found[0] = (
        (days_of(century * 100 + year, parts[0], parts[1]) * 86400
         + parts[2] * 3600 + parts[3] * 60 + parts[4] - sign * (hours * 3600 + minutes * 60)) * 1000 + fraction
    )
    return True
