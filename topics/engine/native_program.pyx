# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""One writer schema for one source, as numbers; see ``topics.engine.gate_program`` for what they mean."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport INT32_MAX, INT32_MIN
from libc.string cimport memcmp, memcpy

from topics.engine.native_convert cimport iso_timestamp, raised
from topics.engine.native_objects cimport from_object, to_object
from topics.engine.native_value cimport (
    KIND_BOOLEAN,
    KIND_BYTES,
    KIND_DOUBLE,
    KIND_FLOAT,
    KIND_INTEGER,
    KIND_NULL,
    KIND_OTHER,
    KIND_TEXT,
    MAPPED,
    UNAVAILABLE,
    UNCLEAR,
    UNCONVERTIBLE,
    is_ascii,
    put_long,
    trim,
)
from topics.engine.native_walk cimport (
    CODE_BOOLEAN,
    CODE_BYTES,
    CODE_DOUBLE,
    CODE_FLOAT,
    CODE_INT,
    CODE_LONG,
    CODE_STRING,
    NOT_BOOLEAN,
    NOT_UTF8,
    OUT_OF_RANGE,
    TRAILING,
    TRUNCATED,
    WELL,
    WRONG_BRANCH,
    Cursor,
    is_utf8,
    read_length,
    read_long,
    skip,
)

from topics.resource import Conversion

DEF ENVELOPE_DEPTH = 1


cdef enum:
    ROLE_SKIPPED = 0
    ROLE_BEFORE = 1
    ROLE_AFTER = 2
    ROLE_SOURCE = 3
    ROLE_OPERATION = 4

# Conversion, by its place.
cdef enum:
    CONVERT_NONE = 0
    CONVERT_TRIM = 1
    CONVERT_UPPER = 2
    CONVERT_NORMALISE = 3
    CONVERT_TEXT = 4
    CONVERT_ISO_TIMESTAMP = 5
    CONVERT_MICROSECONDS = 6

cdef tuple _CONVERSIONS = tuple(Conversion)


cdef int _read_simple(int code, Cursor* cursor, Value* value) noexcept nogil:
    """One datum of a simple type, as it lies there."""
    cdef int64_t number = 0
    cdef Py_ssize_t length = 0
    cdef int fault
    if code == CODE_STRING or code == CODE_BYTES:
        fault = read_length(cursor, &length)
        if fault:
            return fault
        value.data, value.length = cursor.data + cursor.at, length
        value.kind = KIND_TEXT if code == CODE_STRING else KIND_BYTES
        cursor.at += length
        return NOT_UTF8 if code == CODE_STRING and not is_utf8(value.data, length) else WELL
    if code == CODE_LONG or code == CODE_INT:
        fault = read_long(cursor, &number)
        value.kind, value.number = KIND_INTEGER, number
        if fault == WELL and code == CODE_INT and not INT32_MIN <= number <= INT32_MAX:
            return OUT_OF_RANGE
        return fault
    length = 1 if code == CODE_BOOLEAN else 4 if code == CODE_FLOAT else 8
    if length > cursor.end - cursor.at:
        return TRUNCATED
    value.data, value.length = cursor.data + cursor.at, length
    cursor.at += length
    value.kind = KIND_BOOLEAN if code == CODE_BOOLEAN else KIND_FLOAT if code == CODE_FLOAT else KIND_DOUBLE
    value.number = value.data[0]
    return NOT_BOOLEAN if code == CODE_BOOLEAN and value.number > 1 else WELL


cdef int _read_field(
    const int32_t* numbers, const FieldStep* step, Cursor* cursor, Value* slots, int depth
) noexcept nogil:
    """One field of a record, so deep in the value; its own value goes to its slot."""
    cdef Value unused
    cdef Value* value = &unused if step.slot < 0 else &slots[step.slot]
    cdef Py_ssize_t start = cursor.at
    cdef int64_t branch = 0
    cdef int fault
    if step.null_branch >= 0:
        fault = read_long(cursor, &branch)
        if fault:
            return fault
        if branch == step.null_branch:
            value.kind = KIND_NULL
            return WELL
        if branch != step.value_branch:
            return WRONG_BRANCH
    if step.code >= 0:
        return _read_simple(step.code, cursor, value)
    cursor.at = start
    value.kind = KIND_OTHER
    return skip(numbers, step.program, cursor, depth)


cdef int _read_fields(
    const int32_t* numbers, const FieldStep* steps, Py_ssize_t count, Cursor* cursor, Value* slots, int depth
) noexcept nogil:
    cdef Py_ssize_t index
    cdef int fault
    for index in range(count):
        fault = _read_field(numbers, &steps[index], cursor, slots, depth)
        if fault:
            return fault
    return WELL


cdef class Program:
    """Walks the records of one writer schema, makes items of columns, writes items as they are declared."""

    def __cinit__(self, program, spec):
        cdef Py_ssize_t index
        self.keep = []
        self.numbers = <int32_t*> self._room(len(program.numbers) * sizeof(int32_t))
        for index in range(len(program.numbers)):
            self.numbers[index] = program.numbers[index]
        self._fill_envelope(program)
        self.item_count = len(spec.items)
        self.items = <ItemStep*> self._room(self.item_count * sizeof(ItemStep))
        self.converters = [item.convert for item in spec.items]
        for index in range(self.item_count):
            self.items[index].slot = program.item_slots[index]
            self.items[index].conversion = _CONVERSIONS.index(spec.items[index].conversion)
        self.state_count, self.scope_count = len(program.state), len(program.scope)
        self.state = <Target*> self._room(self.state_count * sizeof(Target))
        self.scope = <Target*> self._room(self.scope_count * sizeof(Target))
        self._fill_targets(self.state, program.state)
        self._fill_targets(self.scope, program.scope)
        self._fill_places(program)
        self.rule_steps = program.rules
        self.rules = RuleSet(program.rules)
        places = {item.name: place for place, item in enumerate(spec.items)}
        self.rule_items = tuple(
            tuple((name, places.get(name, -1)) for name in step.rule.items) for step in program.rules
        )
        unavailable = spec.unavailable.encode()
        self.keep.append(unavailable)
        self.unavailable = <const uint8_t*> PyBytes_AS_STRING(unavailable)
        self.unavailable_length = PyBytes_GET_SIZE(unavailable)
        self.before = <Value*> self._room(program.slots * sizeof(Value))
        self.after = <Value*> self._room(program.slots * sizeof(Value))
        # Place -1 is null: an item that another department owns.
        self.before_items = <Value*> self._room((self.item_count + 1) * sizeof(Value)) + 1
        self.after_items = <Value*> self._room((self.item_count + 1) * sizeof(Value)) + 1

    cdef void* _room(self, size_t size) except NULL:
        """Memory full of zeros that lives as long as the program."""
        cdef bytearray found = bytearray(size + 16)
        self.keep.append(found)
        return <void*> <char*> found

    def _fill_envelope(self, program):
        cdef Py_ssize_t index
        self.envelope_count = len(program.envelope)
        self.envelope = <EnvelopeStep*> self._room(self.envelope_count * sizeof(EnvelopeStep))
        for index, step in enumerate(program.envelope):
            self.envelope[index].role, self.envelope[index].program = step.role, step.program
            self.envelope[index].null_branch = step.null_branch
            self.envelope[index].value_branch = step.value_branch
        self.row_count, self.source_count = len(program.row), len(program.source)
        self.row = <FieldStep*> self._room(self.row_count * sizeof(FieldStep))
        self.source = <FieldStep*> self._room(self.source_count * sizeof(FieldStep))
        self._fill_fields(self.row, program.row)
        self._fill_fields(self.source, program.source)

    def _fill_places(self, program):
        cdef Py_ssize_t index
        self.key_count, self.foreign_count = len(program.key_slots), len(program.foreign_slots)
        self.key_slots = <int*> self._room(self.key_count * sizeof(int))
        self.foreign_slots = <int*> self._room(self.foreign_count * sizeof(int))
        for index in range(self.key_count):
            self.key_slots[index] = program.key_slots[index]
        for index in range(self.foreign_count):
            self.foreign_slots[index] = program.foreign_slots[index]
        self.identity, self.identity_slot = program.identity, program.identity_slot
        self.country = program.country

    cdef int _fill_fields(self, FieldStep* steps, fields) except -1:
        cdef Py_ssize_t index
        for index, field in enumerate(fields):
            steps[index].program, steps[index].code, steps[index].slot = field.program, field.code, field.slot
            steps[index].null_branch, steps[index].value_branch = field.null_branch, field.value_branch
        return 0

    cdef int _fill_targets(self, Target* targets, fields) except -1:
        cdef Py_ssize_t index
        for index, field in enumerate(fields):
            targets[index].item, targets[index].code = field.item, field.code
            targets[index].null_branch, targets[index].value_branch = field.null_branch, field.value_branch
        return 0

    cdef int walk(self, const uint8_t* data, Py_ssize_t length, Envelope* found) noexcept nogil:
        """Walk one whole value; a fault, or ``WELL`` with rows and source block where they belong."""
        cdef Cursor cursor
        cdef EnvelopeStep* step
        cdef Value operation
        cdef Py_ssize_t index
        cdef int64_t branch = 0
        cdef int fault = WELL
        cdef bint there
        cursor.data, cursor.end, cursor.at = data, length, 0
        found.has_before = found.has_after = False
        for index in range(3):
            found.source[index].kind = KIND_NULL
        for index in range(self.envelope_count):
            step = &self.envelope[index]
            if step.role == ROLE_SKIPPED:
                fault = skip(self.numbers, step.program, &cursor, ENVELOPE_DEPTH)
            elif step.role == ROLE_SOURCE:
                fault = _read_fields(
                    self.numbers, self.source, self.source_count, &cursor, found.source, ENVELOPE_DEPTH + 1
                )
            elif step.role == ROLE_OPERATION:
                fault = _read_simple(CODE_STRING, &cursor, &operation)
                found.operation = operation.data[0] if fault == WELL and operation.length == 1 else 0
            else:
                fault = read_long(&cursor, &branch)
                if fault:
                    return fault
                there = branch == step.value_branch
                if not there and branch != step.null_branch:
                    return WRONG_BRANCH
                if step.role == ROLE_BEFORE:
                    found.has_before = there
                else:
                    found.has_after = there
                if there:
                    fault = _read_fields(
                        self.numbers, self.row, self.row_count, &cursor,
                        self.before if step.role == ROLE_BEFORE else self.after,
                        # The row is a branch of a union.
                        ENVELOPE_DEPTH + 2,
                    )
            if fault:
                return fault
        return TRAILING if cursor.at != cursor.end else WELL

    cdef int map_items(self, const Value* slots, Value* items, list kept, int* failed) except -1:
        """Make every item of its column; ``failed`` is the place of the item that cannot be made."""
        cdef int place
        cdef int found
        cdef const Value* value
        for place in range(<int> self.item_count):
            value = &slots[self.items[place].slot]
            failed[0] = place
            if value.kind == KIND_OTHER:
                return UNCLEAR
            if (
                (value.kind == KIND_TEXT or value.kind == KIND_BYTES)
                and value.length == self.unavailable_length
                and memcmp(value.data, self.unavailable, value.length) == 0
            ):
                return UNAVAILABLE
            items[place] = value[0]
            if self.items[place].conversion != CONVERT_NONE and value.kind != KIND_NULL:
                found = self._converted(place, &items[place], kept)
                if found:
                    return found
        return MAPPED

    cdef int _converted(self, int place, Value* item, list kept) except -1:
        """Convert in place; what bytes do not tell is asked of the conversion itself."""
        cdef int conversion = self.items[place].conversion
        cdef int64_t number = 0
        if conversion <= CONVERT_NORMALISE and item.kind != KIND_TEXT:
            return MAPPED
        if conversion == CONVERT_TRIM:
            trim(&item.data, &item.length)
            return MAPPED
        if conversion == CONVERT_UPPER and is_ascii(item.data, item.length):
            raised(item, kept)
            return MAPPED
        if conversion == CONVERT_NORMALISE and is_ascii(item.data, item.length):
            trim(&item.data, &item.length)
            raised(item, kept)
            return MAPPED
        if conversion == CONVERT_TEXT and item.kind == KIND_TEXT:
            return MAPPED
        if conversion == CONVERT_TEXT and item.kind == KIND_INTEGER:
            return from_object(str(item.number), item, kept)
        if conversion == CONVERT_ISO_TIMESTAMP and iso_timestamp(item, &number):
            item.kind, item.number = KIND_INTEGER, number
            return MAPPED
        if conversion == CONVERT_MICROSECONDS and item.kind == KIND_INTEGER:
            number = item.number // 1000
            item.number = number - 1 if item.number % 1000 < 0 else number
            return MAPPED
        try:
            converted = self.converters[place](to_object(item))
        except ValueError:
            return UNCONVERTIBLE
        return from_object(converted, item, kept)

    cdef bint fits(self, const Target* targets, Py_ssize_t count, const Value* items) noexcept nogil:
        """Whether every item can be written where it belongs without a second thought."""
        cdef Py_ssize_t index
        cdef const Value* value
        cdef int code
        for index in range(count):
            value, code = &items[targets[index].item], targets[index].code
            if value.kind == KIND_NULL:
                if targets[index].null_branch < 0:
                    return False
            elif value.kind == KIND_TEXT:
                if code != CODE_STRING:
                    return False
            elif value.kind == KIND_INTEGER:
                if code != CODE_LONG and (code != CODE_INT or not INT32_MIN <= value.number <= INT32_MAX):
                    return False
            elif value.kind == KIND_BOOLEAN:
                if code != CODE_BOOLEAN:
                    return False
            elif value.kind == KIND_BYTES:
                if code != CODE_BYTES:
                    return False
            elif value.kind != KIND_DOUBLE or code != CODE_DOUBLE or _is_nan(value.data):
                # Single precision, too, travels by the reference: it is read and written as double there.
                return False
        return True

    cdef Py_ssize_t most_bytes(self, const Target* targets, Py_ssize_t count, const Value* items) noexcept nogil:
        """No fewer bytes than ``put`` writes."""
        cdef Py_ssize_t found = 0
        cdef Py_ssize_t index
        cdef const Value* value
        for index in range(count):
            value = &items[targets[index].item]
            found += 12
            if value.kind == KIND_TEXT or value.kind == KIND_BYTES:
                found += value.length
        return found

    cdef uint8_t* put(
        self, uint8_t* at, const Target* targets, Py_ssize_t count, const Value* items
    ) noexcept nogil:
        """Write items that fit; returns the place behind them."""
        cdef Py_ssize_t index
        cdef const Value* value
        for index in range(count):
            value = &items[targets[index].item]
            if value.kind == KIND_NULL:
                at[0] = <uint8_t> (2 * targets[index].null_branch)
                at += 1
                continue
            if targets[index].value_branch >= 0:
                at[0] = <uint8_t> (2 * targets[index].value_branch)
                at += 1
            if value.kind == KIND_INTEGER:
                at = put_long(at, value.number)
                continue
            if value.kind == KIND_BOOLEAN:
                at[0] = <uint8_t> value.number
                at += 1
                continue
            if value.kind != KIND_DOUBLE:
                at = put_long(at, value.length)
            memcpy(at, value.data, value.length)
            at += value.length
        return at


cdef inline bint _is_nan(const uint8_t* data) noexcept nogil:
    return (data[7] & 0x7F) == 0x7F and (data[6] & 0xF0) == 0xF0
