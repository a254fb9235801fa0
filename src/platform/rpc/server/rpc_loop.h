#ifndef WAYBILL_PLATFORM_RPC_SERVER_RPC_LOOP_H
#define WAYBILL_PLATFORM_RPC_SERVER_RPC_LOOP_H

#include "platform/base/buffer.h"
#include "platform/http/http_loop.h"
#include "platform/http/http_routes.h"
#include "platform/rpc/server.h"
#include "platform/rpc/server/rpc_metrics.h"
#include "platform/rpc/services/method_table.h"

#include <stdbool.h>
#include <uv.h>

/*
 * What one I/O thread has for its calls: those with a deadline, a list of calls to use again, and
 * scratch memory for coding messages. Everything here belongs to that thread.
 */
struct rpc_call;

struct rpc_loop {
    struct http_loop *http;
    const struct rpc_server_options *options;
    const struct method_table *methods;
    const struct http_routes *own_routes; /* what else is read on this port: the server's own, */
    const struct http_routes *routes;     /* and the caller's */
    struct rpc_metrics metrics;

    uv_timer_t deadline;         /* the earliest of `deadlines` */
    struct rpc_call **deadlines; /* binary heap by deadline_us */
    size_t deadline_count;
    size_t deadline_capacity;

    struct rpc_call *idle_calls;
    size_t idle_call_count;
    struct buffer inflated; /* one request message, while it is read */
    struct buffer encoded;  /* one response message, while it is queued */
    struct buffer deflated;
};

/* Before its thread runs. OUT_OF_MEMORY. */
struct error rpc_loop_init(struct rpc_loop *loop, struct http_loop *http,
                           const struct rpc_server_options *options,
                           const struct method_table *methods,
                           const struct http_routes *own_routes);

/* Closes its timer; the last thing that its thread does. */
void rpc_loop_drained(struct rpc_loop *loop);

/* After its thread has ended. */
void rpc_loop_release(struct rpc_loop *loop);

/* The call answers DEADLINE_EXCEEDED at its deadline_us. False without memory. */
__attribute__((warn_unused_result)) bool rpc_loop_add_deadline(struct rpc_loop *loop,
                                                               struct rpc_call *call);
void rpc_loop_remove_deadline(struct rpc_loop *loop, struct rpc_call *call);

/* By the server's clock. */
int64_t rpc_loop_now_us(struct rpc_loop *loop);

#endif
