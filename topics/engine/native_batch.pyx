# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Records in and lanes out as bytes: what transport and engines hand to one another without Python objects."""

import hashlib

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyMem_Realloc
from cpython.memoryview cimport PyMemoryView_FromMemory
from libc.string cimport memcpy

from topics.engine.lanes import headers_form, headers_from_form
from topics.event import KafkaRecord, OutputRecord

cdef extern from "Python.h":
    int PyBUF_READ

DEF FIRST_ROOM = 64
DEF FIRST_BYTES = 16384
DEF SPARES = 64
DEF SPARE_BYTES = 33554432

# Arenas of lanes that are gone: memory that the kernel has given already need not be asked for with every batch.
cdef unsigned char* _spares[SPARES]
cdef Py_ssize_t _spare_rooms[SPARES]
cdef Py_ssize_t _spare_count = 0
cdef Py_ssize_t _spare_bytes = 0


cdef unsigned char* take_arena(Py_ssize_t* room) noexcept:
    """A spare arena or a new one; ``room`` gets its size."""
    global _spare_count, _spare_bytes
    if _spare_count:
        _spare_count -= 1
        room[0] = _spare_rooms[_spare_count]
        _spare_bytes -= room[0]
        return _spares[_spare_count]
    room[0] = FIRST_BYTES
    return <unsigned char*> PyMem_Malloc(FIRST_BYTES)


cdef void give_arena(unsigned char* arena, Py_ssize_t room) noexcept:
    """Keep an arena for the next lane, or free it where enough are kept."""
    global _spare_count, _spare_bytes
    if arena == NULL or _spare_count == SPARES or _spare_bytes + room > SPARE_BYTES:
        PyMem_Free(arena)
        return
    _spares[_spare_count], _spare_rooms[_spare_count] = arena, room
    _spare_count += 1
    _spare_bytes += room


cdef class NativeRecords:
    """Records of one input partition, in offset order; as a Python sequence it makes ``KafkaRecord`` on demand."""

    def __cinit__(self, topic, int partition):
        self.topic = topic
        self.partition = partition
        self.count = 0
        self.room = FIRST_ROOM
        self.rows = <InputRecord*> PyMem_Malloc(self.room * sizeof(InputRecord))
        if self.rows == NULL:
            raise MemoryError()
        self.keep = []

    def __dealloc__(self):
        PyMem_Free(self.rows)

    cdef InputRecord* add(self) except NULL:
        """One more row, to be filled by the caller, who puts the owner of its bytes into ``keep``."""
        cdef InputRecord* grown
        if self.count == self.room:
            grown = <InputRecord*> PyMem_Realloc(self.rows, 2 * self.room * sizeof(InputRecord))
            if grown == NULL:
                raise MemoryError()
            self.rows = grown
            self.room *= 2
        self.count += 1
        return &self.rows[self.count - 1]

    @staticmethod
    def from_records(topic, int partition, records):
        """The same records, copied by reference."""
        found = NativeRecords(topic, partition)
        for record in records:
            found.append(record.offset, record.timestamp_ms, record.key, record.value, record.headers)
        return found

    def append(self, long long offset, long long timestamp_ms, bytes key, bytes value, headers=()):
        """Put one record behind the others."""
        cdef InputRecord* row = self.add()
        cdef bytes form
        row.offset = offset
        row.timestamp_ms = timestamp_ms
        row.key, row.key_length = NULL, -1
        row.value, row.value_length = NULL, -1
        row.headers, row.headers_length = NULL, 0
        if key is not None:
            row.key, row.key_length = <const unsigned char*> PyBytes_AS_STRING(key), PyBytes_GET_SIZE(key)
            self.keep.append(key)
        if value is not None:
            row.value, row.value_length = <const unsigned char*> PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value)
            self.keep.append(value)
        if headers:
            form = headers_form(headers)
            row.headers, row.headers_length = <const unsigned char*> PyBytes_AS_STRING(form), PyBytes_GET_SIZE(form)
            self.keep.append(form)

    def __len__(self):
        return self.count

    def __getitem__(self, Py_ssize_t index):
        if index < 0:
            index += self.count
        if not 0 <= index < self.count:
            raise IndexError(index)
        return self.record(index)

    def __iter__(self):
        cdef Py_ssize_t index
        for index in range(self.count):
            yield self.record(index)

    def part(self, Py_ssize_t first, Py_ssize_t end):
        """See ``topics.engine.records.Records.part``."""
        cdef NativeRecords found = NativeRecords(self.topic, self.partition)
        end = min(end, self.count)
        first = min(max(first, 0), end)
        PyMem_Free(found.rows)
        found.rows = <InputRecord*> PyMem_Malloc(max(end - first, 1) * sizeof(InputRecord))
        if found.rows == NULL:
            raise MemoryError()
        found.count, found.room = end - first, max(end - first, 1)
        memcpy(found.rows, self.rows + first, found.count * sizeof(InputRecord))
        # The bytes are still those of the whole.
        found.keep.append(self)
        return found

    def schema_ids(self):
        """See ``topics.engine.records.Records.schema_ids``."""
        cdef Py_ssize_t index
        cdef const unsigned char* value
        cdef unsigned int schema_id
        cdef unsigned int last = 0
        cdef bint any_found = False
        cdef set found = set()
        for index in range(self.count):
            value = self.rows[index].value
            if self.rows[index].value_length < 5 or value[0] != 0:
                continue
            schema_id = (
                (<unsigned int> value[1] << 24) | (<unsigned int> value[2] << 16)
                | (<unsigned int> value[3] << 8) | value[4]
            )
            if not any_found or schema_id != last:
                found.add(schema_id)
                last, any_found = schema_id, True
        return frozenset(found)

    cdef object record(self, Py_ssize_t index):
        """One row as the record that the rules know."""
        cdef InputRecord* row = &self.rows[index]
        return KafkaRecord(
            self.topic,
            self.partition,
            row.offset,
            row.timestamp_ms,
            None if row.key_length < 0 else PyBytes_FromStringAndSize(<const char*> row.key, row.key_length),
            None if row.value_length < 0 else PyBytes_FromStringAndSize(<const char*> row.value, row.value_length),
            () if row.headers == NULL
            else headers_from_form(PyBytes_FromStringAndSize(<const char*> row.headers, row.headers_length)),
        )


cdef class ByteLane:
    """Output records of one partition; the arena is exactly the bytes that the digest is taken of."""

    def __cinit__(self, topic, int partition):
        self.topic = topic
        self.partition = partition
        self.used = self.count = 0
        self.slots_room = FIRST_ROOM
        self.arena = take_arena(&self.arena_room)
        self.slots = <Slot*> PyMem_Malloc(self.slots_room * sizeof(Slot))
        if self.arena == NULL or self.slots == NULL:
            raise MemoryError()

    def __dealloc__(self):
        give_arena(self.arena, self.arena_room)
        PyMem_Free(self.slots)

    cdef unsigned char* reserve(self, Py_ssize_t length) except NULL:
        """Room for so many bytes at the arena's end; valid until the next call that writes."""
        cdef Py_ssize_t wanted = self.used + length
        cdef Py_ssize_t room = self.arena_room
        cdef unsigned char* grown
        if wanted > room:
            while room < wanted:
                room *= 2
            grown = <unsigned char*> PyMem_Realloc(self.arena, room)
            if grown == NULL:
                raise MemoryError()
            self.arena, self.arena_room = grown, room
        return self.arena + self.used

    cdef Slot* begin(self) except NULL:
        """Begin a record. The caller fills the slot's places; it stays valid until the next ``begin``."""
        cdef Slot* grown
        if self.count == self.slots_room:
            grown = <Slot*> PyMem_Realloc(self.slots, 2 * self.slots_room * sizeof(Slot))
            if grown == NULL:
                raise MemoryError()
            self.slots = grown
            self.slots_room *= 2
        self.count += 1
        return &self.slots[self.count - 1]

    cdef int drop_last(self) except -1:
        """Take the record back that was begun last."""
        self.count -= 1
        self.used = 0
        if self.count:
            self.used = self.slots[self.count - 1].headers_at + self.slots[self.count - 1].headers_length
        return 0

    cdef Py_ssize_t open_part(self) except -1:
        """Begin a part: leaves room for its length and returns where its bytes begin."""
        self.reserve(4)
        self.used += 4
        return self.used

    cdef int close_part(self, Py_ssize_t opened) except -1:
        """End the part that began there: its length goes before it, in 4 bytes, big-endian."""
        cdef Py_ssize_t length = self.used - opened
        cdef unsigned char* place = self.arena + opened - 4
        place[0] = (length >> 24) & 0xFF
        place[1] = (length >> 16) & 0xFF
        place[2] = (length >> 8) & 0xFF
        place[3] = length & 0xFF
        return 0

    cdef int null_part(self) except -1:
        """A part that is null."""
        self.reserve(1)[0] = 0xFF
        self.used += 1
        return 0

    cdef int put(self, const unsigned char* data, Py_ssize_t length) except -1:
        """Copy bytes to the arena's end."""
        memcpy(self.reserve(length), data, length)
        self.used += length
        return 0

    def append(self, record):
        """Put a ready record behind the others."""
        cdef Slot* slot = self.begin()
        cdef bytes headers = headers_form(record.headers)
        cdef Py_ssize_t opened
        slot.key_length = slot.value_length = -1
        slot.key_at = slot.value_at = 0
        if record.key is None:
            self.null_part()
        else:
            opened = self.open_part()
            self.put(<const unsigned char*> PyBytes_AS_STRING(record.key), PyBytes_GET_SIZE(record.key))
            self.close_part(opened)
            slot.key_at, slot.key_length = opened, self.used - opened
        if record.value is None:
            self.null_part()
        else:
            opened = self.open_part()
            self.put(<const unsigned char*> PyBytes_AS_STRING(record.value), PyBytes_GET_SIZE(record.value))
            self.close_part(opened)
            slot.value_at, slot.value_length = opened, self.used - opened
        opened = self.open_part()
        self.put(<const unsigned char*> PyBytes_AS_STRING(headers), PyBytes_GET_SIZE(headers))
        self.close_part(opened)
        slot.headers_at, slot.headers_length = opened, self.used - opened

    def __len__(self):
        return self.count

    def __iter__(self):
        cdef Py_ssize_t index
        for index in range(self.count):
            yield OutputRecord(
                self.topic,
                self.partition,
                self._part(self.slots[index].key_at, self.slots[index].key_length),
                self._part(self.slots[index].value_at, self.slots[index].value_length),
                headers_from_form(self._part(self.slots[index].headers_at, self.slots[index].headers_length)),
            )

    def digest(self):
        """See ``topics.engine.lanes.Lane.digest``."""
        found = hashlib.sha256()
        self.feed(found)
        return found.hexdigest()

    def feed(self, digest):
        """See ``topics.engine.lanes.Lane.feed``."""
        digest.update(PyMemoryView_FromMemory(<char*> self.arena, self.used, PyBUF_READ))

    def _part(self, Py_ssize_t at, Py_ssize_t length):
        if length < 0:
            return None
        return PyBytes_FromStringAndSize(<const char*> self.arena + at, length)
