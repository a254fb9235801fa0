#ifndef WAYBILL_PLATFORM_RPC_SERVER_LOOP_H
#define WAYBILL_PLATFORM_RPC_SERVER_LOOP_H

#include "platform/base/arena.h"
#include "platform/io/io_loop.h"
#include "platform/rpc/method_table.h"
#include "platform/rpc/server.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

/*
 * What one I/O thread of the server has: its loop, its listening socket, its connections, its calls
 * by deadline, and a list of calls to use again. Everything here belongs to that thread.
 */
struct http2_connection;

struct server_loop {
    struct io_loop io;
    const struct rpc_server_options *options;
    const struct method_table *methods;
    _Atomic uint32_t *connection_count; /* of the whole server */

    uv_tcp_t listener;
    uv_prepare_t before_poll; /* both flush what is to be written: */
    uv_check_t after_poll;    /* timers run before one, input and completions before the other */
    uv_timer_t second;        /* looks after connections that do nothing */
    uv_timer_t deadline;      /* the earliest of `deadlines` */
    bool listening;
    bool draining;
    int64_t drain_until_us;
    void (*drained)(void *context); /* the last connection of a draining loop is gone */
    void *drained_context;

    struct http2_connection *connections; /* doubly linked */
    uint32_t socket_count;                /* of connections, those being closed too */
    struct http2_connection *unflushed;   /* singly linked */

    struct rpc_call **deadlines; /* binary heap by deadline_us */
    size_t deadline_count;
    size_t deadline_capacity;

    struct rpc_call *idle_calls;
    size_t idle_call_count;
    char input[64 * 1024];
};

/* Makes the handles and listens on `address`. Errors: NETWORK, OUT_OF_MEMORY, INTERNAL. */
struct error server_loop_open(struct server_loop *loop, const struct sockaddr *address);

/* From its own thread: no new connections, GOAWAY to the old ones, an end to all at drain_until_us.
 */
void server_loop_drain(struct server_loop *loop);

/* A connection is gone. After the last one of a drain only the wake-up is left, and `drained` is
 * called. */
void server_loop_connection_closed(struct server_loop *loop);

/* Has the connection's output written before the loop sleeps. */
void server_loop_flush_later(struct server_loop *loop, struct http2_connection *connection);

/* The call answers DEADLINE_EXCEEDED at its deadline_us. False without memory. */
__attribute__((warn_unused_result)) bool server_loop_add_deadline(struct server_loop *loop,
                                                                  struct rpc_call *call);
void server_loop_remove_deadline(struct server_loop *loop, struct rpc_call *call);

/* By the server's clock. */
int64_t server_loop_now_us(const struct server_loop *loop);

#endif
