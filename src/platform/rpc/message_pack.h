#ifndef WAYBILL_PLATFORM_RPC_MESSAGE_PACK_H
#define WAYBILL_PLATFORM_RPC_MESSAGE_PACK_H

#include "platform/base/arena.h"
#include "platform/base/error.h"
#include "platform/base/text.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

/* The message's bytes on the arena; false without memory. Thread: the arena's owner. */
__attribute__((warn_unused_result)) bool message_pack(const ProtobufCMessage *message,
                                                      struct arena *arena, struct text *data);

/*
 * The other way, of what another context says in an event: the message on the heap, for
 * message_release. Errors: DAMAGED, the bytes are no message of that type, and never will be;
 * OUT_OF_MEMORY. Then *message is NULL.
 */
__attribute__((warn_unused_result)) struct error message_unpack(
    const ProtobufCMessageDescriptor *type, struct text data, ProtobufCMessage **message);

/* NULL is allowed. */
void message_release(ProtobufCMessage *message);

#endif
