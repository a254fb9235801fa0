#ifndef WAYBILL_PLATFORM_HTTP_HTTP_SERVER_H
#define WAYBILL_PLATFORM_HTTP_HTTP_SERVER_H

#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/http/http_exchange.h"
#include "platform/io/tls.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The server: I/O threads, each a libuv loop with its own listening socket (SO_REUSEPORT), speaking
 * HTTP/2 (RFC 9113) and HTTP/1.1 (RFC 9112) on the same port, plain or in TLS. It knows nothing of
 * what is served: that is the handler's.
 */
struct http_server;

struct http_server_options {
    const char *listen; /* "HOST:PORT", "[::1]:PORT"; port 0 picks one */
    /*
     * Or sockets that listen already, and stay the caller's: `listen` then means nothing. Each
     * thread takes connections from all of them. What arrives after the drain waits in them.
     */
    const int *sockets;
    size_t socket_count; /* 0 = listen */
    uint32_t io_threads;
    uint32_t connections_max;          /* of the whole server; further ones are closed at once */
    uint32_t connections_per_peer_max; /* from one address; 0 = no limit of its own */
    uint32_t peer_abuse_points_per_second; /* of one address, http_peers.h; 0 = not counted */
    uint32_t streams_per_connection;       /* SETTINGS_MAX_CONCURRENT_STREAMS */
    size_t window_bytes;     /* of a request's body that may come before it is consumed */
    size_t header_bytes_max; /* names and values of one request */
    int64_t greeting_us_max; /* from connecting to a whole request's head */
    int64_t request_us_max;  /* from a request's head to its end, unless it is a stream */
    int64_t
        body_pause_us_max; /* nothing of what is to be sent moves, or, in version 1, of a body */
    int64_t idle_us_max;   /* without any exchange, then it is closed; 0 = for ever */
    int64_t age_us_max;    /* then it is drained, so that load spreads; 0 = for ever */
    int64_t drain_us_max;  /* from http_server_drain to the last connection's end */
    struct clock *clock;
    struct tls_settings tls; /* without certificate: plain */
    /*
     * False, for tests: no threads are started; the caller runs the loops itself, up to the drain.
     */
    bool threaded;
};

/* What has happened since the start, and what is there now (connections, exchanges). */
struct http_counters {
    _Atomic uint64_t connections_accepted;
    _Atomic uint64_t connections_refused;  /* beyond connections_max */
    _Atomic uint64_t connections_barred;   /* of an address that has overspent */
    _Atomic uint64_t connections_punished; /* for an exhausted abuse budget */
    _Atomic uint64_t requests_late;        /* answered before they had come whole */
    _Atomic uint64_t connections_slow;     /* closed because nothing came or left in time */
    _Atomic uint64_t connections_open;
    _Atomic uint64_t exchanges_open;
    _Atomic uint64_t exchanges_opened;
    _Atomic uint64_t heads_refused; /* longer than header_bytes_max */
    _Atomic uint64_t bytes_received;
    _Atomic uint64_t bytes_sent;
};

/* The values users get if they set nothing. */
struct http_server_options http_server_options_default(void);

/*
 * Binds; nobody is answered before http_server_start. `options` are copied, what they point to must
 * outlive the server. Errors: INVALID_SETTING (address, threads, TLS files), NETWORK (cannot bind),
 * OUT_OF_MEMORY.
 */
struct error http_server_create(struct http_server **server,
                                const struct http_server_options *options,
                                const struct http_handler *handler);

/* One loop a thread. Each must be given its handler's context before the start. */
uint32_t http_server_loop_count(const struct http_server *server);
struct http_loop *http_server_loop(struct http_server *server, uint32_t index);
void http_server_set_context(struct http_server *server, uint32_t index, void *context);

/* Starts the threads. Errors: OUT_OF_MEMORY, INTERNAL. */
struct error http_server_start(struct http_server *server);

/* The address really listened on, "127.0.0.1:40001". Lives with the server. */
const char *http_server_address(const struct http_server *server);

/*
 * A connection from within this process: gives the client's end of a pair of sockets, nonblocking,
 * which becomes the caller's, or a negative errno. Plain, without port, limits for peers or idle
 * time. Any thread, from the start until the drain is over; late ones are closed at once.
 */
int http_server_connect_local(struct http_server *server);

/* The sum over all threads. Any thread. */
void http_server_count(const struct http_server *server, struct http_counters *sum);

/*
 * New connections are refused from soon on; those there are go on. For the time between the wish to
 * stop and the drain. Any thread but the server's own.
 */
void http_server_stop_listening(struct http_server *server);

/*
 * First half of a clean shutdown: stops accepting, sends GOAWAY, lets exchanges finish, ends what
 * is left after drain_us_max; then the same for connections within this process, over which calls
 * from elsewhere may ask further ones until they are answered; blocks until no connection is left.
 * The loops still run, because stores may have answers on their way: close the stores next. Any
 * thread but the server's own. Also after a failed or missing start.
 */
void http_server_drain(struct http_server *server);

/* Second half, when nobody can post to the loops any more: ends the threads; what handlers keep for
 * a loop may be released afterwards. NULL is allowed, also below. */
void http_server_stop(struct http_server *server);
void http_server_destroy(struct http_server *server);

#endif
