#ifndef WAYBILL_PLATFORM_RPC_SERVER_RPC_CODEC_H
#define WAYBILL_PLATFORM_RPC_SERVER_RPC_CODEC_H

#include "platform/rpc/server/rpc_call.h"

/*
 * From bytes to a message and back. Both codecs pass the same gate: JSON is read, packed, and then
 * checked as Protocol Buffers are, so that limits and violations are the same. Thread: the loop's.
 */

/* A message on call->arena; NULL with *status set. */
ProtobufCMessage *rpc_codec_decode(struct rpc_call *call, struct text bytes,
                                   struct rpc_status *status);

/* Appends the message. False: the buffer's limit or memory. */
bool rpc_codec_encode(const struct rpc_call *call, const ProtobufCMessage *message,
                      struct buffer *out);

#endif
