/*
 * One connection of the client's pool: it resolves, connects, speaks HTTP/2. What is to be sent is
 * written once a turn of the loop.
 *
 * Failures: a socket that breaks, a TLS handshake that fails, a protocol error, an unanswered PING,
 * missing memory: the connection is marked lost and given up at the next turn, when nobody stands
 * in its code; its calls are told then. A server that says GOAWAY gets no further calls; what it
 * has it may finish.
 */
#include "platform/rpc/client/client_state.h"

#include "platform/base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { output_bytes_target = 128 * 1024 };

void client_connection_lose(struct client_connection *connection, const char *reason)
{
    if (connection->lost || connection->gone)
        return;
    connection->lost = true;
    snprintf(connection->lost_reason, sizeof connection->lost_reason, "%s: %s",
             connection->client->address, reason);
}

bool client_connection_takes_calls(const struct client_connection *connection)
{
    return connection->state == CONNECTION_OPEN && !connection->lost && !connection->gone &&
           nghttp2_session_check_request_allowed(connection->session) != 0;
}

/* --- its end --- */

static void unlink_connection(struct client_connection *connection)
{
    struct client_connection **link = &connection->client->connections;
    while (*link != connection)
        link = &(*link)->next;
    *link = connection->next;
}

/* The last of it. */
static void release(struct client_connection *connection)
{
    struct rpc_client *client = connection->client;
    unlink_connection(connection);
    memory_release(connection);
    client_handle_closed(client);
}

static void on_socket_closed(struct stream_socket *socket)
{
    struct client_connection *connection = (struct client_connection *)socket;
    connection->socket_open = false;
    if (!connection->resolving)
        release(connection);
}

/* Nothing is sent or told any more; `release` follows when its handles are closed. */
static void end(struct client_connection *connection)
{
    connection->gone = true;
    if (connection->session != NULL)
        nghttp2_session_del(connection->session);
    connection->session = NULL;
    if (connection->resolving)
        uv_cancel((uv_req_t *)&connection->resolve);
    if (connection->socket_open)
        stream_socket_close(&connection->socket);
    else if (!connection->resolving)
        release(connection);
}

void client_connection_close(struct client_connection *connection)
{
    if (!connection->gone)
        end(connection);
}

/* All its calls end, or wait for another attempt; without a connection so do those that wait. */
static void give_up(struct client_connection *connection)
{
    struct rpc_client *client = connection->client;
    bool was_open = connection->state == CONNECTION_OPEN;
    char reason[sizeof connection->lost_reason];
    memcpy(reason, connection->lost_reason, sizeof reason);
    struct rpc_client_call *call = client->calls;
    struct rpc_client_call *last = client->calls_last; /* completions may add calls behind it */
    bool more = call != NULL;
    bool is_connecting;
    bool is_alone = client_usable_connections(client, &is_connecting) == 0;
    uint64_t now_ms = uv_now(client->loop);
    while (more) {
        struct rpc_client_call *next = call->next;
        more = call != last;
        bool waits = call->connection == NULL && !was_open && call->repeat_ms <= now_ms;
        if (!call->ended && call->connection == connection) {
            nghttp2_session_set_stream_user_data(connection->session, call->stream_id, NULL);
            client_call_stream_ended(call, false, !call->has_left, reason);
        } else if (!call->ended && waits && is_alone) {
            client_call_stream_ended(call, false, false, reason);
        }
        call = next;
    }
    end(connection);
}

/* --- out --- */

static bool serialize(struct client_connection *connection, struct buffer *out)
{
    while (out->size < output_bytes_target) {
        const uint8_t *data;
        ssize_t size = nghttp2_session_mem_send(connection->session, &data);
        if (size == 0)
            return true;
        if (size < 0 || !buffer_append(out, data, (size_t)size))
            return false;
    }
    return true;
}

void client_connection_flush(struct client_connection *connection)
{
    if (connection->gone)
        return;
    struct buffer *out = &connection->client->output;
    while (connection->state == CONNECTION_OPEN && connection->dirty && !connection->lost &&
           !connection->socket.in_write) {
        buffer_clear(out);
        if (!serialize(connection, out))
            client_connection_lose(connection, "not enough memory");
        else if (out->size == 0)
            connection->dirty = false;
        else if (!stream_socket_send(&connection->socket, buffer_text(out)))
            client_connection_lose(connection, "the connection is broken");
    }
    if (connection->state == CONNECTION_OPEN && !connection->lost &&
        nghttp2_session_want_read(connection->session) == 0 &&
        nghttp2_session_want_write(connection->session) == 0)
        client_connection_lose(connection, "the server ended the connection");
    if (connection->lost)
        give_up(connection);
}

/* --- the socket's reports --- */

static void on_ready(struct stream_socket *socket)
{
    struct client_connection *connection = (struct client_connection *)socket;
    struct rpc_client *client = connection->client;
    if (connection->lost || connection->gone)
        return;
    if (client->identity != NULL && !text_equals_string(stream_socket_protocol(socket), "h2")) {
        client_connection_lose(connection, "the server does not speak HTTP/2");
        return;
    }
    if (client_session_make(connection) != 0) {
        client_connection_lose(connection, "not enough memory");
        return;
    }
    connection->state = CONNECTION_OPEN;
    connection->heard_ms = uv_now(client->loop);
    connection->dirty = true;
    client_begin_busy(client);
    client_place_calls(client);
    client_end_busy(client);
}

/* Whether a server's first bytes may be those of HTTP/2: a SETTINGS frame is less than 64 KiB. */
static bool is_http2(struct text bytes)
{
    return bytes.size == 0 || bytes.data[0] == '\0';
}

static void on_received(struct stream_socket *socket, struct text bytes)
{
    struct client_connection *connection = (struct client_connection *)socket;
    struct rpc_client *client = connection->client;
    if (connection->session == NULL || connection->lost)
        return;
    connection->heard_ms = uv_now(client->loop);
    connection->ping_ms = 0;
    if (!connection->has_heard && !is_http2(bytes)) {
        client_connection_lose(connection, rpc_client_no_grpc);
        return;
    }
    connection->has_heard = true;
    client_begin_busy(client);
    ssize_t used =
        nghttp2_session_mem_recv(connection->session, (const uint8_t *)bytes.data, bytes.size);
    if (used < 0)
        client_connection_lose(connection, nghttp2_strerror((int)used));
    connection->dirty = true;
    client_end_busy(client);
}

static void on_writable(struct stream_socket *socket)
{
    ((struct client_connection *)socket)->dirty = true;
}

/* Before the first byte it is told what a wrong address or a wrong scheme looks like from here. */
static void on_lost(struct stream_socket *socket, const char *why)
{
    struct client_connection *connection = (struct client_connection *)socket;
    bool in_tls = connection->client->identity != NULL;
    char reason[sizeof connection->lost_reason];
    if (in_tls && connection->state != CONNECTION_OPEN && stream_socket_is_distrusted(socket))
        snprintf(reason, sizeof reason, "%s: %s", rpc_client_untrusted, why);
    else if (in_tls && connection->state != CONNECTION_OPEN && strstr(why, "wrong version") != NULL)
        snprintf(reason, sizeof reason, "%s", rpc_client_no_tls);
    else if (!in_tls && connection->state == CONNECTION_OPEN && !connection->has_heard)
        snprintf(reason, sizeof reason, "%s", rpc_client_ended_at_once);
    else
        snprintf(reason, sizeof reason, "%s", why);
    client_connection_lose(connection, reason);
}

static const struct stream_socket_table socket_table = {
    .ready = on_ready,
    .received = on_received,
    .writable = on_writable,
    .lost = on_lost,
    .closed = on_socket_closed,
};

/* --- its beginning --- */

static int open_socket(struct client_connection *connection)
{
    struct rpc_client *client = connection->client;
    int result = stream_socket_init(&connection->socket, client->loop, &socket_table,
                                    client->scratch, sizeof client->scratch);
    connection->socket_open = result == 0;
    connection->state = CONNECTION_OPENING;
    return result;
}

static void on_resolved(uv_getaddrinfo_t *resolve, int status, struct addrinfo *found)
{
    struct client_connection *connection = resolve->data;
    struct rpc_client *client = connection->client;
    connection->resolving = false;
    if (connection->gone) {
        uv_freeaddrinfo(found);
        release(connection);
        return;
    }
    if (status == 0)
        status = open_socket(connection);
    if (status == 0)
        status = stream_socket_connect(&connection->socket, found->ai_addr, client->identity,
                                       client->server_name);
    uv_freeaddrinfo(found);
    if (status != 0)
        client_connection_lose(connection, uv_strerror(status));
}

static void resolve(struct client_connection *connection)
{
    struct rpc_client *client = connection->client;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    connection->resolve.data = connection;
    int result = uv_getaddrinfo(client->loop, &connection->resolve, on_resolved, client->host,
                                client->port, &hints);
    connection->resolving = result == 0;
    if (result != 0)
        client_connection_lose(connection, uv_strerror(result));
}

/* The socket is made by somebody within this process. */
static void adopt(struct client_connection *connection)
{
    struct rpc_client *client = connection->client;
    int descriptor = client->options.connect(client->options.connect_context);
    int result = descriptor < 0 ? descriptor : open_socket(connection);
    if (descriptor >= 0 && result != 0)
        close(descriptor);
    if (result == 0)
        result = stream_socket_adopt(&connection->socket, descriptor);
    if (result != 0)
        client_connection_lose(connection, uv_strerror(result));
}

void client_connection_open(struct rpc_client *client)
{
    struct client_connection *connection = memory_allocate_zero(1, sizeof *connection);
    if (connection == NULL)
        return;
    connection->client = client;
    connection->next = client->connections;
    client->connections = connection;
    client->handles++;
    connection->connect_until_ms =
        uv_now(client->loop) + (uint64_t)client->options.connect_timeout_us / 1000;
    if (client->identity != NULL)
        (void)tls_identity_refresh(client->identity);
    if (client->options.connect != NULL)
        adopt(connection);
    else
        resolve(connection);
}

/* --- time --- */

void client_connection_look_after(struct client_connection *connection, uint64_t now_ms)
{
    const struct rpc_client_options *options = &connection->client->options;
    if (connection->gone || connection->lost)
        return;
    if (connection->state != CONNECTION_OPEN) {
        if (now_ms >= connection->connect_until_ms)
            client_connection_lose(connection, rpc_client_not_in_time);
        return;
    }
    if (options->keepalive_us == 0 || connection->call_count == 0)
        return;
    if (connection->ping_ms != 0 &&
        now_ms >= connection->ping_ms + (uint64_t)options->keepalive_timeout_us / 1000) {
        client_connection_lose(connection, "the server does not answer PING");
    } else if (connection->ping_ms == 0 &&
               now_ms >= connection->heard_ms + (uint64_t)options->keepalive_us / 1000 &&
               nghttp2_submit_ping(connection->session, NGHTTP2_FLAG_NONE, NULL) == 0) {
        connection->ping_ms = now_ms;
        connection->dirty = true;
    }
}
