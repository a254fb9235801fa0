/*
 * The yardstick of the RPC layer: the least that an echo over HTTP/2 needs, nghttp2 and libuv
 * alone. No checks, no messages, no deadlines, no limits: what comes as a request's body goes back
 * as the answer's, with grpc-status 0 behind it. Benchmarks only (tests/load/door_figures.py).
 *
 *     echo_bare
 *
 * Prints the address, listens on loopback, serves until SIGTERM ends it. Any failure ends it, too.
 */
#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { body_bytes_max = 64, output_bytes_max = 256 * 1024, input_bytes = 64 * 1024 };

struct stream {
    size_t size;
    size_t sent;
    uint8_t body[body_bytes_max];
};

struct connection {
    uv_tcp_t socket;
    uv_write_t write;
    nghttp2_session *session;
    bool in_write;
    size_t output_size;
    uint8_t output[output_bytes_max + 64 * 1024];
};

static char input[input_bytes];

static void require(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "echo_bare: %s\n", what);
    exit(1);
}

static nghttp2_nv header(const char *name, const char *value)
{
    return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
                        .value = (uint8_t *)(uintptr_t)value,
                        .namelen = strlen(name),
                        .valuelen = strlen(value),
                        .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

static ssize_t read_body(nghttp2_session *session, int32_t stream_id, uint8_t *out, size_t room,
                         uint32_t *flags, nghttp2_data_source *source, void *context)
{
    struct stream *stream = source->ptr;
    size_t left = stream->size - stream->sent;
    size_t part = left < room ? left : room;
    (void)context;
    memcpy(out, stream->body + stream->sent, part);
    stream->sent += part;
    if (stream->sent == stream->size) {
        nghttp2_nv trailer = header("grpc-status", "0");
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        require(nghttp2_submit_trailer(session, stream_id, &trailer, 1) == 0, "trailer");
    }
    return (ssize_t)part;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct stream *stream = calloc(1, sizeof *stream);
    (void)context;
    require(stream != NULL, "memory");
    return nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t stream_id,
                         const uint8_t *data, size_t size, void *context)
{
    struct stream *stream = nghttp2_session_get_stream_user_data(session, stream_id);
    (void)flags;
    (void)context;
    require(stream->size + size <= body_bytes_max, "a body of more than 64 bytes");
    memcpy(stream->body + stream->size, data, size);
    stream->size += size;
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    (void)context;
    if ((frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) ||
        !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        return 0;
    nghttp2_nv headers[] = {header(":status", "200"), header("content-type", "application/grpc")};
    nghttp2_data_provider body = {
        .source.ptr = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id),
        .read_callback = read_body};
    return nghttp2_submit_response(session, frame->hd.stream_id, headers, 2, &body);
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code,
                           void *context)
{
    (void)error_code;
    (void)context;
    free(nghttp2_session_get_stream_user_data(session, stream_id));
    return 0;
}

static void send_some(struct connection *connection);

static void on_written(uv_write_t *write, int status)
{
    struct connection *connection = write->data;
    connection->in_write = false;
    if (status == 0)
        send_some(connection);
}

/* Everything that is ready leaves in one write. */
static void send_some(struct connection *connection)
{
    while (!connection->in_write) {
        const uint8_t *data;
        ssize_t size = 0;
        connection->output_size = 0;
        while (connection->output_size < output_bytes_max) {
            size = nghttp2_session_mem_send(connection->session, &data);
            if (size <= 0)
                break;
            memcpy(connection->output + connection->output_size, data, (size_t)size);
            connection->output_size += (size_t)size;
        }
        if (size < 0 || connection->output_size == 0)
            return;
        uv_buf_t buffer =
            uv_buf_init((char *)connection->output, (unsigned)connection->output_size);
        int written = uv_try_write((uv_stream_t *)&connection->socket, &buffer, 1);
        if (written == (int)connection->output_size)
            continue;
        if (written < 0 && written != UV_EAGAIN)
            return;
        size_t done = written < 0 ? 0 : (size_t)written;
        buffer.base += done;
        buffer.len -= done;
        connection->write.data = connection;
        connection->in_write = uv_write(&connection->write, (uv_stream_t *)&connection->socket,
                                        &buffer, 1, on_written) == 0;
    }
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)handle;
    (void)suggested;
    *buffer = uv_buf_init(input, sizeof input);
}

static void on_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    nghttp2_session_del(connection->session);
    free(connection);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct connection *connection = stream->data;
    if (size < 0 ||
        nghttp2_session_mem_recv(connection->session, (uint8_t *)buffer->base, (size_t)size) < 0) {
        uv_close((uv_handle_t *)stream, on_closed);
        return;
    }
    send_some(connection);
}

static void on_connection(uv_stream_t *listener, int status)
{
    static nghttp2_session_callbacks *callbacks;
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1024}};
    struct connection *connection = calloc(1, sizeof *connection);
    require(status == 0 && connection != NULL, "connection");
    if (callbacks == NULL) {
        require(nghttp2_session_callbacks_new(&callbacks) == 0, "memory");
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    }
    uv_tcp_init(listener->loop, &connection->socket);
    connection->socket.data = connection;
    require(uv_accept(listener, (uv_stream_t *)&connection->socket) == 0, "accept");
    uv_tcp_nodelay(&connection->socket, 1);
    require(nghttp2_session_server_new(&connection->session, callbacks, connection) == 0 &&
                nghttp2_submit_settings(connection->session, 0, settings, 1) == 0,
            "session");
    uv_read_start((uv_stream_t *)&connection->socket, give_buffer, on_read);
    send_some(connection);
}

int main(void)
{
    uv_tcp_t listener;
    struct sockaddr_in address;
    int size = sizeof address;
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_init(uv_default_loop(), &listener);
    require(uv_tcp_bind(&listener, (struct sockaddr *)&address, 0) == 0 &&
                uv_listen((uv_stream_t *)&listener, 1024, on_connection) == 0 &&
                uv_tcp_getsockname(&listener, (struct sockaddr *)&address, &size) == 0,
            "listen");
    printf("127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
