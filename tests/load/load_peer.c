/* Sockets that do not block; nghttp2 keeps what has been asked for until it can be sent. */
#include "tests/load/load_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { input_bytes = 1 << 16, window_bytes = 1 << 24 };

uint64_t load_now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

_Noreturn void load_give_up(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

struct sockaddr_in load_address(const char *text)
{
    char host[64];
    struct sockaddr_in address = {.sin_family = AF_INET};
    const char *colon = strrchr(text, ':');
    if (colon == NULL || (size_t)(colon - text) >= sizeof host)
        load_give_up(text, "is no HOST:PORT");
    snprintf(host, sizeof host, "%.*s", (int)(colon - text), text);
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
        load_give_up(text, "is no IPv4 address");
    address.sin_port = htons((uint16_t)atoi(colon + 1));
    return address;
}

void load_peer_open(struct load_peer *peer, const struct sockaddr_in *address,
                    const nghttp2_session_callbacks *callbacks, void *user)
{
    int one = 1;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window_bytes}};
    peer->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(peer->socket, (const struct sockaddr *)address, sizeof *address) != 0)
        load_give_up("connect", strerror(errno));
    setsockopt(peer->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(peer->socket, F_SETFL, O_NONBLOCK);
    nghttp2_session_client_new(&peer->session, callbacks, user);
    nghttp2_submit_settings(peer->session, NGHTTP2_FLAG_NONE, settings, 1);
    nghttp2_session_set_local_window_size(peer->session, NGHTTP2_FLAG_NONE, 0, window_bytes);
}

int32_t load_peer_call(struct load_peer *peer, const char *path, const char *authority,
                       const nghttp2_data_provider *body)
{
#define HEADER(name, value)                                                                        \
    {                                                                                              \
        (uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value), 0    \
    }
    const nghttp2_nv headers[] = {
        HEADER(":method", "POST"),
        HEADER(":scheme", "http"),
        HEADER(":path", path),
        HEADER(":authority", authority),
        HEADER("content-type", "application/grpc"),
        HEADER("te", "trailers"),
    };
#undef HEADER
    int32_t stream = nghttp2_submit_request(peer->session, NULL, headers,
                                            sizeof headers / sizeof headers[0], body, NULL);
    if (stream < 0)
        load_give_up("a call", nghttp2_strerror(stream));
    return stream;
}

void load_peer_write(struct load_peer *peer)
{
    for (;;) {
        if (peer->pending_size == 0) {
            ssize_t size = nghttp2_session_mem_send(peer->session, &peer->pending);
            if (size < 0)
                load_give_up("sending", nghttp2_strerror((int)size));
            peer->pending_size = (size_t)size;
        }
        if (peer->pending_size == 0)
            return;
        ssize_t sent = send(peer->socket, peer->pending, peer->pending_size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EAGAIN)
            return;
        if (sent < 0)
            load_give_up("send", strerror(errno));
        peer->pending += sent;
        peer->pending_size -= (size_t)sent;
    }
}

void load_peer_read(struct load_peer *peer)
{
    static uint8_t input[input_bytes];
    for (;;) {
        ssize_t got = recv(peer->socket, input, sizeof input, 0);
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0)
            load_give_up("the connection", got == 0 ? "was closed" : strerror(errno));
        ssize_t taken = nghttp2_session_mem_recv(peer->session, input, (size_t)got);
        if (taken < 0)
            load_give_up("receiving", nghttp2_strerror((int)taken));
        if ((size_t)got < sizeof input)
            return;
    }
}
