# cython: language_level=3, boundscheck=False, wraparound=False
"""A group consumer on librdkafka's C API: whole batches per partition, without a Python object per record."""

import logging
import os

cimport cython

from confluent_kafka import KafkaError, KafkaException

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyMem_Realloc
from libc.stdint cimport int32_t, int64_t
from posix.unistd cimport close as close_file

from services.processor.native_kafka cimport (
    CONSUMER,
    ERROR_ASSIGN,
    ERROR_REVOKE,
    Api,
    Client,
    Error,
    GroupMetadata,
    Message,
    MessageHeaders,
    Place,
    Places,
    Queue,
    Topic,
    api,
    check,
    from_code,
    milliseconds,
    new_client,
    part_of,
    put_header,
    readable,
)
from services.processor.records import UNREADABLE_HEADERS
from topics.engine.lanes import headers_form
from topics.engine.native_batch cimport InputRecord, NativeRecords

_log = logging.getLogger(__name__)

DEF AT_ONCE = 500
DEF FIRST_ROOM = 512
DEF HEADER_BYTES = 65536
cdef bytes UNREADABLE = headers_form(((UNREADABLE_HEADERS, b""),))
cdef double SEEK_SECONDS = 5.0


@cython.no_gc_clear
cdef class Held:
    """Messages of one fetch; they are given back to the client when no batch needs their bytes any more."""

    cdef NativeConsumer consumer
    cdef Message** messages
    cdef Py_ssize_t count
    cdef Py_ssize_t room
    cdef list header_bytes
    cdef Py_ssize_t header_used

    def __cinit__(self, NativeConsumer consumer):
        self.consumer = consumer
        self.count, self.room = 0, FIRST_ROOM
        self.messages = <Message**> PyMem_Malloc(self.room * sizeof(Message*))
        if self.messages == NULL:
            raise MemoryError()
        self.header_bytes = []
        self.header_used = HEADER_BYTES

    def __dealloc__(self):
        cdef Py_ssize_t index
        for index in range(self.count):
            self.consumer.kafka.message_destroy(self.messages[index])
        PyMem_Free(self.messages)

    cdef Message** reserve(self, Py_ssize_t more) except NULL:
        """Room for so many more; the caller adds to ``count`` what it has put there."""
        cdef Message** grown
        if self.count + more > self.room:
            self.room = max(2 * self.room, self.count + more)
            grown = <Message**> PyMem_Realloc(self.messages, self.room * sizeof(Message*))
            if grown == NULL:
                raise MemoryError()
            self.messages = grown
        return self.messages + self.count

    cdef unsigned char* header_room(self, Py_ssize_t length) except NULL:
        """Bytes that live as long as the messages."""
        cdef bytes last
        if length > HEADER_BYTES:
            last = PyBytes_FromStringAndSize(NULL, length)
            self.header_bytes.insert(0, last)
            return <unsigned char*> PyBytes_AS_STRING(last)
        if self.header_used + length > HEADER_BYTES:
            self.header_bytes.append(PyBytes_FromStringAndSize(NULL, HEADER_BYTES))
            self.header_used = 0
        last = self.header_bytes[len(self.header_bytes) - 1]
        self.header_used += length
        return <unsigned char*> PyBytes_AS_STRING(last) + self.header_used - length


cdef class NativeConsumer:
    """One member of the group, with the calls of confluent-kafka's ``Consumer`` that the input makes.

    Rebalance callbacks come inside ``fetch`` and ``close`` only. ``wake_fd`` becomes readable when something
    is here for an empty queue.
    """

    cdef const Api* kafka
    cdef Client* client
    cdef Queue* queue
    cdef object on_assign
    cdef object on_revoke
    cdef object on_lost
    cdef object failure
    cdef bint closed
    cdef int wake_end
    cdef readonly int wake_fd
    cdef readonly str name

    def __cinit__(self, settings):
        self.name = "native"
        self.kafka = api()
        self.client = new_client(CONSUMER, settings, rebalance, <void*> self)
        self.kafka.poll_set_consumer(self.client)
        self.queue = self.kafka.queue_get_consumer(self.client)
        self.wake_fd, self.wake_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.kafka.queue_io_event_enable(self.queue, self.wake_end, b"!", 1)

    def __dealloc__(self):
        cdef Client* client = self.client
        cdef const Api* kafka = self.kafka
        if client == NULL:
            return
        kafka.queue_destroy(self.queue)
        with nogil:
            # Not closed means in doubt: without a farewell to the group, which would wait.
            kafka.destroy_flags(client, 0x8)
        close_file(self.wake_end)
        close_file(self.wake_fd)

    # --- membership ---------------------------------------------------------------------------------------

    def subscribe(self, topics, on_assign=None, on_revoke=None, on_lost=None):
        """Join the group for these topics."""
        self.on_assign, self.on_revoke, self.on_lost = on_assign, on_revoke, on_lost
        cdef Places* places = self.kafka.places_new(len(topics))
        for topic in topics:
            self.kafka.places_add(places, (<str> topic).encode(), -1)
        cdef int code = self.kafka.subscribe(self.client, places)
        self.kafka.places_destroy(places)
        self._check(code)

    def unsubscribe(self):
        """Leave the group; the revocation comes with the next fetches."""
        self._check(self.kafka.unsubscribe(self.client))

    def incremental_assign(self, parts):
        """Take these partitions, from the offsets given."""
        cdef Places* places = self._places(parts)
        cdef Error* error
        with nogil:
            error = self.kafka.incremental_assign(self.client, places)
            self.kafka.places_destroy(places)
        check(error)

    def consumer_group_metadata(self):
        """Member and generation, in the form that both transports read."""
        cdef GroupMetadata* group = self.kafka.consumer_group_metadata(self.client)
        cdef void* data = NULL
        cdef size_t size = 0
        cdef Error* error
        if group == NULL:
            raise KafkaException(KafkaError(KafkaError._STATE, "the consumer has no group"))
        error = self.kafka.consumer_group_metadata_write(group, &data, &size)
        self.kafka.consumer_group_metadata_destroy(group)
        check(error)
        found = PyBytes_FromStringAndSize(<char*> data, size)
        self.kafka.mem_free(NULL, data)
        return found

    def close(self):
        """Leave the data path; a member with a static id stays in the group until its session ends."""
        cdef int code
        if self.closed:
            return
        self.closed = True
        with nogil:
            code = self.kafka.consumer_close(self.client)
        self._check(code)

    # --- positions ----------------------------------------------------------------------------------------

    def pause(self, parts):
        """Deliver nothing of them."""
        self._each(parts, pausing=True)

    def resume(self, parts):
        """Deliver them again."""
        self._each(parts, pausing=False)

    def seek(self, part):
        """Go on from the offset of the part."""
        cdef Places* places = self._places([part])
        cdef Error* error
        cdef int code
        cdef int patience = milliseconds(SEEK_SECONDS)
        with nogil:
            error = self.kafka.seek_partitions(self.client, places, patience)
            code = places.items[0].err
            self.kafka.places_destroy(places)
        check(error)
        self._check(code)

    def committed(self, parts, double timeout):
        """The stable committed offsets with their metadata, as ``TopicPartition`` each."""
        cdef Places* places = self._places(parts)
        cdef int patience = milliseconds(timeout)
        cdef int code
        with nogil:
            code = self.kafka.committed(self.client, places, patience)
        found = [part_of(&places.items[index]) for index in range(places.count)]
        self.kafka.places_destroy(places)
        self._check(code)
        return found

    def end_of(self, part):
        """The end of the partition as its last fetch told; below zero where none has."""
        cdef bytes topic = (<str> part.topic).encode()
        cdef int64_t low = -1
        cdef int64_t high = -1
        if self.kafka.get_watermark_offsets(self.client, topic, part.partition, &low, &high) != 0:
            return -1
        return high

    # --- records ------------------------------------------------------------------------------------------

    def fetch(self, positions, Py_ssize_t max_records, Py_ssize_t max_bytes):
        """What is here now, without waiting: batches per partition, and errors.

        ``positions`` maps (topic, partition) to the offset below which records are passed over; partitions
        that are not in it are passed over whole.
        """
        cdef Held held = Held(self)
        cdef dict batches = {}
        cdef list errors = []
        cdef Py_ssize_t size = 0
        cdef Py_ssize_t most
        cdef Py_ssize_t got
        while held.count < max_records and size < max_bytes:
            most = min(AT_ONCE, max_records - held.count)
            got = self.kafka.consume_batch_queue(self.queue, 0, held.reserve(most), most)
            if self.failure is not None:
                failure, self.failure = self.failure, None
                held.count += max(got, 0)
                raise failure
            if got <= 0:
                break
            held.count += got
            size += self._sort(held, held.count - got, positions, batches, errors)
        # Of a partition whose records all lie below its position, nothing is left to give.
        return [batch for batch in batches.values() if len(batch)], errors

    cdef Py_ssize_t _sort(
        self, Held held, Py_ssize_t first, positions, dict batches, list errors
    ) except -1:
        """Put what was just fetched to its partition; returns how many bytes it is."""
        cdef Py_ssize_t index
        cdef Py_ssize_t size = 0
        cdef Message* message
        cdef Topic* topic = NULL
        cdef int32_t partition = -1
        cdef NativeRecords batch = None
        cdef long long position = 0
        for index in range(first, held.count):
            message = held.messages[index]
            if message.err != 0:
                errors.append(KafkaError(message.err, self._text(message)))
                continue
            if message.topic != topic or message.partition != partition:
                topic, partition = message.topic, message.partition
                place = ((<bytes> self.kafka.topic_name(topic)).decode(), partition)
                position = positions.get(place, -1)
                batch = None if position < 0 else batches.get(place)
                if batch is None and position >= 0:
                    batch = batches[place] = NativeRecords(*place)
                    batch.keep.append(held)
            if batch is not None and message.offset >= position:
                self._row(held, message, batch.add())
                size += message.length + message.key_length
        return size

    cdef int _row(self, Held held, Message* message, InputRecord* row) except -1:
        cdef int kind
        row.key, row.key_length = <const unsigned char*> message.key, message.key_length
        if message.key == NULL:
            row.key_length = -1
        row.value, row.value_length = <const unsigned char*> message.payload, message.length
        if message.payload == NULL:
            row.value_length = -1
        row.headers, row.headers_length = NULL, 0
        row.offset = message.offset
        row.timestamp_ms = self.kafka.message_timestamp(message, &kind)
        return self._headers(held, message, row)

    cdef int _headers(self, Held held, Message* message, InputRecord* row) except -1:
        cdef MessageHeaders* found = NULL
        cdef size_t count = 0
        cdef Py_ssize_t length = 0
        cdef Py_ssize_t name_length
        cdef const char* name
        cdef const void* value
        cdef size_t value_length
        cdef unsigned char* at
        if self.kafka.message_headers(message, &found) != 0:
            return 0
        while self.kafka.header_get_all(found, count, &name, &value, &value_length) == 0:
            name_length = readable(name)
            if name_length < 0:
                row.headers = <const unsigned char*> PyBytes_AS_STRING(UNREADABLE)
                row.headers_length = PyBytes_GET_SIZE(UNREADABLE)
                return 0
            length += 6 + name_length + (0 if value == NULL else value_length)
            count += 1
        if count == 0:
            return 0
        at = held.header_room(length)
        row.headers, row.headers_length = at, length
        for index in range(count):
            self.kafka.header_get_all(found, index, &name, &value, &value_length)
            at = put_header(at, name, value, 0 if value == NULL else value_length)
        return 0

    # --- small parts --------------------------------------------------------------------------------------

    cdef object _text(self, Message* message):
        cdef const char* text = self.kafka.message_errstr(message)
        return "" if text == NULL else (<bytes> text).decode("utf-8", "replace")

    cdef int _each(self, parts, bint pausing) except -1:
        cdef Places* places = self._places(parts)
        cdef int code
        with nogil:
            if pausing:
                code = self.kafka.pause_partitions(self.client, places)
            else:
                code = self.kafka.resume_partitions(self.client, places)
            self.kafka.places_destroy(places)
        return self._check(code)

    cdef Places* _places(self, parts) except NULL:
        cdef Places* places = self.kafka.places_new(len(parts))
        cdef Place* place
        for part in parts:
            place = self.kafka.places_add(places, (<str> part.topic).encode(), part.partition)
            place.offset = part.offset
        return places

    cdef int _check(self, int code) except -1:
        if code != 0:
            raise from_code(code)
        return 0


cdef void rebalance(Client* client, int code, Places* places, void* opaque) noexcept with gil:
    """Tell the input; an error of it is raised by the fetch in which the callback came."""
    cdef NativeConsumer consumer = <NativeConsumer> opaque
    cdef Error* error = NULL
    try:
        parts = [part_of(&places.items[index]) for index in range(places.count)]
        if code == ERROR_ASSIGN:
            consumer.on_assign(consumer, parts)
        elif code == ERROR_REVOKE:
            consumer.on_revoke(consumer, parts)
        else:
            _log.warning("the group tells %s", KafkaError(code).name())
    except BaseException as failure:  # noqa: BLE001 - nothing may pass through C
        consumer.failure = failure
    if code != ERROR_ASSIGN:
        error = consumer.kafka.incremental_unassign(client, places)
        if error != NULL:
            consumer.kafka.error_destroy(error)
