# Quality rules on values as they lie in the record.

from libc.stdint cimport int16_t, int64_t, uint8_t, uint32_t

from topics.engine.native_value cimport Value

# What ``judge`` returns: 0, 1 + the place in QualityCode, or that the rule itself must be asked.
cdef enum:
    PASSES = 0
    ASK_RULE = -1

cdef struct CodeTable:
    uint32_t mask          # places - 1, a power of two
    int* places            # index into the texts, -1: free
    const uint8_t** texts
    Py_ssize_t* lengths

cdef struct Condition:
    int item
    bint among
    bint present
    int count
    Value* allowed

cdef struct End:
    int kind
    int64_t number
    int scale

cdef struct Rule:
    int op
    bint stops
    int first
    int second
    int third
    bint has_third
    int unit
    int kind
    int64_t least
    int64_t most
    End low
    End high
    int16_t* moves
    uint8_t* accepting
    CodeTable codes
    Condition when
    Condition then


cdef inline uint32_t text_hash(const uint8_t* text, Py_ssize_t length) noexcept nogil:
    cdef uint32_t found = 2166136261
    cdef Py_ssize_t at
    for at in range(length):
        found = (found ^ text[at]) * <uint32_t> 16777619
    return found ^ (found >> 15)


cdef int judge(const Rule* rule, const Value* items, int64_t recorded_at, int64_t source_at) noexcept nogil
# What one rule finds; ``items[-1]`` is null.
