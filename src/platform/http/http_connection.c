/*
 * Bytes in go to the version, which hands requests to the handler. Bytes out: what one read has
 * caused leaves when that read is done with, while it is still in the cache; a connection that has
 * something to send otherwise is put on the loop's list and flushed once before the loop sleeps, so
 * that all answers of one turn share one write. What the socket does not take waits in the socket,
 * and the version is not asked for more until it has left.
 *
 * A connection whose exchanges are over is finished: we send our end and wait for the peer's, so
 * that nothing that it is sending meanwhile breaks what it has not read yet.
 *
 * Failures: a protocol error or an exhausted budget is told to the peer as its version allows, what
 * is queued is written, then the connection closes; a socket error or missing memory closes it at
 * once. Either way its exchanges are closed.
 */
#include "platform/http/http_connection.h"

#include "platform/base/log.h"
#include "platform/base/memory.h"

#include <string.h>
#include <unistd.h>

enum {
    output_bytes_target = 256 * 1024,
    abuse_budget = 2000,
    broken_cost = 20, /* of an address's account */
    blame_told_min = 20,
    praise_told_min = 200,
};

static const char preface[] = "PRI ";

/* --- exchanges --- */

void http_connection_add(struct http_connection *connection, struct http_exchange *exchange)
{
    exchange->loop = connection->loop;
    exchange->connection = connection;
    exchange->handler = connection->loop->handler;
    exchange->open_time_us = http_loop_now_us(connection->loop);
    exchange->previous = NULL;
    exchange->next = connection->exchanges;
    if (connection->exchanges != NULL)
        connection->exchanges->previous = exchange;
    connection->exchanges = exchange;
    http_count(&connection->loop->counters.exchanges_open, 1);
    http_count(&connection->loop->counters.exchanges_opened, 1);
}

void http_connection_remove(struct http_connection *connection, struct http_exchange *exchange)
{
    if (exchange->previous == NULL)
        connection->exchanges = exchange->next;
    else
        exchange->previous->next = exchange->next;
    if (exchange->next != NULL)
        exchange->next->previous = exchange->previous;
    connection->active_time_us = http_loop_now_us(connection->loop);
    http_count(&connection->loop->counters.exchanges_open, UINT64_MAX); /* one less */
}

void http_respond(struct http_exchange *exchange, unsigned status,
                  const struct http_header *headers, size_t count, int64_t body_size)
{
    exchange->responded = true;
    exchange->connection->version->respond(exchange, status, headers, count, body_size);
    http_loop_flush_later(exchange->loop, exchange->connection);
}

void http_set_trailers(struct http_exchange *exchange, const struct http_header *trailers,
                       size_t count)
{
    exchange->connection->version->set_trailers(exchange, trailers, count);
}

void http_resume(struct http_exchange *exchange)
{
    if (exchange->body_pending) {
        exchange->body_pending = false;
        exchange->connection->version->resume(exchange);
    }
    http_loop_flush_later(exchange->loop, exchange->connection);
}

void http_consume(struct http_exchange *exchange, size_t size)
{
    if (size == 0)
        return;
    exchange->connection->version->consume(exchange, size);
    http_loop_flush_later(exchange->loop, exchange->connection);
}

void http_reset(struct http_exchange *exchange, uint32_t code)
{
    exchange->connection->version->reset(exchange, code);
    http_loop_flush_later(exchange->loop, exchange->connection);
}

void http_add_queued(struct http_exchange *exchange, int64_t bytes)
{
    exchange->connection->queued_bytes += (size_t)bytes;
}

size_t http_queued(const struct http_exchange *exchange)
{
    return exchange->connection->queued_bytes;
}

static void end_late(struct http_exchange *exchange)
{
    void *consumer = exchange->consumer;
    exchange->late = true;
    http_count(&exchange->loop->counters.requests_late, 1);
    if (exchange->handler->late != NULL) {
        exchange->handler->late(consumer);
        return;
    }
    if (exchange->responded)
        return;
    exchange->consumer = NULL;
    exchange->handler->closed(consumer);
    http_respond(exchange, 408, NULL, 0, HTTP_BODY_NONE);
}

void http_connection_end_late(struct http_connection *connection, int64_t now_us)
{
    int64_t from_us = now_us - connection->loop->options->request_us_max;
    for (struct http_exchange *at = connection->exchanges; at != NULL; at = at->next) {
        if (at->open_time_us < from_us && !at->request_complete && !at->streams && !at->late &&
            at->consumer != NULL)
            end_late(at);
    }
}

/* --- the budget --- */

/* At most a line a second. */
static void tell(struct http_loop *loop, struct http_seldom_told *told, const char *event)
{
    int64_t now_us = http_loop_now_us(loop);
    told->untold++;
    if (told->told_us != 0 && now_us - told->told_us < 1000000)
        return;
    struct log_field fields[] = {log_number("connections", (int64_t)told->untold)};
    log_event(LOG_LEVEL_WARNING, event, fields, 1);
    told->told_us = now_us;
    told->untold = 0;
}

/*
 * Enters it into its address's account, some points at a time: a connection that ends before it has
 * that many is forgiven them. True if the address has overspent.
 */
static bool blame(struct http_connection *connection, int32_t points)
{
    struct http_loop *loop = connection->loop;
    connection->points_untold += points;
    int32_t sum = connection->points_untold;
    if (connection->peer == NULL || (sum < blame_told_min && sum > -praise_told_min))
        return false;
    connection->points_untold = 0;
    return http_peers_blame(loop->peers, connection->peer, sum, http_loop_now_us(loop));
}

void http_connection_charge(struct http_connection *connection, int32_t cost)
{
    if (connection->budget <= 0)
        return;
    bool overspent = blame(connection, cost);
    connection->budget = overspent ? 0 : connection->budget - cost;
    if (connection->budget > 0)
        return;
    tell(connection->loop, &connection->loop->punishments,
         "connections ended: too many resets, pings or empty frames");
    http_count(&connection->loop->counters.connections_punished, 1);
    connection->failed = true;
    connection->version->punish(connection);
    http_loop_flush_later(connection->loop, connection);
}

void http_connection_broken(struct http_connection *connection)
{
    (void)blame(connection, broken_cost);
}

void http_connection_earn(struct http_connection *connection)
{
    if (connection->budget <= 0)
        return;
    if (connection->budget < abuse_budget)
        connection->budget++;
    (void)blame(connection, -1);
}

/* --- its life --- */

static void on_closed(struct stream_socket *socket)
{
    struct http_connection *connection = (struct http_connection *)socket;
    struct http_loop *loop = connection->loop;
    bool connection_was_local = connection->is_local;
    if (connection->session != NULL)
        connection->version->release(connection);
    http_peers_leave(loop->peers, connection->peer);
    memory_release(connection);
    atomic_fetch_sub(loop->connection_count, 1);
    http_count(&loop->counters.connections_open, UINT64_MAX); /* one less */
    loop->socket_count--;
    loop->local_count -= connection_was_local;
    http_loop_connection_closed(loop);
}

void http_connection_close(struct http_connection *connection)
{
    struct http_loop *loop = connection->loop;
    if (connection->closing)
        return;
    connection->closing = true;
    if (connection->previous == NULL)
        loop->connections = connection->next;
    else
        connection->previous->next = connection->next;
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    for (struct http_exchange *at = connection->exchanges; at != NULL; at = at->next) {
        void *consumer = at->consumer;
        at->consumer = NULL;
        if (consumer != NULL)
            at->handler->closed(consumer);
    }
    stream_socket_close(&connection->socket);
}

void http_connection_close_slow(struct http_connection *connection)
{
    if (!connection->closing)
        http_count(&connection->loop->counters.connections_slow, 1);
    http_connection_close(connection);
}

/* Its kind of connections is being ended. */
static bool is_draining(const struct http_connection *connection)
{
    return connection->is_local ? connection->loop->draining_local : connection->loop->draining;
}

/* The version is known. False: the connection was closed. */
static bool choose(struct http_connection *connection, const struct http_version *version)
{
    connection->version = version;
    if (!version->open(connection)) {
        http_connection_close(connection);
        return false;
    }
    if (is_draining(connection))
        http_connection_drain(connection);
    return true;
}

static void on_ready(struct stream_socket *socket)
{
    struct http_connection *connection = (struct http_connection *)socket;
    struct text protocol = stream_socket_protocol(socket);
    if (text_equals_string(protocol, "h2"))
        (void)choose(connection, &http_version_2);
    else if (protocol.size > 0)
        (void)choose(connection, &http_version_1);
}

static void receive(struct http_connection *connection, struct text bytes)
{
    if (connection->version->receive(connection, bytes))
        return;
    connection->failed = true;
    http_connection_broken(connection);
}

/*
 * Collects the first bytes until they tell the version. True when they do; `*bytes` are what comes
 * behind those collected, which have been received already.
 */
static bool find_version(struct http_connection *connection, struct text *bytes)
{
    bool is_2 = true;
    while (is_2 && connection->preface_size < http_preface_bytes && bytes->size > 0) {
        char byte = bytes->data[0];
        is_2 = byte == preface[connection->preface_size];
        connection->preface[connection->preface_size++] = byte;
        *bytes = text_make(bytes->data + 1, bytes->size - 1);
    }
    if (is_2 && connection->preface_size < http_preface_bytes)
        return false;
    if (!choose(connection, is_2 ? &http_version_2 : &http_version_1))
        return false;
    struct text seen = text_make(connection->preface, connection->preface_size);
    receive(connection, seen);
    return !connection->failed;
}

static void on_received(struct stream_socket *socket, struct text bytes)
{
    struct http_connection *connection = (struct http_connection *)socket;
    http_count(&connection->loop->counters.bytes_received, bytes.size);
    if (connection->failed || connection->over || connection->finish_time_us != 0)
        return;
    bool known = connection->version != NULL || find_version(connection, &bytes);
    if (known && bytes.size > 0)
        receive(connection, bytes);
    if (socket->more) /* answers to all records of one read share their own */
        http_loop_flush_later(connection->loop, connection);
    else
        http_connection_flush(connection);
}

static void on_writable(struct stream_socket *socket)
{
    struct http_connection *connection = (struct http_connection *)socket;
    http_loop_flush_later(connection->loop, connection);
}

static void on_lost(struct stream_socket *socket, const char *why)
{
    struct http_connection *connection = (struct http_connection *)socket;
    (void)why;
    if (!socket->is_ready) /* a handshake that failed, which costs us more than the peer */
        http_connection_broken(connection);
    http_connection_close(connection);
}

static const struct stream_socket_table socket_table = {
    .ready = on_ready,
    .received = on_received,
    .writable = on_writable,
    .lost = on_lost,
    .closed = on_closed,
};

/* One round of output. False: nothing more to write now. */
static bool flush_some(struct http_connection *connection)
{
    struct buffer *output = &connection->loop->output;
    buffer_clear(output);
    if (!connection->version->serialize(connection, output, output_bytes_target)) {
        http_connection_close(connection);
        return false;
    }
    if (output->size == 0 || connection->closing)
        return false;
    http_count(&connection->loop->counters.bytes_sent, output->size);
    if (!stream_socket_send(&connection->socket, buffer_text(output))) {
        http_connection_close(connection);
        return false;
    }
    if (connection->socket.in_write)
        connection->stuck_since_us = http_loop_now_us(connection->loop);
    return true;
}

/* Everything was said. */
static void finish(struct http_connection *connection)
{
    connection->finish_time_us = http_loop_now_us(connection->loop);
    if (!stream_socket_finish(&connection->socket))
        http_connection_close(connection);
    else
        stream_socket_read(&connection->socket, true); /* its end */
}

void http_connection_flush(struct http_connection *connection)
{
    if (connection->version == NULL || connection->finish_time_us != 0)
        return;
    while (!connection->closing && !connection->socket.in_write && flush_some(connection))
        continue;
    if (connection->closing || connection->socket.in_write)
        return;
    if (connection->failed)
        http_connection_close(connection);
    else if (connection->over || connection->version->is_over(connection))
        finish(connection);
}

void http_connection_drain(struct http_connection *connection)
{
    if (connection->version != NULL)
        connection->version->drain(connection);
    else if (!is_draining(connection) || connection->is_local)
        http_connection_close(connection);
    http_loop_flush_later(connection->loop, connection);
}

/* A connection in the loop's list, its socket not connected yet; NULL without memory. */
static struct http_connection *make_connection(struct http_loop *loop)
{
    struct http_connection *connection = memory_allocate_zero(1, sizeof *connection);
    if (connection == NULL)
        return NULL;
    connection->loop = loop;
    connection->budget = abuse_budget;
    connection->open_time_us = http_loop_now_us(loop);
    connection->active_time_us = connection->open_time_us;
    if (stream_socket_init(&connection->socket, &loop->io.loop, &socket_table, loop->input,
                           sizeof loop->input) != 0) {
        memory_release(connection);
        return NULL;
    }
    connection->next = loop->connections;
    if (loop->connections != NULL)
        loop->connections->previous = connection;
    loop->connections = connection;
    loop->socket_count++;
    http_count(&loop->counters.connections_open, 1);
    http_count(&loop->counters.connections_accepted, 1);
    return connection;
}

/* False: it is refused, and ended. Costs little, and nothing of memory, if the address is barred.
 */
static bool admit(struct http_loop *loop, int descriptor, const struct sockaddr_storage *address,
                  struct http_peer **peer)
{
    enum http_peers_verdict verdict = HTTP_PEERS_WELCOME;
    *peer = NULL;
    if (loop->peers != NULL)
        verdict = http_peers_enter(loop->peers, address, http_loop_now_us(loop), peer);
    if (verdict == HTTP_PEERS_BARRED) {
        tell(loop, &loop->bars, "connections refused: their address has spent its abuse budget");
        http_count(&loop->counters.connections_barred, 1);
        listening_socket_refuse(descriptor);
        return false;
    }
    if (verdict == HTTP_PEERS_WELCOME &&
        atomic_fetch_add(loop->connection_count, 1) < loop->options->connections_max)
        return true;
    if (verdict == HTTP_PEERS_WELCOME) {
        atomic_fetch_sub(loop->connection_count, 1);
        http_peers_leave(loop->peers, *peer);
    }
    http_count(&loop->counters.connections_refused, 1);
    close(descriptor);
    return false;
}

void http_connection_accept(struct http_loop *loop, int descriptor,
                            const struct sockaddr_storage *address)
{
    struct http_peer *peer;
    if (!admit(loop, descriptor, address, &peer))
        return;
    struct http_connection *connection = make_connection(loop);
    if (connection == NULL) {
        atomic_fetch_sub(loop->connection_count, 1);
        http_peers_leave(loop->peers, peer);
        http_count(&loop->counters.connections_refused, 1);
        close(descriptor);
        return;
    }
    connection->peer = peer;
    if (stream_socket_accept(&connection->socket, descriptor, loop->identity) != 0)
        http_connection_close(connection);
}

/* Neither limits for peers nor the idle time are for those within the process. */
void http_connection_adopt(struct http_loop *loop, int descriptor)
{
    struct http_connection *connection = loop->draining_local ? NULL : make_connection(loop);
    if (connection == NULL) {
        close(descriptor);
        return;
    }
    atomic_fetch_add(loop->connection_count, 1);
    connection->is_local = true;
    loop->local_count++;
    if (stream_socket_adopt(&connection->socket, descriptor) != 0)
        http_connection_close(connection);
}
