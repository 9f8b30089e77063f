# Where a change stands in its source.

from libc.stdint cimport int64_t, uint8_t

from topics.engine.native_program cimport Envelope
from topics.engine.native_writer cimport Place

cdef int64_t number_of(const uint8_t* text, Py_ssize_t length) noexcept nogil
cdef bint read_place(Envelope* envelope, Place* place) noexcept nogil
