/* Measured, then packed in one piece. An empty message has an address, too. */
#include "platform/rpc/message_pack.h"

bool message_pack(const ProtobufCMessage *message, struct arena *arena, struct text *data)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = arena_allocate(arena, size + 1);
    if (bytes == NULL)
        return false;
    *data = text_make(bytes, protobuf_c_message_pack(message, bytes));
    return true;
}
