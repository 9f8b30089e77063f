# The lanes of one batch as bytes.

from topics.engine.native_batch cimport ByteLane

cdef class ByteLaneBook:
    cdef dict _lanes
    cdef dict _begun
    cdef ByteLane lane(self, topic, int partition)
