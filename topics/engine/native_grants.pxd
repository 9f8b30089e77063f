# The grants of a plan: their days and states, their rows, and what they got out of a batch.

from libc.stdint cimport int32_t, int64_t, uint8_t

from topics.engine.native_batch cimport ByteLane
from topics.engine.native_envelope cimport Envelope, Envelopes
from topics.engine.native_render cimport Projection
from topics.engine.native_sha cimport Keyed

cdef enum:
    # In the order of topics.event.WithheldReason.
    NO_GRANT = 0
    NOT_YET_VALID = 1
    EXPIRED = 2
    SUSPENDED = 3
    REVOKED = 4
    OUTSIDE_ROWS = 5
    FILLED_BY_EPOCH = 6
    INTERNAL = 7
    REASONS = 8
    # In the order of topics.grants.declaration.GrantState.
    STATE_FILLING = 0
    STATE_ACTIVE = 1
    STATE_SUSPENDED = 2
    STATE_REVOKED = 3

cdef class Grant:
    """One grant of the spec, whatever the writer's schema; counts while a batch is decided."""
    cdef int state
    cdef int64_t valid_from_ms
    cdef int64_t valid_until_ms
    cdef int64_t starts_at
    cdef object starts
    cdef object topic
    cdef bint canonical_key
    cdef Keyed keyed
    cdef uint8_t key_frame[6]
    cdef uint8_t value_frame[5]
    cdef bytes headers
    cdef ByteLane lane
    cdef int64_t delivered
    cdef int64_t tombstoned
    cdef int64_t withheld[REASONS]
    cdef int begin(self, int partition) except -1
    cdef int refused(self, int64_t offset, int64_t timestamp_ms, bint copying) noexcept nogil
    cdef ByteLane open_lane(self, int partition)

cdef struct Value:
    const uint8_t* data
    Py_ssize_t length

cdef class Predicate:
    """Whether a field has one of these values."""
    cdef bint in_state
    cdef int field
    cdef Value* slots
    cdef Py_ssize_t mask
    cdef object keep
    # What was found for the record that was asked about last; -1: not asked yet.
    cdef int found
    cdef bint holds(self, const uint8_t* data, const Py_ssize_t* starts) noexcept

cdef class Planned:
    """One grant under one writer's schema."""
    cdef Grant grant
    cdef int index
    cdef int projection
    cdef bint never
    cdef bint untold
    cdef list inside
    cdef list before

cdef class Plan:
    """A compiled fan-out, ready to run; see ``topics.engine.fanout_plan``."""
    cdef Envelopes envelopes
    cdef list predicates
    cdef list projections
    cdef list planned
    # Where the projected bytes of the record at hand stand already; length -1: not yet, -2: cannot be had.
    cdef Value* values
    cdef readonly tuple rest
    cdef int begin(self) noexcept
    cdef bint inside(self, Planned planned, const Envelope* envelope) noexcept
    cdef bint was_inside(self, Planned planned, const Envelope* envelope) noexcept
