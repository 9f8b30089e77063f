# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The lanes of one batch as bytes; see ``topics.engine.lane_book``."""

import hashlib

from cpython.memoryview cimport PyMemoryView_FromMemory

from topics.engine.native_batch cimport ByteLane

from topics.engine.lane_book import Written

cdef extern from "Python.h":
    int PyBUF_READ


cdef class ByteLaneBook:
    """Lanes of bytes."""

    def __cinit__(self):
        self._lanes = {}
        self._begun = {}

    cdef ByteLane lane(self, topic, int partition):
        """The lane of an output partition, begun if there is none."""
        cdef tuple place = (topic, partition)
        found = self._lanes.get(place)
        if found is None:
            found = self._lanes[place] = ByteLane(topic, partition)
            self._begun[place] = (0, 0)
        return <ByteLane> found

    def begin(self):
        """See ``topics.engine.lane_book.LaneBook.begin``."""
        cdef ByteLane lane
        for place, lane in self._lanes.items():
            self._begun[place] = (lane.used, lane.count)

    def extend(self, outputs):
        """See ``topics.engine.lane_book.LaneBook.extend``."""
        for output in outputs:
            self.lane(output.topic, output.partition).append(output)

    def written(self):
        """See ``topics.engine.lane_book.LaneBook.written``."""
        cdef ByteLane lane
        cdef Py_ssize_t used
        cdef Py_ssize_t count
        found = []
        for place, lane in self._lanes.items():
            used, count = self._begun[place]
            if lane.count > count:
                part = PyMemoryView_FromMemory(<char*> lane.arena + used, lane.used - used, PyBUF_READ)
                found.append(Written(place[0], place[1], lane.count - count, hashlib.sha256(part).hexdigest()))
        return found

    def lanes(self):
        """See ``topics.engine.lane_book.LaneBook.lanes``."""
        return tuple(self._lanes.values())
