# librdkafka's public C API as far as the data path needs it; found at run time in the client's own library.

from libc.stdint cimport int32_t, int64_t

ctypedef void Conf
ctypedef void Client
ctypedef void Topic
ctypedef void Queue
ctypedef void Event
ctypedef void Error
ctypedef void MessageHeaders
ctypedef void GroupMetadata

cdef struct Message:
    # rd_kafka_message_t
    int err
    Topic* topic
    int32_t partition
    void* payload
    size_t length
    void* key
    size_t key_length
    int64_t offset
    void* private

cdef struct Place:
    # rd_kafka_topic_partition_t
    char* topic
    int32_t partition
    int64_t offset
    void* metadata
    size_t metadata_size
    void* opaque
    int err
    void* private

cdef struct Places:
    # rd_kafka_topic_partition_list_t
    int count
    int room
    Place* items

cdef struct Memory:
    void* data
    size_t size

cdef union ArgumentValue:
    const char* text
    Topic* topic
    int number
    int32_t number32
    int64_t number64
    Memory memory
    MessageHeaders* headers
    char padding[64]

cdef struct Argument:
    # rd_kafka_vu_t
    int kind
    ArgumentValue value

cdef enum:
    END = 0
    OF_TOPIC = 2
    OF_PARTITION = 3
    OF_VALUE = 4
    OF_KEY = 5
    OF_FLAGS = 7
    OF_HEADERS = 10
    FLAG_COPY = 2
    FLAG_PARTITION = 8
    PRODUCER = 0
    CONSUMER = 1
    EVENT_DELIVERY = 1
    ERROR_ASSIGN = -175
    ERROR_REVOKE = -174
    ERROR_QUEUE_FULL = -184

ctypedef void (*RebalanceCallback)(Client*, int, Places*, void*) noexcept

cdef struct Api:
    int (*version)() noexcept nogil
    const char* (*err2str)(int) noexcept nogil
    Conf* (*conf_new)() noexcept nogil
    void (*conf_destroy)(Conf*) noexcept nogil
    int (*conf_set)(Conf*, const char*, const char*, char*, size_t) noexcept nogil
    void (*conf_set_events)(Conf*, int) noexcept nogil
    void (*conf_set_opaque)(Conf*, void*) noexcept nogil
    void (*conf_set_rebalance_cb)(Conf*, RebalanceCallback) noexcept nogil
    Client* (*new_handle)(int, Conf*, char*, size_t) noexcept nogil
    void (*destroy)(Client*) noexcept nogil
    void (*destroy_flags)(Client*, int) noexcept nogil
    void* (*mem_malloc)(Client*, size_t) noexcept nogil
    int (*fatal_error)(Client*, char*, size_t) noexcept nogil
    int (*error_code)(const Error*) noexcept nogil
    const char* (*error_string)(const Error*) noexcept nogil
    int (*error_is_fatal)(const Error*) noexcept nogil
    int (*error_is_retriable)(const Error*) noexcept nogil
    int (*error_txn_requires_abort)(const Error*) noexcept nogil
    void (*error_destroy)(Error*) noexcept nogil
    Topic* (*topic_new)(Client*, const char*, void*) noexcept nogil
    void (*topic_destroy)(Topic*) noexcept nogil
    const char* (*topic_name)(const Topic*) noexcept nogil
    Error* (*produceva)(Client*, const Argument*, size_t) noexcept nogil
    int (*produce_batch)(Topic*, int32_t, int, Message*, int) noexcept nogil
    MessageHeaders* (*headers_new)(size_t) noexcept nogil
    void (*headers_destroy)(MessageHeaders*) noexcept nogil
    int (*header_add)(MessageHeaders*, const char*, Py_ssize_t, const void*, Py_ssize_t) noexcept nogil
    int (*message_headers)(const Message*, MessageHeaders**) noexcept nogil
    int (*header_get_all)(const MessageHeaders*, size_t, const char**, const void**, size_t*) noexcept nogil
    int64_t (*message_timestamp)(const Message*, int*) noexcept nogil
    const char* (*message_errstr)(const Message*) noexcept nogil
    void (*message_destroy)(Message*) noexcept nogil
    Error* (*init_transactions)(Client*, int) noexcept nogil
    Error* (*begin_transaction)(Client*) noexcept nogil
    Error* (*send_offsets_to_transaction)(Client*, const Places*, const GroupMetadata*, int) noexcept nogil
    Error* (*commit_transaction)(Client*, int) noexcept nogil
    Error* (*abort_transaction)(Client*, int) noexcept nogil
    int (*flush)(Client*, int) noexcept nogil
    Queue* (*queue_get_main)(Client*) noexcept nogil
    Queue* (*queue_get_consumer)(Client*) noexcept nogil
    void (*queue_destroy)(Queue*) noexcept nogil
    Event* (*queue_poll)(Queue*, int) noexcept nogil
    void (*queue_io_event_enable)(Queue*, int, const void*, size_t) noexcept nogil
    int (*event_type)(const Event*) noexcept nogil
    const Message* (*event_message_next)(Event*) noexcept nogil
    void (*event_destroy)(Event*) noexcept nogil
    Places* (*places_new)(int) noexcept nogil
    void (*places_destroy)(Places*) noexcept nogil
    Place* (*places_add)(Places*, const char*, int32_t) noexcept nogil
    int (*poll_set_consumer)(Client*) noexcept nogil
    Py_ssize_t (*consume_batch_queue)(Queue*, int, Message**, size_t) noexcept nogil
    int (*subscribe)(Client*, const Places*) noexcept nogil
    int (*unsubscribe)(Client*) noexcept nogil
    Error* (*incremental_assign)(Client*, const Places*) noexcept nogil
    Error* (*incremental_unassign)(Client*, const Places*) noexcept nogil
    int (*assignment)(Client*, Places**) noexcept nogil
    int (*pause_partitions)(Client*, Places*) noexcept nogil
    int (*resume_partitions)(Client*, Places*) noexcept nogil
    Error* (*seek_partitions)(Client*, Places*, int) noexcept nogil
    int (*committed)(Client*, Places*, int) noexcept nogil
    int (*consumer_close)(Client*) noexcept nogil
    GroupMetadata* (*consumer_group_metadata)(Client*) noexcept nogil
    Error* (*consumer_group_metadata_write)(const GroupMetadata*, void**, size_t*) noexcept nogil
    Error* (*consumer_group_metadata_read)(GroupMetadata**, const void*, size_t) noexcept nogil
    void (*consumer_group_metadata_destroy)(GroupMetadata*) noexcept nogil
    void (*mem_free)(Client*, void*) noexcept nogil
    int (*get_watermark_offsets)(Client*, const char*, int32_t, int64_t*, int64_t*) noexcept nogil

cdef const Api* api() except NULL
cdef Client* new_client(int kind, settings, RebalanceCallback rebalance, void* opaque) except NULL
cdef object taken(Error* error)
cdef int check(Error* error) except -1
cdef object from_code(int code)
cdef int milliseconds(double seconds) noexcept
cdef object part_of(Place* place)
cdef Py_ssize_t readable(const char* name) except -2
cdef unsigned char* put_header(
    unsigned char* at, const char* name, const void* value, Py_ssize_t value_length
) noexcept
