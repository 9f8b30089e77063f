# Records in and lanes out as bytes: what transport and engines hand to one another without Python objects.

cdef struct InputRecord:
    const unsigned char* key
    Py_ssize_t key_length        # -1: no key
    const unsigned char* value
    Py_ssize_t value_length      # -1: a tombstone
    const unsigned char* headers # in the form of lanes.headers_form, NULL: none
    Py_ssize_t headers_length
    long long offset
    long long timestamp_ms

cdef class NativeRecords:
    """Records of one input partition, in offset order."""
    cdef readonly object topic
    cdef readonly int partition
    cdef InputRecord* rows
    cdef Py_ssize_t count
    cdef Py_ssize_t room
    cdef list keep
    """What owns the bytes that the rows point to."""
    cdef InputRecord* add(self) except NULL
    cdef object record(self, Py_ssize_t index)

cdef struct Slot:
    # Offsets into the lane's arena.
    Py_ssize_t key_at
    Py_ssize_t key_length
    Py_ssize_t value_at
    Py_ssize_t value_length
    Py_ssize_t headers_at
    Py_ssize_t headers_length

cdef class ByteLane:
    """Output records of one partition; the arena is exactly the bytes that the digest is taken of."""
    cdef readonly object topic
    cdef readonly int partition
    cdef unsigned char* arena
    cdef Py_ssize_t used
    cdef Py_ssize_t arena_room
    cdef Slot* slots
    cdef Py_ssize_t count
    cdef Py_ssize_t slots_room
    # Writing one record: begin; then key, value, headers, each between open_part and close_part (or null_part).
    cdef unsigned char* reserve(self, Py_ssize_t length) except NULL
    cdef Slot* begin(self) except NULL
    cdef int drop_last(self) except -1
    cdef Py_ssize_t open_part(self) except -1
    cdef int close_part(self, Py_ssize_t opened) except -1
    cdef int null_part(self) except -1
    cdef int put(self, const unsigned char* data, Py_ssize_t length) except -1
