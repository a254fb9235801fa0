#ifndef WAYBILL_TESTS_SUPPORT_RPC_MEMORY_KIT_H
#define WAYBILL_TESTS_SUPPORT_RPC_MEMORY_KIT_H

#include "platform/base/arena.h"
#include "platform/rpc/client.h"
#include "platform/rpc/server.h"

#include <protobuf-c/protobuf-c.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/*
 * A service at a real door, and a client of it, in one thread and on one loop that the test runs
 * itself: every allocation from the caller's request to its answer can be made to fail, one after
 * the other, alone or with all later ones (RELIABILITY row 9). Those of the store and the carriers
 * as well, where they work on this thread; what has threads of its own is left alone.
 *
 * What is promised, and asked of each trial: a failed allocation costs the call at most, by an
 * error that says so, or the connection; nothing is half done; asked again the answer is right.
 *
 * What fails ends the running cmocka test. SIGPIPE must be ignored.
 */
struct rpc_memory_kit {
    const struct rpc_memory_trial *trial; /* of the test that runs */
    struct rpc_service service;           /* set these four; they outlive the kit */
    void (*work)(void *context); /* does what waits behind the door; NULL = nothing waits there */
    struct clock *clock;         /* the server's; NULL = the machine's */
    void *context;               /* of this and of the trials */

    struct rpc_server *server; /* the kit's own */
    struct rpc_client *client;
    uv_loop_t *loop;
    bool client_closed;
    bool done;                      /* what came of the latest call: */
    unsigned told;                  /* messages */
    struct rpc_client_call *stream; /* while it is open */
    enum grpc_status status;
    char message[300];
    ProtobufCMessage *response; /* the last one; NULL = none came */
};

/* One kind of call, whose every allocation is to fail. */
struct rpc_memory_trial {
    const char *name;   /* of the test */
    const char *method; /* "CreateShipment" */
    /*
     * The request, on the arena. Whatever must be there is there when it returns; nothing fails
     * meanwhile. `number` is another one in each trial, for ids of their own.
     */
    ProtobufCMessage *(*make)(void *context, struct arena *arena, unsigned number);
    /* NULL, or: after a failed try, before the same is asked again: what goes on by itself ends. */
    void (*settle)(void *context, unsigned number);
    /* NULL, or: after the right answer, which is NULL if `status` is not OK: that all is so. */
    void (*check)(void *context, unsigned number, const ProtobufCMessage *response);
    enum grpc_status status;      /* of the right answer */
    enum grpc_status done_before; /* not OK: right, too, where it has been done before */
    /* NULL, or: whether a message says within it that it was not done, for want of memory. */
    bool (*says_not_done)(const ProtobufCMessage *response);
    unsigned messages_until_cancelled; /* of a stream that does not end by itself; 0 = it does */
    /*
     * Instead of a call of `method`, which is NULL then, for what comes in by another way: it is
     * begun, and rpc_memory_kit_done follows. The request may be NULL.
     */
    void (*begin)(struct rpc_memory_kit *kit, const ProtobufCMessage *request);
};

void rpc_memory_kit_open(struct rpc_memory_kit *kit);
void rpc_memory_kit_close(struct rpc_memory_kit *kit);

/*
 * One call, and the loop until it is over; kit->status and so on say how it ended. timeout_us 0 =
 * no deadline, but a minute for the test.
 */
void rpc_memory_kit_call(struct rpc_memory_kit *kit, const struct rpc_memory_trial *trial,
                         const ProtobufCMessage *request, int64_t timeout_us);

/* What a trial's own `begin` has begun is over: OK, or what excuses it. */
void rpc_memory_kit_done(struct rpc_memory_kit *kit, enum grpc_status status);

/* The loop for some turns, with the work behind the door: what nobody waits for comes to rest. */
void rpc_memory_kit_run(struct rpc_memory_kit *kit);

/* For requests, on the trial's arena, which has the memory: zeroed; a copy; an empty message. */
void *request_take(struct arena *arena, size_t size);
char *request_string(struct arena *arena, const char *words);
void *request_message(struct arena *arena, const ProtobufCMessageDescriptor *descriptor);

/*
 * The whole program: a test for each trial, and one that each method of the service has a trial.
 * `set_up` finds the trial in *state; it leaves there what begins with an open kit, whose `trial`
 * it is. In each test at least `failures_min` allocations must fail, or it has tried nothing.
 */
int rpc_memory_kit_main(const char *name, const struct rpc_memory_trial *trials, size_t count,
                        unsigned failures_min, CMFixtureFunction set_up,
                        CMFixtureFunction tear_down);

#endif
