# What a grant delivers of a state: slices, constants and changed values, one after another.

from libc.stdint cimport int32_t, uint8_t

from topics.engine.native_sha cimport Keyed

# Kinds of an operation; those over 9 are 10 and an action of topics.engine.fanout_plan.
cdef enum:
    OP_COPY = 0
    OP_CONSTANT = 1
    OP_CONVERT = 10

cdef struct Op:
    int32_t kind
    int32_t field       # of a copy: the first
    int32_t end         # of a copy: one past the last
    int32_t null_from
    int32_t null_to
    int32_t keep_first
    int32_t keep_last
    int32_t length      # of a constant
    const uint8_t* data # of a constant
    void* keyed         # of a hash: a Keyed

cdef class Projection:
    """The operations of one projection."""
    cdef Op* ops
    cdef int count
    # No result is longer than so many times the state and this: two items may be read from one field.
    cdef Py_ssize_t times
    cdef Py_ssize_t extra
    cdef list keep
    cdef int _constant(self, Op* op, bytes data) except -1
    cdef int _convert(self, Op* op, each) except -1
    # The length of what was written to ``found``; -1: the value cannot be delivered.
    cdef Py_ssize_t render(self, const uint8_t* data, const Py_ssize_t* starts, uint8_t* found) except -2
