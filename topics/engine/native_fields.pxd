# The fields of one record, walked over once: where each begins, checked as strictly as skip.py does.

from libc.stdint cimport INT32_MAX, INT32_MIN, int32_t, int64_t, uint8_t, uint32_t

from topics.engine.native_walk cimport (
    CODE_BOOLEAN, CODE_BYTES, CODE_DOUBLE, CODE_ENUM, CODE_FIXED, CODE_FLOAT, CODE_INT, CODE_LONG, CODE_NULL,
    CODE_STRING, Cursor, LONG_NUMBER, NEGATIVE_LENGTH, NOT_BOOLEAN, NOT_UTF8, OUT_OF_RANGE, TRUNCATED, WELL,
    WRONG_BRANCH, is_utf8, read_long, skip,
)

cdef enum:
    # Sound, but not as a writer writes it that always takes the shortest form: the reference decides, because
    # it writes values anew where we copy bytes.
    IRREGULAR = 100
    # Where the field stands in the schema: record, union, record, field.
    FIELD_DEPTH = 3

cdef struct Walk:
    int32_t code
    int32_t null        # index of the null branch, -1: none
    int32_t size
    int32_t place       # of the skip program of a nested type

cdef class Fields:
    """How the fields of one record are walked over."""
    cdef Walk* walks
    cdef int32_t* program
    cdef readonly int count


cdef inline int regular_long(Cursor* cursor, int64_t* found) noexcept nogil:
    """A number in its shortest form."""
    cdef Py_ssize_t start = cursor.at
    cdef int fault
    if start < cursor.end and cursor.data[start] < 0x80:
        found[0] = <int64_t> (cursor.data[start] >> 1) ^ -<int64_t> (cursor.data[start] & 1)
        cursor.at = start + 1
        return WELL
    fault = read_long(cursor, found)
    if fault:
        return fault
    return IRREGULAR if cursor.data[cursor.at - 1] == 0 else WELL


cdef inline int regular_bytes(Cursor* cursor, bint text, Py_ssize_t* begin) noexcept nogil:
    """Bytes or text with the shortest form of their length; ``begin`` is behind the length."""
    cdef int64_t length = 0
    cdef int fault = regular_long(cursor, &length)
    if fault:
        return fault
    if length < 0:
        return NEGATIVE_LENGTH
    if length > cursor.end - cursor.at:
        return TRUNCATED
    if text and not is_utf8(cursor.data + cursor.at, length):
        return NOT_UTF8
    begin[0] = cursor.at
    cursor.at += length
    return WELL


cdef inline int _pass(Cursor* cursor, Py_ssize_t length) noexcept nogil:
    if length > cursor.end - cursor.at:
        return TRUNCATED
    cursor.at += length
    return WELL


cdef inline int _float(Cursor* cursor) noexcept nogil:
    """Four bytes; a signalling NaN does not survive being read as a number."""
    cdef const uint8_t* data = cursor.data + cursor.at
    if _pass(cursor, 4):
        return TRUNCATED
    if (data[3] & 0x7F) == 0x7F and (data[2] & 0xC0) == 0x80 and (data[2] & 0x3F or data[1] or data[0]):
        return IRREGULAR
    return WELL


cdef inline int walk_value(const Walk* walk, Cursor* cursor) noexcept nogil:
    """Behind a value that is not null."""
    cdef int32_t code = walk.code
    cdef int64_t number = 0
    cdef Py_ssize_t begin = 0
    cdef int fault
    if code == CODE_STRING:
        return regular_bytes(cursor, True, &begin)
    if code == CODE_LONG:
        return regular_long(cursor, &number)
    if code == CODE_INT:
        fault = regular_long(cursor, &number)
        return fault if fault else (WELL if INT32_MIN <= number <= INT32_MAX else OUT_OF_RANGE)
    if code == CODE_BYTES:
        return regular_bytes(cursor, False, &begin)
    if code == CODE_DOUBLE:
        return _pass(cursor, 8)
    if code == CODE_FLOAT:
        return _float(cursor)
    if code == CODE_BOOLEAN:
        if cursor.at >= cursor.end:
            return TRUNCATED
        cursor.at += 1
        return WELL if cursor.data[cursor.at - 1] <= 1 else NOT_BOOLEAN
    if code == CODE_ENUM:
        fault = regular_long(cursor, &number)
        return fault if fault else (WELL if 0 <= number < walk.size else WRONG_BRANCH)
    if code == CODE_FIXED:
        return _pass(cursor, walk.size)
    return WELL


cdef inline int walk_fields(Fields fields, Cursor* cursor, Py_ssize_t* starts) noexcept nogil:
    """Behind the record; ``starts`` gets where each field begins and, last, where the record ends."""
    cdef const Walk* walk
    cdef int64_t branch = 0
    cdef int index
    cdef int fault
    for index in range(fields.count):
        walk = &fields.walks[index]
        starts[index] = cursor.at
        if walk.place >= 0:
            fault = skip(fields.program, walk.place, cursor, FIELD_DEPTH)
        elif walk.null < 0:
            fault = walk_value(walk, cursor)
        else:
            fault = regular_long(cursor, &branch)
            if fault == WELL and branch != walk.null:
                fault = walk_value(walk, cursor) if branch == 1 - walk.null else WRONG_BRANCH
        if fault:
            return fault
    starts[fields.count] = cursor.at
    return WELL
