#ifndef WAYBILL_PLATFORM_RPC_RPC_RESPONSE_H
#define WAYBILL_PLATFORM_RPC_RPC_RESPONSE_H

#include "platform/rpc/rpc_call.h"

/*
 * The sending half of a call. rpc_call_answer, _fail, _send and _finish of server.h are here, too.
 * Thread: the call's loop.
 */

/* Ends the call with a status of the server's own; touches no arena. Nothing if it has ended. */
void rpc_response_end(struct rpc_call *call, enum grpc_status status, const char *message);

/* Ends the call with a status and its details, packed on the call's arena. */
void rpc_response_end_with(struct rpc_call *call, const struct rpc_status *status);

/* HTTP status 415: the request is not gRPC. */
void rpc_response_unsupported_media_type(struct rpc_call *call);

/* Releases what was not sent. */
void rpc_response_release(struct rpc_call *call);

#endif
