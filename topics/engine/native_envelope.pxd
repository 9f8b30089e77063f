# The canonical envelope of one record, walked over once, and the headers that all grants share.

from libc.stdint cimport int32_t, int64_t, uint8_t

from topics.engine.native_batch cimport InputRecord
from topics.engine.native_fields cimport Fields

cdef enum:
    # In the order of topics.event.Operation.
    CREATE = 0
    UPDATE = 1
    DELETE = 2
    READ = 3

cdef struct Envelope:
    const uint8_t* data
    const uint8_t* identity
    Py_ssize_t identity_length
    const uint8_t* record_id
    Py_ssize_t record_id_length
    const uint8_t* key          # both, as Avro has them
    Py_ssize_t key_length
    const uint8_t* raw_topic
    Py_ssize_t raw_topic_length
    int64_t position[4]
    int64_t source_time
    int64_t raw_partition
    int64_t raw_offset
    Py_ssize_t marks_at
    int operation
    bint previous_known
    bint has_previous
    bint has_state
    bint has_marks

cdef class Envelopes:
    """How canonical records of one writer's schema are walked over."""
    cdef Fields previous
    cdef Fields state
    cdef int32_t marks_place
    cdef Py_ssize_t* previous_starts
    cdef Py_ssize_t* state_starts
    # A fault of native_walk.pxd, or IRREGULAR.
    cdef int read(self, const InputRecord* row, Envelope* found) noexcept
