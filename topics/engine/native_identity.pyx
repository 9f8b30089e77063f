# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Identity numbers checked on their bytes: what topics.identity says, without making text of them."""

from topics.engine.native_value cimport KIND_TEXT, is_ascii, trim

from topics.identity.digits import (
    CREDIT_ALPHABET,
    CREDIT_WEIGHTS,
    ORGANISATION_WEIGHTS,
    RESIDENT_CHECKS,
    RESIDENT_WEIGHTS,
)
from topics.identity.regions import PERMIT_AREAS, PROVINCES

cdef bint _areas[100]
cdef int _credit_place[128]
cdef uint8_t _credit_alphabet[31]
cdef int _credit_weights[17]
cdef int _organisation_weights[8]
cdef int _resident_weights[17]
cdef uint8_t _resident_checks[11]
cdef int64_t _EARLIEST


cdef int _prepare() except -1:
    cdef int at
    for at in range(100):
        _areas[at] = f"{at:02}" in PROVINCES or f"{at:02}" in PERMIT_AREAS
    for at in range(128):
        _credit_place[at] = CREDIT_ALPHABET.find(chr(at))
    for at in range(31):
        _credit_alphabet[at] = ord(CREDIT_ALPHABET[at])
    for at in range(17):
        _credit_weights[at], _resident_weights[at] = CREDIT_WEIGHTS[at], RESIDENT_WEIGHTS[at]
    for at in range(8):
        _organisation_weights[at] = ORGANISATION_WEIGHTS[at]
    for at in range(11):
        _resident_checks[at] = ord(RESIDENT_CHECKS[at])
    return 0


cdef bint normalised(const Value* value, Number* number) noexcept nogil:
    """Normalise short ASCII text as topics.identity.text does; False for everything else."""
    cdef const uint8_t* text = value.data
    cdef Py_ssize_t length = value.length
    cdef Py_ssize_t at
    cdef uint8_t byte
    if value.kind != KIND_TEXT or not is_ascii(text, length):
        return False
    trim(&text, &length)
    if length > 64:
        return False
    for at in range(length):
        byte = text[at]
        number.text[at] = byte - 32 if c"a" <= byte <= c"z" else byte
    number.length = length
    return True


cdef inline bint _digits(const uint8_t* text, Py_ssize_t count) noexcept nogil:
    cdef Py_ssize_t at
    for at in range(count):
        if not c"0" <= text[at] <= c"9":
            return False
    return True


cdef inline int _number(const uint8_t* text, int count) noexcept nogil:
    cdef int found = 0
    cdef int at
    for at in range(count):
        found = found * 10 + text[at] - c"0"
    return found


cdef int64_t days_of(int64_t year, int month, int day) noexcept nogil:
    """Days from 1970-01-01 to a day of the Gregorian calendar."""
    cdef int64_t era_year = year - (month <= 2)
    cdef int64_t era = (era_year if era_year >= 0 else era_year - 399) // 400
    cdef int64_t of_era = era_year - era * 400
    cdef int64_t of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


cdef bint is_day(int64_t year, int month, int day) noexcept nogil:
    """Whether there is such a day, in the years 1 to 9999."""
    cdef int most = 31
    if not 1 <= year <= 9999 or not 1 <= month <= 12:
        return False
    if month == 2:
        most = 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    elif month == 4 or month == 6 or month == 9 or month == 11:
        most = 30
    return 1 <= day <= most


cdef inline bint _is_resident_form(const Number* number) noexcept nogil:
    if number.length != 18 or not _digits(number.text, 17):
        return False
    return c"0" <= number.text[17] <= c"9" or number.text[17] == c"X"


cdef bint birth_date(const Number* number, int64_t* days) noexcept nogil:
    """The birth date (days since 1970) of a number of the resident form; False if there is no real one."""
    cdef int year
    cdef int month
    cdef int day
    if not _is_resident_form(number):
        return False
    year, month, day = _number(number.text + 6, 4), _number(number.text + 10, 2), _number(number.text + 12, 2)
    if not is_day(year, month, day):
        return False
    days[0] = days_of(year, month, day)
    return True


cdef int resident(const Number* number, int64_t today) noexcept nogil:
    """``check_resident_id``; ``today`` in days since 1970."""
    cdef int64_t born = 0
    cdef int total = 0
    cdef int at
    if not _is_resident_form(number):
        if number.length == 0:
            return EMPTY
        if number.length == 15 and _digits(number.text, 15):
            return OBSOLETE_15_DIGITS
        return CHARACTERS if number.length == 18 else LENGTH
    if number.text[0] != c"9" and not _areas[_number(number.text, 2)]:
        return PROVINCE_UNKNOWN
    if not birth_date(number, &born):
        return BIRTH_DATE_NOT_REAL
    if born < _EARLIEST:
        return BIRTH_DATE_BEFORE_1850
    if born > today:
        return BIRTH_DATE_IN_FUTURE
    for at in range(17):
        total += (number.text[at] - c"0") * _resident_weights[at]
    return VALID if _resident_checks[total % 11] == number.text[17] else CHECK_DIGIT


cdef int credit(const Number* number) noexcept nogil:
    """``check_credit_code``, the organisation code inside it included."""
    cdef int total = 0
    cdef int organisation = 0
    cdef int at
    cdef int place
    cdef bint zero = True
    cdef uint8_t expected
    if number.length == 0:
        return EMPTY
    if number.length != 18:
        return LENGTH
    for at in range(18):
        if _credit_place[number.text[at]] < 0:
            return CHARACTERS
        if 8 <= at < 17 and number.text[at] != c"0":
            zero = False
    if zero:
        return ALL_ZERO
    if not _digits(number.text + 2, 6):
        return FORM
    for at in range(17):
        total += _credit_place[number.text[at]] * _credit_weights[at]
    if _credit_alphabet[(31 - total % 31) % 31] != number.text[17]:
        return CHECK_DIGIT
    for at in range(8):
        # Digits, then letters in the order of the whole alphabet.
        place = number.text[8 + at]
        organisation += (place - 48 if place <= 57 else place - 55) * _organisation_weights[at]
    organisation = (11 - organisation % 11) % 11
    expected = c"X" if organisation == 10 else <uint8_t> (48 + organisation)
    return VALID if expected == number.text[16] else ORGANISATION_CHECK_DIGIT


_prepare()
_EARLIEST = days_of(1850, 1, 1)
