# Values as Python has them, and back.

from topics.engine.native_value cimport Value

cdef object to_object(const Value* value)
cdef int from_object(object found, Value* value, list kept) except -1
