/*
 * Bytes in: one read goes through nghttp2_session_mem_recv, whose callbacks hand headers, data and
 * the end of streams to the calls. Bytes out: a connection with something to send is put on the
 * loop's list and flushed once before the loop sleeps, so that all answers of one turn share one
 * write.
 *
 * Failures: a protocol error or an exhausted budget sends GOAWAY, what is queued is written, then
 * the connection closes; a socket error or missing memory closes it at once. Either way its calls
 * learn that their streams are gone.
 */
#include "platform/rpc/http2_connection.h"

#include "platform/base/log.h"
#include "platform/base/memory.h"
#include "platform/rpc/rpc_call.h"

#include <string.h>

enum {
    output_bytes_target = 256 * 1024,
    output_bytes_max = 80 * 1024 * 1024,
    stream_window_bytes = 1024 * 1024,
    connection_window_bytes = 16 * 1024 * 1024,
    header_list_bytes_max = 16 * 1024,
    abuse_budget = 2000,
    outbound_ack_max = 1000,
};

/* --- memory for nghttp2 --- */

static void *allocate(size_t size, void *context)
{
    (void)context;
    return memory_allocate(size);
}

static void release(void *block, void *context)
{
    (void)context;
    memory_release(block);
}

static void *allocate_zero(size_t count, size_t size, void *context)
{
    (void)context;
    return memory_allocate_zero(count, size);
}

static void *reallocate(void *block, size_t size, void *context)
{
    (void)context;
    return memory_reallocate(block, size);
}

/* --- what the peer sends --- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct http2_connection *connection = context;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct rpc_call *call = rpc_call_open(connection->loop, connection, frame->hd.stream_id);
    if (call == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* resets this stream */
    call->next = connection->calls;
    if (connection->calls != NULL)
        connection->calls->previous = call;
    connection->calls = call;
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, call);
    return 0;
}

static struct rpc_call *call_of(nghttp2_session *session, int32_t stream_id)
{
    return nghttp2_session_get_stream_user_data(session, stream_id);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                     void *context)
{
    struct rpc_call *call = call_of(session, frame->hd.stream_id);
    (void)flags;
    (void)context;
    if (call != NULL && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        rpc_call_header(call, text_make(name, name_size), text_make(value, value_size));
    return 0;
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t stream_id,
                         const uint8_t *data, size_t size, void *context)
{
    struct rpc_call *call = call_of(session, stream_id);
    (void)flags;
    (void)context;
    nghttp2_session_consume_connection(session, size);
    if (call != NULL)
        rpc_call_input(call, text_make(data, size));
    return 0;
}

/* What a frame costs of the connection's budget. */
static int32_t cost_of(const nghttp2_frame *frame)
{
    switch (frame->hd.type) {
    case NGHTTP2_RST_STREAM:
        return 2;
    case NGHTTP2_PING:
    case NGHTTP2_SETTINGS:
    case NGHTTP2_PRIORITY:
        return frame->hd.flags & NGHTTP2_FLAG_ACK ? 0 : 1;
    case NGHTTP2_DATA:
        return frame->hd.length == 0 && !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) ? 1 : 0;
    default:
        return 0;
    }
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct http2_connection *connection = context;
    struct rpc_call *call = call_of(session, frame->hd.stream_id);
    int32_t cost = cost_of(frame);
    if (cost > 0)
        http2_connection_charge(connection, cost);
    if (frame->hd.type == NGHTTP2_SETTINGS)
        connection->greeted = true;
    if (call == NULL || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        rpc_call_headers_complete(call);
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        rpc_call_half_closed(call);
    return 0;
}

static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct rpc_call *call = call_of(session, frame->hd.stream_id);
    (void)context;
    if (call != NULL && frame->hd.type == NGHTTP2_HEADERS &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        rpc_call_response_ended(call);
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code,
                           void *context)
{
    struct http2_connection *connection = context;
    struct rpc_call *call = call_of(session, stream_id);
    if (call == NULL)
        return 0;
    if (call->previous == NULL)
        connection->calls = call->next;
    else
        call->previous->next = call->next;
    if (call->next != NULL)
        call->next->previous = call->previous;
    connection->queued_bytes -= call->output_bytes;
    if (error_code == NGHTTP2_NO_ERROR && connection->budget < abuse_budget)
        connection->budget++;
    rpc_call_stream_closed(call);
    return 0;
}

/* A frame that the peer should not have sent. Resets that it provokes from us cost as its own do.
 */
static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int code,
                            void *context)
{
    (void)session;
    (void)frame;
    (void)code;
    http2_connection_charge(context, 2);
    return 0;
}

static int make_session(struct http2_connection *connection)
{
    static nghttp2_mem memory = {
        .malloc = allocate, .free = release, .calloc = allocate_zero, .realloc = reallocate};
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    int result = nghttp2_session_callbacks_new(&callbacks);
    if (result != 0)
        return result;
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
    result = nghttp2_option_new(&option);
    if (result == 0) {
        nghttp2_option_set_no_auto_window_update(option, 1);
        nghttp2_option_set_no_closed_streams(option, 1);
        nghttp2_option_set_max_outbound_ack(option, outbound_ack_max);
        result = nghttp2_session_server_new3(&connection->session, callbacks, connection, option,
                                             &memory);
        nghttp2_option_del(option);
    }
    nghttp2_session_callbacks_del(callbacks);
    return result;
}

static int greet(struct http2_connection *connection)
{
    const struct rpc_server_options *options = connection->loop->options;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, options->streams_per_connection},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, stream_window_bytes},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, header_list_bytes_max},
    };
    int result = nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, settings,
                                         sizeof settings / sizeof settings[0]);
    if (result == 0)
        result = nghttp2_session_set_local_window_size(connection->session, NGHTTP2_FLAG_NONE, 0,
                                                       connection_window_bytes);
    return result;
}

/* --- the socket --- */

static void on_closed(uv_handle_t *handle)
{
    struct http2_connection *connection = handle->data;
    struct server_loop *loop = connection->loop;
    nghttp2_session_del(connection->session);
    buffer_deinit(&connection->output);
    buffer_deinit(&connection->writing);
    memory_release(connection);
    atomic_fetch_sub(loop->connection_count, 1);
    loop->socket_count--;
    server_loop_connection_closed(loop);
}

static void lose_streams(struct http2_connection *connection)
{
    struct rpc_call *call = connection->calls;
    connection->calls = NULL;
    while (call != NULL) {
        struct rpc_call *next = call->next;
        rpc_call_stream_closed(call);
        call = next;
    }
}

void http2_connection_close(struct http2_connection *connection)
{
    struct server_loop *loop = connection->loop;
    if (connection->closing)
        return;
    connection->closing = true;
    if (connection->previous == NULL)
        loop->connections = connection->next;
    else
        connection->previous->next = connection->next;
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    lose_streams(connection);
    uv_close((uv_handle_t *)&connection->socket, on_closed);
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct http2_connection *connection = handle->data;
    (void)suggested;
    *buffer = uv_buf_init(connection->loop->input, sizeof connection->loop->input);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct http2_connection *connection = stream->data;
    if (size == 0 || connection->closing)
        return;
    if (size < 0 ||
        nghttp2_session_mem_recv(connection->session, (uint8_t *)buffer->base, (size_t)size) < 0) {
        http2_connection_close(connection);
        return;
    }
    server_loop_flush_later(connection->loop, connection);
}

static void on_written(uv_write_t *write, int status)
{
    struct http2_connection *connection = write->data;
    connection->in_write = false;
    buffer_clear(&connection->writing);
    if (connection->closing)
        return;
    if (status != 0)
        http2_connection_close(connection);
    else
        server_loop_flush_later(connection->loop, connection);
}

/* Fills `output` from the session. False: the connection cannot go on. */
static bool serialize(struct http2_connection *connection)
{
    while (connection->output.size < output_bytes_target) {
        const uint8_t *data;
        ssize_t size = nghttp2_session_mem_send(connection->session, &data);
        if (size == 0)
            return true;
        if (size < 0 || !buffer_append(&connection->output, data, (size_t)size))
            return false;
    }
    return true;
}

/* Writes what the socket takes at once; the rest goes to libuv. False: the connection is broken. */
static bool write_output(struct http2_connection *connection)
{
    uv_stream_t *stream = (uv_stream_t *)&connection->socket;
    uv_buf_t buffer = uv_buf_init(connection->output.data, (unsigned)connection->output.size);
    int written = uv_try_write(stream, &buffer, 1);
    if (written < 0 && written != UV_EAGAIN)
        return false;
    if (written > 0)
        buffer_consume(&connection->output, (size_t)written);
    if (connection->output.size == 0)
        return true;
    struct buffer rest = connection->output;
    connection->output = connection->writing;
    connection->writing = rest;
    buffer = uv_buf_init(rest.data, (unsigned)rest.size);
    connection->in_write = uv_write(&connection->write, stream, &buffer, 1, on_written) == 0;
    return connection->in_write;
}

void http2_connection_flush(struct http2_connection *connection)
{
    bool more = true;
    while (more && !connection->closing && !connection->in_write) {
        if (!serialize(connection)) {
            http2_connection_close(connection);
            return;
        }
        more = connection->output.size > 0;
        if (more && !write_output(connection)) {
            http2_connection_close(connection);
            return;
        }
    }
    if (!connection->closing && !connection->in_write &&
        nghttp2_session_want_read(connection->session) == 0 &&
        nghttp2_session_want_write(connection->session) == 0)
        http2_connection_close(connection);
}

void http2_connection_drain(struct http2_connection *connection)
{
    nghttp2_submit_shutdown_notice(connection->session);
    nghttp2_submit_goaway(connection->session, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(connection->session),
                          NGHTTP2_NO_ERROR, NULL, 0);
    server_loop_flush_later(connection->loop, connection);
}

void http2_connection_charge(struct http2_connection *connection, int32_t cost)
{
    if (connection->budget <= 0)
        return;
    connection->budget -= cost;
    if (connection->budget > 0)
        return;
    log_event(LOG_LEVEL_WARNING, "connection ended: too many resets, pings or empty frames", NULL,
              0);
    nghttp2_session_terminate_session(connection->session, NGHTTP2_ENHANCE_YOUR_CALM);
    server_loop_flush_later(connection->loop, connection);
}

void http2_connection_accept(struct server_loop *loop)
{
    struct http2_connection *connection = memory_allocate_zero(1, sizeof *connection);
    if (connection == NULL)
        return;
    connection->loop = loop;
    connection->socket.data = connection;
    connection->write.data = connection;
    connection->budget = abuse_budget;
    connection->open_time_us = server_loop_now_us(loop);
    buffer_init(&connection->output, output_bytes_max);
    buffer_init(&connection->writing, output_bytes_max);
    if (uv_tcp_init(&loop->io.loop, &connection->socket) != 0) {
        memory_release(connection);
        return;
    }
    connection->next = loop->connections;
    if (loop->connections != NULL)
        loop->connections->previous = connection;
    loop->connections = connection;
    loop->socket_count++;
    uint32_t others = atomic_fetch_add(loop->connection_count, 1);
    if (uv_accept((uv_stream_t *)&loop->listener, (uv_stream_t *)&connection->socket) != 0 ||
        others >= loop->options->connections_max || make_session(connection) != 0 ||
        greet(connection) != 0 || uv_tcp_nodelay(&connection->socket, 1) != 0 ||
        uv_read_start((uv_stream_t *)&connection->socket, give_buffer, on_read) != 0) {
        http2_connection_close(connection);
        return;
    }
    server_loop_flush_later(loop, connection);
}
