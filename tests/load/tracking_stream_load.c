/*
 * How many events a second a running server takes by RecordEvents: the whole path, from HTTP/2 to
 * the synced log. One thread, C connections with one stream each, each with M events not yet
 * answered, as fast as the server answers. Events are copies of one message whose digits (id and
 * number) are overwritten, so the generator costs little of the two cores that it shares.
 *
 *   tracking_stream_load HOST:PORT [--connections C] [--window M] [--seconds S] [--per-parcel E]
 *
 * Parcels are chosen at random among 200,000; these move on, so that each gets about E events.
 * An answer that is no OK ends it with 1, as do answers that are missing at the end.
 */
#include "tests/load/histogram.h"
#include "tests/load/load_peer.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    connections_max = 64,
    window_max = 8192,
    message_bytes_max = 256,
    id_digits = 12,
    number_digits = 10,
    parcels_at_once = 200000,
};

struct connection {
    struct load_peer peer;
    int32_t stream;
    bool deferred; /* the window is full */
    unsigned in_flight;
    uint64_t sent_ns[window_max]; /* by the id's place in the window; ids of one stream go round */
    unsigned char answer[message_bytes_max];
    size_t answer_size;
    char message[message_bytes_max]; /* being sent */
    size_t message_at;
    size_t message_size; /* 0 = none */
};

static struct {
    struct connection all[connections_max];
    unsigned connections;
    unsigned window;
    double seconds;
    uint64_t per_parcel;
    uint64_t first;
    char template[message_bytes_max];
    size_t template_size;
    size_t id_at;
    size_t number_at;
    size_t time_at;
    uint64_t next;
    uint64_t answered;
    uint64_t random;
    uint64_t began_ns;
    uint64_t end_ns;
    bool stopping;
    struct histogram latencies;
} load = {.connections = 4, .window = 2048, .seconds = 10, .per_parcel = 10, .random = 1};

/* --- the message, made by hand: RecordEventsRequest{event{…}} --- */

static size_t put_text(char *at, unsigned field, const char *text)
{
    size_t size = strlen(text);
    at[0] = (char)(field << 3 | 2);
    at[1] = (char)size;
    memcpy(at + 2, text, size);
    return size + 2;
}

static void make_template(void)
{
    char event[message_bytes_max];
    size_t size = put_text(event, 1, "000000000000");
    load.id_at = 2;
    size += put_text(event + size, 2, "ups");
    load.number_at = size + 2 + 2;
    size += put_text(event + size, 3, "1Z0000000000");
    event[size++] = 4 << 3;
    event[size++] = 3; /* IN_TRANSIT */
    event[size++] = 5 << 3 | 2;
    event[size++] = 6;      /* Timestamp{seconds: 5 bytes of varint} */
    event[size++] = 1 << 3; /* 1,8xx,xxx,xxx: 31 bits */
    load.time_at = size;
    size += 5;
    size += put_text(event + size, 9, "Johannesburg");
    size += put_text(event + size, 10, "ZA");
    size += put_text(event + size, 11, "I/AR/010");
    size += put_text(event + size, 12, "Arrived at facility");
    size += put_text(event + size, 13, "ups-webhook");
    if (size > 127)
        load_give_up("template", "too long");
    load.template_size = 5 + 2 + size;
    load.template[3] = (char)((size + 2) >> 8);
    load.template[4] = (char)(size + 2);
    load.template[5] = 1 << 3 | 2;
    load.template[6] = (char)size;
    memcpy(load.template + 7, event, size);
    load.id_at += 7;
    load.number_at += 7;
    load.time_at += 7;
}

static void put_digits(char *at, unsigned count, uint64_t value)
{
    while (count-- > 0) {
        at[count] = (char)('0' + value % 10);
        value /= 10;
    }
}

static uint64_t next_random(void)
{
    load.random ^= load.random << 13;
    load.random ^= load.random >> 7;
    load.random ^= load.random << 17;
    return load.random;
}

/* The id's digits: the connection, then its own count, by which its place in the window is found.
 */
static void make_message(struct connection *connection)
{
    uint64_t sequence = load.next++;
    uint64_t seconds = 1800000000 + sequence / 10000;
    memcpy(connection->message, load.template, load.template_size);
    put_digits(connection->message + load.id_at, id_digits, sequence);
    put_digits(connection->message + load.number_at, number_digits,
               (sequence - load.first) / load.per_parcel + next_random() % parcels_at_once);
    for (unsigned i = 0; i < 5; i++)
        connection->message[load.time_at + i] =
            (char)(((seconds >> (7 * i)) & 0x7F) | (i < 4 ? 0x80 : 0));
    connection->message_at = 0;
    connection->message_size = load.template_size;
    connection->sent_ns[sequence % window_max] = load_now_ns();
    connection->in_flight++;
}

static ssize_t read_body(nghttp2_session *session, int32_t stream, uint8_t *out, size_t room,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct connection *connection = source->ptr;
    size_t size = 0;
    (void)session;
    (void)stream;
    (void)user;
    while (size < room) {
        if (connection->message_size == 0) {
            if (load.stopping || connection->in_flight >= load.window)
                break;
            make_message(connection);
        }
        size_t left = connection->message_size - connection->message_at;
        size_t piece = left < room - size ? left : room - size;
        memcpy(out + size, connection->message + connection->message_at, piece);
        size += piece;
        connection->message_at += piece;
        if (connection->message_at == connection->message_size)
            connection->message_size = 0;
    }
    if (size > 0)
        return (ssize_t)size;
    if (load.stopping) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        return 0;
    }
    connection->deferred = true;
    return NGHTTP2_ERR_DEFERRED;
}

/* RecordEventsResponse{event_id, status{}}: 2 + 12 bytes of id, 2 of an empty status. */
static void take_answer(struct connection *connection)
{
    const unsigned char *body = connection->answer + 5;
    uint64_t sequence = 0;
    if (connection->answer_size != 5 + 2 + id_digits + 2 || body[2 + id_digits + 1] != 0)
        load_give_up("an event was refused", "see the server");
    for (unsigned i = 0; i < id_digits; i++)
        sequence = sequence * 10 + (uint64_t)(body[2 + i] - '0');
    histogram_add(&load.latencies, load_now_ns() - connection->sent_ns[sequence % window_max]);
    connection->in_flight--;
    load.answered++;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *data,
                   size_t size, void *user)
{
    struct connection *connection = user;
    (void)flags;
    (void)stream;
    while (size > 0) {
        size_t wanted = 5;
        if (connection->answer_size >= 5)
            wanted = 5 + ((size_t)connection->answer[3] << 8 | connection->answer[4]);
        if (wanted > sizeof connection->answer)
            load_give_up("an answer", "too long");
        size_t piece = wanted - connection->answer_size;
        piece = piece < size ? piece : size;
        memcpy(connection->answer + connection->answer_size, data, piece);
        connection->answer_size += piece;
        data += piece;
        size -= piece;
        if (connection->answer_size == wanted && wanted > 5) {
            take_answer(connection);
            connection->answer_size = 0;
        }
    }
    if (connection->deferred && connection->in_flight < load.window * 3 / 4) {
        connection->deferred = false;
        nghttp2_session_resume_data(session, connection->stream);
    }
    return 0;
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t code, void *user)
{
    struct connection *connection = user;
    (void)session;
    (void)stream;
    if (code != 0 || !load.stopping || connection->in_flight > 0)
        load_give_up("a stream ended", nghttp2_http2_strerror(code));
    connection->stream = 0;
    return 0;
}

/* --- connections --- */

static void open_connection(struct connection *connection, const struct sockaddr_in *address,
                            const char *authority)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_data_provider body = {.source.ptr = connection, .read_callback = read_body};
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    load_peer_open(&connection->peer, address, callbacks, connection);
    nghttp2_session_callbacks_del(callbacks);
    connection->stream = load_peer_call(
        &connection->peer, "/waybill.tracking.v1.TrackingService/RecordEvents", authority, &body);
}

static bool turn(void)
{
    struct pollfd wanted[connections_max];
    bool is_open = false;
    for (unsigned i = 0; i < load.connections; i++) {
        load_peer_write(&load.all[i].peer);
        wanted[i] = (struct pollfd){.fd = load.all[i].peer.socket, .events = POLLIN};
        if (nghttp2_session_want_write(load.all[i].peer.session))
            wanted[i].events |= POLLOUT;
        is_open = is_open || load.all[i].stream != 0;
    }
    if (!is_open)
        return false;
    poll(wanted, load.connections, 100);
    for (unsigned i = 0; i < load.connections; i++) {
        if ((wanted[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
            load_peer_read(&load.all[i].peer);
    }
    if (!load.stopping && load_now_ns() >= load.end_ns) {
        load.stopping = true;
        load.end_ns = load_now_ns();
        for (unsigned i = 0; i < load.connections; i++)
            nghttp2_session_resume_data(load.all[i].peer.session, load.all[i].stream);
    }
    return true;
}

static double number_of(int count, char **arguments, const char *name, double otherwise)
{
    for (int i = 2; i + 1 < count; i++) {
        if (strcmp(arguments[i], name) == 0)
            return strtod(arguments[i + 1], NULL);
    }
    return otherwise;
}

int main(int count, char **arguments)
{
    if (count < 2)
        load_give_up("usage", "tracking_stream_load HOST:PORT [--connections C] [--window M] "
                              "[--seconds S] [--per-parcel E]");
    struct sockaddr_in address = load_address(arguments[1]);
    load.connections = (unsigned)number_of(count, arguments, "--connections", load.connections);
    load.window = (unsigned)number_of(count, arguments, "--window", load.window);
    load.seconds = number_of(count, arguments, "--seconds", load.seconds);
    load.per_parcel =
        (uint64_t)number_of(count, arguments, "--per-parcel", (double)load.per_parcel);
    if (load.connections == 0 || load.connections > connections_max || load.window == 0 ||
        load.window * load.connections > window_max || load.per_parcel == 0)
        load_give_up("arguments", "at most 64 connections and 8192 events under way");
    make_template();
    load.random = load_now_ns() | 1;
    load.next = load_now_ns() / 1000 % 100000 * 10000000; /* ids of this run */
    load.first = load.next;
    load.began_ns = load_now_ns();
    load.end_ns = load.began_ns + (uint64_t)(load.seconds * 1e9);
    for (unsigned i = 0; i < load.connections; i++)
        open_connection(&load.all[i], &address, arguments[1]);
    while (turn())
        ;
    double seconds = (double)(load_now_ns() - load.began_ns) / 1e9;
    printf("RecordEvents %u x %u: %.0f/s, p50 %.1f ms, p99 %.1f ms; %llu sent and answered in "
           "%.1f s\n",
           load.connections, load.window, (double)load.answered / seconds,
           (double)histogram_at(&load.latencies, 0.5) / 1e6,
           (double)histogram_at(&load.latencies, 0.99) / 1e6, (unsigned long long)load.answered,
           seconds);
    return load.answered == load.next - load.first ? 0 : 1;
}
