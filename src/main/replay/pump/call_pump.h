#ifndef WAYBILL_MAIN_REPLAY_PUMP_CALL_PUMP_H
#define WAYBILL_MAIN_REPLAY_PUMP_CALL_PUMP_H

#include "main/replay/plan/order_turns.h"
#include "main/replay/pump/latency_sample.h"
#include "platform/base/arena.h"
#include "platform/base/clock.h"
#include "platform/base/error.h"
#include "platform/rpc/client.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

/*
 * Keeps many calls in flight over a few connections. A work is a list of items, each of which needs
 * one call or several one after the other; the pump sends them, repeats what may be repeated with
 * the same content after the server's RetryInfo or a growing pause, and gives every other answer to
 * the work.
 *
 * A call is not repeated for longer than `patience_us` of the wall clock after it was first sent:
 * far within the day for which every id is remembered, so a repeat never acts twice, even if the
 * machine slept in between. Thread: the loop's.
 */
struct call_pump;

struct pump_call {
    const char *path;
    const ProtobufCMessage *request;
    const ProtobufCMessageDescriptor *response;
    int64_t timeout_us; /* 0 = the usual */
};

/* A kind of work. All functions: pure but for the context, called on the loop's thread. */
struct pump_work {
    size_t (*item_count)(void *context);
    /* Whose items are orders that take turns: by them. NULL = items begin in rising order. */
    struct order_turns *(*turns)(void *context);
    /* Whether the item has anything to do now; asked when its turn comes. */
    bool (*is_due)(void *context, size_t item);
    /* How long to wait before its next call. NULL = never. */
    int64_t (*wait_us)(void *context, size_t item);
    /* Fills the item's next call; the request is on the arena. False without memory. */
    bool (*prepare)(void *context, size_t item, struct arena *arena, struct pump_call *call);
    /* Takes the answer; *again if the item has a further call. An error ends the work. */
    struct error (*answered)(void *context, size_t item, const struct rpc_client_result *result,
                             bool *again);
};

/* A service that is not where the others are: calls to /waybill.CONTEXT.… go there. */
struct call_pump_server {
    const char *context; /* "inventory" */
    const char *server;  /* "HOST:PORT" */
};

enum { call_pump_servers_max = 8 };

struct call_pump_options {
    uv_loop_t *loop;
    struct clock *clock;
    const char *server;                    /* "HOST:PORT", lives as long as the pump */
    const struct call_pump_server *others; /* as long */
    size_t other_count;                    /* at most call_pump_servers_max */
    const struct tls_settings *tls;        /* to all of them; NULL = plain */
    uint32_t connections;                  /* to each of them */
    uint32_t calls_per_connection;         /* times `connections`: in flight, wherever they go */
    int64_t patience_us;
    int64_t first_patience_us; /* until the server has answered for the first time */
};

struct call_pump_counts {
    uint64_t calls;    /* answered for good */
    uint64_t repeated; /* sent again */
    int64_t busy_us;   /* how long at least one was in flight */
};

/* Errors: INVALID_SETTING (server), OUT_OF_MEMORY, INTERNAL (libuv). */
struct error call_pump_create(struct call_pump **pump, const struct call_pump_options *options);

/* Ends what is in flight and runs the loop until everything is closed. NULL is allowed. */
void call_pump_destroy(struct call_pump *pump);

/*
 * Runs the loop until every item that is due is done. `latencies` gets, unless NULL, the time of
 * each call from its first sending to its answer. Errors: those of `answered`; NETWORK when
 * patience ended, its detail says what to do; CANCELLED by call_pump_stop; OUT_OF_MEMORY. On an
 * error calls already sent were waited for, at most 5 s, and the pump is then only to be destroyed.
 */
__attribute__((warn_unused_result)) struct error call_pump_run(struct call_pump *pump,
                                                               const struct pump_work *work,
                                                               void *context,
                                                               struct latency_sample *latencies);

/* Has call_pump_run return CANCELLED, now or when it is called next. */
void call_pump_stop(struct call_pump *pump);

/* Whether the server has answered anything yet. */
bool call_pump_has_answered(const struct call_pump *pump);

/* Since the making. */
struct call_pump_counts call_pump_counts(const struct call_pump *pump);

#endif
