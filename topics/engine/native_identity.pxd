# Identity numbers checked on their bytes; the reasons are those of topics.identity, by their place.

from libc.stdint cimport int64_t, uint8_t

from topics.engine.native_value cimport Value

# What ``resident`` and ``credit`` return: 0, or 1 + the place in IdentityReason.
cdef enum:
    VALID = 0
    EMPTY = 1
    LENGTH = 2
    OBSOLETE_15_DIGITS = 3
    CHARACTERS = 4
    FORM = 5
    ALL_ZERO = 6
    PROVINCE_UNKNOWN = 7
    BIRTH_DATE_NOT_REAL = 8
    BIRTH_DATE_BEFORE_1850 = 9
    BIRTH_DATE_IN_FUTURE = 10
    CHECK_DIGIT = 11
    ORGANISATION_CHECK_DIGIT = 12

DEF MOST_NUMBER = 64

cdef struct Number:
    # A normalised identity number.
    uint8_t text[64]
    Py_ssize_t length

cdef bint normalised(const Value* value, Number* number) noexcept nogil
cdef int resident(const Number* number, int64_t today) noexcept nogil
cdef int credit(const Number* number) noexcept nogil
cdef bint birth_date(const Number* number, int64_t* days) noexcept nogil
cdef int64_t days_of(int64_t year, int month, int day) noexcept nogil
cdef bint is_day(int64_t year, int month, int day) noexcept nogil
