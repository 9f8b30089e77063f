# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The canonical envelope of one record, walked over once."""

from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport INT32_MAX, INT32_MIN
from libc.string cimport memcmp

from topics.engine.native_fields cimport IRREGULAR, regular_bytes, regular_long, walk_fields
from topics.engine.native_walk cimport (
    Cursor, NOT_BOOLEAN, OUT_OF_RANGE, TRAILING, TRUNCATED, WELL, WRONG_BRANCH, read_long, skip,
)

DEF PREFIX = 5
DEF FIELD_DEPTH = 1

cdef enum:
    # No fault of Avro's: the record is not what the gate writes.
    NOT_CANONICAL = 50


cdef int read_operation(Cursor* cursor, int* found) noexcept nogil:
    cdef Py_ssize_t begin = 0
    cdef int fault = regular_bytes(cursor, True, &begin)
    cdef const char* text = <const char*> cursor.data + begin
    cdef Py_ssize_t length = cursor.at - begin
    if fault:
        return fault
    if length == 6 and memcmp(text, b"update", 6) == 0:
        found[0] = UPDATE
    elif length == 6 and memcmp(text, b"create", 6) == 0:
        found[0] = CREATE
    elif length == 6 and memcmp(text, b"delete", 6) == 0:
        found[0] = DELETE
    elif length == 4 and memcmp(text, b"read", 4) == 0:
        found[0] = READ
    else:
        return NOT_CANONICAL
    return WELL


cdef int read_key(const InputRecord* row, Envelope* found) noexcept nogil:
    """Identity and record id out of a framed canonical key; the schema id of keys never changes."""
    cdef Cursor cursor
    cdef Py_ssize_t begin = 0
    cdef int fault
    if row.key_length < PREFIX or row.key[0] != 0:
        return NOT_CANONICAL
    cursor.data, cursor.end, cursor.at = row.key + PREFIX, row.key_length - PREFIX, 0
    fault = regular_bytes(&cursor, True, &begin)
    if fault:
        return fault
    found.identity, found.identity_length = cursor.data + begin, cursor.at - begin
    fault = regular_bytes(&cursor, True, &begin)
    if fault:
        return fault
    found.record_id, found.record_id_length = cursor.data + begin, cursor.at - begin
    found.key, found.key_length = cursor.data, cursor.end
    return WELL if cursor.at == cursor.end else TRAILING


cdef int read_branch(Cursor* cursor, bint* found) noexcept nogil:
    """The branch of a union of null and a record."""
    cdef int64_t branch = 0
    cdef int fault = regular_long(cursor, &branch)
    if fault:
        return fault
    found[0] = branch == 1
    return WELL if 0 <= branch <= 1 else WRONG_BRANCH


cdef int read_origin(Cursor* cursor, Envelope* found) noexcept nogil:
    """Operation, position, time, and where the raw record stands."""
    cdef Py_ssize_t begin = 0
    cdef int64_t ignored = 0
    cdef int index
    cdef int fault = read_operation(cursor, &found.operation)
    for index in range(4):
        fault = fault if fault else read_long(cursor, &found.position[index])
    fault = fault if fault else read_long(cursor, &found.source_time)
    fault = fault if fault else regular_bytes(cursor, True, &begin)
    if fault:
        return fault
    found.raw_topic, found.raw_topic_length = cursor.data + begin, cursor.at - begin
    fault = read_long(cursor, &found.raw_partition)
    if not fault and not INT32_MIN <= found.raw_partition <= INT32_MAX:
        fault = OUT_OF_RANGE
    fault = fault if fault else read_long(cursor, &found.raw_offset)
    return fault if fault else read_long(cursor, &ignored)


cdef class Envelopes:
    """How canonical records of one writer's schema are walked over; see ``topics.engine.fanout_plan``."""

    def __cinit__(self, plan):
        self.previous = Fields(plan.previous, plan.program)
        self.state = Fields(plan.state, plan.program)
        self.marks_place = plan.marks_place
        self.previous_starts = <Py_ssize_t*> PyMem_Malloc((self.previous.count + 1) * sizeof(Py_ssize_t))
        self.state_starts = <Py_ssize_t*> PyMem_Malloc((self.state.count + 1) * sizeof(Py_ssize_t))
        if self.previous_starts == NULL or self.state_starts == NULL:
            raise MemoryError()

    def __dealloc__(self):
        PyMem_Free(self.previous_starts)
        PyMem_Free(self.state_starts)

    cdef int read(self, const InputRecord* row, Envelope* found) noexcept:
        """A fault of native_walk.pxd, or IRREGULAR."""
        cdef Cursor cursor
        cdef int fault
        cursor.data, cursor.end, cursor.at = row.value + PREFIX, row.value_length - PREFIX, 0
        found.data = cursor.data
        fault = read_origin(&cursor, found)
        if fault:
            return fault
        found.marks_at = cursor.at
        found.has_marks = cursor.at >= cursor.end or cursor.data[cursor.at] != 0
        if found.has_marks:
            fault = skip(self.state.program, self.marks_place, &cursor, FIELD_DEPTH)
        else:
            cursor.at += 1
        if fault:
            return fault
        if cursor.at >= cursor.end:
            return TRUNCATED
        if cursor.data[cursor.at] > 1:
            return NOT_BOOLEAN
        found.previous_known = cursor.data[cursor.at]
        cursor.at += 1
        fault = read_branch(&cursor, &found.has_previous)
        if not fault and found.has_previous:
            fault = walk_fields(self.previous, &cursor, self.previous_starts)
        fault = fault if fault else read_branch(&cursor, &found.has_state)
        if not fault and found.has_state:
            fault = walk_fields(self.state, &cursor, self.state_starts)
        if fault:
            return fault
        if cursor.at != cursor.end:
            return TRAILING
        if not found.has_state and found.operation != DELETE:
            return IRREGULAR
        return read_key(row, found)
