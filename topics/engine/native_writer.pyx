# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Writes what the gate decided straight into the lanes: canonical records, tombstones, claims."""

import json

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.string cimport memcpy

from topics.engine.native_sha256 cimport sha256
from topics.engine.native_batch cimport Slot
from topics.engine.native_value cimport (
    KIND_BOOLEAN,
    KIND_BYTES,
    KIND_DOUBLE,
    KIND_FLOAT,
    KIND_INTEGER,
    KIND_NULL,
    KIND_OTHER,
    KIND_TEXT,
    digits_of,
    put_long,
)
from topics.engine.native_objects cimport to_object

from topics.engine.gate_forms import claim_heads, long_form, record_heads, text_form
from topics.wire import frame


cdef bint record_id(Program program, const Value* slots, Place* place, list kept) except *:
    """The values of the primary key as ``record_id_of`` has them; False for types that have no plain text."""
    cdef Py_ssize_t index
    cdef const Value* value
    cdef bytes text
    if program.key_count == 1:
        value = &slots[program.key_slots[0]]
        if value.kind == KIND_TEXT:
            place.id, place.id_length = value.data, value.length
            return True
        if value.kind == KIND_INTEGER:
            place.id_length = digits_of(value.number, place.room)
            place.id = place.room
            return True
    parts = []
    for index in range(program.key_count):
        value = &slots[program.key_slots[index]]
        if value.kind == KIND_TEXT or value.kind == KIND_INTEGER:
            parts.append(str(to_object(value)))
        elif value.kind == KIND_BOOLEAN:
            parts.append("true" if value.number else "false")
        elif value.kind == KIND_BYTES:
            parts.append(to_object(value).hex())
        else:
            return False
    if len(parts) == 1:
        text = parts[0].encode()
    else:
        text = json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()
    kept.append(text)
    place.id, place.id_length = <const uint8_t*> PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text)
    return True


cdef inline uint8_t* _put(uint8_t* at, bytes text) noexcept:
    memcpy(at, PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
    return at + PyBytes_GET_SIZE(text)


cdef inline uint8_t* _put_text(uint8_t* at, const uint8_t* text, Py_ssize_t length) noexcept nogil:
    at = put_long(at, length)
    memcpy(at, text, length)
    return at + length


cdef inline void _put_length(uint8_t* part, Py_ssize_t length) noexcept nogil:
    """The length before a part, as lanes.digest_form has it."""
    cdef uint8_t* place = part - 4
    place[0] = (length >> 24) & 0xFF
    place[1] = (length >> 16) & 0xFF
    place[2] = (length >> 8) & 0xFF
    place[3] = length & 0xFF


cdef class RecordWriter:
    """Writes the records of one source."""

    def __cinit__(self, spec):
        self.topic, self.partitions = spec.canonical_topic, spec.partitions
        self.key_frame = frame(spec.canonical_key_schema_id, b"")
        self.heads = record_heads(spec)
        self.raw_topic = text_form(spec.raw_topic)
        self.version = long_form(spec.policy_version)
        self.rule_names = [text_form(rule.id) for rule in spec.rules.rules]
        self.claims_topic = spec.claims.topic
        self.claim_heads = claim_heads(spec)
        self.claimed = []

    cdef int begin(self, ByteLaneBook book, int partition) except -1:
        """The lanes to write to, and the raw partition of what comes."""
        self.book, self.partition = book, partition
        self.lanes = [None] * self.partitions
        self.claims_lane = None
        return 0

    cdef ByteLane _lane_of(self, const Key* key):
        cdef uint8_t digest[32]
        cdef unsigned long long head = 0
        cdef int at
        cdef int partition
        sha256(key.identity, key.length, digest)
        for at in range(8):
            head = (head << 8) | digest[at]
        partition = head % <unsigned long long> self.partitions
        lane = self.lanes[partition]
        if lane is None:
            lane = self.lanes[partition] = self.book.lane(self.topic, partition)
        return <ByteLane> lane

    cdef int deletion(self, Program program, Place* place, const Key* key, const Value* items) except -1:
        """A last record with its scope, then the tombstone; without items nothing of the state is known."""
        cdef ByteLane lane = self._lane_of(key)
        cdef Slot* slot
        cdef Py_ssize_t key_at
        cdef Py_ssize_t key_length
        self._record(lane, program, <bytes> self.heads[2], place, key, items, items != NULL, items, [])
        key_at, key_length = lane.slots[lane.count - 1].key_at, lane.slots[lane.count - 1].key_length
        slot = lane.begin()
        lane.reserve(key_length + 9)
        slot.key_at, slot.key_length = lane.open_part(), key_length
        lane.put(lane.arena + key_at, key_length)
        lane.close_part(slot.key_at)
        lane.null_part()
        slot.value_at, slot.value_length = 0, -1
        slot.headers_at, slot.headers_length = lane.open_part(), 0
        lane.close_part(slot.headers_at)
        return 0

    cdef int state(
        self, Program program, uint8_t operation, Place* place, const Key* key, const Value* items,
        bint previous_known, const Value* scope, list marks,
    ) except -1:
        """The state that was accepted."""
        cdef bytes head = self.heads[0 if operation == c"c" else 1 if operation == c"u" else 3]
        return self._record(
            self._lane_of(key), program, head, place, key, items, previous_known, scope, marks
        )

    cdef int _record(
        self, ByteLane lane, Program program, bytes head, Place* place, const Key* key, const Value* items,
        bint previous_known, const Value* scope, list marks,
    ) except -1:
        """A canonical record in the fields' order of topics/canonical.py."""
        cdef Py_ssize_t most = 200 + key.length + place.id_length + PyBytes_GET_SIZE(head)
        cdef Slot* slot
        cdef uint8_t* at
        cdef uint8_t* part
        most += PyBytes_GET_SIZE(self.raw_topic)
        if items != NULL:
            most += program.most_bytes(program.state, program.state_count, items)
        if scope != NULL:
            most += program.most_bytes(program.scope, program.scope_count, scope)
        for mark in marks:
            most += PyBytes_GET_SIZE(<bytes> self.rule_names[mark])
        slot = lane.begin()
        part = lane.reserve(most) + 4
        at = _put(part, self.key_frame)
        at = _put_text(at, key.identity, key.length)
        at = _put_text(at, place.id, place.id_length)
        _put_length(part, at - part)
        slot.key_at, slot.key_length = part - lane.arena, at - part
        part = at + 4
        at = _put(part, head)
        at = put_long(at, place.incarnation)
        at = put_long(at, place.commit)
        at = put_long(at, place.row.offset)
        at = put_long(at, place.source_time)
        at = _put(at, self.raw_topic)
        at = put_long(at, self.partition)
        at = put_long(at, place.row.offset)
        at = _put(at, self.version)
        if marks:
            at = put_long(at, len(marks))
            for mark in marks:
                at = _put(at, <bytes> self.rule_names[mark])
        at[0], at[1] = 0, previous_known
        at[2] = 2 if scope != NULL else 0
        at += 3
        if scope != NULL:
            at = program.put(at, program.scope, program.scope_count, scope)
        at[0] = 2 if items != NULL else 0
        at += 1
        if items != NULL:
            at = program.put(at, program.state, program.state_count, items)
        _put_length(part, at - part)
        slot.value_at, slot.value_length = part - lane.arena, at - part
        part = at + 4
        _put_length(part, 0)
        slot.headers_at, slot.headers_length = part - lane.arena, 0
        lane.used = part - lane.arena
        return 0

    cdef bint prepare_claims(self, Program program, list kept) except *:
        """The JSON form of every value that another department owns; False for one that is for the reference."""
        cdef Py_ssize_t index
        cdef const Value* value
        if program.foreign_count == 0:
            return True
        self.claimed = []
        for index in range(program.foreign_count):
            if program.foreign_slots[index] < 0:
                continue
            value = &program.after[program.foreign_slots[index]]
            if value.kind == KIND_OTHER:
                return False
            if value.kind != KIND_NULL:
                text = json.dumps(to_object(value), ensure_ascii=False, default=str)
                self.claimed.append((self.claim_heads[index], text.encode()))
        return True

    cdef int put_claims(self, Program program, Place* place, const Key* key) except -1:
        """One claim per value, under the raw key."""
        cdef ByteLane lane
        cdef Slot* slot
        cdef uint8_t* at
        cdef uint8_t* part
        cdef bytes head
        cdef bytes text
        cdef Py_ssize_t key_length = place.row.key_length
        if program.foreign_count == 0 or not self.claimed:
            return 0
        if self.claims_lane is None:
            self.claims_lane = self.book.lane(self.claims_topic, 0)
        lane = self.claims_lane
        for head, text in self.claimed:
            slot = lane.begin()
            at = lane.reserve(
                150 + max(key_length, 0) + PyBytes_GET_SIZE(head) + key.length + PyBytes_GET_SIZE(text)
                + PyBytes_GET_SIZE(self.raw_topic)
            )
            slot.key_at, slot.key_length = 0, -1
            if key_length < 0:
                at[0] = 0xFF
                at += 1
            else:
                part = at + 4
                memcpy(part, place.row.key, key_length)
                _put_length(part, key_length)
                slot.key_at, slot.key_length = part - lane.arena, key_length
                at = part + key_length
            part = at + 4
            at = _put(part, head)
            at = _put_text(at, key.identity, key.length)
            at[0] = 2
            at = _put_text(at + 1, <const uint8_t*> PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text))
            at = _put(at, self.raw_topic)
            at = put_long(at, self.partition)
            at = put_long(at, place.row.offset)
            at = put_long(at, place.row.timestamp_ms)
            at = _put(at, self.version)
            _put_length(part, at - part)
            slot.value_at, slot.value_length = part - lane.arena, at - part
            part = at + 4
            _put_length(part, 0)
            slot.headers_at, slot.headers_length = part - lane.arena, 0
            lane.used = part - lane.arena
        return 0
