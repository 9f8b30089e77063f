/* Comparator (e), the limit: a copy loop on librdkafka, exactly once, with no processing at all.
 *
 * Usage: copy_loop PLAN. Each line of the plan is one word and its arguments, separated by tabs:
 *   consumer NAME VALUE   producer NAME VALUE   settings of librdkafka
 *   batch RECORDS         records per transaction at most
 *   ledger TOPIC BYTES    one such record per transaction and input partition
 *   input TOPIC
 *   copy TOPIC INPUT EVERY KEY_BYTES VALUE_BYTES PARTITIONS
 *   header NAME VALUE     of the copy before it
 * It ends on SIGTERM.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "rdkafka_few.h"

#define MOST 64
#define WAIT_MS 20000

struct copy {
    char topic[256];
    rd_kafka_topic_t *handle;
    int input;
    long every, seen;
    size_t key_bytes, value_bytes;
    int partitions;
    rd_kafka_headers_t *headers;
};

static struct copy copies[MOST];
static int copy_count;
static char inputs[MOST][256];
static int input_count;
static char ledger_topic[256];
static size_t ledger_bytes;
static int batch = 5000;
static volatile sig_atomic_t stopped;
static char padded[1 << 20];
static char block[1 << 20];

static void on_stop(int number) {
    (void)number;
    stopped = 1;
}

static void die(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static void must(rd_kafka_error_t *error, const char *what) {
    if (error) die(what, rd_kafka_error_string(error));
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value) {
    char why[512];
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) die(name, why);
}

static int input_of(const char *topic) {
    for (int number = 0; number < input_count; number++)
        if (!strcmp(inputs[number], topic)) return number;
    die("no such input", topic);
    return -1;
}

static void read_copy(char **word) {
    struct copy *copy = &copies[copy_count++];
    snprintf(copy->topic, sizeof copy->topic, "%s", word[1]);
    copy->input = input_of(word[2]);
    copy->every = atol(word[3]);
    copy->key_bytes = (size_t)atol(word[4]);
    copy->value_bytes = (size_t)atol(word[5]);
    copy->partitions = atoi(word[6]);
}

static void read_header(char **word) {
    struct copy *copy = &copies[copy_count - 1];
    if (!copy->headers) copy->headers = rd_kafka_headers_new(16);
    rd_kafka_header_add(copy->headers, word[1], -1, word[2], (ssize_t)strlen(word[2]));
}

static void read_line(char *line, rd_kafka_conf_t *consumer, rd_kafka_conf_t *producer) {
    char *word[8] = {0};
    line[strcspn(line, "\n")] = 0;
    for (int number = 0; number < 8 && line; number++) word[number] = strsep(&line, "\t");
    if (!word[0] || !*word[0]) return;
    if (!strcmp(word[0], "consumer")) set(consumer, word[1], word[2]);
    else if (!strcmp(word[0], "producer")) set(producer, word[1], word[2]);
    else if (!strcmp(word[0], "batch")) batch = atoi(word[1]);
    else if (!strcmp(word[0], "input")) snprintf(inputs[input_count++], sizeof inputs[0], "%s", word[1]);
    else if (!strcmp(word[0], "copy")) read_copy(word);
    else if (!strcmp(word[0], "header")) read_header(word);
    else if (!strcmp(word[0], "ledger")) {
        snprintf(ledger_topic, sizeof ledger_topic, "%s", word[1]);
        ledger_bytes = (size_t)atol(word[2]);
    } else die("unknown word in the plan", word[0]);
}

static void read_plan(const char *path, rd_kafka_conf_t *consumer, rd_kafka_conf_t *producer) {
    static char line[1 << 16];
    FILE *file = fopen(path, "r");
    if (!file) die("cannot open", path);
    while (fgets(line, sizeof line, file)) read_line(line, consumer, producer);
    fclose(file);
}

static void produce(rd_kafka_t *producer, rd_kafka_topic_t *topic, int partition, const void *key,
                    size_t key_size, const void *value, size_t value_size, const rd_kafka_headers_t *headers) {
    rd_kafka_vu_t part[6] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = partition},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)key, key_size}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)value, value_size}},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
    };
    size_t parts = 5;
    if (headers) {
        part[5].vtype = RD_KAFKA_VTYPE_HEADERS;
        part[5].u.headers = rd_kafka_headers_copy(headers);
        parts = 6;
    }
    for (;;) {
        rd_kafka_error_t *error = rd_kafka_produceva(producer, part, parts);
        if (!error) return;
        if (rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR__QUEUE_FULL) must(error, "produce");
        rd_kafka_error_destroy(error);
        rd_kafka_poll(producer, 50);
    }
}

static void copy_out(rd_kafka_t *producer, struct copy *copy, const rd_kafka_message_t *message) {
    if (++copy->seen % copy->every) return;
    const void *key = message->key_len >= copy->key_bytes ? message->key : message->payload;
    const void *value = message->payload;
    if (message->len < copy->value_bytes) {
        memcpy(padded, message->payload, message->len);
        value = padded;
    }
    produce(producer, copy->handle, message->partition % copy->partitions, key, copy->key_bytes, value,
            copy->value_bytes, copy->headers);
}

static void write_ledger(rd_kafka_t *producer, rd_kafka_topic_t *ledger, const rd_kafka_topic_partition_list_t *done) {
    for (int number = 0; number < done->cnt; number++) {
        char key[300];
        int length = snprintf(key, sizeof key, "%s|%d", done->elems[number].topic, done->elems[number].partition);
        produce(producer, ledger, 0, key, (size_t)length, block, ledger_bytes, NULL);
    }
}

static void copy_batch(rd_kafka_t *consumer, rd_kafka_t *producer, rd_kafka_topic_t *ledger,
                       rd_kafka_message_t **messages, ssize_t count) {
    static int64_t next[MOST][1024];
    rd_kafka_topic_partition_list_t *done = rd_kafka_topic_partition_list_new(16);
    must(rd_kafka_begin_transaction(producer), "begin");
    memset(next, 0, sizeof next);
    rd_kafka_topic_t *last = NULL;
    int input = 0;
    for (ssize_t number = 0; number < count; number++) {
        rd_kafka_message_t *message = messages[number];
        if (message->err) die("consume", rd_kafka_err2str(message->err));
        if (message->rkt != last) {
            last = message->rkt;
            input = input_of(rd_kafka_topic_name(last));
        }
        next[input][message->partition] = message->offset + 1;
        for (int each = 0; each < copy_count; each++)
            if (copies[each].input == input) copy_out(producer, &copies[each], message);
        if (number % 500 == 0) rd_kafka_poll(producer, 0);
    }
    for (int number = 0; number < input_count; number++)
        for (int partition = 0; partition < 1024; partition++)
            if (next[number][partition])
                rd_kafka_topic_partition_list_add(done, inputs[number], partition)->offset = next[number][partition];
    write_ledger(producer, ledger, done);
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata(consumer);
    must(rd_kafka_send_offsets_to_transaction(producer, done, group, WAIT_MS), "send offsets");
    must(rd_kafka_commit_transaction(producer, WAIT_MS), "commit");
    rd_kafka_consumer_group_metadata_destroy(group);
    rd_kafka_topic_partition_list_destroy(done);
}

static rd_kafka_t *client(rd_kafka_type_t type, rd_kafka_conf_t *conf) {
    char why[512];
    rd_kafka_t *made = rd_kafka_new(type, conf, why, sizeof why);
    if (!made) die("client", why);
    return made;
}

static void subscribe(rd_kafka_t *consumer) {
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(input_count);
    for (int number = 0; number < input_count; number++)
        rd_kafka_topic_partition_list_add(topics, inputs[number], -1);
    rd_kafka_poll_set_consumer(consumer);
    if (rd_kafka_subscribe(consumer, topics)) die("subscribe", "refused");
    rd_kafka_topic_partition_list_destroy(topics);
}

int main(int argc, char **argv) {
    if (argc != 2) die("usage", "copy_loop PLAN");
#ifdef __GLIBC__
    /* As the processors do it: librdkafka frees each header by itself, and fast bins are walked again and again. */
    mallopt(M_MXFAST, 0);
#endif
    rd_kafka_conf_t *consumer_conf = rd_kafka_conf_new(), *producer_conf = rd_kafka_conf_new();
    read_plan(argv[1], consumer_conf, producer_conf);
    signal(SIGTERM, on_stop);
    rd_kafka_t *producer = client(RD_KAFKA_PRODUCER, producer_conf);
    rd_kafka_t *consumer = client(RD_KAFKA_CONSUMER, consumer_conf);
    must(rd_kafka_init_transactions(producer, WAIT_MS), "init");
    for (int each = 0; each < copy_count; each++) copies[each].handle = rd_kafka_topic_new(producer, copies[each].topic, NULL);
    rd_kafka_topic_t *ledger = rd_kafka_topic_new(producer, ledger_topic, NULL);
    subscribe(consumer);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(consumer);
    rd_kafka_message_t **messages = calloc((size_t)batch, sizeof *messages);
    while (!stopped) {
        ssize_t count = rd_kafka_consume_batch_queue(queue, 50, messages, (size_t)batch);
        if (count > 0) copy_batch(consumer, producer, ledger, messages, count);
        for (ssize_t number = 0; number < count; number++) rd_kafka_message_destroy(messages[number]);
    }
    rd_kafka_consumer_close(consumer);
    return 0;
}
