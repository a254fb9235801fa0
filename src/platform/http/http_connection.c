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

enum { output_bytes_target = 256 * 1024, abuse_budget = 2000 };

static const char preface[] = "PRI ";

/* --- exchanges --- */

void http_connection_add(struct http_connection *connection, struct http_exchange *exchange)
{
    exchange->loop = connection->loop;
    exchange->connection = connection;
    exchange->handler = connection->loop->handler;
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

/* --- the budget --- */

/* At most a line a second: who floods must not make us write, either. */
static void tell_punishment(struct http_loop *loop)
{
    int64_t now_us = http_loop_now_us(loop);
    loop->punishments_untold++;
    if (loop->punishment_told_us != 0 && now_us - loop->punishment_told_us < 1000000)
        return;
    struct log_field fields[] = {log_number("connections", (int64_t)loop->punishments_untold)};
    log_event(LOG_LEVEL_WARNING, "connections ended: too many resets, pings or empty frames",
              fields, 1);
    loop->punishment_told_us = now_us;
    loop->punishments_untold = 0;
}

void http_connection_charge(struct http_connection *connection, int32_t cost)
{
    if (connection->budget <= 0)
        return;
    connection->budget -= cost;
    if (connection->budget > 0)
        return;
    tell_punishment(connection->loop);
    http_count(&connection->loop->counters.connections_punished, 1);
    connection->failed = true;
    connection->version->punish(connection);
    http_loop_flush_later(connection->loop, connection);
}

void http_connection_earn(struct http_connection *connection)
{
    if (connection->budget > 0 && connection->budget < abuse_budget)
        connection->budget++;
}

/* --- its life --- */

static void on_closed(struct stream_socket *socket)
{
    struct http_connection *connection = (struct http_connection *)socket;
    struct http_loop *loop = connection->loop;
    if (connection->session != NULL)
        connection->version->release(connection);
    if (connection->peer != NULL)
        http_peers_leave(loop->peers, connection->peer);
    memory_release(connection);
    atomic_fetch_sub(loop->connection_count, 1);
    http_count(&loop->counters.connections_open, UINT64_MAX); /* one less */
    loop->socket_count--;
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

/* The version is known. False: the connection was closed. */
static bool choose(struct http_connection *connection, const struct http_version *version)
{
    connection->version = version;
    if (!version->open(connection)) {
        http_connection_close(connection);
        return false;
    }
    if (connection->loop->draining)
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
    connection->failed = !connection->version->receive(connection, seen);
    return !connection->failed;
}

static void on_received(struct stream_socket *socket, struct text bytes)
{
    struct http_connection *connection = (struct http_connection *)socket;
    http_count(&connection->loop->counters.bytes_received, bytes.size);
    if (connection->failed || connection->over || connection->finish_time_us != 0)
        return;
    if (connection->version == NULL && !find_version(connection, &bytes))
        return;
    if (bytes.size > 0 && !connection->version->receive(connection, bytes))
        connection->failed = true;
    http_connection_flush(connection);
}

static void on_writable(struct stream_socket *socket)
{
    struct http_connection *connection = (struct http_connection *)socket;
    http_loop_flush_later(connection->loop, connection);
}

static void on_lost(struct stream_socket *socket, const char *why)
{
    (void)why;
    http_connection_close((struct http_connection *)socket);
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
    else if (!connection->loop->draining)
        http_connection_close(connection);
    http_loop_flush_later(connection->loop, connection);
}

/* False: its address has as many connections as it may. */
static bool count_peer(struct http_connection *connection)
{
    struct sockaddr_storage address;
    int size = sizeof address;
    struct http_peers *peers = connection->loop->peers;
    if (peers == NULL)
        return true;
    if (uv_tcp_getpeername(&connection->socket.tcp, (struct sockaddr *)&address, &size) == 0)
        connection->peer = http_peers_enter(peers, &address);
    return connection->peer != NULL;
}

static void on_refused(uv_handle_t *handle)
{
    struct http_loop *loop = handle->data;
    loop->refusing = false;
    for (uint32_t i = 0; i < loop->listener_count && loop->listens; i++) {
        struct http_listener *listener = &loop->listeners[i];
        bool waits = listener->waits;
        listener->waits = false;
        if (waits)
            http_connection_accept(listener);
    }
}

/* Without memory the connection is taken and closed: libuv listens no further until it is taken. */
static void refuse_connection(struct http_listener *listener)
{
    struct http_loop *loop = listener->loop;
    if (loop->refusing || loop->draining) {
        listener->waits = true;
        return;
    }
    loop->refusing = uv_tcp_init(&loop->io.loop, &loop->refused) == 0;
    if (!loop->refusing)
        return;
    loop->refused.data = loop;
    http_count(&loop->counters.connections_refused, 1);
    (void)uv_accept((uv_stream_t *)&listener->tcp, (uv_stream_t *)&loop->refused);
    uv_close((uv_handle_t *)&loop->refused, on_refused);
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

void http_connection_accept(struct http_listener *listener)
{
    struct http_loop *loop = listener->loop;
    struct http_connection *connection = make_connection(loop);
    if (connection == NULL) {
        refuse_connection(listener);
        return;
    }
    bool too_many = atomic_fetch_add(loop->connection_count, 1) >= loop->options->connections_max;
    if (stream_socket_accept(&connection->socket, (uv_stream_t *)&listener->tcp, loop->identity) !=
        0) {
        http_connection_close(connection);
    } else if (too_many || !count_peer(connection)) {
        http_count(&loop->counters.connections_refused, 1);
        http_connection_close(connection);
    }
}

/* Neither limits for peers nor the idle time are for those within the process. */
void http_connection_adopt(struct http_loop *loop, int descriptor)
{
    struct http_connection *connection = loop->draining ? NULL : make_connection(loop);
    if (connection == NULL) {
        close(descriptor);
        return;
    }
    atomic_fetch_add(loop->connection_count, 1);
    connection->is_local = true;
    if (stream_socket_adopt(&connection->socket, descriptor) != 0)
        http_connection_close(connection);
}
