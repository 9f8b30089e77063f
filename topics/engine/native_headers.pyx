# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The headers of delivered records (topics/delivery.py), in their digest form."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Realloc
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memcpy

from topics.engine.fanout_headers import HeaderParts
from topics.engine.native_envelope cimport DELETE
from topics.engine.native_fields cimport IRREGULAR
from topics.engine.native_walk cimport Cursor, read_long

DEF DAY_MS = 86400000
DEF TIME_LENGTH = 24
DEF NUMBERS_ROOM = 512
DEF NO_TIME = -1

cdef enum:
    BAD_MARK = -1
    IRREGULAR_MARK = -2

# The first and the last moment of a datetime, in ms since 1970.
cdef int64_t FIRST_MS = -62135596800000
cdef int64_t LAST_MS = 253402300799999


cdef inline Py_ssize_t put(uint8_t* found, const uint8_t* data, Py_ssize_t length) noexcept nogil:
    memcpy(found, data, length)
    return length


cdef Py_ssize_t put_decimal(uint8_t* found, int64_t number) noexcept nogil:
    cdef uint8_t digits[20]
    cdef uint64_t rest = <uint64_t> number
    cdef Py_ssize_t count = 0
    cdef Py_ssize_t at = 0
    if number < 0:
        found[0] = c"-"
        at = 1
        rest = 0 - rest
    while True:
        digits[count] = <uint8_t> (c"0" + rest % 10)
        rest //= 10
        count += 1
        if not rest:
            break
    while count:
        count -= 1
        found[at] = digits[count]
        at += 1
    return at


cdef inline void put_digits(uint8_t* found, int64_t number, int count) noexcept nogil:
    while count:
        count -= 1
        found[count] = <uint8_t> (c"0" + number % 10)
        number //= 10


cdef void put_time(uint8_t* found, int64_t milliseconds) noexcept nogil:
    """RFC 3339 in UTC with three decimals, for a time that a datetime can hold."""
    cdef int64_t shifted = milliseconds - FIRST_MS
    # Days since 1 March of year 0, so that a leap day ends a year.
    cdef int64_t day = shifted // DAY_MS + 306
    cdef int64_t rest = shifted % DAY_MS
    cdef int64_t era = day // 146097
    cdef int64_t of_era = day - era * 146097
    cdef int64_t year_of_era = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    cdef int64_t of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    cdef int64_t shifted_month = (5 * of_year + 2) // 153
    cdef int64_t month = shifted_month + (3 if shifted_month < 10 else -9)
    put_digits(found, year_of_era + era * 400 + (1 if month <= 2 else 0), 4)
    found[4] = found[7] = c"-"
    put_digits(found + 5, month, 2)
    put_digits(found + 8, of_year - (153 * shifted_month + 2) // 5 + 1, 2)
    found[10] = c"T"
    put_digits(found + 11, rest // 3600000, 2)
    found[13] = found[16] = c":"
    put_digits(found + 14, rest // 60000 % 60, 2)
    put_digits(found + 17, rest // 1000 % 60, 2)
    found[19] = c"."
    put_digits(found + 20, rest % 1000, 3)
    found[23] = c"Z"


cdef Py_ssize_t put_marks(const Envelope* envelope, Py_ssize_t end, uint8_t* found) noexcept nogil:
    """Marks with commas between; BAD_MARK where one is empty or holds a comma or white space."""
    cdef Cursor cursor
    cdef int64_t count = 0
    cdef int64_t length = 0
    cdef Py_ssize_t at = 0
    cdef Py_ssize_t index
    cdef bint bad = False
    cdef uint8_t byte
    cursor.data, cursor.end, cursor.at = envelope.data, end, envelope.marks_at
    while True:
        read_long(&cursor, &count)
        if count == 0:
            return BAD_MARK if bad else at
        if count < 0:
            count = -count
            read_long(&cursor, &length)
        while count:
            count -= 1
            read_long(&cursor, &length)
            bad = bad or length == 0
            if at:
                found[at] = c","
                at += 1
            for index in range(length):
                byte = cursor.data[cursor.at + index]
                if byte >= 0x80:
                    return IRREGULAR_MARK
                bad = bad or byte == c"," or byte == c" " or 9 <= byte <= 13 or 28 <= byte <= 31
                found[at] = byte
                at += 1
            cursor.at += length


cdef class Headers:
    """Writes what all grants share of a record's headers once per record."""

    def __cinit__(self, parts):
        cdef int index
        self.keep = []
        self.room = 0
        self.heads[0] = self.heads[1] = self.marks = NULL
        self.start = self._kept(parts.start, &self.start_length)
        self.source = self._kept(parts.source, &self.source_length)
        self.position_name = self._kept(parts.position_name, &self.position_name_length)
        self.marks_name = self._kept(parts.marks_name, &self.marks_name_length)
        self.content = self._kept(parts.content, &self.content_length)
        for index in range(4):
            self.kinds[index] = self._kept(parts.kinds[index], &self.kind_lengths[index])

    cdef const uint8_t* _kept(self, bytes data, Py_ssize_t* length):
        self.keep.append(data)
        length[0] = PyBytes_GET_SIZE(data)
        return <const uint8_t*> PyBytes_AS_STRING(data)

    def __dealloc__(self):
        PyMem_Free(self.heads[0])
        PyMem_Free(self.heads[1])
        PyMem_Free(self.marks)

    cdef int begin(self, const Envelope* envelope, Py_ssize_t value_length) except -1:
        """Begin a record; IRREGULAR where its marks are for the reference to judge."""
        cdef Py_ssize_t wanted = NUMBERS_ROOM + 2 * value_length
        cdef int index
        cdef void* grown
        for index in range(4):
            wanted += self.kind_lengths[index] + self.position_name_length
        wanted += self.start_length + self.source_length
        if wanted > self.room:
            for index in range(2):
                grown = PyMem_Realloc(self.heads[index], wanted)
                if grown == NULL:
                    raise MemoryError()
                self.heads[index] = <uint8_t*> grown
            grown = PyMem_Realloc(self.marks, wanted)
            if grown == NULL:
                raise MemoryError()
            self.marks, self.room = <uint8_t*> grown, wanted
        self.head_lengths[0] = self.head_lengths[1] = self.marks_length = 0
        if envelope.has_marks:
            self.marks_length = put_marks(envelope, value_length, self.marks)
        return IRREGULAR if self.marks_length == IRREGULAR_MARK else 0

    cdef Py_ssize_t head(self, const Envelope* envelope, bint deleted) noexcept nogil:
        """The length of the head, which stands in ``heads[deleted]``; -1 where the time is no time."""
        cdef uint8_t* found = self.heads[deleted]
        cdef uint8_t* place
        cdef int operation = DELETE if deleted else envelope.operation
        cdef Py_ssize_t at
        cdef int index
        if self.head_lengths[deleted]:
            return self.head_lengths[deleted]
        if not FIRST_MS <= envelope.source_time <= LAST_MS:
            self.head_lengths[deleted] = NO_TIME
            return NO_TIME
        at = put(found, self.start, self.start_length)
        place = found + at
        at += 4
        at += put(found + at, envelope.raw_topic, envelope.raw_topic_length)
        found[at] = c"/"
        at += 1 + put_decimal(found + at + 1, envelope.raw_partition)
        found[at] = c"/"
        at += 1 + put_decimal(found + at + 1, envelope.raw_offset)
        put_length(place, found + at - place - 4)
        at += put(found + at, self.source, self.source_length)
        at += put(found + at, self.kinds[operation], self.kind_lengths[operation])
        put_length(found + at, TIME_LENGTH)
        put_time(found + at + 4, envelope.source_time)
        at += 4 + TIME_LENGTH
        at += put(found + at, self.position_name, self.position_name_length)
        place = found + at
        at += 4
        for index in range(4):
            if index:
                found[at] = c"."
                at += 1
            at += put_decimal(found + at, envelope.position[index])
        put_length(place, found + at - place - 4)
        self.head_lengths[deleted] = at
        return at
