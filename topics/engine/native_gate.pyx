# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The gate's engine, compiled: one walk per record decides it, and its bytes go straight to their lanes."""

from collections import Counter

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.string cimport memcmp, memcpy

from topics.engine.native_batch cimport ByteLane, InputRecord, NativeRecords
from topics.engine.native_checks cimport ASK_RULE, PASSES, judge
from topics.engine.native_identity cimport Number, credit, normalised, resident
from topics.engine.native_lanes cimport ByteLaneBook
from topics.engine.native_objects cimport to_object
from topics.engine.native_position cimport number_of, read_place
from topics.engine.native_program cimport Envelope, Program
from topics.engine.native_value cimport KIND_NULL, KIND_OTHER, KIND_TEXT, MAPPED, UNAVAILABLE, UNCLEAR, Value
from topics.engine.native_writer cimport Key, Place, RecordWriter, record_id

from topics.engine.gate_answers import Answers
from topics.engine.gate_engine import NOTHING_KNOWN, Known, Tally
from topics.engine.gate_program import compile_program
from topics.engine.schema import NotCompilable
from topics.event import EntityKey
from topics.identity.kinds import IdentityKind

# What becomes of a record.
cdef enum:
    ACCEPTED = 0
    TOMBSTONE = 1
    REFERRED = 2
    STOPPED = 3

DEF NOBODY = 0
DEF RESIDENT = 1
DEF CREDIT = 2

# A time after which the rules count days that Python has no date for.
cdef int64_t _MOST_TIMESTAMP = 250000000000000


cdef class NativeGateEngine:
    """See ``topics.engine.gate_engine.GateEngine``."""
    cdef object spec
    cdef object answers
    cdef dict programs
    cdef RecordWriter writer
    cdef int identity_kind
    cdef bytes identity_prefix
    cdef bytes release_header
    cdef bytes incarnation_header
    cdef bint key_only_before
    cdef bint partly_ours
    cdef Py_ssize_t most_bytes
    cdef int64_t incarnation
    # The record that is being decided.
    cdef list kept
    # Exceptions over records that were referred for them, by name: none is expected.
    cdef readonly object raised
    cdef object stop
    cdef object last
    cdef list marks

    def __cinit__(self, spec):
        self.spec = spec
        self.answers = Answers(spec)
        self.programs = {}
        self.writer = RecordWriter(spec)
        kinds = {IdentityKind.RESIDENT_ID: RESIDENT, IdentityKind.CREDIT_CODE: CREDIT}
        self.identity_kind = kinds.get(spec.identity_kind, NOBODY)
        self.identity_prefix = f"{spec.identity_kind}:".encode()
        self.release_header, self.incarnation_header = spec.release_header.encode(), spec.incarnation_header.encode()
        self.key_only_before, self.partly_ours = spec.key_only_before, bool(spec.not_ours)
        self.most_bytes, self.incarnation = spec.most_bytes, spec.incarnation
        self.kept, self.marks = [], []
        self.raised = Counter()

    def learn(self, schema_id, writer):
        """Compile a writer schema; records of one that cannot be compiled are referred."""
        try:
            self.programs[schema_id] = Program(compile_program(writer, self.spec), self.spec)
        except NotCompilable:
            self.programs[schema_id] = None

    def decide(self, records, desk, ByteLaneBook lanes):
        """Decide the records in order and write to the lanes."""
        cdef NativeRecords batch
        cdef Py_ssize_t index
        cdef int outcome
        cdef Py_ssize_t accepted = 0
        cdef Py_ssize_t tombstones = 0
        if isinstance(records, NativeRecords):
            batch = records
        else:
            batch = NativeRecords.from_records(records.topic, records.partition, records)
        entries = tuple(desk.entries())
        self.writer.begin(lanes, batch.partition)
        for index in range(batch.count):
            try:
                outcome = self._decide_one(&batch.rows[index], entries)
            except Exception as error:
                # A defect of ours, or a rule's: the reference tells which, and stops the record.
                self.raised[type(error).__name__] += 1
                outcome = REFERRED
            if outcome == ACCEPTED:
                accepted += 1
            elif outcome == TOMBSTONE:
                tombstones += 1
            elif outcome == REFERRED:
                lanes.extend(desk.refer(batch.record(index)))
            else:
                lanes.extend(desk.stop(batch.record(index), self.stop, self.last))
            if self.kept:
                self.kept = []
        return Tally(accepted, tombstones)

    cdef int _decide_one(self, InputRecord* row, tuple entries) except -1:
        """Decide one record as far as its bytes tell."""
        cdef Envelope envelope
        cdef Place place
        cdef Program program
        cdef bytes key
        if row.value_length < 0:
            return TOMBSTONE
        if row.value_length < 5 or row.value[0] != 0 or row.value_length > self.most_bytes:
            return REFERRED
        if not 0 <= row.timestamp_ms < _MOST_TIMESTAMP:
            return REFERRED
        if row.key_length >= 0:
            key = None
            for remembered in entries:
                if remembered:
                    if key is None:
                        key = PyBytes_FromStringAndSize(<const char*> row.key, row.key_length)
                    if key in remembered:
                        return REFERRED
        place.incarnation = self.incarnation
        if row.headers_length and not self._read_headers(row, &place.incarnation):
            return REFERRED
        found = self.programs.get(
            (<uint32_t> row.value[1] << 24) | (<uint32_t> row.value[2] << 16)
            | (<uint32_t> row.value[3] << 8) | row.value[4]
        )
        if found is None:
            return REFERRED
        program = found
        if program.walk(row.value + 5, row.value_length - 5, &envelope):
            return REFERRED
        if not read_place(&envelope, &place):
            return REFERRED
        place.row = row
        # The day of civil time, eight hours before UTC's.
        place.today = (row.timestamp_ms // 1000 + 28800) // 86400
        return self._decide_change(program, &envelope, &place)

    cdef bint _read_headers(self, InputRecord* row, int64_t* incarnation) noexcept:
        """The incarnation that the last header of its name gives; False for a release."""
        cdef const uint8_t* at = row.headers
        cdef const uint8_t* end = row.headers + row.headers_length
        cdef Py_ssize_t name_length
        cdef Py_ssize_t length
        cdef const uint8_t* name
        while at < end:
            name_length = (at[0] << 8) | at[1]
            name = at + 2
            at = name + name_length
            length = (<Py_ssize_t> at[0] << 24) | (at[1] << 16) | (at[2] << 8) | at[3]
            at += 4
            if _is(name, name_length, self.release_header):
                return False
            if _is(name, name_length, self.incarnation_header):
                incarnation[0] = self.incarnation
                if 1 <= length <= 18 and number_of(at, length) > 0:
                    incarnation[0] = number_of(at, length)
            at += length
        return True

    cdef int _decide_change(self, Program program, Envelope* envelope, Place* place) except -1:
        """Interpret, identify, assess, write; the order of the stages is that of services/gate/line.py."""
        cdef uint8_t operation = envelope.operation
        cdef Key before
        cdef Key key
        cdef Value* items = program.before_items if operation == c"d" else program.after_items
        cdef Value* slots = program.before if operation == c"d" else program.after
        cdef int failed = 0
        cdef int mapped
        cdef int known = 0
        if operation == c"d":
            if envelope.has_after or not envelope.has_before:
                return REFERRED
        elif not envelope.has_after or (operation != c"c" and operation != c"u" and operation != c"r"):
            return REFERRED
        if not record_id(program, slots, place, self.kept):
            return REFERRED
        if (operation == c"u" or operation == c"d") and envelope.has_before:
            known = self._before_key(program, place, &before)
            if known < 0:
                return REFERRED
        mapped = program.map_items(slots, items, self.kept, &failed)
        if mapped == UNCLEAR:
            return REFERRED
        if mapped != MAPPED:
            self.stop = (self.answers.unavailable if mapped == UNAVAILABLE else self.answers.unconvertible)[failed]
            return self._stopped(operation, known, &before, place)
        if not self._identity(&items[program.identity], &items[program.country], place, &key):
            return self._stopped(operation, known, &before, place)
        if operation != c"d" and not self._assess(program, items, place):
            return self._stopped(operation, known, &before, place)
        if operation == c"d":
            return self._delete(program, place, &key, items)
        return self._keep(program, operation, place, &key, items, known, &before)

    cdef int _before_key(self, Program program, Place* place, Key* before) except -2:
        """Map the row before an update or delete: 1 with its key, 0 if it cannot be told, -1 to refer."""
        cdef int failed = 0
        cdef int mapped
        cdef Value* value
        if self.key_only_before:
            value = &program.before[program.identity_slot]
            if value.kind == KIND_OTHER:
                return -1
            return self._identity(value, program.before_items - 1, place, before)
        mapped = program.map_items(program.before, program.before_items, self.kept, &failed)
        if mapped != MAPPED:
            return -1 if mapped == UNCLEAR else 0
        return self._identity(
            &program.before_items[program.identity], &program.before_items[program.country], place, before
        )

    cdef int _identity(self, const Value* value, const Value* country, Place* place, Key* key) except -1:
        """1 with the key of a valid identity; 0 with ``stop`` set."""
        cdef Number number
        cdef int reason
        cdef Py_ssize_t prefix = PyBytes_GET_SIZE(self.identity_prefix)
        if value.kind == KIND_NULL or (value.kind == KIND_TEXT and value.length == 0):
            self.stop = self.answers.identity_missing
            return 0
        if self.identity_kind == NOBODY or not normalised(value, &number):
            return self._asked_identity(value, country, place, key)
        if self.identity_kind == RESIDENT:
            reason = resident(&number, place.today)
        else:
            reason = credit(&number)
        if reason:
            self.stop = self.answers.identity_invalid[reason - 1]
            return 0
        memcpy(key.room, PyBytes_AS_STRING(self.identity_prefix), prefix)
        memcpy(key.room + prefix, number.text, number.length)
        key.identity, key.length = key.room, prefix + number.length
        return 1

    cdef int _asked_identity(self, const Value* value, const Value* country, Place* place, Key* key) except -1:
        cdef bytes text
        found = self.answers.identity(to_object(value), to_object(country), place.row.timestamp_ms)
        if not isinstance(found, str):
            self.stop = found
            return 0
        text = found.encode()
        self.kept.append(text)
        key.identity, key.length = <const uint8_t*> PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text)
        return 1

    cdef int _assess(self, Program program, const Value* items, Place* place) except -1:
        """1 with the places of the marks; 0 with ``stop`` set."""
        cdef Py_ssize_t index
        cdef int found
        cdef list stops = None
        if self.marks:
            self.marks = []
        for index in range(program.rules.count):
            found = judge(&program.rules.rules[index], items, place.row.timestamp_ms, place.source_time)
            if found == PASSES:
                continue
            step = program.rule_steps[index]
            if found == ASK_RULE:
                asked = {name: to_object(&items[at]) for name, at in program.rule_items[index]}
                found = self.answers.finding(step, asked, place.row.timestamp_ms, place.source_time)
                if found == PASSES:
                    continue
            if not program.rules.rules[index].stops:
                self.marks.append(index)
            elif stops is None:
                stops = [(step, found)]
            else:
                stops.append((step, found))
        if stops is None:
            return 1
        self.stop = self.answers.quality(stops)
        return 0

    cdef int _stopped(self, uint8_t operation, int known, const Key* before, const Place* place) except -1:
        """Tell what the change says of the last accepted state of its key."""
        if operation == c"c":
            self.last = Known(True, None)
        elif known:
            self.last = Known(True, EntityKey(_text(before.identity, before.length), _text(place.id, place.id_length)))
        else:
            self.last = NOTHING_KNOWN
        return STOPPED

    cdef int _delete(self, Program program, Place* place, const Key* key, const Value* items) except -1:
        cdef const Value* state = items
        if self.key_only_before:
            state = NULL
        elif not self._fits(program, items):
            return REFERRED
        self.writer.deletion(program, place, key, state)
        return ACCEPTED

    cdef int _keep(
        self, Program program, uint8_t operation, Place* place, const Key* key, const Value* items,
        int known, const Key* before,
    ) except -1:
        """Write the new state, the withdrawal of the key that the change leaves, and claims."""
        cdef const Value* old = program.before_items
        cdef const Value* scope = NULL
        cdef bint previous_known = operation == c"c"
        cdef bint moved = False
        if self.key_only_before:
            old = NULL
        if operation == c"u" and known:
            moved = key.length != before.length or memcmp(key.identity, before.identity, key.length) != 0
            previous_known = moved or old != NULL
            if not moved:
                scope = old
        if not program.fits(program.state, program.state_count, items):
            return REFERRED
        if scope != NULL and not program.fits(program.scope, program.scope_count, scope):
            return REFERRED
        if moved and old != NULL and (self.partly_ours or not self._fits(program, old)):
            return REFERRED
        if not self.writer.prepare_claims(program, self.kept):
            return REFERRED
        if moved:
            self.writer.deletion(program, place, before, old)
        self.writer.state(program, operation, place, key, items, previous_known, scope, self.marks)
        self.writer.put_claims(program, place, key)
        return ACCEPTED

    cdef bint _fits(self, Program program, const Value* items) noexcept:
        """Whether state and scope can be written of these items."""
        if not program.fits(program.scope, program.scope_count, items):
            return False
        return program.fits(program.state, program.state_count, items)


cdef inline bint _is(const uint8_t* text, Py_ssize_t length, bytes wanted) noexcept:
    return length == PyBytes_GET_SIZE(wanted) and memcmp(text, PyBytes_AS_STRING(wanted), length) == 0


cdef str _text(const uint8_t* text, Py_ssize_t length):
    return PyBytes_FromStringAndSize(<const char*> text, length).decode()
