/* One nghttp2 session a connection, one poll over all. */
#include "tests/load/load_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { output_bytes_max = 1 << 20, input_bytes = 1 << 18 };

struct load_connection {
    struct load_client *client;
    int socket;
    nghttp2_session *session;
    char *output;
    size_t output_size;
    size_t output_sent;
};

_Noreturn void load_give_up(const char *what, const char *why)
{
    fprintf(stderr, "load: %s: %s\n", what, why);
    exit(1);
}

uint64_t load_now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

void load_frame(char body[load_frame_size], size_t size)
{
    body[0] = 0;
    for (unsigned i = 0; i < 4; i++)
        body[1 + i] = (char)(size >> (24 - 8 * i));
}

/* --- calls --- */

static ssize_t read_body(nghttp2_session *session, int32_t stream_id, uint8_t *out, size_t room,
                         uint32_t *flags, nghttp2_data_source *source, void *context)
{
    struct load_call *call = source->ptr;
    size_t left = call->body_size - call->body_sent;
    size_t part = left < room ? left : room;
    (void)session;
    (void)stream_id;
    (void)context;
    memcpy(out, call->body + call->body_sent, part);
    call->body_sent += part;
    if (part == left)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)part;
}

#define HEADER(name, value, size)                                                                  \
    {                                                                                              \
        (uint8_t *)(name), (uint8_t *)(value), sizeof(name) - 1, size,                             \
            NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE                           \
    }

void load_call_begin(struct load_call *call)
{
    struct load_client *client = call->connection->client;
    nghttp2_nv headers[] = {
        HEADER(":method", "POST", 4),
        HEADER(":scheme", "http", 4),
        HEADER(":path", client->path, strlen(client->path)),
        HEADER(":authority", client->authority, strlen(client->authority)),
        HEADER("content-type", "application/grpc", 16),
        HEADER("te", "trailers", 8),
    };
    nghttp2_data_provider body = {.source.ptr = call, .read_callback = read_body};
    call->body_sent = 0;
    call->status = -1;
    call->answer_size = 0;
    call->began_ns = load_now_ns();
    client->in_flight++;
    if (nghttp2_submit_request(call->connection->session, NULL, headers, 6, &body, call) < 0)
        load_give_up("submit", "no more streams");
}

static int on_header(nghttp2_session *session, const nghttp2_frame *header, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                     void *context)
{
    (void)flags;
    (void)context;
    if (name_size != 11 || memcmp(name, "grpc-status", 11) != 0)
        return 0;
    struct load_call *call = nghttp2_session_get_stream_user_data(session, header->hd.stream_id);
    if (call != NULL)
        call->status = value_size == 1   ? value[0] - '0'
                       : value_size == 2 ? (value[0] - '0') * 10 + value[1] - '0'
                                         : -1;
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *data,
                   size_t size, void *context)
{
    (void)flags;
    (void)context;
    struct load_call *call = nghttp2_session_get_stream_user_data(session, stream_id);
    if (call == NULL || call->answer == NULL)
        return 0;
    size_t room = call->answer_room - call->answer_size;
    size_t part = size < room ? size : room;
    memcpy(call->answer + call->answer_size, data, part);
    call->answer_size += part;
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t code,
                           void *context)
{
    struct load_call *call = nghttp2_session_get_stream_user_data(session, stream_id);
    (void)code;
    (void)context;
    if (call != NULL) {
        struct load_client *client = call->connection->client;
        client->in_flight--;
        client->finished(call);
    }
    return 0;
}

/* --- connections --- */

static void open_connection(struct load_connection *connection, const struct sockaddr_in *address)
{
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20}};
    nghttp2_session_callbacks *callbacks;
    int on = 1;
    connection->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(connection->socket, (const struct sockaddr *)address, sizeof *address) != 0)
        load_give_up("connect", strerror(errno));
    setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(connection->socket, F_SETFL, O_NONBLOCK);
    connection->output = malloc(output_bytes_max);
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    if (connection->output == NULL ||
        nghttp2_session_client_new(&connection->session, callbacks, connection) != 0)
        load_give_up("connection", "out of memory");
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(connection->session, NGHTTP2_FLAG_NONE, settings, 1);
    nghttp2_session_set_local_window_size(connection->session, NGHTTP2_FLAG_NONE, 0, 1 << 24);
}

static bool read_address(struct load_client *client, const char *text, struct sockaddr_in *address)
{
    char host[64];
    const char *colon = strrchr(text, ':');
    if (colon == NULL || (size_t)(colon - text) >= sizeof host)
        return false;
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = '\0';
    *address = (struct sockaddr_in){.sin_family = AF_INET};
    address->sin_port = htons((uint16_t)atoi(colon + 1));
    snprintf(client->authority, sizeof client->authority, "%s", text);
    return inet_pton(AF_INET, host, &address->sin_addr) == 1;
}

bool load_client_open(struct load_client *client, const char *address, unsigned connection_count)
{
    struct sockaddr_in server;
    if (!read_address(client, address, &server))
        return false;
    client->connections = calloc(connection_count, sizeof *client->connections);
    if (client->connections == NULL)
        load_give_up("start", "out of memory");
    client->connection_count = connection_count;
    for (unsigned i = 0; i < connection_count; i++) {
        client->connections[i].client = client;
        open_connection(&client->connections[i], &server);
    }
    return true;
}

struct load_connection *load_client_connection(struct load_client *client, unsigned index)
{
    return &client->connections[index];
}

static void receive(struct load_connection *connection)
{
    static uint8_t input[input_bytes];
    ssize_t size = recv(connection->socket, input, sizeof input, 0);
    if (size == 0 || (size < 0 && errno != EAGAIN))
        load_give_up("connection lost", size == 0 ? "closed by the server" : strerror(errno));
    if (size > 0 && nghttp2_session_mem_recv(connection->session, input, (size_t)size) < 0)
        load_give_up("connection", "the server does not speak HTTP/2");
}

static void transmit(struct load_connection *connection)
{
    for (;;) {
        while (connection->output_size < output_bytes_max / 2) {
            const uint8_t *data;
            ssize_t size = nghttp2_session_mem_send(connection->session, &data);
            if (size < 0)
                load_give_up("connection", nghttp2_strerror((int)size));
            if (size == 0)
                break;
            memcpy(connection->output + connection->output_size, data, (size_t)size);
            connection->output_size += (size_t)size;
        }
        if (connection->output_sent == connection->output_size)
            break;
        ssize_t sent = send(connection->socket, connection->output + connection->output_sent,
                            connection->output_size - connection->output_sent, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN)
            return;
        if (sent < 0)
            load_give_up("connection lost", strerror(errno));
        connection->output_sent += (size_t)sent;
        if (connection->output_sent == connection->output_size) {
            connection->output_sent = 0;
            connection->output_size = 0;
        }
    }
}

void load_client_flush(struct load_client *client)
{
    for (unsigned i = 0; i < client->connection_count; i++)
        transmit(&client->connections[i]);
}

void load_client_turn(struct load_client *client)
{
    struct pollfd polls[load_connections_max];
    for (unsigned i = 0; i < client->connection_count; i++) {
        const struct load_connection *connection = &client->connections[i];
        bool blocked = connection->output_size > connection->output_sent;
        polls[i] = (struct pollfd){.fd = connection->socket,
                                   .events = (short)(POLLIN | (blocked ? POLLOUT : 0))};
    }
    if (poll(polls, client->connection_count, 1000) < 0)
        load_give_up("poll", strerror(errno));
    for (unsigned i = 0; i < client->connection_count; i++) {
        if (polls[i].revents & (POLLIN | POLLHUP | POLLERR))
            receive(&client->connections[i]);
        if (polls[i].revents)
            transmit(&client->connections[i]);
    }
}
