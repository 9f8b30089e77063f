# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""What a grant delivers of a state: slices, constants and changed values, one after another."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy, memset

from topics.engine.fanout_plan import Action, Constant, Copy
from topics.engine.native_walk cimport Cursor, is_utf8, read_long

cdef enum:
    SLICE = 0
    LONG_TO_FLOAT = 1
    LONG_TO_DOUBLE = 2
    FLOAT_TO_DOUBLE = 3
    BYTES_TO_TEXT = 4
    PARTIAL = 5
    HASH = 6
    YEAR = 7
    PREFIX = 8

DEF MOST_GROWTH = 48
DEF FIRST_DAY = -719162
DEF LAST_DAY = 2932896
DEF CANNOT = -1


cdef inline Py_ssize_t put_long(uint8_t* found, int64_t number) noexcept nogil:
    cdef uint64_t rest = (<uint64_t> number << 1) ^ <uint64_t> (number >> 63)
    cdef Py_ssize_t length = 0
    while rest > 0x7F:
        found[length] = <uint8_t> (rest & 0x7F) | 0x80
        rest >>= 7
        length += 1
    found[length] = <uint8_t> rest
    return length + 1


cdef inline int64_t first_of_year(int64_t day) noexcept nogil:
    """1 January of the day's year, both in days since 1970 (the proleptic Gregorian calendar, as datetime)."""
    cdef int64_t shifted = day + 719468
    cdef int64_t era = (shifted if shifted >= 0 else shifted - 146096) // 146097
    cdef int64_t day_of_era = shifted - era * 146097
    cdef int64_t year = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    cdef int64_t day_of_year = day_of_era - (365 * year + year // 4 - year // 100)
    year += era * 400
    if day_of_year >= 306:
        year += 1
    year -= 1
    # ``year`` is complete years since 1 January of year 1, less than zero for none of the days that are let in.
    return (year) * 365 + year // 4 - year // 100 + year // 400 - 719162


cdef inline Py_ssize_t characters(const uint8_t* text, Py_ssize_t length) noexcept nogil:
    cdef Py_ssize_t found = 0
    cdef Py_ssize_t at
    for at in range(length):
        found += (text[at] & 0xC0) != 0x80
    return found


cdef inline Py_ssize_t bytes_of(const uint8_t* text, Py_ssize_t length, Py_ssize_t wanted) noexcept nogil:
    """How many bytes the first characters take."""
    cdef Py_ssize_t at = 0
    while at < length and wanted:
        at += 1
        while at < length and (text[at] & 0xC0) == 0x80:
            at += 1
        wanted -= 1
    return at


cdef Py_ssize_t put_partial(const Op* op, const uint8_t* text, Py_ssize_t length, uint8_t* found) noexcept nogil:
    cdef Py_ssize_t count = characters(text, length)
    cdef Py_ssize_t hidden = count - op.keep_first - op.keep_last
    cdef Py_ssize_t head
    cdef Py_ssize_t tail
    cdef Py_ssize_t at
    if hidden <= 0:
        at = put_long(found, count)
        memset(found + at, c"*", count)
        return at + count
    head = bytes_of(text, length, op.keep_first)
    tail = length - bytes_of(text, length, count - op.keep_last) if op.keep_last else 0
    at = put_long(found, head + hidden + tail)
    memcpy(found + at, text, head)
    at += head
    memset(found + at, c"*", hidden)
    at += hidden
    memcpy(found + at, text + length - tail, tail)
    return at + tail


cdef Py_ssize_t put_number(const Op* op, const uint8_t* data, Py_ssize_t length, uint8_t* found) noexcept nogil:
    """A float or double out of a number, or 1 January of a date."""
    cdef Cursor cursor
    cdef int64_t number = 0
    cdef float single
    cdef double double_
    if op.kind == OP_CONVERT + FLOAT_TO_DOUBLE:
        memcpy(&single, data, 4)
        double_ = single
        memcpy(found, &double_, 8)
        return 8
    cursor.data, cursor.end, cursor.at = data, length, 0
    read_long(&cursor, &number)
    if op.kind == OP_CONVERT + YEAR:
        return put_long(found, first_of_year(number)) if FIRST_DAY <= number <= LAST_DAY else CANNOT
    double_ = <double> number
    if op.kind == OP_CONVERT + LONG_TO_DOUBLE:
        memcpy(found, &double_, 8)
        return 8
    single = <float> double_
    memcpy(found, &single, 4)
    return 4


def _times(ops):
    """How many times the state fits at most into what is read of it."""
    read = []
    for op in ops:
        if not isinstance(op, Constant):
            read += range(op.first, op.end) if isinstance(op, Copy) else (op.field,)
    return 1 + len(read) - len(set(read))


cdef class Projection:
    """The operations of one projection; see ``topics.engine.fanout_plan``."""

    def __cinit__(self, ops):
        cdef Op* op
        self.count, self.extra, self.keep = 0, 0, []
        self.times = _times(ops)
        self.ops = <Op*> PyMem_Malloc((len(ops) + 1) * sizeof(Op))
        if self.ops == NULL:
            raise MemoryError()
        for each in ops:
            op = &self.ops[self.count]
            self.count += 1
            memset(op, 0, sizeof(Op))
            if isinstance(each, Copy):
                op.kind, op.field, op.end = OP_COPY, each.first, each.end
            elif isinstance(each, Constant):
                self._constant(op, each.data)
            else:
                self._convert(op, each)

    cdef int _constant(self, Op* op, bytes data) except -1:
        op.kind = OP_CONSTANT
        op.data, op.length = <const uint8_t*> PyBytes_AS_STRING(data), <int32_t> PyBytes_GET_SIZE(data)
        self.keep.append(data)
        self.extra += op.length
        return 0

    cdef int _convert(self, Op* op, each) except -1:
        op.kind, op.field = OP_CONVERT + each.action, each.field
        op.null_from, op.null_to = each.null_from, each.null_to
        # No text is longer than memory: more characters to keep are all characters.
        op.keep_first, op.keep_last = min(each.first, 1 << 30), min(each.last, 1 << 30)
        self.extra += MOST_GROWTH
        if each.action == Action.HASH:
            keyed = Keyed(each.secret, each.label)
            op.keyed = <void*> keyed
            self.keep.append(keyed)
        return 0

    def __dealloc__(self):
        PyMem_Free(self.ops)

    cdef Py_ssize_t render(self, const uint8_t* data, const Py_ssize_t* starts, uint8_t* found) except -2:
        """The length of what was written to ``found``; -1: the value cannot be delivered."""
        cdef const Op* op
        cdef Py_ssize_t at = 0
        cdef Py_ssize_t length
        cdef int index
        for index in range(self.count):
            op = &self.ops[index]
            if op.kind == OP_COPY:
                length = starts[op.end] - starts[op.field]
                memcpy(found + at, data + starts[op.field], length)
            elif op.kind == OP_CONSTANT:
                length = op.length
                memcpy(found + at, op.data, length)
            else:
                length = convert(op, data + starts[op.field], starts[op.field + 1] - starts[op.field], found + at)
                if length < 0:
                    return CANNOT
            at += length
        return at


cdef Py_ssize_t convert(const Op* op, const uint8_t* data, Py_ssize_t length, uint8_t* found) except -2:
    """One field, its branch included."""
    cdef Py_ssize_t head = 0
    cdef Py_ssize_t made
    if op.null_from >= 0:
        if data[0] == 2 * op.null_from:
            if op.null_to < 0:
                return CANNOT
            found[0] = 2 * op.null_to
            return 1
        data += 1
        length -= 1
    if op.null_to >= 0:
        found[0] = 2 * (1 - op.null_to)
        head = 1
    made = convert_value(op, data, length, found + head)
    return made if made < 0 else head + made


cdef Py_ssize_t convert_value(const Op* op, const uint8_t* data, Py_ssize_t length, uint8_t* found) except -2:
    cdef Cursor cursor
    cdef int64_t text_length = 0
    cdef const uint8_t* text
    cdef int action = op.kind - OP_CONVERT
    if action == SLICE:
        memcpy(found, data, length)
        return length
    if action in (LONG_TO_FLOAT, LONG_TO_DOUBLE, FLOAT_TO_DOUBLE, YEAR):
        return put_number(op, data, length, found)
    cursor.data, cursor.end, cursor.at = data, length, 0
    read_long(&cursor, &text_length)
    text = data + cursor.at
    if action == BYTES_TO_TEXT:
        if not is_utf8(text, text_length):
            return CANNOT
        memcpy(found, data, length)
        return length
    if action == PARTIAL:
        return put_partial(op, text, text_length, found)
    if action == PREFIX:
        text_length = bytes_of(text, text_length, op.keep_first)
        cursor.at = put_long(found, text_length)
        memcpy(found + cursor.at, text, text_length)
        return cursor.at + text_length
    found[0] = 64
    (<Keyed> op.keyed).hex32(text, text_length, found + 1)
    return 33
