/*
 * Packing: measured, then packed in one piece; an empty message has an address, too. Unpacking:
 * protobuf-c says NULL both for bytes that are no message and for want of memory; an allocator that
 * remembers tells them apart.
 */
#include "platform/rpc/message_pack.h"

#include "platform/base/memory.h"

bool message_pack(const ProtobufCMessage *message, struct arena *arena, struct text *data)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = arena_allocate(arena, size + 1);
    if (bytes == NULL)
        return false;
    *data = text_make(bytes, protobuf_c_message_pack(message, bytes));
    return true;
}

static void *allocate(void *out_of_memory, size_t size)
{
    void *block = memory_allocate(size);
    *(bool *)out_of_memory = *(bool *)out_of_memory || block == NULL;
    return block;
}

static void release(void *out_of_memory, void *block)
{
    (void)out_of_memory;
    memory_release(block);
}

struct error message_unpack(const ProtobufCMessageDescriptor *type, struct text data,
                            ProtobufCMessage **message)
{
    bool out_of_memory = false;
    ProtobufCAllocator allocator = {
        .alloc = allocate, .free = release, .allocator_data = &out_of_memory};
    *message = protobuf_c_message_unpack(type, &allocator, data.size, (const uint8_t *)data.data);
    if (*message != NULL)
        return error_none();
    return out_of_memory ? error_make(ERROR_OUT_OF_MEMORY, "reading a %s", type->name)
                         : error_make(ERROR_DAMAGED, "the bytes are no %s", type->name);
}

void message_release(ProtobufCMessage *message)
{
    bool ignored = false;
    ProtobufCAllocator allocator = {.alloc = allocate, .free = release, .allocator_data = &ignored};
    if (message != NULL)
        protobuf_c_message_free_unpacked(message, &allocator);
}
