/*
 * Fuzz target of HTTP/1.1 and HTTP/2 as they come from a peer (RELIABILITY row 19): any bytes, in
 * any pieces, are answered or refused; nothing is read or written beyond its place, and every
 * request that was opened is closed. The versions are driven without a network: what they would
 * send is taken from them as the connection takes it.
 *
 * The first byte: bit 0 the version, the rest the size of the pieces (0 = all at once).
 */
#include "platform/base/check.h"
#include "platform/base/memory.h"
#include "platform/http/http_connection.h"
#include "platform/http/http_routes.h"

#include <stddef.h>
#include <stdint.h>

enum { output_bytes_max = 16 * 1024 * 1024, output_bytes_target = 64 * 1024 };

static struct http_loop loop;
static struct http_server_options options;
static _Atomic uint32_t connection_count;
static int open_requests;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned fill(void *context, struct buffer *body)
{
    (void)context;
    return buffer_append_string(body, "something to read\n") ? 200 : 500;
}

/* The routes' handler, its requests counted. */
static void *open_counted(void *context, struct http_exchange *exchange, struct text path)
{
    void *consumer = http_routes_handler.open(context, exchange, path);
    open_requests += consumer != NULL;
    return consumer;
}

static void close_counted(void *consumer)
{
    open_requests--;
    http_routes_handler.closed(consumer);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const struct http_route all[] = {{"/", "text/plain", fill, NULL}};
    static struct http_routes routes = {.all = all, .count = 1};
    static struct http_handler handler;
    (void)argc;
    (void)argv;
    handler = http_routes_handler;
    handler.open = open_counted;
    handler.closed = close_counted;
    options = http_server_options_default();
    loop.options = &options;
    loop.handler = &handler;
    loop.handler_context = &routes;
    loop.connection_count = &connection_count;
    CHECK(uv_loop_init(&loop.io.loop) == 0);
    return 0;
}

static void on_closed(struct stream_socket *socket)
{
    struct http_connection *connection = (struct http_connection *)socket;
    if (connection->session != NULL)
        connection->version->release(connection);
    memory_release(connection);
}

static struct http_connection *open_connection(const struct http_version *version)
{
    static const struct stream_socket_table table = {.closed = on_closed};
    struct http_connection *connection = memory_allocate_zero(1, sizeof *connection);
    CHECK(connection != NULL);
    connection->loop = &loop;
    connection->budget = 2000;
    connection->version = version;
    CHECK(stream_socket_init(&connection->socket, &loop.io.loop, &table, loop.input,
                             sizeof loop.input) == 0);
    loop.connections = connection;
    CHECK(version->open(connection));
    return connection;
}

/* Takes all that is to be sent. */
static void flush(struct http_connection *connection)
{
    struct buffer out;
    size_t before;
    buffer_init(&out, output_bytes_max);
    do {
        before = out.size;
        if (!connection->version->serialize(connection, &out, before + output_bytes_target))
            connection->failed = true;
    } while (out.size > before && !connection->failed);
    buffer_deinit(&out);
    loop.unflushed = NULL; /* its list is of no use here */
    connection->unflushed = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t piece_max = data[0] >> 1 == 0 ? size : data[0] >> 1;
    struct http_connection *connection =
        open_connection(data[0] & 1 ? &http_version_1 : &http_version_2);
    for (size_t at = 1; at < size && !connection->failed;) {
        size_t piece = size - at < piece_max ? size - at : piece_max;
        if (!connection->version->receive(connection, text_make(data + at, piece)))
            connection->failed = true;
        at += piece;
        flush(connection);
    }
    http_connection_close(connection);
    CHECK(open_requests == 0 && loop.connections == NULL);
    uv_run(&loop.io.loop, UV_RUN_DEFAULT);
    return 0;
}
