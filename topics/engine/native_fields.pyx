# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The fields of one record, walked over once: where each begins, checked as strictly as skip.py does."""

from cpython.mem cimport PyMem_Free, PyMem_Malloc


cdef class Fields:
    """How the fields of one record are walked over; see ``topics.engine.fanout_plan.Walk``."""

    def __cinit__(self, walks, program):
        cdef Py_ssize_t index
        self.count = len(walks)
        self.walks = <Walk*> PyMem_Malloc((self.count + 1) * sizeof(Walk))
        self.program = <int32_t*> PyMem_Malloc((len(program) + 1) * sizeof(int32_t))
        if self.walks == NULL or self.program == NULL:
            raise MemoryError()
        for index, walk in enumerate(walks):
            self.walks[index].code = walk.code
            self.walks[index].null = walk.null
            self.walks[index].size = walk.size
            self.walks[index].place = walk.place
        for index, number in enumerate(program):
            self.program[index] = number

    def __dealloc__(self):
        PyMem_Free(self.walks)
        PyMem_Free(self.program)
