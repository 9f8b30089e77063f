# cython: language_level=3, boundscheck=False, wraparound=False
"""Finds librdkafka's public C API in the client's own library: nothing is linked, nothing private is touched."""

from pathlib import Path

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.string cimport memcpy
from posix.dlfcn cimport RTLD_NOW, dlopen, dlsym

DEF TEXT_ROOM = 512
DEF LONGEST_NAME = 65535
OLDEST, FIRST_UNKNOWN = 0x020A0000, 0x03000000
"""Versions of the library (major, minor, revision, each a byte) whose public structures are as declared here."""

cdef Api _api
cdef bint _loaded = False


class NoNativeTransport(Exception):
    """The library is not there, is of an unknown version, or lacks a function: use the client's own calls."""


def library_path():
    """Where the library is that the client has loaded.

    Raises:
        NoNativeTransport: it cannot be told.
    """
    maps = Path("/proc/self/maps")
    if maps.exists():
        for line in maps.read_text(encoding="utf-8", errors="replace").splitlines():
            if "/librdkafka" in line:
                return line[line.index("/"):]
    package = Path(confluent_kafka.__file__).parent
    for folder in (package.parent / "confluent_kafka.libs", package / ".dylibs"):
        for path in sorted(folder.glob("librdkafka*")):
            return str(path)
    raise NoNativeTransport("the client's library librdkafka was not found")


def load():
    """Load the library once and return its version as a number.

    Raises:
        NoNativeTransport: it is not usable.
    """
    global _loaded
    if not _loaded:
        path = library_path()
        handle = dlopen(path.encode(), RTLD_NOW)
        if handle == NULL:
            raise NoNativeTransport(f"{Path(path).name} cannot be opened")
        _bind(handle)
        version = _api.version()
        if version != confluent_kafka.libversion()[1] or not OLDEST <= version < FIRST_UNKNOWN:
            raise NoNativeTransport(f"{Path(path).name} is of version {version:#x}, which was not tried")
        _loaded = True
    return _api.version()


cdef const Api* api() except NULL:
    """The functions; loads the library the first time."""
    if not _loaded:
        load()
    return &_api


cdef void* _symbol(void* handle, bytes name) except NULL:
    cdef void* found = dlsym(handle, b"rd_kafka_" + name)
    if found == NULL:
        raise NoNativeTransport(f"librdkafka has no function rd_kafka_{name.decode()}")
    return found


cdef int _bind(void* handle) except -1:
    cdef void** place = <void**> &_api
    for name in _NAMES:
        place[0] = _symbol(handle, name)
        place += 1
    if <char*> place != <char*> &_api + sizeof(Api):
        raise NoNativeTransport("the table of functions and the list of their names differ")
    return 0


# In the order of ``Api``.
_NAMES = b"""
    version err2str conf_new conf_destroy conf_set conf_set_events conf_set_opaque conf_set_rebalance_cb
    new destroy destroy_flags mem_malloc fatal_error
    error_code error_string error_is_fatal error_is_retriable error_txn_requires_abort error_destroy
    topic_new topic_destroy topic_name produceva produce_batch
    headers_new headers_destroy header_add message_headers header_get_all
    message_timestamp message_errstr message_destroy
    init_transactions begin_transaction send_offsets_to_transaction commit_transaction abort_transaction flush
    queue_get_main queue_get_consumer queue_destroy queue_poll queue_io_event_enable event_type event_message_next event_destroy
    topic_partition_list_new topic_partition_list_destroy topic_partition_list_add
    poll_set_consumer consume_batch_queue subscribe unsubscribe incremental_assign incremental_unassign
    assignment pause_partitions resume_partitions seek_partitions committed consumer_close
    consumer_group_metadata consumer_group_metadata_write consumer_group_metadata_read
    consumer_group_metadata_destroy mem_free get_watermark_offsets
""".split()


cdef Client* new_client(int kind, settings, RebalanceCallback rebalance, void* opaque) except NULL:
    """A producer or consumer with these settings; its values are never part of an error."""
    cdef const Api* kafka = api()
    cdef Conf* conf = kafka.conf_new()
    cdef char text[TEXT_ROOM]
    cdef Client* client
    for name, value in settings.items():
        if not isinstance(value, (str, int, float)):
            kafka.conf_destroy(conf)
            raise NoNativeTransport(f"setting {name} is no plain value")
        plain = str(value).lower() if isinstance(value, bool) else str(value)
        if kafka.conf_set(conf, name.encode(), plain.encode(), text, TEXT_ROOM) != 0:
            kafka.conf_destroy(conf)
            raise KafkaException(KafkaError(KafkaError._INVALID_ARG, f"setting {name} is refused"))
    if kind == PRODUCER:
        kafka.conf_set_events(conf, EVENT_DELIVERY)
    else:
        kafka.conf_set_rebalance_cb(conf, rebalance)
        kafka.conf_set_opaque(conf, opaque)
    with nogil:
        client = kafka.new_handle(kind, conf, text, TEXT_ROOM)
    if client == NULL:
        kafka.conf_destroy(conf)
        raise KafkaException(KafkaError(KafkaError._FAIL, text.decode("utf-8", "replace")))
    return client


cdef object taken(Error* error):
    """The exception of an error object, which is given up."""
    cdef const Api* kafka = &_api
    told = KafkaError(
        kafka.error_code(error),
        (<bytes> kafka.error_string(error)).decode("utf-8", "replace"),
        bool(kafka.error_is_fatal(error)),
        bool(kafka.error_is_retriable(error)),
        bool(kafka.error_txn_requires_abort(error)),
    )
    kafka.error_destroy(error)
    return KafkaException(told)


cdef int check(Error* error) except -1:
    """Raise what a call returned, if it returned something."""
    if error != NULL:
        raise taken(error)
    return 0


cdef object from_code(int code):
    """The exception of a bare error code."""
    return KafkaException(KafkaError(code))


cdef int milliseconds(double seconds) noexcept:
    """As the library wants it."""
    return <int> (seconds * 1000)


cdef object part_of(Place* place):
    """A partition as confluent-kafka's ``TopicPartition``, with its error if it has one."""
    cdef bytes raw = b""
    if place.metadata != NULL:
        raw = PyBytes_FromStringAndSize(<char*> place.metadata, place.metadata_size)
    text = raw.decode("utf-8", "replace").rstrip("\0")
    found = TopicPartition((<bytes> place.topic).decode(), place.partition, place.offset, metadata=text)
    return found if place.err == 0 else FailedPart(found, KafkaError(place.err))


class FailedPart:
    """A partition of which Kafka tells an error instead of an offset."""

    def __init__(self, part, error):
        self.topic, self.partition, self.offset, self.metadata = part.topic, part.partition, part.offset, None
        self.error = error


cdef Py_ssize_t readable(const char* name) except -2:
    """The length of a header's name, or -1 if it is not UTF-8 or too long to be shown."""
    cdef Py_ssize_t length = 0
    cdef bint plain = True
    while name[length] != 0:
        plain = plain and (<unsigned char> name[length]) < 0x80
        length += 1
    if length > LONGEST_NAME:
        return -1
    if not plain:
        try:
            PyUnicode_DecodeUTF8(name, length, NULL)
        except UnicodeDecodeError:
            return -1
    return length


cdef unsigned char* put_header(
    unsigned char* at, const char* name, const void* value, Py_ssize_t value_length
) noexcept:
    """One header in the form of ``lanes.headers_form``; returns where the next one begins."""
    cdef Py_ssize_t name_length = 0
    while name[name_length] != 0:
        name_length += 1
    at[0], at[1] = (name_length >> 8) & 0xFF, name_length & 0xFF
    memcpy(at + 2, name, name_length)
    at += 2 + name_length
    at[0], at[1] = (value_length >> 24) & 0xFF, (value_length >> 16) & 0xFF
    at[2], at[3] = (value_length >> 8) & 0xFF, value_length & 0xFF
    if value_length:
        memcpy(at + 4, value, value_length)
    return at + 4 + value_length
