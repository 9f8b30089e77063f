# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""One skip program, kept ready: why and where bytes are not exactly one datum of its type."""

from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport int32_t

from topics.engine.native_walk cimport Cursor, TRAILING, skip


cdef class Checker:
    """Called with bytes it gives (fault, position), or None for exactly one sound datum."""

    cdef int32_t* program
    cdef int32_t start

    def __cinit__(self, program, int32_t start):
        cdef Py_ssize_t index
        self.start = start
        self.program = <int32_t*> PyMem_Malloc((len(program) + 1) * sizeof(int32_t))
        if self.program == NULL:
            raise MemoryError()
        for index, number in enumerate(program):
            self.program[index] = number

    def __dealloc__(self):
        PyMem_Free(self.program)

    def __call__(self, bytes data not None):
        cdef Cursor cursor
        cdef int fault
        cursor.data, cursor.end, cursor.at = data, len(data), 0
        fault = skip(self.program, self.start, &cursor, 0)
        if not fault and cursor.at != cursor.end:
            fault = TRAILING
        return None if not fault else (fault, cursor.at)
