/*
 * The load generator: one thread, C connections with M calls in flight each, as fast as the server
 * answers. Bodies are framed beforehand, one a slot; for each call the digits of the id (and of the
 * SKU) are overwritten in place, so every call is new. It counts grpc-status, and afterwards looks
 * at the effect: what the stock says must be what the answers said, SKU by SKU.
 *
 *   load waybill HOST:PORT [options]     Reserve, or GetStock with --get
 *   load peer    HOST:PORT [options]     Reserve of the rival (its effect is checked in its Redis)
 *
 * With --allocate it is Allocate of one piece, by either; the SKUs must lie in warehouses, and the
 * effect is checked in the database.
 *
 * Ends with 1 if any effect differs or the connection is lost.
 */
#include "tests/load/histogram.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    skus = 10000,
    hot_sku = 0,
    body_bytes_max = 160,
    answer_bytes_max = 4096,
    output_bytes_max = 1 << 20,
    input_bytes = 1 << 16,
    connections_max = 1024,
};

/* What is being done to the server; the phases follow one another. */
enum phase { PHASE_RECEIVE, PHASE_BEFORE, PHASE_WARM_UP, PHASE_LOAD, PHASE_AFTER, PHASE_VERIFY };

struct connection;

/* One call in flight. */
struct slot {
    struct connection *connection;
    char body[body_bytes_max];
    size_t body_size;
    size_t body_sent;
    unsigned sku;
    uint64_t began_ns;
    int status; /* -1 = no trailer seen */
    size_t answer_size;
    unsigned char answer[answer_bytes_max];
};

struct connection {
    int socket;
    nghttp2_session *session;
    struct slot *slots;
    char *output;
    size_t output_size;
    size_t output_sent;
};

struct load {
    bool is_peer;
    bool is_get;
    bool is_allocate;
    unsigned connections;
    unsigned streams;
    double seconds;
    double warm_up_seconds;
    unsigned hot_every; /* each so-manieth call goes to the hot SKU; 0 = none */
    bool json;
    struct sockaddr_in address;
    char authority[64];
    struct connection *all;
    enum phase phase;
    const char *path;
    uint64_t next; /* of the phase's calls, or the next id */
    uint64_t last; /* where the phase ends; UINT64_MAX = by time */
    bool stopping; /* no further calls in this phase */
    unsigned in_flight;
    char run[16]; /* makes ids unique among runs */
    uint64_t seed;
    uint64_t by_status[17];
    uint64_t other_status;
    uint64_t ok_by_sku[skus];
    int64_t reserved_before[skus];
    uint64_t differences;
    uint64_t mismatches;
    uint64_t entries;
    uint64_t measured_ok;
    double measured_seconds;
    struct histogram latencies;
};

static struct load load = {
    .connections = 8,
    .streams = 16,
    .seconds = 5,
    .warm_up_seconds = 1,
    .hot_every = 10,
};

static uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static _Noreturn void give_up(const char *what, const char *why)
{
    fprintf(stderr, "load: %s: %s\n", what, why);
    exit(1);
}

/* --- bodies --- */

static void put_digits(char *end, uint64_t number, unsigned count)
{
    while (count-- > 0) {
        *--end = (char)('0' + number % 10);
        number /= 10;
    }
}

static size_t put_text(char *at, unsigned field, const char *text)
{
    size_t size = strlen(text);
    at[0] = (char)(field << 3 | 2);
    at[1] = (char)size;
    memcpy(at + 2, text, size);
    return 2 + size;
}

static size_t put_bytes(char *at, const char *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return size;
}

/* What an allocation says besides: where to, 50 degrees north; ours by the rival's own strategy. */
static const char waybill_place[] = "\x22\x08\x52\x06\x08\x80\xca\xb5\xee\x01" /* destination */
                                    "\x30\x01";                                /* PRIORITY */
static const char peer_place[] = "\x19\0\0\0\0\0\0\x49\x40";                   /* lat */

static void frame(struct slot *slot, size_t size)
{
    memset(slot->body, 0, 5);
    slot->body[4] = (char)size;
    slot->body_size = 5 + size;
}

/* SKU-%012u, as the rival names them; the digits end at the same place in every body of a kind. */
static void sku_name(unsigned sku, char out[17])
{
    snprintf(out, 17, "SKU-%012u", sku);
}

static unsigned next_random(void)
{
    load.seed ^= load.seed << 13;
    load.seed ^= load.seed >> 7;
    load.seed ^= load.seed << 17;
    return (unsigned)(load.seed >> 33);
}

static unsigned choose_sku(uint64_t number)
{
    if (load.hot_every != 0 && number % load.hot_every == 0)
        return hot_sku;
    return next_random() % skus;
}

/* Writes the whole body once; later calls of the same phase only change digits. */
static void write_body(struct slot *slot, uint64_t number)
{
    char name[17];
    char id[40];
    char line[32];
    char *at = slot->body + 5;
    sku_name(slot->sku, name);
    snprintf(id, sizeof id, "%s-%012llu", load.run, (unsigned long long)number);
    if (load.phase == PHASE_VERIFY) {
        frame(slot, 0);
    } else if (load.phase == PHASE_RECEIVE) {
        snprintf(id, sizeof id, "load-%u", slot->sku);
        at += put_text(at, 1, id);
        at += put_text(at, 2, name);
        memcpy(at, "\x18\x80\x94\xeb\xdc\x03", 6); /* quantity 10^9 */
        frame(slot, (size_t)(at + 6 - slot->body - 5));
    } else if (load.phase == PHASE_BEFORE || load.phase == PHASE_AFTER || load.is_get) {
        at += put_text(at, 1, name);
        frame(slot, (size_t)(at - slot->body - 5));
    } else if (load.is_peer) {
        at += put_text(at, 1, name);
        memcpy(at, "\x10\x01", 2); /* quantity 1 */
        at += 2;
        at += load.is_allocate ? put_bytes(at, peer_place, sizeof peer_place - 1)
                               : put_text(at, 3, id);
        frame(slot, (size_t)(at - slot->body - 5));
    } else {
        size_t size = put_text(line, 1, name);
        memcpy(line + size, "\x10\x01", 2);
        at += put_text(at, 1, id);
        *at++ = (char)((load.is_allocate ? 5 : 4) << 3 | 2);
        *at++ = (char)(size + 2);
        at += put_bytes(at, line, size + 2);
        if (load.is_allocate)
            at += put_bytes(at, waybill_place, sizeof waybill_place - 1);
        frame(slot, (size_t)(at - slot->body - 5));
    }
}

/* Overwrites the digits of SKU and id where write_body has put them. */
static void change_digits(struct slot *slot, uint64_t number)
{
    size_t run_size = strlen(load.run);
    char *body = slot->body + 5;
    if (load.is_get) {
        put_digits(body + 2 + 16, slot->sku, 12);
    } else if (load.is_peer) {
        put_digits(body + 2 + 16, slot->sku, 12);
        if (!load.is_allocate)
            put_digits(body + 18 + 2 + 2 + run_size + 13, number, 12);
    } else {
        put_digits(body + 2 + run_size + 13, number, 12);
        put_digits(body + 2 + run_size + 13 + 2 + 2 + 16, slot->sku, 12);
    }
}

/* --- calls --- */

static ssize_t read_body(nghttp2_session *session, int32_t stream_id, uint8_t *out, size_t room,
                         uint32_t *flags, nghttp2_data_source *source, void *context)
{
    struct slot *slot = source->ptr;
    size_t left = slot->body_size - slot->body_sent;
    size_t part = left < room ? left : room;
    (void)session;
    (void)stream_id;
    (void)context;
    memcpy(out, slot->body + slot->body_sent, part);
    slot->body_sent += part;
    if (part == left)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)part;
}

#define HEADER(name, value, size)                                                                  \
    {                                                                                              \
        (uint8_t *)(name), (uint8_t *)(value), sizeof(name) - 1, size,                             \
            NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE                           \
    }

static void submit(struct slot *slot)
{
    nghttp2_nv headers[] = {
        HEADER(":method", "POST", 4),
        HEADER(":scheme", "http", 4),
        HEADER(":path", load.path, strlen(load.path)),
        HEADER(":authority", load.authority, strlen(load.authority)),
        HEADER("content-type", "application/grpc", 16),
        HEADER("te", "trailers", 8),
    };
    nghttp2_data_provider body = {.source.ptr = slot, .read_callback = read_body};
    slot->body_sent = 0;
    slot->status = -1;
    slot->answer_size = 0;
    slot->began_ns = now_ns();
    load.in_flight++;
    if (nghttp2_submit_request(slot->connection->session, NULL, headers, 6, &body, slot) < 0)
        give_up("submit", "no more streams");
}

static bool is_fresh(const struct slot *slot)
{
    return slot->body_size == 0;
}

/* Starts the phase's next call on the slot, if there is one. */
static void start_next(struct slot *slot)
{
    if (load.stopping || load.next == load.last)
        return;
    uint64_t number = load.next++;
    bool measured = load.phase == PHASE_WARM_UP || load.phase == PHASE_LOAD;
    slot->sku = measured ? choose_sku(number) : (unsigned)(number % skus);
    if (measured && !is_fresh(slot))
        change_digits(slot, number);
    else
        write_body(slot, number);
    submit(slot);
}

/* A varint field of a message; 0 if it is not there. Fields that are messages are passed over. */
static int64_t read_field(const unsigned char *at, const unsigned char *end, unsigned wanted,
                          const unsigned char **inside, size_t *inside_size)
{
    while (at < end) {
        uint64_t values[2] = {0, 0};
        for (int i = 0; i < 2; i++) {
            for (unsigned shift = 0; at < end; shift += 7) {
                unsigned char byte = *at++;
                values[i] |= (uint64_t)(byte & 0x7F) << shift;
                if (byte < 0x80)
                    break;
            }
        }
        bool is_bytes = (values[0] & 7) == 2;
        if (values[0] >> 3 == wanted) {
            if (is_bytes && inside != NULL) {
                *inside = at;
                *inside_size = (size_t)values[1];
            }
            return (int64_t)values[1];
        }
        if (is_bytes)
            at += values[1];
    }
    return 0;
}

/* Stock.reserved of a GetStockResponse. */
static int64_t reserved_of(const struct slot *slot)
{
    const unsigned char *stock = slot->answer + 5;
    size_t size = 0;
    read_field(slot->answer + 5, slot->answer + slot->answer_size, 1, &stock, &size);
    return read_field(stock, stock + size, 3, NULL, NULL);
}

static void check_effect(const struct slot *slot)
{
    int64_t grown = reserved_of(slot) - load.reserved_before[slot->sku];
    if (grown == (int64_t)load.ok_by_sku[slot->sku])
        return;
    if (load.differences++ < 5)
        fprintf(stderr, "load: SKU %u: %lld more are reserved, %llu were answered\n", slot->sku,
                (long long)grown, (unsigned long long)load.ok_by_sku[slot->sku]);
}

static void finished(struct slot *slot)
{
    load.in_flight--;
    switch (load.phase) {
    case PHASE_WARM_UP:
    case PHASE_LOAD:
        if (slot->status == 0)
            load.ok_by_sku[slot->sku]++;
        if (load.phase == PHASE_LOAD) {
            histogram_add(&load.latencies, now_ns() - slot->began_ns);
            if (slot->status >= 0 && slot->status <= 16)
                load.by_status[slot->status]++;
            else
                load.other_status++;
        }
        break;
    case PHASE_RECEIVE:
        if (slot->status != 0)
            give_up("receive", "ReceiveStock was refused");
        break;
    case PHASE_BEFORE:
        load.reserved_before[slot->sku] = reserved_of(slot);
        break;
    case PHASE_AFTER:
        check_effect(slot);
        break;
    case PHASE_VERIFY:
        load.entries =
            (uint64_t)read_field(slot->answer + 5, slot->answer + slot->answer_size, 1, NULL, NULL);
        load.mismatches =
            slot->status != 0 ||
            read_field(slot->answer + 5, slot->answer + slot->answer_size, 4, NULL, NULL) != 0;
        break;
    }
    start_next(slot);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *header, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                     void *context)
{
    (void)flags;
    (void)context;
    if (name_size != 11 || memcmp(name, "grpc-status", 11) != 0)
        return 0;
    struct slot *slot = nghttp2_session_get_stream_user_data(session, header->hd.stream_id);
    if (slot != NULL)
        slot->status = value_size == 1   ? value[0] - '0'
                       : value_size == 2 ? (value[0] - '0') * 10 + value[1] - '0'
                                         : -1;
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *data,
                   size_t size, void *context)
{
    (void)flags;
    (void)context;
    if (load.phase == PHASE_LOAD || load.phase == PHASE_WARM_UP)
        return 0;
    struct slot *slot = nghttp2_session_get_stream_user_data(session, stream_id);
    size_t room = answer_bytes_max - slot->answer_size;
    size_t part = size < room ? size : room;
    memcpy(slot->answer + slot->answer_size, data, part);
    slot->answer_size += part;
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t code,
                           void *context)
{
    struct slot *slot = nghttp2_session_get_stream_user_data(session, stream_id);
    (void)code;
    (void)context;
    if (slot != NULL)
        finished(slot);
    return 0;
}

/* --- connections --- */

static void open_connection(struct connection *connection)
{
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20}};
    nghttp2_session_callbacks *callbacks;
    int on = 1;
    connection->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(connection->socket, (struct sockaddr *)&load.address, sizeof load.address) != 0)
        give_up("connect", strerror(errno));
    setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(connection->socket, F_SETFL, O_NONBLOCK);
    connection->output = malloc(output_bytes_max);
    connection->slots = calloc(load.streams, sizeof *connection->slots);
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    if (connection->output == NULL || connection->slots == NULL ||
        nghttp2_session_client_new(&connection->session, callbacks, connection) != 0)
        give_up("connection", "out of memory");
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, settings, 1);
    nghttp2_session_set_local_window_size(connection->session, NGHTTP2_FLAG_NONE, 0, 1 << 24);
    for (unsigned i = 0; i < load.streams; i++)
        connection->slots[i].connection = connection;
}

static void receive(struct connection *connection)
{
    static uint8_t input[input_bytes];
    ssize_t size = recv(connection->socket, input, sizeof input, 0);
    if (size == 0 || (size < 0 && errno != EAGAIN))
        give_up("connection lost", size == 0 ? "closed by the server" : strerror(errno));
    if (size > 0 && nghttp2_session_mem_recv(connection->session, input, (size_t)size) < 0)
        give_up("connection", "the server does not speak HTTP/2");
}

static void transmit(struct connection *connection)
{
    for (;;) {
        while (connection->output_size < output_bytes_max / 2) {
            const uint8_t *data;
            ssize_t size = nghttp2_session_mem_send(connection->session, &data);
            if (size < 0)
                give_up("connection", nghttp2_strerror((int)size));
            if (size == 0)
                break;
            memcpy(connection->output + connection->output_size, data, (size_t)size);
            connection->output_size += (size_t)size;
        }
        if (connection->output_sent == connection->output_size)
            break;
        ssize_t sent = send(connection->socket, connection->output + connection->output_sent,
                            connection->output_size - connection->output_sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN)
            return;
        if (sent < 0)
            give_up("connection lost", strerror(errno));
        connection->output_sent += (size_t)sent;
        if (connection->output_sent == connection->output_size) {
            connection->output_sent = 0;
            connection->output_size = 0;
        }
    }
}

/* --- phases --- */

/* Runs until the phase's calls are done, or its time is over and what is in flight has come back.
 */
static void run_phase(enum phase phase, const char *path, uint64_t calls, double seconds)
{
    struct pollfd polls[connections_max];
    uint64_t until_ns = now_ns() + (uint64_t)(seconds * 1e9);
    load.phase = phase;
    load.path = path;
    load.stopping = false;
    load.last = calls == 0 ? UINT64_MAX : load.next + calls;
    for (unsigned i = 0; i < load.connections; i++) {
        for (unsigned j = 0; j < load.streams; j++) {
            load.all[i].slots[j].body_size = 0;
            start_next(&load.all[i].slots[j]);
        }
        transmit(&load.all[i]);
    }
    while (load.in_flight > 0) {
        for (unsigned i = 0; i < load.connections; i++) {
            bool blocked = load.all[i].output_size > load.all[i].output_sent;
            polls[i] = (struct pollfd){.fd = load.all[i].socket,
                                       .events = (short)(POLLIN | (blocked ? POLLOUT : 0))};
        }
        if (poll(polls, load.connections, 1000) < 0)
            give_up("poll", strerror(errno));
        for (unsigned i = 0; i < load.connections; i++) {
            if (polls[i].revents & (POLLIN | POLLHUP | POLLERR))
                receive(&load.all[i]);
            if (polls[i].revents)
                transmit(&load.all[i]);
        }
        if (calls == 0 && !load.stopping && now_ns() >= until_ns)
            load.stopping = true;
    }
}

static void measure(const char *path)
{
    run_phase(PHASE_WARM_UP, path, 0, load.warm_up_seconds);
    uint64_t began_ns = now_ns();
    run_phase(PHASE_LOAD, path, 0, load.seconds);
    load.measured_seconds = (double)(now_ns() - began_ns) / 1e9;
}

static void run_all(void)
{
    const char *reserve = load.is_peer ? "/logistics.v1.InventoryService/Reserve"
                                       : "/waybill.inventory.v1.InventoryService/Reserve";
    const char *get = "/waybill.inventory.v1.InventoryService/GetStock";
    if (load.is_allocate) {
        measure(load.is_peer ? "/logistics.v1.WarehouseService/Allocate"
                             : "/waybill.warehouse.v1.WarehouseService/Allocate");
        return;
    }
    if (!load.is_peer) {
        run_phase(PHASE_RECEIVE, "/waybill.inventory.v1.InventoryService/ReceiveStock", skus, 0);
        run_phase(PHASE_BEFORE, get, skus, 0);
    }
    measure(load.is_get ? get : reserve);
    if (load.is_peer || load.is_get)
        return;
    run_phase(PHASE_AFTER, get, skus, 0);
    run_phase(PHASE_VERIFY, "/waybill.inventory.v1.InventoryService/VerifyLedger", 1, 0);
}

static void print_result(void)
{
    uint64_t all = load.latencies.total;
    double rate = (double)load.by_status[0] / load.measured_seconds;
    double p50 = (double)histogram_at(&load.latencies, 0.50) / 1e6;
    double p99 = (double)histogram_at(&load.latencies, 0.99) / 1e6;
    double largest = (double)load.latencies.largest / 1e6;
    const char *what = load.is_allocate ? "Allocate" : load.is_get ? "GetStock" : "Reserve";
    bool checked = !load.is_peer && !load.is_get && !load.is_allocate;
    uint64_t granted = 0; /* warm-up too: what the store must show */
    for (unsigned i = 0; i < skus; i++)
        granted += load.ok_by_sku[i];
    if (load.json) {
        printf(
            "{\"method\":\"%s\",\"connections\":%u,\"streams\":%u,\"seconds\":%.3f,\"calls\":%llu,"
            "\"ok\":%llu,\"perSecond\":%.0f,\"p50Ms\":%.3f,\"p99Ms\":%.3f,\"maxMs\":%.3f,"
            "\"granted\":%llu,\"effectChecked\":%s,\"differences\":%llu,\"mismatches\":%llu}\n",
            what, load.connections, load.streams, load.measured_seconds, (unsigned long long)all,
            (unsigned long long)load.by_status[0], rate, p50, p99, largest,
            (unsigned long long)granted, checked ? "true" : "false",
            (unsigned long long)load.differences, (unsigned long long)load.mismatches);
        return;
    }
    printf("%s %u x %u: %.1f thousand/s, p50 %.3f ms, p99 %.3f ms, max %.1f ms", what,
           load.connections, load.streams, rate / 1000, p50, p99, largest);
    for (int i = 1; i <= 16; i++) {
        if (load.by_status[i] > 0)
            printf(", status %d: %llu", i, (unsigned long long)load.by_status[i]);
    }
    if (load.other_status > 0)
        printf(", without status: %llu", (unsigned long long)load.other_status);
    if (checked)
        printf("; effect of %d SKUs: %llu differ; ledger of %llu entries: %s", (int)skus,
               (unsigned long long)load.differences, (unsigned long long)load.entries,
               load.mismatches ? "MISMATCHES" : "0 mismatches");
    printf("\n");
}

/* --- the command line --- */

static _Noreturn void usage(void)
{
    fprintf(stderr,
            "usage: load waybill|peer HOST:PORT [--connections C] [--streams M] [--seconds S]\n"
            "            [--warm-up S] [--hot N] [--get | --allocate] [--json]\n"
            "  --hot N  each N-th call goes to one hot SKU (10; 0 = none)\n"
            "  --get    GetStock instead of Reserve (waybill only)\n"
            "  --allocate   Allocate instead of Reserve\n");
    exit(2);
}

static void read_address(const char *text)
{
    char host[64];
    const char *colon = strrchr(text, ':');
    if (colon == NULL || (size_t)(colon - text) >= sizeof host)
        usage();
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    load.address.sin_family = AF_INET;
    load.address.sin_port = htons((uint16_t)atoi(colon + 1));
    if (inet_pton(AF_INET, host, &load.address.sin_addr) != 1)
        usage();
    snprintf(load.authority, sizeof load.authority, "%s", text);
}

static void read_arguments(int argc, char **argv)
{
    if (argc < 3 || (strcmp(argv[1], "waybill") != 0 && strcmp(argv[1], "peer") != 0))
        usage();
    load.is_peer = strcmp(argv[1], "peer") == 0;
    read_address(argv[2]);
    for (int i = 3; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--json") == 0) {
            load.json = true;
            continue;
        }
        if (strcmp(argv[i], "--allocate") == 0) {
            load.is_allocate = true;
            continue;
        }
        if (strcmp(argv[i], "--get") == 0) {
            load.is_get = true;
            continue;
        }
        if (strcmp(argv[i], "--connections") == 0)
            load.connections = (unsigned)atoi(value);
        else if (strcmp(argv[i], "--streams") == 0)
            load.streams = (unsigned)atoi(value);
        else if (strcmp(argv[i], "--seconds") == 0)
            load.seconds = atof(value);
        else if (strcmp(argv[i], "--warm-up") == 0)
            load.warm_up_seconds = atof(value);
        else if (strcmp(argv[i], "--hot") == 0)
            load.hot_every = (unsigned)atoi(value);
        else
            usage();
        i++;
    }
    if (load.connections == 0 || load.connections > connections_max || load.streams == 0)
        usage();
}

int main(int argc, char **argv)
{
    read_arguments(argc, argv);
    load.seed = now_ns() | 1;
    snprintf(load.run, sizeof load.run, "L%08x", next_random());
    load.all = calloc(load.connections, sizeof *load.all);
    if (load.all == NULL)
        give_up("start", "out of memory");
    for (unsigned i = 0; i < load.connections; i++)
        open_connection(&load.all[i]);
    run_all();
    print_result();
    return load.differences > 0 || load.mismatches > 0;
}
