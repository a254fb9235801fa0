/*
 * One loop, one listener, a list of connections. A request's head is parsed by http-parser as it
 * comes; when it is complete the route's handler fills the body and the answer is written, then the
 * next request of the connection may come (pipelined ones wait in the socket).
 *
 * Failures: a head that is no HTTP, too long, or has a body is answered 400, 431 or 413 and the
 * connection closed; a peer that takes more than ten seconds for a head, or is idle for sixty, is
 * closed.
 */
#include "platform/http/http_server.h"

#include "platform/base/memory.h"
#include "platform/io/io_loop.h"
#include "platform/io/listen_address.h"

#include <http_parser.h>
#include <stdio.h>
#include <string.h>

enum {
    connections_max = 64,
    head_bytes_max = 8192,
    body_bytes_max = 1024 * 1024,
    idle_seconds_max = 60,
    head_seconds_max = 10,
    listen_backlog = 64,
};

struct http_connection {
    struct http_server *server;
    struct http_connection *previous;
    struct http_connection *next;
    uv_tcp_t socket;
    uv_write_t write;
    http_parser parser;
    char path[256];
    size_t path_size;
    size_t head_size;
    int refusal; /* status, 0 = none */
    bool complete;
    bool closing;
    bool writing;
    uint64_t since_ms; /* of the last answer, or the head's first byte */
    struct buffer output;
    char input[4096];
};

struct http_server {
    struct io_loop io;
    const struct http_route *routes;
    size_t route_count;
    uv_tcp_t listener;
    uv_timer_t second;
    struct http_connection *connections;
    size_t connection_count;
    char address[listen_address_bytes_max];
    struct task stop;
};

static void on_closed(uv_handle_t *handle)
{
    struct http_connection *connection = handle->data;
    connection->server->connection_count--;
    buffer_deinit(&connection->output);
    memory_release(connection);
}

static void close_connection(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    if (connection->closing)
        return;
    connection->closing = true;
    if (connection->previous == NULL)
        server->connections = connection->next;
    else
        connection->previous->next = connection->next;
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    uv_close((uv_handle_t *)&connection->socket, on_closed);
}

/* --- answers --- */

static const struct http_route *find_route(const struct http_connection *connection)
{
    const struct http_server *server = connection->server;
    const char *question = memchr(connection->path, '?', connection->path_size);
    size_t size = question == NULL ? connection->path_size : (size_t)(question - connection->path);
    for (size_t i = 0; i < server->route_count; i++) {
        if (text_equals_string(text_make(connection->path, size), server->routes[i].path))
            return &server->routes[i];
    }
    return NULL;
}

static const char *reason_of(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 413:
        return "Content Too Large";
    case 431:
        return "Request Header Fields Too Large";
    case 503:
        return "Service Unavailable";
    default:
        return "Internal Server Error";
    }
}

static void on_written(uv_write_t *write, int status)
{
    struct http_connection *connection = write->data;
    connection->writing = false;
    buffer_clear(&connection->output);
    if (connection->closing)
        return;
    connection->since_ms = uv_now(&connection->server->io.loop);
    if (status != 0 || connection->refusal != 0 || !http_should_keep_alive(&connection->parser))
        close_connection(connection);
}

static void send_answer(struct http_connection *connection, int status, const char *type,
                        struct text body)
{
    struct buffer *out = &connection->output;
    bool head_only = connection->parser.method == HTTP_HEAD;
    bool keep = connection->refusal == 0 && http_should_keep_alive(&connection->parser);
    bool fits = buffer_append_format(out,
                                     "HTTP/1.1 %d %s\r\ncontent-type: %s\r\ncontent-length: %zu\r\n"
                                     "cache-control: no-store\r\n%s\r\n",
                                     status, reason_of(status), type, body.size,
                                     keep ? "" : "connection: close\r\n");
    fits = fits && (head_only || buffer_append_text(out, body));
    uv_buf_t buffer = uv_buf_init(out->data, (unsigned)out->size);
    connection->writing = true;
    if (!fits || uv_write(&connection->write, (uv_stream_t *)&connection->socket, &buffer, 1,
                          on_written) != 0) {
        connection->writing = false;
        close_connection(connection);
    }
}

static void answer(struct http_connection *connection)
{
    struct buffer body;
    const struct http_route *route = find_route(connection);
    unsigned method = connection->parser.method;
    int status = connection->refusal;
    const char *type = "text/plain; charset=utf-8";
    buffer_init(&body, body_bytes_max);
    if (status == 0 && method != HTTP_GET && method != HTTP_HEAD)
        status = 405;
    else if (status == 0 && route == NULL)
        status = 404;
    if (status == 0) {
        type = route->content_type;
        status = route->handler(route->context, &body);
    } else if (!buffer_append_format(&body, "%s\n", reason_of(status))) {
        buffer_clear(&body);
    }
    send_answer(connection, status, type, buffer_text(&body));
    buffer_deinit(&body);
}

/* --- requests --- */

static int on_message_begin(http_parser *parser)
{
    struct http_connection *connection = parser->data;
    connection->path_size = 0;
    connection->head_size = 0;
    connection->complete = false;
    return 0;
}

static int on_url(http_parser *parser, const char *at, size_t size)
{
    struct http_connection *connection = parser->data;
    if (connection->path_size + size > sizeof connection->path) {
        connection->refusal = 404;
        return 0;
    }
    memcpy(connection->path + connection->path_size, at, size);
    connection->path_size += size;
    return 0;
}

static int on_headers_complete(http_parser *parser)
{
    struct http_connection *connection = parser->data;
    if ((parser->flags & F_CHUNKED) ||
        (parser->content_length != 0 && parser->content_length != UINT64_MAX))
        connection->refusal = 413;
    return connection->refusal == 0 ? 0 : 1; /* 1: no body is read */
}

static int on_message_complete(http_parser *parser)
{
    struct http_connection *connection = parser->data;
    connection->complete = true;
    http_parser_pause(parser, 1);
    return 0;
}

static void take_input(struct http_connection *connection, const char *data, size_t size)
{
    static const http_parser_settings settings = {
        .on_message_begin = on_message_begin,
        .on_url = on_url,
        .on_headers_complete = on_headers_complete,
        .on_message_complete = on_message_complete,
    };
    http_parser_execute(&connection->parser, &settings, data, size);
    connection->head_size += size;
    enum http_errno wrong = HTTP_PARSER_ERRNO(&connection->parser);
    if (wrong == HPE_HEADER_OVERFLOW || connection->head_size > head_bytes_max)
        connection->refusal = 431;
    else if (wrong != HPE_OK && wrong != HPE_PAUSED && connection->refusal == 0)
        connection->refusal = 400;
    if (!connection->complete && connection->refusal == 0)
        return;
    answer(connection);
    if (wrong == HPE_PAUSED)
        http_parser_pause(&connection->parser, 0);
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct http_connection *connection = handle->data;
    (void)suggested;
    *buffer = uv_buf_init(connection->input, sizeof connection->input);
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer)
{
    struct http_connection *connection = stream->data;
    if (size == 0 || connection->closing)
        return;
    /* One request at a time: whoever sends the next before the answer is closed. */
    if (size < 0 || connection->writing)
        close_connection(connection);
    else
        take_input(connection, buffer->base, (size_t)size);
}

static void on_second(uv_timer_t *timer)
{
    struct http_server *server = timer->data;
    struct http_connection *connection = server->connections;
    while (connection != NULL) {
        struct http_connection *next = connection->next;
        uint64_t age_ms = uv_now(&server->io.loop) - connection->since_ms;
        bool in_head = connection->head_size > 0 && !connection->complete;
        if (age_ms > (uint64_t)(in_head ? head_seconds_max : idle_seconds_max) * 1000)
            close_connection(connection);
        connection = next;
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct http_server *server = listener->data;
    struct http_connection *connection = memory_allocate_zero(1, sizeof *connection);
    if (connection == NULL || status != 0) {
        memory_release(connection);
        return;
    }
    connection->server = server;
    connection->socket.data = connection;
    connection->write.data = connection;
    connection->since_ms = uv_now(&server->io.loop);
    buffer_init(&connection->output, body_bytes_max + head_bytes_max);
    http_parser_init(&connection->parser, HTTP_REQUEST);
    connection->parser.data = connection;
    uv_tcp_init(&server->io.loop, &connection->socket);
    connection->next = server->connections;
    if (server->connections != NULL)
        server->connections->previous = connection;
    server->connections = connection;
    server->connection_count++;
    if (uv_accept(listener, (uv_stream_t *)&connection->socket) != 0 ||
        server->connection_count > connections_max ||
        uv_read_start((uv_stream_t *)&connection->socket, give_buffer, on_read) != 0)
        close_connection(connection);
}

/* --- its life --- */

static void on_handle_closed(uv_handle_t *handle)
{
    (void)handle;
}

static void close_handles(struct http_server *server)
{
    while (server->connections != NULL)
        close_connection(server->connections);
    if (!uv_is_closing((uv_handle_t *)&server->listener))
        uv_close((uv_handle_t *)&server->listener, on_handle_closed);
    if (!uv_is_closing((uv_handle_t *)&server->second))
        uv_close((uv_handle_t *)&server->second, on_handle_closed);
}

static void run_stop(struct task *task)
{
    close_handles((struct http_server *)((char *)task - offsetof(struct http_server, stop)));
}

static struct error start(struct http_server *server, const char *listen)
{
    struct sockaddr_storage address;
    int size = sizeof address;
    struct error error = listen_address_resolve(listen, &address);
    if (error_is(error))
        return error;
    int result = uv_tcp_bind(&server->listener, (const struct sockaddr *)&address, 0);
    if (result == 0)
        result = uv_listen((uv_stream_t *)&server->listener, listen_backlog, on_connection);
    if (result == 0)
        result = uv_tcp_getsockname(&server->listener, (struct sockaddr *)&address, &size);
    if (result != 0)
        return error_make(ERROR_NETWORK, "cannot listen on %s: %s", listen, uv_strerror(result));
    listen_address_format(&address, server->address);
    uv_timer_start(&server->second, on_second, 1000, 1000);
    return io_loop_start(&server->io);
}

struct error http_server_open(struct http_server **server, const char *listen,
                              const struct http_route *routes, size_t route_count)
{
    struct http_server *made = memory_allocate_zero(1, sizeof *made);
    if (made == NULL)
        return error_make(ERROR_OUT_OF_MEMORY, "operations server");
    made->routes = routes;
    made->route_count = route_count;
    made->stop.run = run_stop;
    struct error error = io_loop_init(&made->io);
    if (error_is(error)) {
        memory_release(made);
        return error;
    }
    uv_tcp_init(&made->io.loop, &made->listener);
    uv_timer_init(&made->io.loop, &made->second);
    made->listener.data = made;
    made->second.data = made;
    error = start(made, listen);
    if (error_is(error)) {
        http_server_close(made);
        return error;
    }
    *server = made;
    return error_none();
}

const char *http_server_address(const struct http_server *server)
{
    return server->address;
}

void http_server_close(struct http_server *server)
{
    if (server == NULL)
        return;
    if (server->io.running) {
        executor_post(&server->io.base, &server->stop);
        io_loop_stop(&server->io);
    } else {
        close_handles(server);
    }
    io_loop_deinit(&server->io);
    memory_release(server);
}
