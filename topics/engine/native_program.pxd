# One writer schema for one source: walks its records, makes items of columns, writes items as they are declared.

from libc.stdint cimport int32_t, int64_t, uint8_t

from topics.engine.native_rules cimport RuleSet
from topics.engine.native_value cimport Value

cdef struct FieldStep:
    int32_t program
    int code
    int null_branch
    int value_branch
    int slot

cdef struct EnvelopeStep:
    int role
    int32_t program
    int null_branch
    int value_branch

cdef struct Target:
    int item
    int code
    int null_branch
    int value_branch

cdef struct ItemStep:
    int slot
    int conversion

cdef struct Envelope:
    # What one walk finds; the slots are the program's own memory.
    bint has_before
    bint has_after
    uint8_t operation
    Value source[3]

cdef class Program:
    cdef list keep
    cdef int32_t* numbers
    cdef EnvelopeStep* envelope
    cdef Py_ssize_t envelope_count
    cdef FieldStep* row
    cdef Py_ssize_t row_count
    cdef FieldStep* source
    cdef Py_ssize_t source_count
    cdef ItemStep* items
    cdef Py_ssize_t item_count
    cdef Target* state
    cdef Py_ssize_t state_count
    cdef Target* scope
    cdef Py_ssize_t scope_count
    cdef int* key_slots
    cdef Py_ssize_t key_count
    cdef int* foreign_slots
    cdef Py_ssize_t foreign_count
    cdef int identity
    cdef int identity_slot
    cdef int country
    cdef RuleSet rules
    cdef readonly tuple rule_steps
    cdef tuple rule_items
    cdef list converters
    cdef const uint8_t* unavailable
    cdef Py_ssize_t unavailable_length
    # Room for one record.
    cdef Value* before
    cdef Value* after
    cdef Value* before_items
    cdef Value* after_items

    cdef void* _room(self, size_t size) except NULL
    cdef int _fill_fields(self, FieldStep* steps, fields) except -1
    cdef int _fill_targets(self, Target* targets, fields) except -1
    cdef int walk(self, const uint8_t* data, Py_ssize_t length, Envelope* found) noexcept nogil
    cdef int map_items(self, const Value* slots, Value* items, list kept, int* failed) except -1
    cdef int _converted(self, int place, Value* item, list kept) except -1
    cdef bint fits(self, const Target* targets, Py_ssize_t count, const Value* items) noexcept nogil
    cdef Py_ssize_t most_bytes(self, const Target* targets, Py_ssize_t count, const Value* items) noexcept nogil
    cdef uint8_t* put(self, uint8_t* at, const Target* targets, Py_ssize_t count, const Value* items) noexcept nogil
