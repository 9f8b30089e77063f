# Writes what the gate decided: canonical records, tombstones, claims.

from libc.stdint cimport int64_t, uint8_t

from topics.engine.native_batch cimport ByteLane, InputRecord
from topics.engine.native_lanes cimport ByteLaneBook
from topics.engine.native_program cimport Program
from topics.engine.native_value cimport Value

cdef struct Key:
    # The identity's key; the record id is that of the place.
    const uint8_t* identity
    Py_ssize_t length
    uint8_t room[96]

cdef struct Place:
    # The record, its position, and the row's record id.
    InputRecord* row
    int64_t incarnation
    int64_t commit
    int64_t source_time
    int64_t today
    const uint8_t* id
    Py_ssize_t id_length
    uint8_t room[24]

cdef bint record_id(Program program, const Value* slots, Place* place, list kept) except *

cdef class RecordWriter:
    cdef object topic
    cdef int partitions
    cdef bytes key_frame
    cdef list heads
    cdef bytes raw_topic
    cdef bytes version
    cdef list rule_names
    cdef object claims_topic
    cdef list claim_heads
    cdef list claimed
    cdef ByteLaneBook book
    cdef ByteLane claims_lane
    cdef list lanes
    cdef int64_t partition

    cdef int begin(self, ByteLaneBook book, int partition) except -1
    cdef ByteLane _lane_of(self, const Key* key)
    cdef int deletion(self, Program program, Place* place, const Key* key, const Value* items) except -1
    cdef int state(
        self, Program program, uint8_t operation, Place* place, const Key* key, const Value* items,
        bint previous_known, const Value* scope, list marks,
    ) except -1
    cdef int _record(
        self, ByteLane lane, Program program, bytes head, Place* place, const Key* key, const Value* items,
        bint previous_known, const Value* scope, list marks,
    ) except -1
    cdef bint prepare_claims(self, Program program, list kept) except *
    cdef int put_claims(self, Program program, Place* place, const Key* key) except -1
