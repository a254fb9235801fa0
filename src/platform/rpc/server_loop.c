/*
 * The happy path of a turn: sockets are read, calls are dispatched, completions posted by stores
 * are run, and before the loop sleeps every connection that has something to send is flushed once.
 *
 * Deadlines are a heap with one libuv timer for the earliest. Once a second connections that never
 * greeted are closed and a drain that takes too long is ended.
 */
#include "platform/rpc/server_loop.h"

#include "platform/base/memory.h"
#include "platform/rpc/http2_connection.h"
#include "platform/rpc/rpc_call.h"

#include <errno.h>
#include <sys/socket.h>

static const int64_t greeting_us_max = 10000000;
enum { listen_backlog = 1024 };

int64_t server_loop_now_us(const struct server_loop *loop)
{
    return clock_monotonic_us(loop->options->clock);
}

/* --- flushing --- */

void server_loop_flush_later(struct server_loop *loop, struct http2_connection *connection)
{
    if (connection->unflushed || connection->closing)
        return;
    connection->unflushed = true;
    connection->next_unflushed = loop->unflushed;
    loop->unflushed = connection;
}

static void flush_all(struct server_loop *loop)
{
    while (loop->unflushed != NULL) {
        struct http2_connection *connection = loop->unflushed;
        loop->unflushed = connection->next_unflushed;
        connection->unflushed = false;
        http2_connection_flush(connection);
    }
}

static void on_before_poll(uv_prepare_t *handle)
{
    flush_all(handle->data);
}

static void on_after_poll(uv_check_t *handle)
{
    flush_all(handle->data);
}

/* --- deadlines --- */

static void heap_place(struct server_loop *loop, size_t at, struct rpc_call *call)
{
    loop->deadlines[at] = call;
    call->deadline_index = at;
}

static void heap_rise(struct server_loop *loop, size_t at, struct rpc_call *call)
{
    while (at > 0 && call->deadline_us < loop->deadlines[(at - 1) / 2]->deadline_us) {
        heap_place(loop, at, loop->deadlines[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_place(loop, at, call);
}

static void heap_sink(struct server_loop *loop, size_t at, struct rpc_call *call)
{
    for (size_t child = 2 * at + 1; child < loop->deadline_count; child = 2 * at + 1) {
        if (child + 1 < loop->deadline_count &&
            loop->deadlines[child + 1]->deadline_us < loop->deadlines[child]->deadline_us)
            child++;
        if (call->deadline_us <= loop->deadlines[child]->deadline_us)
            break;
        heap_place(loop, at, loop->deadlines[child]);
        at = child;
    }
    heap_place(loop, at, call);
}

static void on_deadline(uv_timer_t *timer);

/* Sets the timer to the earliest deadline, rounded up to its milliseconds. */
static void arm_deadline(struct server_loop *loop)
{
    if (loop->deadline_count == 0) {
        uv_timer_stop(&loop->deadline);
        return;
    }
    int64_t left_us = loop->deadlines[0]->deadline_us - server_loop_now_us(loop);
    uv_update_time(&loop->io.loop);
    uv_timer_start(&loop->deadline, on_deadline, left_us <= 0 ? 0 : (uint64_t)left_us / 1000 + 1,
                   0);
}

static void on_deadline(uv_timer_t *timer)
{
    struct server_loop *loop = timer->data;
    int64_t now_us = server_loop_now_us(loop);
    while (loop->deadline_count > 0 && loop->deadlines[0]->deadline_us <= now_us) {
        struct rpc_call *call = loop->deadlines[0];
        server_loop_remove_deadline(loop, call);
        rpc_call_deadline_passed(call);
    }
    arm_deadline(loop);
}

bool server_loop_add_deadline(struct server_loop *loop, struct rpc_call *call)
{
    if (loop->deadline_count == loop->deadline_capacity) {
        size_t capacity = loop->deadline_capacity == 0 ? 256 : 2 * loop->deadline_capacity;
        struct rpc_call **larger =
            memory_reallocate(loop->deadlines, capacity * sizeof(struct rpc_call *));
        if (larger == NULL)
            return false;
        loop->deadlines = larger;
        loop->deadline_capacity = capacity;
    }
    loop->deadline_count++;
    heap_rise(loop, loop->deadline_count - 1, call);
    if (loop->deadlines[0] == call)
        arm_deadline(loop);
    return true;
}

void server_loop_remove_deadline(struct server_loop *loop, struct rpc_call *call)
{
    size_t at = call->deadline_index;
    if (at == SIZE_MAX)
        return;
    call->deadline_index = SIZE_MAX;
    struct rpc_call *moved = loop->deadlines[--loop->deadline_count];
    if (moved == call)
        return; /* the timer may fire early once; it then finds nothing */
    if (at > 0 && moved->deadline_us < loop->deadlines[(at - 1) / 2]->deadline_us)
        heap_rise(loop, at, moved);
    else
        heap_sink(loop, at, moved);
}

/* --- connections --- */

static void close_all_connections(struct server_loop *loop)
{
    struct http2_connection *connection = loop->connections;
    while (connection != NULL) {
        struct http2_connection *next = connection->next;
        http2_connection_close(connection);
        connection = next;
    }
}

static void on_second(uv_timer_t *timer)
{
    struct server_loop *loop = timer->data;
    int64_t now_us = server_loop_now_us(loop);
    struct http2_connection *connection = loop->connections;
    while (connection != NULL) {
        struct http2_connection *next = connection->next;
        if (!connection->greeted && now_us - connection->open_time_us > greeting_us_max)
            http2_connection_close(connection);
        connection = next;
    }
    if (loop->draining && now_us >= loop->drain_until_us)
        close_all_connections(loop);
}

static void on_connection(uv_stream_t *listener, int status)
{
    if (status == 0)
        http2_connection_accept(listener->data);
}

/* --- its life --- */

static int listen_on(struct server_loop *loop, const struct sockaddr *address)
{
    int on = 1;
    uv_os_fd_t socket;
    int result = uv_tcp_init_ex(&loop->io.loop, &loop->listener, address->sa_family);
    if (result != 0)
        return result;
    loop->listener.data = loop;
    loop->listening = true;
    result = uv_fileno((uv_handle_t *)&loop->listener, &socket);
    if (result == 0 && setsockopt(socket, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
        result = uv_translate_sys_error(errno);
    if (result == 0)
        result = uv_tcp_bind(&loop->listener, address, 0);
    if (result == 0)
        result = uv_listen((uv_stream_t *)&loop->listener, listen_backlog, on_connection);
    return result;
}

static void on_handle_closed(uv_handle_t *handle)
{
    (void)handle;
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_handle_closed);
}

struct error server_loop_open(struct server_loop *loop, const struct sockaddr *address)
{
    uv_loop_t *uv = &loop->io.loop;
    uv_prepare_init(uv, &loop->before_poll);
    uv_check_init(uv, &loop->after_poll);
    uv_timer_init(uv, &loop->second);
    uv_timer_init(uv, &loop->deadline);
    loop->before_poll.data = loop;
    loop->after_poll.data = loop;
    loop->second.data = loop;
    loop->deadline.data = loop;
    uv_prepare_start(&loop->before_poll, on_before_poll);
    uv_check_start(&loop->after_poll, on_after_poll);
    uv_timer_start(&loop->second, on_second, 1000, 1000);
    int result = listen_on(loop, address);
    if (result != 0)
        return error_make(ERROR_NETWORK, "%s", uv_strerror(result));
    return error_none();
}

void server_loop_connection_closed(struct server_loop *loop)
{
    if (!loop->draining || loop->socket_count > 0)
        return;
    close_handle((uv_handle_t *)&loop->before_poll);
    close_handle((uv_handle_t *)&loop->after_poll);
    close_handle((uv_handle_t *)&loop->second);
    close_handle((uv_handle_t *)&loop->deadline);
    loop->drained(loop->drained_context);
}

void server_loop_drain(struct server_loop *loop)
{
    if (loop->draining)
        return;
    loop->draining = true;
    loop->drain_until_us = server_loop_now_us(loop) + loop->options->drain_us_max;
    if (loop->listening)
        close_handle((uv_handle_t *)&loop->listener);
    for (struct http2_connection *connection = loop->connections; connection != NULL;
         connection = connection->next)
        http2_connection_drain(connection);
    server_loop_connection_closed(loop);
}
