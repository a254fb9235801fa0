#ifndef WAYBILL_PLATFORM_RPC_SERVER_RPC_QUERY_H
#define WAYBILL_PLATFORM_RPC_SERVER_RPC_QUERY_H

#include "platform/base/buffer.h"
#include "platform/rpc/server/rpc_call.h"

/*
 * A Connect GET's query (connectrpc.com/docs/protocol, "Unary-Get-Request"): encoding, message,
 * base64, compression, connect. Sets the call's codec and coding, puts the message into `message`.
 * NULL, or what is wrong. Thread: the loop's.
 */
const char *rpc_query_read(struct rpc_call *call, struct buffer *message);

#endif
