# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Where a change stands in its source: source time and commit position of Debezium's source block."""

from libc.string cimport memcmp

from topics.engine.native_value cimport KIND_INTEGER, KIND_NULL, KIND_TEXT, Value

# Times that no clock gives.
cdef int64_t _MOST_SOURCE_TIME = 10000000000000000


cdef int64_t number_of(const uint8_t* text, Py_ssize_t length) noexcept nogil:
    """At most 18 digits as a number; -1 if they are none."""
    cdef int64_t found = 0
    cdef Py_ssize_t at
    for at in range(length):
        if not c"0" <= text[at] <= c"9":
            return -1
        found = found * 10 + text[at] - c"0"
    return found


cdef bint read_place(Envelope* envelope, Place* place) noexcept nogil:
    """Source time and commit position (producers/debezium.py); False for whatever is not of the plain form."""
    cdef const Value* time = &envelope.source[0]
    cdef const Value* sequence = &envelope.source[1]
    cdef const Value* lsn = &envelope.source[2]
    cdef int64_t own = -1
    if time.kind != KIND_INTEGER or not -_MOST_SOURCE_TIME <= time.number <= _MOST_SOURCE_TIME:
        return False
    place.source_time, place.commit = time.number, -1
    if sequence.kind == KIND_TEXT:
        if not _read_sequence(sequence, &place.commit, &own):
            return False
    elif sequence.kind != KIND_NULL:
        return False
    if place.commit < 0:
        if envelope.operation == c"r":
            place.commit = 0
        elif lsn.kind == KIND_INTEGER and lsn.number >= 0:
            place.commit = lsn.number
        else:
            place.commit = own
    return place.commit >= 0


cdef bint _read_sequence(const Value* sequence, int64_t* commit, int64_t* own) noexcept nogil:
    """``["<last commit>","<own>"]`` or ``[null,"<own>"]``, without spaces."""
    cdef const uint8_t* text = sequence.data
    cdef Py_ssize_t end = sequence.length
    cdef Py_ssize_t at = 1
    cdef Py_ssize_t start
    if end < 8 or text[0] != c"[" or text[end - 1] != c"]" or text[end - 2] != c'"':
        return False
    if memcmp(text + 1, <const char*> b"null", 4) == 0:
        at = 5
    else:
        if text[1] != c'"':
            return False
        start = 2
        at = start
        while at < end and c"0" <= text[at] <= c"9":
            at += 1
        if not 1 <= at - start <= 18 or at >= end or text[at] != c'"':
            return False
        commit[0] = number_of(text + start, at - start)
        at += 1
    if at + 2 >= end - 2 or text[at] != c"," or text[at + 1] != c'"':
        return False
    start = at + 2
    if not 1 <= end - 2 - start <= 18:
        return False
    own[0] = number_of(text + start, end - 2 - start)
    return own[0] >= 0
