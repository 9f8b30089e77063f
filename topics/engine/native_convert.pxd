# Conversions of text that are made on its bytes.

from libc.stdint cimport int64_t

from topics.engine.native_value cimport Value

cdef int raised(Value* value, list kept) except -1
cdef bint iso_timestamp(const Value* value, int64_t* found) noexcept nogil
