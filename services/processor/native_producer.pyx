# cython: language_level=3, boundscheck=False, wraparound=False
"""A transactional producer on librdkafka's C API: it writes whole lanes without a Python object per record."""

import logging

cimport cython

from confluent_kafka import KafkaError, KafkaException

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport int32_t, int64_t
from libc.string cimport memcpy
from services.processor.native_kafka cimport (
    END,
    EVENT_DELIVERY,
    ERROR_QUEUE_FULL,
    FLAG_COPY,
    OF_FLAGS,
    OF_HEADERS,
    OF_KEY,
    OF_PARTITION,
    OF_TOPIC,
    OF_VALUE,
    PRODUCER,
    Api,
    Argument,
    Client,
    Error,
    Event,
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
    taken,
)
from topics.engine.lanes import headers_form
from topics.engine.native_batch cimport ByteLane, Slot

_log = logging.getLogger(__name__)

DEF AT_ONCE = 1000
ABORTED = (KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT)


@cython.no_gc_clear
cdef class NativeProducer:
    """One transactional producer; what waits releases the interpreter and is called from a thread beside the loop.

    A delivery that fails fails the transaction: librdkafka counts it and refuses to commit.
    """

    cdef const Api* kafka
    cdef Client* client
    cdef Queue* events
    cdef dict handles
    cdef readonly str name

    def __cinit__(self, settings):
        self.name = "native"
        self.handles = {}
        self.kafka = api()
        # A flush waits until every report is taken away, so only failures may be reported.
        self.client = new_client(PRODUCER, {**settings, "delivery.report.only.error": True}, NULL, NULL)
        self.events = self.kafka.queue_get_main(self.client)

    def __dealloc__(self):
        cdef const Api* kafka = self.kafka
        cdef Client* client = self.client
        if client == NULL:
            return
        for handle in self.handles.values():
            kafka.topic_destroy(<Topic*> <size_t> handle)
        kafka.queue_destroy(self.events)
        with nogil:
            kafka.destroy(client)

    # --- transactions -------------------------------------------------------------------------------------

    def init_transactions(self, double seconds):
        """Fence every older producer with this id."""
        cdef Error* error
        cdef int patience = milliseconds(seconds)
        with nogil:
            error = self.kafka.init_transactions(self.client, patience)
        check(error)

    def begin_transaction(self):
        """Begin; does not wait."""
        check(self.kafka.begin_transaction(self.client))

    def send_offsets_to_transaction(self, offsets, bytes group_metadata, double seconds):
        """Add the next offsets to be read to the transaction.

        ``offsets`` are confluent-kafka's ``TopicPartition``, ``group_metadata`` is what
        ``Consumer.consumer_group_metadata`` returns.
        """
        cdef Places* places
        cdef GroupMetadata* group = NULL
        cdef Error* error
        cdef int patience = milliseconds(seconds)
        check(
            self.kafka.consumer_group_metadata_read(
                &group, PyBytes_AS_STRING(group_metadata), PyBytes_GET_SIZE(group_metadata)
            )
        )
        places = self.kafka.places_new(len(offsets))
        for offset in offsets:
            self._add(places, offset.topic.encode(), offset.partition, offset.offset, offset.metadata)
        with nogil:
            error = self.kafka.send_offsets_to_transaction(self.client, places, group, patience)
            self.kafka.places_destroy(places)
            self.kafka.consumer_group_metadata_destroy(group)
        check(error)

    def commit_transaction(self, double seconds):
        """Wait until everything is written, then commit."""
        cdef Error* error
        cdef int patience = milliseconds(seconds)
        with nogil:
            error = self.kafka.commit_transaction(self.client, patience)
        check(error)

    def abort_transaction(self, double seconds):
        """Take everything back."""
        cdef Error* error
        cdef int patience = milliseconds(seconds)
        with nogil:
            error = self.kafka.abort_transaction(self.client, patience)
        check(error)

    def flush(self, double seconds):
        """Wait until everything queued is written or has failed."""
        cdef int code
        cdef int patience = milliseconds(seconds)
        with nogil:
            code = self.kafka.flush(self.client, patience)
        if code != 0:
            raise from_code(code)

    def drain(self):
        """Take away what is told about failed deliveries; until then the flush of a commit waits for them."""
        cdef Event* event
        cdef const Message* message
        while True:
            event = self.kafka.queue_poll(self.events, 0)
            if event == NULL:
                return
            if self.kafka.event_type(event) == EVENT_DELIVERY:
                message = self.kafka.event_message_next(event)
                if message != NULL:
                    topic = (<bytes> self.kafka.topic_name(message.topic)).decode()
                    why = KafkaError(message.err)
                    if why.code() not in ABORTED:
                        _log.warning("%s:%d: a record was not written: %s", topic, message.partition, why.name())
            self.kafka.event_destroy(event)

    # --- records ------------------------------------------------------------------------------------------

    def write(self, lane, bytes trace=None):
        """Queue the records of a lane, in pieces: yields after each whether the queue took it (False: is full).

        ``trace`` is the value of a header ``traceparent`` for each of them. The bytes are copied.

        Raises:
            KafkaException: a record is refused.
        """
        cdef Py_ssize_t at = 0
        cdef Py_ssize_t asked
        cdef Py_ssize_t took
        self._topic(lane.topic)
        if isinstance(lane, ByteLane):
            while at < (<ByteLane> lane).count:
                asked = min(AT_ONCE, (<ByteLane> lane).count - at)
                took = self._write_bytes(lane, self._topic(lane.topic), at, asked, trace)
                at += took
                yield took == asked
            return
        for record in lane:
            while not self._write_record(self._topic(lane.topic), lane.partition, record, trace):
                yield False
            at += 1
            if at % AT_ONCE == 0:
                yield True

    cdef Topic* _topic(self, name) except NULL:
        cdef Topic* handle
        known = self.handles.get(name)
        if known is not None:
            return <Topic*> <size_t> known
        handle = self.kafka.topic_new(self.client, (<str> name).encode(), NULL)
        if handle == NULL:
            raise KafkaException(KafkaError(KafkaError._INVALID_ARG, f"topic {name} is refused"))
        self.handles[name] = <size_t> handle
        return handle

    cdef Py_ssize_t _write_bytes(
        self, ByteLane lane, Topic* topic, Py_ssize_t start, Py_ssize_t most, bytes trace
    ) except -1:
        cdef Py_ssize_t index = start
        cdef Py_ssize_t end = start + most
        cdef int32_t partition = lane.partition
        cdef Slot* slot
        cdef Error* error = NULL
        cdef const char* trace_data = NULL
        cdef Py_ssize_t trace_length = 0
        if trace is not None:
            trace_data, trace_length = PyBytes_AS_STRING(trace), PyBytes_GET_SIZE(trace)
        with nogil:
            while index < end:
                slot = &lane.slots[index]
                error = queue_one(
                    self.kafka, self.client, topic, partition,
                    lane.arena + slot.key_at, slot.key_length,
                    lane.arena + slot.value_at, slot.value_length,
                    lane.arena + slot.headers_at, slot.headers_length,
                    trace_data, trace_length,
                )
                if error != NULL:
                    break
                index += 1
        if error != NULL:
            self._refused(error)
        return index - start

    cdef bint _write_record(self, Topic* topic, int32_t partition, record, bytes trace) except -1:
        cdef bytes key = record.key
        cdef bytes value = record.value
        cdef bytes form = headers_form(record.headers)
        cdef Error* error = queue_one(
            self.kafka, self.client, topic, partition,
            NULL if key is None else <const unsigned char*> PyBytes_AS_STRING(key),
            -1 if key is None else PyBytes_GET_SIZE(key),
            NULL if value is None else <const unsigned char*> PyBytes_AS_STRING(value),
            -1 if value is None else PyBytes_GET_SIZE(value),
            <const unsigned char*> PyBytes_AS_STRING(form), PyBytes_GET_SIZE(form),
            NULL if trace is None else PyBytes_AS_STRING(trace),
            0 if trace is None else PyBytes_GET_SIZE(trace),
        )
        if error == NULL:
            return True
        self._refused(error)
        return False

    cdef int _refused(self, Error* error) except -1:
        """A full queue is no error; anything else is raised."""
        if self.kafka.error_code(error) == ERROR_QUEUE_FULL:
            self.kafka.error_destroy(error)
            return 0
        raise taken(error)

    cdef int _add(self, Places* places, bytes topic, int partition, int64_t offset, metadata) except -1:
        cdef Place* place = self.kafka.places_add(places, topic, partition)
        cdef bytes text
        place.offset = offset
        if metadata is not None:
            text = metadata.encode()
            place.metadata = self.kafka.mem_malloc(NULL, PyBytes_GET_SIZE(text))
            place.metadata_size = PyBytes_GET_SIZE(text)
            memcpy(place.metadata, PyBytes_AS_STRING(text), place.metadata_size)
        return 0


cdef Error* queue_one(
    const Api* kafka, Client* client, Topic* topic, int32_t partition,
    const unsigned char* key, Py_ssize_t key_length,
    const unsigned char* value, Py_ssize_t value_length,
    const unsigned char* form, Py_ssize_t form_length,
    const char* trace, Py_ssize_t trace_length,
) noexcept nogil:
    """Hand one record over; the client copies it, so that its bytes need not outlive the call.

    Lengths of -1 are null. The headers are in the form of ``lanes.headers_form``.
    """
    cdef Argument given[6]
    cdef MessageHeaders* headers = NULL
    cdef Error* error
    given[0].kind, given[0].value.topic = OF_TOPIC, topic
    given[1].kind, given[1].value.number32 = OF_PARTITION, partition
    given[2].kind, given[2].value.number = OF_FLAGS, FLAG_COPY
    given[3].kind = OF_KEY
    given[3].value.memory.data = NULL if key_length < 0 else <void*> key
    given[3].value.memory.size = 0 if key_length < 0 else <size_t> key_length
    given[4].kind = OF_VALUE
    given[4].value.memory.data = NULL if value_length < 0 else <void*> value
    given[4].value.memory.size = 0 if value_length < 0 else <size_t> value_length
    if form_length == 0 and trace == NULL:
        return kafka.produceva(client, given, 5)
    headers = kafka.headers_new(12)
    add_headers(kafka, headers, form, form_length)
    if trace != NULL:
        kafka.header_add(headers, b"traceparent", 11, trace, trace_length)
    given[5].kind, given[5].value.headers = OF_HEADERS, headers
    error = kafka.produceva(client, given, 6)
    if error != NULL:
        kafka.headers_destroy(headers)
    return error


cdef void add_headers(
    const Api* kafka, MessageHeaders* headers, const unsigned char* form, Py_ssize_t length
) noexcept nogil:
    cdef const unsigned char* at = form
    cdef const unsigned char* end = form + length
    cdef Py_ssize_t name_length
    cdef Py_ssize_t value_length
    cdef const unsigned char* name
    while at < end:
        name_length = (at[0] << 8) | at[1]
        name = at + 2
        at = name + name_length
        value_length = (<Py_ssize_t> at[0] << 24) | (at[1] << 16) | (at[2] << 8) | at[3]
        at += 4
        kafka.header_add(headers, <const char*> name, name_length, at, value_length)
        at += value_length
