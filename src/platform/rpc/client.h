#ifndef WAYBILL_PLATFORM_RPC_CLIENT_H
#define WAYBILL_PLATFORM_RPC_CLIENT_H

#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "platform/base/text.h"
#include "platform/rpc/status.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

/*
 * The client: one HTTP/2 connection to one server, many calls at once, driven by the caller's libuv
 * loop. All functions and completions: the loop's thread.
 */
struct rpc_client;
struct rpc_client_call;

struct rpc_client_options {
    const char *server; /* "HOST:PORT" */
    int64_t connect_timeout_us;
    size_t response_bytes_max;
    uint32_t calls_max; /* at once; a further call answers OVERLOADED */
};

struct rpc_client_options rpc_client_options_default(void);

/*
 * What came of a call. `status.code` OK: `response` is the unpacked message. Otherwise NULL, and
 * the status is the server's, or UNAVAILABLE / DEADLINE_EXCEEDED / CANCELLED / INTERNAL of our own
 * making. Everything lives until the completion returns.
 */
struct rpc_client_result {
    struct rpc_status status;
    const ProtobufCMessage *response;
};

typedef void rpc_client_done(void *context, const struct rpc_client_result *result);

/*
 * Makes a client; the connection is opened by the first call and again after it was lost.
 * Errors: INVALID_SETTING (address), OUT_OF_MEMORY.
 */
struct error rpc_client_create(struct rpc_client **client, uv_loop_t *loop,
                               const struct rpc_client_options *options);

/* Ends all calls with CANCELLED, closes; `closed` is called when the client is gone. */
void rpc_client_close(struct rpc_client *client, void (*closed)(void *context), void *context);

/*
 * Sends one unary call. `path` is "/waybill.inventory.v1.InventoryService/Reserve"; the request is
 * packed before this returns. timeout_us 0 = no deadline. `done` is called exactly once, never
 * before this function returns. Without memory the result is RESOURCE_EXHAUSTED.
 */
void rpc_client_call(struct rpc_client *client, const char *path, const ProtobufCMessage *request,
                     const ProtobufCMessageDescriptor *response_descriptor, int64_t timeout_us,
                     rpc_client_done *done, void *context);

/* Calls sent and not yet answered. */
uint32_t rpc_client_calls_in_flight(const struct rpc_client *client);

#endif
