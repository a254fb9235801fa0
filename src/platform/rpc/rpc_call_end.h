#ifndef WAYBILL_PLATFORM_RPC_RPC_CALL_END_H
#define WAYBILL_PLATFORM_RPC_RPC_CALL_END_H

#include "platform/base/error.h"
#include "platform/base/violations.h"
#include "platform/rpc/server.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

/*
 * The ends of a call that are the same for every method (DESIGN section 3, Errors). Each is one
 * rpc_call_fail or, for a unary call, rpc_call_answer: the last word of the handler. None can fail
 * itself, and what is given need not live on. Thread: the call's.
 */

/* The status that belongs to the error's code. */
void rpc_call_end_with_error(struct rpc_call *call, const struct error *error);

/* ERROR_OUT_OF_MEMORY: there was none to read the request or to fill the answer. */
void rpc_call_end_without_memory(struct rpc_call *call);

/* INVALID_ARGUMENT with every field that was found wrong. */
void rpc_call_end_with_violations(struct rpc_call *call, const struct violations *violations);

/* INVALID_ARGUMENT PAGE_TOKEN_INVALID: the token is not of this list, or of another filter. */
void rpc_call_end_with_page_token(struct rpc_call *call);

/* The response if everything in it found memory, else as rpc_call_end_without_memory. */
void rpc_call_end_with_answer(struct rpc_call *call, const ProtobufCMessage *response,
                              bool is_filled);

#endif
