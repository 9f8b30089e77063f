# Quality rules on values as they lie in the record.

from libc.stdint cimport int16_t, int64_t, uint8_t, uint32_t

from topics.engine.native_value cimport Value

# What ``judge`` returns: 0, 1 + the place in QualityCode, or that the rule itself must be asked.
cdef enum:
    PASSES = 0
    ASK_RULE = -1

# 1 + the place in QualityCode.
cdef enum:
    MISSING = 1
    WRONG_TYPE = 2
    TOO_SHORT = 3
    TOO_LONG = 4
    PATTERN = 5
    NOT_IN_CODE_LIST = 6
    BELOW_RANGE = 7
    ABOVE_RANGE = 8
    DATE_ORDER = 9
    ITEMS_DIFFER = 10
    IMPLICATION = 11
    IDENTITY_UNREADABLE = 12
    BIRTH_DATE_DIFFERS = 13
    SEX_DIFFERS = 14
    SOURCE_TIME_UNKNOWN = 15
    SOURCE_TIME_AHEAD = 16
    LATE = 17

# Op of gate_rules.
cdef enum:
    OP_ASK = 0
    OP_REQUIRED = 1
    OP_TYPE = 2
    OP_LENGTH = 3
    OP_PATTERN = 4
    OP_CODE_LIST = 5
    OP_RANGE = 6
    OP_ORDER = 7
    OP_EQUAL = 8
    OP_IMPLIES = 9
    OP_BIRTH_DATE = 10
    OP_SEX = 11
    OP_TIMELY = 12

# Unit, by its place.
cdef enum:
    UNIT_NUMBER = 0
    UNIT_DATE = 1
    UNIT_MILLIS = 2
    UNIT_MICROS = 3

# ItemType, by its place.
cdef enum:
    TYPE_STRING = 0
    TYPE_INTEGER = 1
    TYPE_NUMBER = 2
    TYPE_DECIMAL = 3
    TYPE_BOOLEAN = 4
    TYPE_BYTES = 5
    TYPE_DATE = 6
    TYPE_MILLIS = 7
    TYPE_MICROS = 8

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
