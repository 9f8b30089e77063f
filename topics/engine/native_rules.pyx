# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The rules of one resource as numbers; see ``topics.engine.gate_rules`` for the steps."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport int16_t, uint8_t, uint32_t

from topics.engine.native_checks cimport CodeTable, Condition, Rule, text_hash
from topics.engine.native_value cimport KIND_BOOLEAN, KIND_INTEGER, KIND_TEXT, Value


cdef class RuleSet:
    """The rules of one resource, in declared order."""

    def __cinit__(self, steps):
        cdef Py_ssize_t index
        self.count = len(steps)
        self.keep = []
        self.rules = <Rule*> self._room(self.count * sizeof(Rule))
        for index in range(self.count):
            self._fill(&self.rules[index], steps[index])

    cdef void* _room(self, size_t size) except NULL:
        """Memory full of zeros that lives as long as the rules."""
        cdef bytearray found = bytearray(size + 16)
        self.keep.append(found)
        return <void*> <char*> found

    cdef int _fill(self, Rule* rule, step) except -1:
        cdef Py_ssize_t at
        rule.op, rule.stops = step.op, step.stops
        rule.first, rule.second, rule.third = step.first, step.second, step.third
        rule.has_third, rule.unit, rule.kind = step.has_third, step.unit, step.kind
        rule.least, rule.most = step.least, step.most
        rule.low.kind, rule.low.number, rule.low.scale = step.low.kind, step.low.number, step.low.scale
        rule.high.kind, rule.high.number, rule.high.scale = step.high.kind, step.high.number, step.high.scale
        if step.automaton is not None:
            rule.moves = <int16_t*> self._room(len(step.automaton.moves) * sizeof(int16_t))
            for at in range(len(step.automaton.moves)):
                rule.moves[at] = step.automaton.moves[at]
            rule.accepting = <uint8_t*> self._room(len(step.automaton.accepting))
            for at in range(len(step.automaton.accepting)):
                rule.accepting[at] = step.automaton.accepting[at]
        self._fill_codes(&rule.codes, step.texts)
        if step.when is not None:
            self._fill_condition(&rule.when, step.when)
            self._fill_condition(&rule.then, step.then)
        return 0

    cdef int _fill_codes(self, CodeTable* table, tuple texts) except -1:
        cdef Py_ssize_t size = 8
        cdef Py_ssize_t index
        cdef uint32_t place
        while size < 2 * len(texts):
            size *= 2
        table.mask = <uint32_t> (size - 1)
        table.places = <int*> self._room(size * sizeof(int))
        table.texts = <const uint8_t**> self._room(len(texts) * sizeof(void*))
        table.lengths = <Py_ssize_t*> self._room(len(texts) * sizeof(Py_ssize_t))
        for index in range(size):
            table.places[index] = -1
        self.keep.append(texts)
        for index, text in enumerate(texts):
            table.texts[index] = <const uint8_t*> PyBytes_AS_STRING(text)
            table.lengths[index] = PyBytes_GET_SIZE(text)
            place = text_hash(table.texts[index], table.lengths[index]) & table.mask
            while table.places[place] >= 0:
                place = (place + 1) & table.mask
            table.places[place] = <int> index
        return 0

    cdef int _fill_condition(self, Condition* condition, when) except -1:
        cdef int index
        condition.item, condition.among, condition.present = when.item, when.among is not None, when.present
        condition.count = len(when.among or ())
        condition.allowed = <Value*> self._room(condition.count * sizeof(Value))
        for index in range(condition.count):
            allowed = when.among[index]
            if isinstance(allowed, str):
                text = allowed.encode()
                self.keep.append(text)
                condition.allowed[index].kind = KIND_TEXT
                condition.allowed[index].data = <const uint8_t*> PyBytes_AS_STRING(text)
                condition.allowed[index].length = PyBytes_GET_SIZE(text)
            else:
                condition.allowed[index].kind = KIND_BOOLEAN if isinstance(allowed, bool) else KIND_INTEGER
                condition.allowed[index].number = allowed
        return 0
