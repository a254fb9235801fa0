/*
 * The happy path of a turn: sockets are read, requests are answered, completions posted by stores
 * are run, and before the loop sleeps every connection that has something to send is flushed once.
 *
 * Once a second connections that take too long are closed, TLS files that changed are read, and a
 * drain that takes too long is ended.
 */
#include "platform/http/http_loop.h"

#include "platform/base/memory.h"
#include "platform/http/http_connection.h"

enum {
    output_bytes_max = 80 * 1024 * 1024,
    finish_us_max = 1000000, /* from our end of a connection to the peer's */
};

int64_t http_loop_now_us(struct http_loop *loop)
{
    if (loop->now_us == INT64_MIN)
        loop->now_us = clock_monotonic_us(loop->options->clock);
    return loop->now_us;
}

/* Behind this, time may have passed. */
static void forget_time(struct http_loop *loop)
{
    loop->now_us = INT64_MIN;
}

/* --- flushing --- */

void http_loop_flush_later(struct http_loop *loop, struct http_connection *connection)
{
    if (connection->unflushed || connection->closing)
        return;
    connection->unflushed = true;
    connection->next_unflushed = loop->unflushed;
    loop->unflushed = connection;
}

static void flush_all(struct http_loop *loop)
{
    while (loop->unflushed != NULL) {
        struct http_connection *connection = loop->unflushed;
        loop->unflushed = connection->next_unflushed;
        connection->unflushed = false;
        http_connection_flush(connection);
    }
}

static void on_before_poll(uv_prepare_t *handle)
{
    flush_all(handle->data);
    forget_time(handle->data);
}

static void on_after_poll(uv_check_t *handle)
{
    flush_all(handle->data);
    forget_time(handle->data);
}

/* --- connections --- */

static void look_after(struct http_connection *connection, int64_t now_us)
{
    const struct http_server_options *options = connection->loop->options;
    if (connection->finish_time_us != 0) {
        if (now_us - connection->finish_time_us > finish_us_max)
            http_connection_close(connection);
        return;
    }
    if (connection->is_local) {
        if (connection->version != NULL)
            connection->version->look_after(connection, now_us);
        return;
    }
    if (!connection->greeted) {
        if (now_us - connection->open_time_us > options->greeting_us_max)
            http_connection_close_slow(connection);
        else if (connection->version == NULL && http_loop_drain_grace_is_over(connection->loop))
            http_connection_close(connection);
        return;
    }
    if (connection->socket.in_write &&
        now_us - connection->stuck_since_us > options->body_pause_us_max) {
        http_connection_close_slow(connection);
        return;
    }
    bool is_idle = connection->exchanges == NULL && options->idle_us_max > 0 &&
                   now_us - connection->active_time_us > options->idle_us_max;
    bool is_old =
        options->age_us_max > 0 && now_us - connection->open_time_us > options->age_us_max;
    if (is_idle || is_old)
        http_connection_drain(connection);
    http_connection_end_late(connection, now_us);
    if (!connection->closing)
        connection->version->look_after(connection, now_us);
}

static void on_second(uv_timer_t *timer)
{
    struct http_loop *loop = timer->data;
    int64_t now_us = http_loop_now_us(loop);
    bool out_of_time = loop->draining && now_us >= loop->drain_until_us;
    bool local_out_of_time = loop->draining_local && now_us >= loop->drain_local_until_us;
    struct http_connection *connection = loop->connections;
    while (connection != NULL) {
        struct http_connection *next = connection->next;
        if (connection->is_local ? local_out_of_time : out_of_time)
            http_connection_close(connection);
        else
            look_after(connection, now_us);
        connection = next;
    }
    for (uint32_t i = 0; i < loop->listener_count; i++)
        listening_socket_retry(&loop->listeners[i]);
    if (loop->identity != NULL)
        (void)tls_identity_refresh(loop->identity);
}

static void on_connection(void *context, int descriptor, const struct sockaddr_storage *peer)
{
    http_connection_accept(context, descriptor, peer);
}

/* --- its life --- */

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void http_loop_open(struct http_loop *loop)
{
    uv_loop_t *uv = &loop->io.loop;
    uv_prepare_init(uv, &loop->before_poll);
    uv_check_init(uv, &loop->after_poll);
    uv_timer_init(uv, &loop->second);
    loop->before_poll.data = loop;
    loop->after_poll.data = loop;
    loop->second.data = loop;
    forget_time(loop);
    buffer_init(&loop->output, output_bytes_max);
    uv_prepare_start(&loop->before_poll, on_before_poll);
    uv_check_start(&loop->after_poll, on_after_poll);
    uv_timer_start(&loop->second, on_second, 1000, 1000);
}

struct error http_loop_listen(struct http_loop *loop, const struct sockaddr_storage *address,
                              bool is_first)
{
    struct listening_socket *listener = &loop->listeners[loop->listener_count++];
    return listening_socket_open(listener, &loop->io.loop, address, is_first, on_connection, loop);
}

struct error http_loop_listen_on(struct http_loop *loop, int descriptor)
{
    if (loop->listener_count == http_listeners_max)
        return error_make(ERROR_LIMIT, "more than %d sockets", http_listeners_max);
    struct listening_socket *listener = &loop->listeners[loop->listener_count++];
    return listening_socket_join(listener, &loop->io.loop, descriptor, on_connection, loop);
}

void http_loop_release(struct http_loop *loop)
{
    buffer_deinit(&loop->output);
    while (loop->idle_exchanges != NULL) {
        struct http_exchange *next = loop->idle_exchanges->next;
        memory_release(loop->idle_exchanges);
        loop->idle_exchanges = next;
    }
}

void http_loop_connection_closed(struct http_loop *loop)
{
    if (!loop->draining)
        return;
    if (!loop->others_are_gone && loop->socket_count == loop->local_count) {
        loop->others_are_gone = true;
        loop->others_gone(loop->drained_context);
    }
    if (!loop->draining_local || loop->socket_count > 0)
        return;
    close_handle((uv_handle_t *)&loop->before_poll);
    close_handle((uv_handle_t *)&loop->after_poll);
    close_handle((uv_handle_t *)&loop->second);
    if (loop->handler->drained != NULL && loop->handler_context != NULL)
        loop->handler->drained(loop->handler_context);
    loop->drained(loop->drained_context);
}

void http_loop_stop_listening(struct http_loop *loop)
{
    for (uint32_t i = 0; i < loop->listener_count; i++)
        listening_socket_close(&loop->listeners[i]);
}

bool http_loop_drain_grace_is_over(struct http_loop *loop)
{
    return loop->draining && http_loop_now_us(loop) - loop->drain_from_us >= http_drain_grace_us;
}

void http_loop_drain(struct http_loop *loop)
{
    if (loop->draining)
        return;
    loop->draining = true;
    loop->drain_from_us = http_loop_now_us(loop);
    loop->drain_until_us = loop->drain_from_us + loop->options->drain_us_max;
    http_loop_stop_listening(loop);
    struct http_connection *connection = loop->connections;
    while (connection != NULL) {
        struct http_connection *next = connection->next;
        if (!connection->is_local)
            http_connection_drain(connection);
        connection = next;
    }
    http_loop_connection_closed(loop);
}

void http_loop_drain_local(struct http_loop *loop)
{
    int64_t now_us = http_loop_now_us(loop);
    loop->draining_local = true;
    loop->drain_local_until_us = now_us + http_drain_grace_us;
    if (loop->drain_local_until_us < loop->drain_until_us)
        loop->drain_local_until_us = loop->drain_until_us;
    struct http_connection *connection = loop->connections;
    while (connection != NULL) {
        struct http_connection *next = connection->next;
        if (connection->is_local)
            http_connection_drain(connection);
        connection = next;
    }
    http_loop_connection_closed(loop);
}
