#ifndef WAYBILL_PLATFORM_RPC_SERVER_RPC_RESPONSE_H
#define WAYBILL_PLATFORM_RPC_SERVER_RPC_RESPONSE_H

#include "platform/rpc/server/rpc_call.h"

/* What the sending half of a call offers the receiving one. Thread: the loop's. */

/* Ends the call with a status of the server's own; the arena is not touched. */
void rpc_response_end(struct rpc_call *call, enum grpc_status status, const char *message);

/* The same with a status and its details, while the arena is ours. */
void rpc_response_end_with(struct rpc_call *call, const struct rpc_status *status);

/* Fills `out` from what is queued; http_exchange.h, `read`. */
size_t rpc_response_read(struct rpc_call *call, char *out, size_t room,
                         enum http_body_state *state);

/* Releases what is queued, and the texts of the status. */
void rpc_response_release(struct rpc_call *call);

#endif
