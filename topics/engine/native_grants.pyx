# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The grants of a plan: their days and states, their rows, and what they got out of a batch."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport uint64_t
from libc.string cimport memcmp, memcpy, memset

from topics.engine.fanout_headers import grant_part
from topics.engine.fanout_plan import NEVER
from topics.grants.declaration import GrantState
from topics.wire import frame

DEF UNASKED = -1
DEF HEX_LENGTH = b"\x40"
DEF NO_REASON = -1

cdef list _STATES = list(GrantState)
cdef bytes _KEY_FIRST = len(b"record-key").to_bytes(4, "big") + b"record-key"


cdef class Grant:
    """One grant of the spec, whatever the writer's schema; counts while a batch is decided."""

    def __cinit__(self, spec, version):
        cdef bytes key_frame = frame(spec.key_schema_id, HEX_LENGTH)
        cdef bytes value_frame = frame(spec.value_schema_id, b"")
        self.state = _STATES.index(spec.state)
        self.valid_from_ms, self.valid_until_ms = spec.valid_from_ms, spec.valid_until_ms
        self.starts, self.topic = dict(spec.starts_at), spec.topic
        self.canonical_key = spec.canonical_key
        self.keyed = Keyed(spec.secret_key, _KEY_FIRST)
        self.headers = grant_part(spec.grant, spec.generation, version)
        memcpy(self.key_frame, PyBytes_AS_STRING(key_frame), 6)
        memcpy(self.value_frame, PyBytes_AS_STRING(value_frame), 5)

    cdef int begin(self, int partition) except -1:
        """Begin a batch of one partition."""
        self.starts_at = self.starts.get(partition, 0)
        self.lane = None
        self.delivered = self.tombstoned = 0
        memset(self.withheld, 0, sizeof(self.withheld))
        return 0

    cdef int refused(self, int64_t offset, int64_t timestamp_ms, bint copying) noexcept nogil:
        """Why the grant does not cover the record now; -1 if it does."""
        if self.state == STATE_REVOKED:
            return REVOKED
        if self.state == STATE_SUSPENDED:
            return SUSPENDED
        if timestamp_ms < self.valid_from_ms:
            return NOT_YET_VALID
        if timestamp_ms >= self.valid_until_ms:
            return EXPIRED
        if copying:
            return NO_REASON
        if self.state == STATE_FILLING or offset < self.starts_at:
            return FILLED_BY_EPOCH
        return NO_REASON

    cdef ByteLane open_lane(self, int partition):
        """The lane that the batch writes to."""
        if self.lane is None:
            self.lane = ByteLane(self.topic, partition)
        return self.lane


cdef inline uint64_t hash_of(const uint8_t* data, Py_ssize_t length) noexcept nogil:
    cdef uint64_t found = 14695981039346656037ULL
    cdef Py_ssize_t at
    for at in range(length):
        found = (found ^ data[at]) * 1099511628211ULL
    return found ^ (found >> 32)


cdef class Predicate:
    """Whether a field has one of these values."""

    def __cinit__(self, plan):
        cdef Py_ssize_t slots = 2
        cdef Py_ssize_t at
        cdef bytes value
        self.in_state, self.field, self.keep = plan.in_state, plan.field, sorted(plan.allowed)
        while slots < 2 * len(self.keep):
            slots *= 2
        self.mask = slots - 1
        self.slots = <Value*> PyMem_Malloc(slots * sizeof(Value))
        if self.slots == NULL:
            raise MemoryError()
        memset(self.slots, 0, slots * sizeof(Value))
        for value in self.keep:
            at = hash_of(<const uint8_t*> PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value)) & self.mask
            while self.slots[at].data != NULL:
                at = (at + 1) & self.mask
            self.slots[at].data = <const uint8_t*> PyBytes_AS_STRING(value)
            self.slots[at].length = PyBytes_GET_SIZE(value)

    def __dealloc__(self):
        PyMem_Free(self.slots)

    cdef bint holds(self, const uint8_t* data, const Py_ssize_t* starts) noexcept:
        """Whether it holds of the record at hand."""
        cdef const uint8_t* value = data + starts[self.field]
        cdef Py_ssize_t length = starts[self.field + 1] - starts[self.field]
        cdef Py_ssize_t at
        if self.found == UNASKED:
            self.found = 0
            at = hash_of(value, length) & self.mask
            while self.slots[at].data != NULL:
                if self.slots[at].length == length and memcmp(self.slots[at].data, value, length) == 0:
                    self.found = 1
                    break
                at = (at + 1) & self.mask
        return self.found


cdef class Planned:
    """One grant under one writer's schema."""

    def __cinit__(self, plan, list grants, list predicates):
        self.grant, self.index, self.projection = grants[plan.index], plan.index, plan.projection
        self.never, self.untold = NEVER in plan.inside, plan.before is None
        self.inside = [predicates[number] for number in plan.inside if number != NEVER]
        self.before = [predicates[number] for number in plan.before or ()]


cdef class Plan:
    """A compiled fan-out, ready to run; see ``topics.engine.fanout_plan``."""

    def __cinit__(self, plan, list grants):
        self.envelopes = Envelopes(plan)
        self.predicates = [Predicate(each) for each in plan.predicates]
        self.projections = [Projection(ops) for ops in plan.projections]
        self.planned = [Planned(each, grants, self.predicates) for each in plan.grants]
        self.rest = tuple(index for index, _reason in plan.rest)
        self.values = <Value*> PyMem_Malloc((len(self.projections) + 1) * sizeof(Value))
        if self.values == NULL:
            raise MemoryError()

    def __dealloc__(self):
        PyMem_Free(self.values)

    cdef int begin(self) noexcept:
        """Begin a record: nothing is known of it."""
        cdef Py_ssize_t index
        cdef Predicate predicate
        for index in range(len(self.projections)):
            self.values[index].length = UNASKED
        for predicate in self.predicates:
            predicate.found = UNASKED
        return 0

    cdef bint inside(self, Planned planned, const Envelope* envelope) noexcept:
        """Whether the state is inside the grant's rows."""
        cdef Predicate predicate
        if planned.never:
            return False
        for predicate in planned.inside:
            if not predicate.holds(envelope.data, self.envelopes.state_starts):
                return False
        return True

    cdef bint was_inside(self, Planned planned, const Envelope* envelope) noexcept:
        """Whether the consumer may hold the previous state of the key: a tombstone is owed then."""
        cdef Predicate predicate
        if not envelope.previous_known:
            return True
        if not envelope.has_previous:
            return False
        if planned.untold:
            return True
        for predicate in planned.before:
            if not predicate.holds(envelope.data, self.envelopes.previous_starts):
                return False
        return True
