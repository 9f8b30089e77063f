# The headers of delivered records (topics/delivery.py), in their digest form.

from libc.stdint cimport uint8_t

from topics.engine.native_envelope cimport Envelope

cdef inline void put_length(uint8_t* found, Py_ssize_t length) noexcept nogil:
    found[0] = (length >> 24) & 0xFF
    found[1] = (length >> 16) & 0xFF
    found[2] = (length >> 8) & 0xFF
    found[3] = length & 0xFF


cdef class Headers:
    """Writes what all grants share of a record's headers once per record."""
    cdef list keep
    cdef const uint8_t* start
    cdef Py_ssize_t start_length
    cdef const uint8_t* source
    cdef Py_ssize_t source_length
    cdef const uint8_t* kinds[4]
    cdef Py_ssize_t kind_lengths[4]
    cdef const uint8_t* position_name
    cdef Py_ssize_t position_name_length
    cdef const uint8_t* marks_name
    cdef Py_ssize_t marks_name_length
    cdef const uint8_t* content
    cdef Py_ssize_t content_length
    # Of the record that was begun last: heads with its own operation and as a delete, then its marks.
    cdef uint8_t* heads[2]
    # 0: not written yet, -1: the time is no time.
    cdef Py_ssize_t head_lengths[2]
    cdef uint8_t* marks
    cdef Py_ssize_t marks_length
    cdef Py_ssize_t room
    cdef int begin(self, const Envelope* envelope, Py_ssize_t value_length) except -1
    cdef Py_ssize_t head(self, const Envelope* envelope, bint deleted) noexcept nogil
    cdef const uint8_t* _kept(self, bytes data, Py_ssize_t* length)
