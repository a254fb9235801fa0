#ifndef WAYBILL_PLATFORM_RPC_MESSAGE_PACK_H
#define WAYBILL_PLATFORM_RPC_MESSAGE_PACK_H

#include "platform/base/arena.h"
#include "platform/base/text.h"

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

/* The message's bytes on the arena; false without memory. Thread: the arena's owner. */
__attribute__((warn_unused_result)) bool message_pack(const ProtobufCMessage *message,
                                                      struct arena *arena, struct text *data);

#endif
