#ifndef WAYBILL_PLATFORM_HTTP_HTTP_LOOP_H
#define WAYBILL_PLATFORM_HTTP_HTTP_LOOP_H

#include "platform/base/buffer.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/http/http_exchange.h"
#include "platform/http/http_peers.h"
#include "platform/http/http_server.h"
#include "platform/io/io_loop.h"
#include "platform/io/listening_socket.h"
#include "platform/io/tls.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

/* Of a counter that one thread alone writes: no bus is locked for it. */
static inline void http_count(_Atomic uint64_t *counter, uint64_t more)
{
    uint64_t now = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, now + more, memory_order_relaxed);
}

enum { http_listeners_max = 16 };

/* What is logged at most once a second: who floods must not make us write, either. */
struct http_seldom_told {
    int64_t told_us;
    uint64_t untold;
};

/*
 * What one I/O thread of the server has: its loop, its listening sockets, its connections. All that
 * is written in one turn of the loop leaves in one write a connection.
 * Everything here belongs to that thread.
 */
struct http_loop {
    struct io_loop io;
    const struct http_server_options *options;
    const struct http_handler *handler;
    void *handler_context;
    struct tls_identity *identity; /* NULL = plain */
    struct http_peers *peers;      /* NULL = one address has no limits */
    struct http_counters counters;
    _Atomic uint32_t *connection_count; /* of the whole server */

    struct listening_socket listeners[http_listeners_max];
    uint32_t listener_count;
    uv_prepare_t before_poll; /* both flush what is to be written: */
    uv_check_t after_poll;    /* timers run before one, input and completions before the other */
    uv_timer_t second;        /* looks after connections that do nothing */
    struct http_seldom_told punishments;
    struct http_seldom_told bars;
    int64_t now_us; /* of this turn; INT64_MIN = not read yet */
    bool draining;
    bool others_are_gone; /* of a draining loop: connections from elsewhere; told once */
    bool draining_local;  /* those within this process too */
    int64_t drain_from_us;
    int64_t drain_until_us;
    int64_t drain_local_until_us;
    void (*others_gone)(void *context);
    void (*drained)(void *context); /* the last connection of a draining loop is gone */
    void *drained_context;          /* of both */

    struct http_connection *connections; /* doubly linked */
    uint32_t socket_count;               /* of connections, those being closed too */
    uint32_t local_count;                /* of those, within this process */
    struct http_connection *unflushed;   /* singly linked */

    struct http_exchange *idle_exchanges; /* of version 2, to use again */
    size_t idle_exchange_count;
    struct buffer output; /* one connection's at a time, while it is flushed */
    char input[64 * 1024];
};

/* How long a drain waits for peers that have connected and not spoken yet, or may be about to. */
enum { http_drain_grace_us = 1000000 };

/* Makes the handles; it is given sockets to listen on next. */
void http_loop_open(struct http_loop *loop);

/*
 * Listens on `address`; the server's first loop needs a port that nobody listens on, the others
 * share it. Errors: NETWORK.
 */
struct error http_loop_listen(struct http_loop *loop, const struct sockaddr_storage *address,
                              bool is_first);

/*
 * Listens on a socket that listens already and stays the caller's: all loops may have the same
 * one, each connection is taken by one of them. Errors: NETWORK, LIMIT (sockets of a loop).
 */
struct error http_loop_listen_on(struct http_loop *loop, int descriptor);

/* After its thread has ended. */
void http_loop_release(struct http_loop *loop);

/*
 * From its own thread: no new connections from elsewhere, an end to the old ones, to all at
 * drain_until_us. Connections within this process go on, for whoever is answered may ask over them;
 * `others_gone` follows, once.
 */
void http_loop_drain(struct http_loop *loop);

/* Second half, when that is so on all loops of the server. */
void http_loop_drain_local(struct http_loop *loop);

/* From its own thread: no new connections from now on; those there are go on. */
void http_loop_stop_listening(struct http_loop *loop);

/* It drains, and whoever was about to say something has had the time for it. */
bool http_loop_drain_grace_is_over(struct http_loop *loop);

/* A connection is gone. After the last one of a drain only the wake-up is left; `drained` follows.
 */
void http_loop_connection_closed(struct http_loop *loop);

/* Has the connection's output written before the loop sleeps. */
void http_loop_flush_later(struct http_loop *loop, struct http_connection *connection);

/*
 * By the server's clock, read once a turn when somebody asks first: cheap, and never far off, since
 * nothing here blocks.
 */
int64_t http_loop_now_us(struct http_loop *loop);

#endif
