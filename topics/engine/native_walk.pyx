# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Walking Avro bytes without decoding them; see ``topics.engine.skip`` for the programs and what they refuse."""

from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport INT32_MAX, INT32_MIN

DEF MOST_DEPTH = 64


cdef int _skip_text(Cursor* cursor, bint checked) noexcept nogil:
    cdef Py_ssize_t start = cursor.at
    cdef Py_ssize_t length = 0
    cdef int fault = read_length(cursor, &length)
    if fault:
        return fault
    if checked and not is_utf8(cursor.data + cursor.at, length):
        cursor.at = start
        return NOT_UTF8
    cursor.at += length
    return WELL


cdef int _skip_number(Cursor* cursor, int64_t least, int64_t most, int wrong) noexcept nogil:
    cdef Py_ssize_t start = cursor.at
    cdef int64_t number = 0
    cdef int fault = read_long(cursor, &number)
    if fault:
        return fault
    if number < least or number > most:
        cursor.at = start
        return wrong
    return WELL


cdef int _skip_bytes(Cursor* cursor, Py_ssize_t length) noexcept nogil:
    if length > cursor.end - cursor.at:
        return TRUNCATED
    cursor.at += length
    return WELL


cdef int _skip_blocks(const int32_t* program, int32_t at, Cursor* cursor, int depth) noexcept nogil:
    """An array or a map: blocks of items until one of length 0; a negative count has a size in bytes after it."""
    cdef bint keyed = program[at] == CODE_MAP
    cdef int64_t count = 0
    cdef int64_t size = 0
    cdef Py_ssize_t start
    cdef int fault
    while True:
        start = cursor.at
        fault = read_long(cursor, &count)
        if fault:
            return fault
        if count == 0:
            return WELL
        size = -1
        if count < 0:
            if count == <int64_t> (<uint64_t> 1 << 63):
                cursor.at = start
                return TOO_MANY_ITEMS
            count = -count
            fault = read_long(cursor, &size)
            if fault:
                return fault
            if size < 0:
                cursor.at = start
                return NEGATIVE_LENGTH
        # Every item takes a byte at least: more items than bytes are a lie.
        if count > cursor.end - cursor.at:
            cursor.at = start
            return TOO_MANY_ITEMS
        while count:
            if keyed:
                fault = _skip_text(cursor, True)
                if fault:
                    return fault
            fault = skip(program, program[at + 1], cursor, depth + 1)
            if fault:
                return fault
            count -= 1


cdef int skip(const int32_t* program, int32_t at, Cursor* cursor, int depth) noexcept nogil:
    """Move the cursor behind one datum; on a fault it stands where the faulty element begins."""
    cdef int32_t code = program[at]
    cdef int64_t number = 0
    cdef int32_t index
    cdef Py_ssize_t start = cursor.at
    cdef int fault
    if depth > MOST_DEPTH:
        return TOO_DEEP
    if code == CODE_NULL:
        return WELL
    if code == CODE_STRING:
        return _skip_text(cursor, True)
    if code == CODE_BYTES:
        return _skip_text(cursor, False)
    if code == CODE_LONG:
        return read_long(cursor, &number)
    if code == CODE_INT:
        return _skip_number(cursor, INT32_MIN, INT32_MAX, OUT_OF_RANGE)
    if code == CODE_BOOLEAN:
        if cursor.at >= cursor.end:
            return TRUNCATED
        if cursor.data[cursor.at] > 1:
            return NOT_BOOLEAN
        cursor.at += 1
        return WELL
    if code == CODE_FLOAT:
        return _skip_bytes(cursor, 4)
    if code == CODE_DOUBLE:
        return _skip_bytes(cursor, 8)
    if code == CODE_FIXED:
        return _skip_bytes(cursor, program[at + 1])
    if code == CODE_ENUM:
        return _skip_number(cursor, 0, program[at + 1] - 1, WRONG_BRANCH)
    if code == CODE_UNION:
        fault = read_long(cursor, &number)
        if fault:
            return fault
        if number < 0 or number >= program[at + 1]:
            cursor.at = start
            return WRONG_BRANCH
        return skip(program, program[at + 2 + number], cursor, depth + 1)
    if code == CODE_RECORD:
        for index in range(program[at + 1]):
            fault = skip(program, program[at + 2 + index], cursor, depth + 1)
            if fault:
                return fault
        return WELL
    return _skip_blocks(program, at, cursor, depth)


def fault_of(program, int32_t start, bytes data):
    """``topics.engine.skip.fault_of``, compiled: (fault, position), or None for exactly one sound datum."""
    cdef Cursor cursor
    cdef Py_ssize_t index
    cdef int fault
    cdef int32_t* codes = <int32_t*> PyMem_Malloc(len(program) * sizeof(int32_t))
    if codes == NULL:
        raise MemoryError()
    try:
        for index in range(len(program)):
            codes[index] = program[index]
        cursor.data, cursor.end, cursor.at = data, len(data), 0
        fault = skip(codes, start, &cursor, 0)
        if not fault and cursor.at != cursor.end:
            fault = TRAILING
        return None if not fault else (fault, cursor.at)
    finally:
        PyMem_Free(codes)
