# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The compiled fan-out: one walk over a canonical record, then per grant slices, masks, key and headers."""

from collections import Counter

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Realloc
from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy

from topics.engine.choose import Implementation
from topics.engine.fanout import Decided, GrantCount
from topics.engine.fanout_compile import compile_fanout, fallbacks
from topics.engine.fanout_headers import header_parts
from topics.engine.fanout_items import NotCompiled
from topics.engine.native_batch cimport ByteLane, InputRecord, NativeRecords, Slot
from topics.engine.native_envelope cimport DELETE, Envelope
from topics.engine.native_fields cimport IRREGULAR
from topics.engine.native_grants cimport Grant, INTERNAL, OUTSIDE_ROWS, Plan, Planned, REASONS
from topics.engine.native_headers cimport Headers, put_length
from topics.engine.native_render cimport Projection
from topics.event import WithheldReason

DEF FRAME = 5
DEF PSEUDONYM_LENGTH = 38
DEF UNASKED = -1
DEF CANNOT = -2
# Lengths of key, value and headers, and the frames.
DEF LENGTHS = 64

cdef list _REASONS = list(WithheldReason)


cdef class NativeFanout:
    """See ``topics.engine.fanout.FanoutEngine``."""

    cdef readonly object implementation
    cdef object spec
    cdef object reference
    cdef list grants
    cdef Headers headers
    # Schema id → (writer's type, its Plan; None where the reference decides).
    cdef dict plans
    # What pseudonyms are made of, and the key of the grant at hand.
    cdef uint8_t* entity
    cdef Py_ssize_t entity_length
    cdef Py_ssize_t entity_room
    cdef uint8_t pseudonym[PSEUDONYM_LENGTH]
    cdef public bint with_keys
    cdef public bint with_headers

    def __cinit__(self, spec, reference):
        self.implementation, self.spec, self.reference = Implementation.NATIVE, spec, reference
        self.grants = [Grant(grant, spec.policy_version) for grant in spec.grants]
        self.headers = Headers(header_parts(spec.resource))
        self.plans = {}
        self.entity, self.entity_room = NULL, 0
        self.with_keys = self.with_headers = True

    def __dealloc__(self):
        PyMem_Free(self.entity)

    def fallbacks(self, writer):
        """See ``topics.engine.fanout.FanoutEngine.fallbacks``."""
        return fallbacks(self.spec, writer)

    def learn(self, schema_id, writer):
        """See ``topics.engine.fanout.FanoutEngine.learn``."""
        cdef Plan plan = self._plan(schema_id, writer)
        return plan is None or bool(plan.rest)

    def decide(self, records, writers, before=None):
        """See ``topics.engine.fanout.FanoutEngine.decide``."""
        cdef NativeRecords native
        cdef Grant grant
        cdef Plan plan = None
        cdef const InputRecord* row
        cdef Py_ssize_t index
        cdef Py_ssize_t canonical = 0
        cdef Py_ssize_t by_reference = 0
        cdef long long schema_id = -1
        cdef long long wanted
        if isinstance(records, NativeRecords):
            native = records
        else:
            native = NativeRecords.from_records(records.topic, records.partition, records)
        for grant in self.grants:
            grant.begin(native.partition)
        for index in range(native.count):
            row = &native.rows[index]
            if row.value_length < 0:
                continue
            canonical += 1
            wanted = self._schema_of(row)
            if wanted < 0 or wanted != schema_id:
                if wanted not in writers:
                    self._withhold_all()
                    continue
                plan, schema_id = self._plan(wanted, writers[wanted]), wanted
            if plan is None:
                self._ask(native.record(index), before, None)
                by_reference += 1
            else:
                by_reference += self._decide(plan, native, row, index, before)
        return self._decided(canonical, native.count - canonical, by_reference)

    cdef long long _schema_of(self, const InputRecord* row) noexcept:
        cdef const uint8_t* value = row.value
        if row.value_length < FRAME or value[0] != 0:
            return -1
        return <uint32_t> value[1] << 24 | <uint32_t> value[2] << 16 | <uint32_t> value[3] << 8 | value[4]

    cdef Plan _plan(self, long long schema_id, writer):
        """The plan of a writer's schema; None where it is no canonical envelope."""
        known = self.plans.get(schema_id)
        if known is None or known[0] is not writer:
            try:
                known = writer, Plan(compile_fanout(self.spec, writer), self.grants)
            except NotCompiled:
                known = writer, None
            self.plans[schema_id] = known
        return known[1]

    cdef int _decide(
        self, Plan plan, NativeRecords native, const InputRecord* row, Py_ssize_t index, before
    ) except -1:
        """Decide one record; 1 where the reference had to."""
        cdef Envelope envelope
        cdef Planned planned
        cdef int fault = plan.envelopes.read(row, &envelope)
        if not fault:
            fault = self.headers.begin(&envelope, row.value_length - FRAME)
        if fault == IRREGULAR:
            self._ask(native.record(index), before, None)
            return 1
        if fault:
            self._withhold_all()
            return 0
        plan.begin()
        self.entity_length = 0
        for planned in plan.planned:
            self._decide_grant(plan, planned, &envelope, row, native.partition, before)
        if plan.rest:
            self._ask(native.record(index), before, plan.rest)
            return 1
        return 0

    cdef int _decide_grant(
        self, Plan plan, Planned planned, const Envelope* envelope, const InputRecord* row, int partition, before
    ) except -1:
        cdef Grant grant = planned.grant
        cdef int reason = grant.refused(row.offset, row.timestamp_ms, before is not None)
        if reason < 0:
            if envelope.operation != DELETE and plan.inside(planned, envelope):
                reason = self._deliver(plan, planned, envelope, partition, before)
            elif self._owes(plan, planned, envelope, before):
                reason = self._entomb(grant, envelope, partition, before)
            else:
                reason = OUTSIDE_ROWS
        if reason >= 0:
            grant.withheld[reason] += 1
        return 0

    cdef int _owes(self, Plan plan, Planned planned, const Envelope* envelope, before) except -1:
        """Whether a tombstone is owed; in an epoch that is so where the epoch has delivered the key."""
        cdef const uint8_t* key
        cdef Py_ssize_t length
        if before is None:
            return plan.was_inside(planned, envelope)
        length = self._key(planned.grant, envelope, &key)
        return self._framed(planned.grant, key, length) in before

    cdef bytes _framed(self, Grant grant, const uint8_t* key, Py_ssize_t length):
        if grant.canonical_key:
            return (<const char*> grant.key_frame)[:FRAME] + (<const char*> key)[:length]
        return (<const char*> key)[:length]

    cdef Py_ssize_t _key(self, Grant grant, const Envelope* envelope, const uint8_t** found) except -1:
        """The key's bytes: for a pseudonym with the frame before it, else without."""
        if grant.canonical_key or not self.with_keys:
            found[0] = envelope.key
            return envelope.key_length
        if not self.entity_length:
            self._begin_entity(envelope)
        memcpy(self.pseudonym, grant.key_frame, FRAME + 1)
        grant.keyed.hex32(self.entity, self.entity_length, self.pseudonym + FRAME + 1)
        found[0] = self.pseudonym
        return PSEUDONYM_LENGTH

    cdef int _begin_entity(self, const Envelope* envelope) except -1:
        """Identity and record id, each with its length before it: see ``topics.grants.keys.pseudonym``."""
        cdef Py_ssize_t wanted = 8 + envelope.identity_length + envelope.record_id_length
        cdef void* grown
        if wanted > self.entity_room:
            grown = PyMem_Realloc(self.entity, 2 * wanted)
            if grown == NULL:
                raise MemoryError()
            self.entity, self.entity_room = <uint8_t*> grown, 2 * wanted
        put_length(self.entity, envelope.identity_length)
        memcpy(self.entity + 4, envelope.identity, envelope.identity_length)
        put_length(self.entity + 4 + envelope.identity_length, envelope.record_id_length)
        memcpy(self.entity + 8 + envelope.identity_length, envelope.record_id, envelope.record_id_length)
        self.entity_length = wanted
        return 0

    cdef int _deliver(
        self, Plan plan, Planned planned, const Envelope* envelope, int partition, before
    ) except -2:
        """Write the record; INTERNAL where it cannot be had, else -1."""
        cdef Grant grant = planned.grant
        cdef ByteLane lane = grant.open_lane(partition)
        cdef Projection projection = plan.projections[planned.projection]
        cdef const uint8_t* key
        cdef Py_ssize_t key_length = self._key(grant, envelope, &key)
        cdef Py_ssize_t head = self.headers.head(envelope, False) if self.with_headers else 0
        cdef Py_ssize_t state_length = plan.envelopes.state_starts[plan.envelopes.state.count]
        cdef Py_ssize_t room
        cdef Py_ssize_t key_at
        cdef Py_ssize_t value_at
        cdef Py_ssize_t length
        cdef uint8_t* place
        cdef Slot* slot
        if head < 0 or self.headers.marks_length < 0:
            return INTERNAL
        room = key_length + projection.times * state_length + projection.extra + self._headers_room(grant, head)
        place = lane.reserve(room + LENGTHS)
        key_at = 4
        place += put_key(place, grant, key, key_length)
        value_at = place - lane.arena - lane.used + 4
        memcpy(place + 4, grant.value_frame, FRAME)
        length = self._value(plan, planned, projection, envelope, place + 4 + FRAME)
        if length < 0:
            return INTERNAL
        put_length(place, FRAME + length)
        place += 4 + FRAME + length
        slot = lane.begin()
        slot.key_at, slot.key_length = lane.used + key_at, value_at - 8
        slot.value_at, slot.value_length = lane.used + value_at, FRAME + length
        self._finish(grant, lane, slot, place, head, False)
        grant.delivered += 1
        if before is not None:
            before.add(self._framed(grant, key, key_length))
        return -1

    cdef Py_ssize_t _value(
        self, Plan plan, Planned planned, Projection projection, const Envelope* envelope, uint8_t* found
    ) except -3:
        """The projected bytes: made once per record, copied for every other grant of the same projection."""
        cdef Py_ssize_t length = plan.values[planned.projection].length
        if length >= 0:
            memcpy(found, plan.values[planned.projection].data, length)
            return length
        if length == UNASKED:
            length = projection.render(envelope.data, plan.envelopes.state_starts, found)
            plan.values[planned.projection].length = length if length >= 0 else CANNOT
            plan.values[planned.projection].data = found
        return length

    cdef int _entomb(self, Grant grant, const Envelope* envelope, int partition, before) except -2:
        """Write a tombstone; INTERNAL where it cannot be had, else -1."""
        cdef ByteLane lane = grant.open_lane(partition)
        cdef const uint8_t* key
        cdef Py_ssize_t key_length = self._key(grant, envelope, &key)
        cdef Py_ssize_t head = self.headers.head(envelope, True) if self.with_headers else 0
        cdef uint8_t* place
        cdef Py_ssize_t written
        cdef Slot* slot
        if head < 0:
            return INTERNAL
        place = lane.reserve(key_length + self._headers_room(grant, head) + LENGTHS)
        written = put_key(place, grant, key, key_length)
        place[written] = 0xFF
        slot = lane.begin()
        slot.key_at, slot.key_length = lane.used + 4, written - 4
        slot.value_at, slot.value_length = 0, -1
        self._finish(grant, lane, slot, place + written + 1, head, True)
        grant.tombstoned += 1
        if before is not None:
            before.discard(self._framed(grant, key, key_length))
        return -1

    cdef Py_ssize_t _headers_room(self, Grant grant, Py_ssize_t head) noexcept:
        return (
            head
            + PyBytes_GET_SIZE(grant.headers)
            + self.headers.marks_name_length
            + self.headers.marks_length
            + self.headers.content_length
        )

    cdef int _finish(
        self, Grant grant, ByteLane lane, Slot* slot, uint8_t* place, Py_ssize_t head, bint deleted
    ) except -1:
        """Write the headers and end the record."""
        cdef uint8_t* length_at = place
        cdef Headers headers = self.headers
        place += 4
        if self.with_headers:
            memcpy(place, headers.heads[deleted], head)
            place += head
            memcpy(place, PyBytes_AS_STRING(grant.headers), PyBytes_GET_SIZE(grant.headers))
            place += PyBytes_GET_SIZE(grant.headers)
            if not deleted:
                if headers.marks_length:
                    memcpy(place, headers.marks_name, headers.marks_name_length)
                    place += headers.marks_name_length
                    put_length(place, headers.marks_length)
                    memcpy(place + 4, headers.marks, headers.marks_length)
                    place += 4 + headers.marks_length
                memcpy(place, headers.content, headers.content_length)
                place += headers.content_length
        slot.headers_at, slot.headers_length = length_at + 4 - lane.arena, place - length_at - 4
        put_length(length_at, slot.headers_length)
        lane.used = place - lane.arena
        return 0

    cdef int _withhold_all(self) except -1:
        """A record that cannot be read is withheld from everybody."""
        cdef Grant grant
        for grant in self.grants:
            grant.withheld[INTERNAL] += 1
        return 0

    cdef int _ask(self, record, before, rest) except -1:
        """Let the reference decide, for these grants or for all."""
        cdef Grant grant
        outcomes = self.reference(record, before)
        for index in range(len(self.grants)) if rest is None else rest:
            grant, outcome = self.grants[index], outcomes[index]
            if outcome.output is None:
                grant.withheld[<int> _REASONS.index(outcome.withheld)] += 1
                continue
            grant.open_lane(record.partition).append(outcome.output)
            if outcome.output.value is None:
                grant.tombstoned += 1
            else:
                grant.delivered += 1
            if before is not None:
                (before.discard if outcome.output.value is None else before.add)(outcome.output.key)
        return 0

    cdef object _decided(self, Py_ssize_t canonical, Py_ssize_t control, Py_ssize_t by_reference):
        cdef Grant grant
        cdef int reason
        counts, lanes = [], []
        for spec, grant in zip(self.spec.grants, self.grants):
            withheld = Counter()
            for reason in range(REASONS):
                if grant.withheld[reason]:
                    withheld[_REASONS[reason]] = grant.withheld[reason]
            counts.append(GrantCount(spec.grant, spec.generation, grant.delivered, grant.tombstoned, withheld))
            if grant.lane is not None and grant.lane.count:
                lanes.append(grant.lane)
            grant.lane = None
        return Decided(canonical, control, tuple(counts), tuple(lanes), by_reference)


cdef inline Py_ssize_t put_key(uint8_t* found, Grant grant, const uint8_t* key, Py_ssize_t length) noexcept:
    """The key with its length before it, and its frame where it is the canonical one."""
    if grant.canonical_key:
        put_length(found, FRAME + length)
        memcpy(found + 4, grant.key_frame, FRAME)
        memcpy(found + 4 + FRAME, key, length)
        return 4 + FRAME + length
    put_length(found, length)
    memcpy(found + 4, key, length)
    return 4 + length
