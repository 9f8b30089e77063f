# The rules of one resource as the numbers that ``native_checks`` judges by.

from topics.engine.native_checks cimport CodeTable, Condition, Rule

cdef class RuleSet:
    """The rules of one resource, in declared order."""
    cdef Rule* rules
    cdef Py_ssize_t count
    cdef list keep
    cdef void* _room(self, size_t size) except NULL
    cdef int _fill(self, Rule* rule, step) except -1
    cdef int _fill_codes(self, CodeTable* table, tuple texts) except -1
    cdef int _fill_condition(self, Condition* condition, when) except -1
