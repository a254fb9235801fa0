/*
 * How long it takes until the last of many watchers has one event: N calls of WatchTracking of one
 * order over C connections, then events of a parcel of that order, one at a time; from the sending
 * of RecordEvent, durable before anybody hears of it, to the last watcher's message.
 *
 *   tracking_watch_load HOST:PORT [--watchers N] [--connections C] [--events E]
 *
 * The process that watches shares the cores with the server. A watcher that misses an event or is
 * ended ends it with 1.
 */
#include "tests/load/load_peer.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { connections_max = 256, body_bytes_max = 256, order_digits = 16, wait_ms_max = 60000 };

/* One message to send, read by nghttp2 as a call's body. */
struct body {
    char bytes[body_bytes_max];
    size_t size;
};

static struct {
    struct load_peer peers[connections_max]; /* the first one also records */
    unsigned connections;
    struct body watch;
    unsigned opened;  /* watchers whose headers came */
    unsigned heard;   /* watchers that have this event */
    bool is_recorded; /* the last unary call has ended */
} load;

static size_t put_text(char *at, unsigned field, const char *text)
{
    size_t size = strlen(text);
    at[0] = (char)(field << 3 | 2);
    at[1] = (char)size;
    memcpy(at + 2, text, size);
    return size + 2;
}

static void finish_body(struct body *body, size_t message)
{
    body->bytes[0] = 0;
    memset(body->bytes + 1, 0, 2);
    body->bytes[3] = (char)(message >> 8);
    body->bytes[4] = (char)message;
    body->size = 5 + message;
}

static ssize_t read_body(nghttp2_session *session, int32_t stream, uint8_t *out, size_t room,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    const struct body *body = source->ptr;
    (void)session;
    (void)stream;
    (void)user;
    if (room < body->size)
        load_give_up("a body", "does not fit a frame");
    memcpy(out, body->bytes, body->size);
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)body->size;
}

/* Odd and even by user data of the stream: NULL = a watcher, else a unary call. */
static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)user;
    bool is_unary = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id) != NULL;
    bool is_of_a_call = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    bool is_end = is_of_a_call && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame->hd.type == NGHTTP2_HEADERS && !is_unary && !is_end)
        load.opened++;
    if (frame->hd.type == NGHTTP2_DATA && !is_unary)
        load.heard++; /* a message is one frame */
    if (is_end && !is_unary)
        load_give_up("a watcher", "was ended");
    if (is_end && is_unary)
        load.is_recorded = true;
    return 0;
}

/* Why a call ended, should it be a watcher's. */
static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                     void *user)
{
    (void)session;
    (void)frame;
    (void)flags;
    (void)user;
    if (name_size == strlen("grpc-message") && memcmp(name, "grpc-message", name_size) == 0)
        fprintf(stderr, "%.*s\n", (int)value_size, (const char *)value);
    return 0;
}

static void turn(void)
{
    struct pollfd wanted[connections_max];
    for (unsigned i = 0; i < load.connections; i++) {
        load_peer_write(&load.peers[i]);
        wanted[i] = (struct pollfd){.fd = load.peers[i].socket, .events = POLLIN};
        if (nghttp2_session_want_write(load.peers[i].session))
            wanted[i].events |= POLLOUT;
    }
    if (poll(wanted, load.connections, wait_ms_max) == 0)
        load_give_up("waiting", "nothing came for a minute");
    for (unsigned i = 0; i < load.connections; i++) {
        if ((wanted[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
            load_peer_read(&load.peers[i]);
    }
}

static void call_unary(const char *method, const char *authority, struct body *body)
{
    char path[128];
    nghttp2_data_provider provider = {.source.ptr = body, .read_callback = read_body};
    snprintf(path, sizeof path, "/waybill.tracking.v1.TrackingService/%s", method);
    int32_t stream = load_peer_call(&load.peers[0], path, authority, &provider);
    nghttp2_session_set_stream_user_data(load.peers[0].session, stream, body);
    load.is_recorded = false;
}

static void make_event(struct body *body, const char *number, unsigned event)
{
    char id[16];
    char *at = body->bytes + 5 + 2; /* RecordEventRequest{event} */
    snprintf(id, sizeof id, "e%u", event);
    size_t size = put_text(at, 1, id);
    size += put_text(at + size, 2, "ups");
    size += put_text(at + size, 3, number);
    at[size++] = 4 << 3;
    at[size++] = 3;                                           /* IN_TRANSIT */
    memcpy(at + size, "\x2A\x06\x08\x80\xA8\xA7\xDA\x06", 8); /* Timestamp{1800000000} */
    size += 8;
    size += put_text(at + size, 13, "load");
    body->bytes[5] = 1 << 3 | 2;
    body->bytes[6] = (char)size;
    finish_body(body, size + 2);
}

static unsigned number_of(int count, char **arguments, const char *name, unsigned otherwise)
{
    for (int i = 2; i + 1 < count; i++) {
        if (strcmp(arguments[i], name) == 0)
            return (unsigned)strtoul(arguments[i + 1], NULL, 10);
    }
    return otherwise;
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static void open_all(const char *server, unsigned watchers, const char *order)
{
    struct sockaddr_in address = load_address(server);
    nghttp2_session_callbacks *callbacks;
    nghttp2_data_provider provider = {.source.ptr = &load.watch, .read_callback = read_body};
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    for (unsigned i = 0; i < load.connections; i++)
        load_peer_open(&load.peers[i], &address, callbacks, NULL);
    nghttp2_session_callbacks_del(callbacks);
    finish_body(&load.watch, put_text(load.watch.bytes + 5, 2, order));
    for (unsigned i = 0; i < watchers; i++)
        (void)load_peer_call(&load.peers[i % load.connections],
                             "/waybill.tracking.v1.TrackingService/WatchTracking", server,
                             &provider);
}

int main(int count, char **arguments)
{
    char order[order_digits + 8];
    char number[order_digits + 8];
    struct body creation = {.size = 0};
    struct body event = {.size = 0};
    if (count < 2)
        load_give_up("usage", "tracking_watch_load HOST:PORT [--watchers N] [--connections C] "
                              "[--events E]");
    unsigned watchers = number_of(count, arguments, "--watchers", 10000);
    unsigned events = number_of(count, arguments, "--events", 20);
    load.connections = number_of(count, arguments, "--connections", 100);
    uint64_t *taken_ns = calloc(events, sizeof *taken_ns);
    if (load.connections == 0 || load.connections > connections_max || events == 0 ||
        taken_ns == NULL)
        load_give_up("arguments", "at most 256 connections, at least one event");
    unsigned run = (unsigned)(load_now_ns() / 1000000);
    snprintf(order, sizeof order, "o%u", run);
    snprintf(number, sizeof number, "1Z%u", run);
    uint64_t began_ns = load_now_ns();
    open_all(arguments[1], watchers, order);
    size_t size = put_text(creation.bytes + 5, 1, "ups");
    size += put_text(creation.bytes + 5 + size, 2, number);
    size += put_text(creation.bytes + 5 + size, 4, order);
    finish_body(&creation, size);
    while (load.opened < watchers)
        turn();
    printf("%u watchers over %u connections in %.2f s\n", watchers, load.connections,
           (double)(load_now_ns() - began_ns) / 1e9);
    call_unary("CreateTracking", arguments[1], &creation);
    while (load.heard < watchers || !load.is_recorded)
        turn();
    for (unsigned i = 0; i < events; i++) {
        load.heard = 0;
        make_event(&event, number, i);
        uint64_t sent_ns = load_now_ns();
        call_unary("RecordEvent", arguments[1], &event);
        while (load.heard < watchers)
            turn();
        taken_ns[i] = load_now_ns() - sent_ns;
        while (!load.is_recorded)
            turn();
        if (load.heard != watchers)
            load_give_up("watchers", "heard of an event twice");
    }
    qsort(taken_ns, events, sizeof *taken_ns, compare);
    printf("one event to all of them: fastest %.1f ms, median %.1f ms, slowest %.1f ms of %u\n",
           (double)taken_ns[0] / 1e6, (double)taken_ns[events / 2] / 1e6,
           (double)taken_ns[events - 1] / 1e6, events);
    free(taken_ns);
    return 0;
}
